//! Pixtral: against transformers, saved and loaded again, trained.

mod checkpoint;
mod fixture;
mod training;
