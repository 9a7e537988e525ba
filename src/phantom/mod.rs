//! Synthetic images with captions, in the tradition of Shepp and Logan: no patient, no licence, byte for byte
//! reproducible from a seed.
//!
//! | module | what is in it |
//! |---|---|
//! | [`ultrasound`] | a lesion in layered tissue, grey; entity = margin x interior |
//! | [`fundus`] | a retina in colour; grade 0 to 4 |
//! | [`subject`], [`tasks`] | a phantom of either kind; the questions asked about it |
//! | [`pool`] | training pools, a dataset directory for each stage |
//! | [`wording`] | how much a caption says |
//! | [`encode`] | small PNG files, same bytes everywhere |
//! | [`rng`], [`field`] | randomness and smooth noise, the same on every machine |
//! | [`sites`] | which entity is malignant at which site |
//! | [`sample`] | the embedded sample: two datasets, one corpus of images |
//! | [`sheet`] | contact sheet to look at |

mod attribute;
pub mod encode;
pub mod field;
pub mod fundus;
pub mod pool;
pub mod rng;
pub mod sample;
pub mod sheet;
pub mod sites;
pub mod subject;
pub mod tasks;
pub mod ultrasound;
pub mod wording;

/// Licence of everything drawn here.
pub const LICENCE: &str = "synthetic; CC0-1.0";
