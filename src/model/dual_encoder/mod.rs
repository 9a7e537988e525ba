//! Dual encoders of every known family: pictures and texts to unit vectors of one space.
//!
//! | file | what is in it |
//! |---|---|
//! | `architecture` | what a family is: the trait that each implements in its own folder |
//! | `known` | which family a checkpoint folder holds |
//! | `encoder` | a checkpoint ready to use |
//! | `image_processor` | pictures to pixels of one size |
//! | `patch_processor` | pictures to patches, each in its own proportions |
//! | `picture_processor` | either of them |
//! | `pixels` | what both give |

mod architecture;
mod encoder;
mod image_processor;
mod known;
mod patch_processor;
mod picture_processor;
mod pixels;

pub use architecture::{Architecture, ImageTower, TextTower, image_projection};
pub use encoder::DualEncoder;
pub use image_processor::{ImageProcessor, OpenClipTransform};
pub use known::architecture_of;
pub use patch_processor::PatchProcessor;
pub use picture_processor::PictureProcessor;
pub use pixels::{PatchGrid, Pixels};
