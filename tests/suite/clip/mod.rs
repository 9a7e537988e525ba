//! CLIP: against transformers, saved and loaded again, trained.

mod gradients;
mod reference;
mod saved;
