//! WebP: reads the chunks (RFC 9649, section 2), then decodes the first frame.

use super::{Raster, is_other_profile, pixels};
use crate::data::remark::PictureRemark;
use anyhow::{Context, Result, ensure};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use std::io::Cursor;

/// `RIFF`, the length of the rest, `WEBP`.
const START: usize = 12;

pub(super) fn decode(bytes: &[u8]) -> Result<Raster> {
    let length = bytes.get(4..8).and_then(|rest| rest.first_chunk::<4>()).map_or(0, |four| u32::from_le_bytes(*four));
    ensure!(
        u64::from(length) + 8 <= bytes.len() as u64,
        "the WebP file is cut short: expected {} bytes, found {}",
        u64::from(length) + 8,
        bytes.len()
    );
    let (mut frames, mut orientation, mut other_colours) = (0, Orientation::NoTransforms, false);
    let mut rest = bytes.get(START..8 + length as usize).unwrap_or_default();
    while let Some((kind, data, next)) = chunk(rest) {
        match kind {
            b"ANMF" => frames += 1,
            b"EXIF" => {
                // Some writers put the header of JPEG's segment before it.
                let exif = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
                orientation = Orientation::from_exif_chunk(exif).unwrap_or(orientation);
            }
            b"ICCP" => other_colours = is_other_profile(data),
            _ => {}
        }
        rest = next;
    }
    let failed = "the WebP file is cut short or damaged";
    let image = pixels(WebPDecoder::new(Cursor::new(bytes)).context(failed)?).context(failed)?;
    let mut remarks = Vec::new();
    remarks.extend((frames > 1).then_some(PictureRemark::FirstOfFrames(frames)));
    remarks.extend(other_colours.then_some(PictureRemark::ColourProfile));
    Ok(Raster { image, orientation, remarks })
}

/// Type and data of the next chunk, and the bytes after it, which begin at an even place.
fn chunk(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (kind, rest) = bytes.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let data = rest.get(..length)?;
    let next = length.checked_add(length % 2)?;
    Some((kind, data, rest.get(next..).unwrap_or_default()))
}
