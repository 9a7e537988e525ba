//! Dual encoders of every known family: images and texts to unit vectors in a shared space.
//!
//! | file | content |
//! |---|---|
//! | `architecture` | the trait that each family implements in its own folder |
//! | `known` | finding the family of a checkpoint folder |
//! | `encoder` | a loaded checkpoint |
//! | `image_processor` | preprocessing to a fixed size |
//! | `patch_processor` | preprocessing to patches that keeps the aspect ratio |
//! | `picture_processor` | either of the two |
//! | `pixels` | their output |

mod architecture;
mod encoder;
mod image_processor;
mod known;
mod patch_processor;
mod picture_processor;
mod pixels;

pub use architecture::{Architecture, ImageTower, TextArchitecture, TextTower, image_projection};
pub use encoder::DualEncoder;
pub use image_processor::{ImageProcessor, OpenClipTransform};
pub use known::architecture_of;
pub use patch_processor::PatchProcessor;
pub use picture_processor::PictureProcessor;
pub use pixels::{PatchGrid, Pixels};
