//! PNG: reads the chunks before inflating them, then the pixels.

use super::picture_limits::{MOST_BYTES, check_size};
use anyhow::{Context, Result, ensure};
use flate2::Crc;
use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use png::{BitDepth, ColorType, DecodingError, Transformations};
use std::io::{Cursor, ErrorKind};

const SIGNATURE: usize = 8;
/// Bytes around the data of a chunk: length, type and checksum.
const FRAME: usize = 12;
/// Gamma of sRGB, in the unit of the gAMA chunk, and its tolerance.
const SRGB_GAMMA: u32 = 45_455;
const GAMMA_TOLERANCE: u32 = 1_000;
/// White point and primaries of sRGB, in the unit of the cHRM chunk, and their tolerance.
const SRGB_POINTS: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
const POINT_TOLERANCE: u32 = 100;

/// Properties of a PNG file from its chunks.
pub(super) struct PngHeader {
    pub width: u32,
    pub height: u32,
    pub is_deep: bool,
    pub orientation: Orientation,
    pub frames: u64,
    /// Whether its colours are not sRGB.
    pub other_colours: bool,
    /// Whether its pixels are not square.
    pub has_oblong_pixels: bool,
}

impl PngHeader {
    /// Reads the chunks without inflating them, up to the first damaged one.
    pub fn read(bytes: &[u8]) -> Self {
        let mut header = Self {
            width: 0,
            height: 0,
            is_deep: false,
            orientation: Orientation::NoTransforms,
            frames: 1,
            other_colours: false,
            has_oblong_pixels: false,
        };
        let mut says_srgb = false;
        let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
        while let Some((kind, data, next)) = chunk(rest) {
            match (kind, data) {
                // The decoder uses the first of several.
                (b"IHDR", [a, b, c, d, e, f, g, h, depth, ..]) if header.width == 0 => {
                    header.width = u32::from_be_bytes([*a, *b, *c, *d]);
                    header.height = u32::from_be_bytes([*e, *f, *g, *h]);
                    header.is_deep = *depth == 16;
                }
                (b"eXIf", exif) => {
                    header.orientation = Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms);
                }
                (b"acTL", [a, b, c, d, ..]) => header.frames = u32::from_be_bytes([*a, *b, *c, *d]).into(),
                (b"sRGB", _) => says_srgb = true,
                (b"cICP", [primaries, transfer, ..]) => {
                    // 1 and 13: the primaries of BT.709 and the transfer of sRGB (ITU-T H.273).
                    header.other_colours |= (*primaries, *transfer) != (1, 13);
                }
                (b"cHRM", points) => header.other_colours |= !are_of_srgb(points),
                (b"pHYs", [a, b, c, d, e, f, g, h, _]) => {
                    let (wide, high) = (u32::from_be_bytes([*a, *b, *c, *d]), u32::from_be_bytes([*e, *f, *g, *h]));
                    header.has_oblong_pixels = wide.abs_diff(high) > wide.max(high) / 100;
                }
                (b"gAMA", [a, b, c, d]) => {
                    let gamma = u32::from_be_bytes([*a, *b, *c, *d]);
                    header.other_colours |= gamma.abs_diff(SRGB_GAMMA) > GAMMA_TOLERANCE;
                }
                (b"iCCP", profile) => header.other_colours |= !profile.to_ascii_lowercase().starts_with(b"srgb"),
                _ => {}
            }
            rest = next;
        }
        header.other_colours &= !says_srgb;
        header
    }
}

/// Type and data of the next chunk, and the remaining bytes.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    Some((kind, rest.get(..length)?, bytes.get(length.checked_add(FRAME)?..)?))
}

/// Checks the first chunk, because the decoder would trust the size in a damaged one.
fn has_right_checksum(bytes: &[u8]) -> bool {
    let start = SIGNATURE + 4;
    let Some((_, data, _)) = bytes.get(SIGNATURE..).and_then(chunk) else { return false };
    let end = start + 4 + data.len();
    let Some(stored) = bytes.get(end..).and_then(|rest| rest.first_chunk::<4>()) else { return false };
    let mut checksum = Crc::new();
    checksum.update(&bytes[start..end]);
    checksum.sum() == u32::from_be_bytes(*stored)
}

/// Whether these are the primaries of sRGB.
fn are_of_srgb(points: &[u8]) -> bool {
    let found = points.chunks_exact(4).map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]));
    points.len() == 32 && found.zip(SRGB_POINTS).all(|(found, srgb)| found.abs_diff(srgb) <= POINT_TOLERANCE)
}

/// Decodes the pixels: 1, 2 and 4 bits and palettes become 8 bits, transparency of a palette or colour becomes alpha, 16
/// bits stay. From an animation it reads the still picture.
///
/// # Errors
/// Fails with the first error of the file.
pub(super) fn decode(bytes: &[u8], header: &PngHeader) -> Result<DynamicImage> {
    ensure!(header.width > 0, "the PNG file is cut short or damaged: it does not begin with a whole IHDR chunk");
    ensure!(has_right_checksum(bytes), "the PNG file is damaged: the checksum of its IHDR chunk is wrong");
    check_size(header.width, header.height)?;
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MOST_BYTES as usize });
    // Text chunks can inflate to hundreds of megabytes, and are not needed.
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|error| in_words(&error))?;
    check_size(reader.info().width, reader.info().height)?;
    let size = reader.output_buffer_size().context("the PNG file does not fit into memory")?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(|error| in_words(&error))?;
    pixels.truncate(frame.buffer_size());
    let (width, height) = (frame.width, frame.height);
    let deep = || pixels.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect::<Vec<u16>>();
    let image = match (frame.color_type, frame.bit_depth) {
        (ColorType::Grayscale, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageLuma16)
        }
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageLumaA16)
        }
        (ColorType::Rgb, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageRgb16)
        }
        (ColorType::Rgba, BitDepth::Sixteen) => {
            ImageBuffer::from_raw(width, height, deep()).map(DynamicImage::ImageRgba16)
        }
        (ColorType::Grayscale, _) => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
        (ColorType::GrayscaleAlpha, _) => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageLumaA8),
        (ColorType::Rgba, _) => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8),
        _ => ImageBuffer::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
    };
    image.context("the PNG file is damaged: its pixels do not fit its header")
}

fn in_words(error: &DecodingError) -> anyhow::Error {
    let is_cut = matches!(error, DecodingError::IoError(cause) if cause.kind() == ErrorKind::UnexpectedEof);
    let what = if is_cut { "is cut short" } else { "cannot be decoded" };
    anyhow::anyhow!("the PNG file {what}: {error}")
}
