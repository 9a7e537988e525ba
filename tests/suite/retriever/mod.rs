//! The LVLM-aware retriever: heads on disk, their training, and what is refused.

mod heads;
mod training;
