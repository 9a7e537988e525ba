//! What was done to a picture, or left undone, that its owner should know.

use image::metadata::Orientation;
use std::fmt;

/// A remark on one picture.
#[derive(Clone, Debug, PartialEq)]
pub enum PictureRemark {
    /// A 16-bit picture that uses less than half of its range: these values became black and white.
    Stretched { low: u16, high: u16 },
    /// An 8-bit picture that uses less than an eighth of its range.
    NearlyUniform { low: u8, high: u8 },
    /// Every pixel is the same.
    Constant,
    /// Only the first of so many frames is read.
    FirstOfFrames(u64),
    /// Turned or mirrored as EXIF asks.
    Turned(Orientation),
    /// Colour profile or gamma that is not applied.
    ColourProfile,
    /// Pixels that are not as wide as high; they are shown square.
    OblongPixels,
    /// A progressive JPEG file whose last scans are missing.
    LacksScans,
    /// A 16-bit picture in which all but one value in a thousand lie below this one: nearly black.
    FewBright { most_below: u16 },
    /// MONOCHROME2 with Presentation LUT Shape INVERSE.
    Inverted,
}

impl PictureRemark {
    /// Remarks of one kind are counted together.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Stretched { .. } => "that use less than half of 16 bits (screen and models see them stretched)",
            Self::NearlyUniform { .. } => {
                "that use less than an eighth of 0 to 255 (screen and models see nearly one grey)"
            }
            Self::Constant => "of one value everywhere",
            Self::FirstOfFrames(_) => "with several frames, of which the first is read",
            Self::Turned(_) => "turned as their EXIF orientation asks (other programs may leave them as stored)",
            Self::ColourProfile => "with a colour profile or gamma other than sRGB, which is not applied",
            Self::OblongPixels => "whose pixels are not as wide as high (screen and models see them square)",
            Self::LacksScans => "in progressive JPEG without their last scans: coarser than they were meant to be",
            Self::FewBright { .. } => "in which few bright pixels leave the others nearly black",
            Self::Inverted => "inverted as their Presentation LUT Shape asks",
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
                write!(formatter, "turned as EXIF asks (orientation {})", orientation.to_exif())
            }
            Self::ColourProfile => formatter.write_str("colour profile or gamma not applied"),
            Self::OblongPixels => formatter.write_str("pixels that are not as wide as high, shown square"),
            Self::LacksScans => formatter.write_str("the last scans are missing"),
            Self::FewBright { most_below } => {
                write!(formatter, "999 of 1000 values lie below {most_below} of 65535: nearly black")
            }
            Self::Inverted => formatter.write_str("inverted as Presentation LUT Shape asks"),
        }
    }
}
