//! Limits of pictures, checked from the header before decoding (docs/reference/pictures.md).

use anyhow::{Result, ensure};

/// Maximum size of a picture file in bytes: the maximum number of pixels with four channels of 16 bit.
pub(super) const MOST_BYTES: u64 = MOST_PIXELS * 8;
/// 8192 × 8192: more than twice the largest mammogram (5928 × 4728) and more than thumbnails of whole slides. Larger pictures
/// need seconds and gigabytes, and the models see at most some thousand pixels per side.
pub(super) const MOST_PIXELS: u64 = 1 << 26;
/// Maximum ratio of the sides (the limit of Qwen2-VL's own processor): models scale the shorter side to
/// a few hundred pixels, and the longer one with it.
const MOST_ASPECT: u32 = 200;

/// Checks whether a picture of this size is supported.
///
/// # Errors
/// Fails if the picture is too large or too elongated.
pub(super) fn check_size(width: u32, height: u32) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    ensure!(
        pixels > 0 && pixels <= MOST_PIXELS,
        "expected a picture of 1 to {MOST_PIXELS} pixels, found {width} × {height}; scale it down"
    );
    let (long, short) = (width.max(height), width.min(height));
    ensure!(
        long.div_ceil(short) <= MOST_ASPECT,
        "expected one side at most {MOST_ASPECT} times as long as the other, found {width} × {height}"
    );
    Ok(())
}
