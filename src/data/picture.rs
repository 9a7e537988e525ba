//! A decoded image with the fingerprint of its file.

use crate::fingerprint::Fingerprint;
use image::DynamicImage;
use std::path::PathBuf;

/// An image as decoded: depth (8 or 16 bit) and channels are kept until a consumer asks for less.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Where it was read from, for messages.
    pub path: PathBuf,
    /// Of the file's bytes; vision features are cached under it.
    pub fingerprint: Fingerprint,
    pub image: DynamicImage,
}
