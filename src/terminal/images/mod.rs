//! Images on the screen: decoded and scaled by a worker thread, drawn with block characters or, by ratatui-image, in pixels.

mod cache;
mod encode;
mod view;
mod worker;

pub use cache::{Picture, PictureKey, Pictures};
pub use encode::{as_first_seen, encode, in_blocks};
pub use view::{ImageView, ViewChange, Window, WindowStart};
pub use worker::{ImageWorker, Loaded};
