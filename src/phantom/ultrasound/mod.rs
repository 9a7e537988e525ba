//! The ultrasound phantom: a lesion in layered tissue, 64x64 grey.
//!
//! Two faint signs, margin and interior, make an *entity* (16 of them); everything else is loud nuisance, as in the
//! measured recipe: a general-purpose encoder retrieves images with the same gain and position, not the same lesion.

mod attributes;
mod caption;
mod draw;
mod lesion;
mod params;
mod probe;
mod tissue;

pub use attributes::{
    Attributes, Depth, Entity, Gain, Interior, Margin, Outcome, Posterior, ProbeShape, Side, Size, Tissue,
};
pub use caption::{caption, sign_caption};
pub use draw::{draw, lesion_cover};
pub use params::Params;
