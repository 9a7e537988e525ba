//! Finds the same picture in another file: encoded again, scaled, or with another window.

use super::Picture;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage};
use image_hasher::{HashAlg, HasherConfig};

/// Bits of a print.
const BITS: usize = 256;
/// Side of the hash; its square is [`BITS`].
const SIDE: u32 = 16;
/// Two prints with at most this many different bits are of one picture. The threshold lies between what copies and what
/// different pictures have; docs/reference/formats.md has both, measured by `cargo test -p dissent-core --test same_picture -- --nocapture`.
pub const MOST_DIFFERENT_BITS: u32 = 26;
/// A picture whose grey values spread less than this (standard deviation, of 255) shows nothing that could be told apart.
const LEAST_SPREAD: f64 = 2.0;

/// A perceptual hash: which of the lowest 16 x 16 frequencies (discrete cosine transform of the grey picture, 32 x 32) are above
/// their median.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PicturePrint([u8; BITS / 8]);

impl PicturePrint {
    /// The print of a picture; `None` for one that is nearly of one grey, which would be like every other such one.
    pub fn of(picture: &Picture) -> Option<Self> {
        let grey = DynamicImage::ImageRgb8(picture.to_rgb8()).to_luma8();
        if spread(&grey) < LEAST_SPREAD {
            return None;
        }
        let hasher = HasherConfig::with_bytes_type::<[u8; BITS / 8]>()
            .hash_size(SIDE, SIDE)
            .hash_alg(HashAlg::Median)
            .preproc_dct()
            .resize_filter(FilterType::Triangle)
            .to_hasher();
        let hash = hasher.hash_image(&DynamicImage::ImageLuma8(grey));
        Some(Self(hash.as_bytes().try_into().ok()?))
    }

    /// Number of different bits.
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(one, other)| (one ^ other).count_ones()).sum()
    }

    /// Whether both are of one picture.
    pub fn is_same_picture(&self, other: &Self) -> bool {
        self.distance(other) <= MOST_DIFFERENT_BITS
    }

    /// The print as hexadecimal digits.
    pub(super) fn to_hex(self) -> String {
        let mut text = String::with_capacity(BITS / 4);
        for byte in self.0 {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// Reads what [`PicturePrint::to_hex`] wrote; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() != BITS / 4 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; BITS / 8];
        for (position, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(position * 2..position * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

/// Standard deviation of the grey values.
fn spread(grey: &GrayImage) -> f64 {
    let n = f64::from(grey.width()) * f64::from(grey.height());
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for value in grey.as_raw() {
        sum += u64::from(*value);
        squares += u64::from(*value) * u64::from(*value);
    }
    let mean = sum as f64 / n;
    (squares as f64 / n - mean * mean).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_reads_back_from_its_digits() {
        let print = PicturePrint(std::array::from_fn(|position| position as u8 * 7));
        assert_eq!(PicturePrint::parse(&print.to_hex()), Some(print));
        for text in ["", "ab", &"g".repeat(64), &"ä".repeat(32)] {
            assert_eq!(PicturePrint::parse(text), None, "{text}");
        }
    }
}
