//! Parts of a prompt, and images prepared for a vision tower.

use candle_core::Tensor;

/// A part of a user message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentPart<'a> {
    Text(&'a str),
    Image(ImageGrid),
}

/// The division of an image: into patches (Pixtral, Qwen2-VL, Qwen3-VL, LLaVA) or tiles (SmolVLM; 0 × 0 if it is not split).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageGrid {
    pub rows: usize,
    pub columns: usize,
}

impl ImageGrid {
    /// Number of patches.
    pub fn patches(self) -> usize {
        self.rows * self.columns
    }
}

/// An image prepared for the vision tower.
#[derive(Clone, Debug)]
pub struct PreparedImage {
    /// Normalised pixels in f32 on the CPU: `[3, H, W]` (Pixtral, LLaVA), `[patches, values per patch]` (Qwen2-VL, Qwen3-VL) or
    /// `[tiles, 3, H, W]` (SmolVLM).
    pub pixels: Tensor,
    pub grid: ImageGrid,
}
