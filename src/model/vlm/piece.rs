//! What goes into a prompt, and a picture ready for an image tower.

use candle_core::Tensor;

/// A part of a user's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentPart<'a> {
    Text(&'a str),
    Image(ImageGrid),
}

/// How a picture is cut: into patches (Pixtral, Qwen2-VL) or tiles (SmolVLM; 0 × 0 where it is not cut).
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

/// A picture ready for the image tower.
#[derive(Clone, Debug)]
pub struct PreparedImage {
    /// f32, on the CPU: `[3, H, W]` (Pixtral), `[patches, values of a patch]` (Qwen2-VL) or `[tiles, 3, H, W]` (SmolVLM).
    pub pixels: Tensor,
    pub grid: ImageGrid,
}
