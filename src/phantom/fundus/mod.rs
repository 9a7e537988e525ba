//! The fundus phantom: a retina in colour, 64x64, with a made-up retinopathy of grade 0 to 4.

mod attributes;
mod canvas;
mod caption;
mod draw;
mod lesions;
mod params;
mod vessels;

pub use attributes::{Attributes, EyeSide, Focus, Grade, Illumination, Tint};
pub use caption::{caption, sign_caption};
pub use draw::draw;
pub use params::Params;
