//! Remarks for the owner of a picture about its conversion.

use image::metadata::Orientation;
use std::fmt;

/// A remark on one picture.
#[derive(Clone, Debug, PartialEq)]
pub enum PictureRemark {
    /// A 16-bit picture that uses less than half of its range; these values become black and white.
    Stretched { low: u16, high: u16 },
    /// An 8-bit picture that uses less than an eighth of its range.
    NearlyUniform { low: u8, high: u8 },
    /// All pixels are equal.
    Constant,
    /// Only the first of this many frames is read.
    FirstOfFrames(u64),
    /// Rotated or mirrored according to EXIF.
    Turned(Orientation),
    /// A colour profile or gamma is not applied.
    ColourProfile,
    /// Non-square pixels are shown square.
    OblongPixels,
    /// A progressive JPEG file without its last scans.
    LacksScans,
    /// A 16-bit picture in which 99.9 % of the values are below this one: nearly black.
    FewBright { most_below: u16 },
    /// MONOCHROME2 with Presentation LUT Shape INVERSE.
    Inverted,
}

impl PictureRemark {
    /// The kind of the remark, for counting.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Stretched { .. } => "that use less than half of 16 bits (screen and models see them stretched)",
            Self::NearlyUniform { .. } => {
                "that use less than an eighth of 0 to 255 (screen and models see nearly one grey)"
            }
            Self::Constant => "of one value everywhere",
            Self::FirstOfFrames(_) => "with several frames, of which only the first is read",
            Self::Turned(_) => "rotated according to their EXIF orientation (other programs may not do this)",
            Self::ColourProfile => "with a colour profile or gamma other than sRGB, which is not applied",
            Self::OblongPixels => "with non-square pixels (screen and models see them square)",
            Self::LacksScans => "in progressive JPEG without their last scans: coarser than intended",
            Self::FewBright { .. } => "nearly black except for a few bright pixels",
            Self::Inverted => "inverted according to their Presentation LUT Shape",
        }
    }
}

impl fmt::Display for PictureRemark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stretched { low, high } => {
                write!(formatter, "values {low} to {high} of 0 to 65535, stretched to black and white")
            }
            Self::NearlyUniform { low, high } => write!(formatter, "values {low} to {high} of 0 to 255"),
            Self::Constant => formatter.write_str("every pixel has the same value"),
            Self::FirstOfFrames(frames) => write!(formatter, "first of {frames} frames"),
            Self::Turned(orientation) => {
                write!(formatter, "rotated according to EXIF (orientation {})", orientation.to_exif())
            }
            Self::ColourProfile => formatter.write_str("colour profile or gamma not applied"),
            Self::OblongPixels => formatter.write_str("non-square pixels, shown square"),
            Self::LacksScans => formatter.write_str("the last scans are missing"),
            Self::FewBright { most_below } => {
                write!(formatter, "999 of 1000 values lie below {most_below} of 65535: nearly black")
            }
            Self::Inverted => formatter.write_str("inverted according to Presentation LUT Shape"),
        }
    }
}
