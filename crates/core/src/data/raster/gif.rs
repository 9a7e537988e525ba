//! GIF: counts the frames without decoding them (GIF89a, sections 17 to 27), then decodes the first.

use super::{Raster, pixels};
use crate::data::remark::PictureRemark;
use anyhow::{Context, Result, ensure};
use image::codecs::gif::GifDecoder;
use image::metadata::Orientation;
use std::io::Cursor;

/// Header and logical screen descriptor.
const START: usize = 13;

pub(super) fn decode(bytes: &[u8]) -> Result<Raster> {
    let blocks = Blocks::read(bytes);
    ensure!(blocks.frames > 0, "the GIF file is cut short or damaged: its first frame has no end");
    let failed = "the GIF file is cut short or damaged";
    let image = pixels(GifDecoder::new(Cursor::new(bytes)).context(failed)?).context(failed)?;
    let mut remarks = Vec::new();
    remarks.extend((blocks.frames > 1).then_some(PictureRemark::FirstOfFrames(blocks.frames)));
    remarks.extend(blocks.has_oblong_pixels.then_some(PictureRemark::OblongPixels));
    Ok(Raster { image, orientation: Orientation::NoTransforms, remarks })
}

/// What the blocks of the file say.
struct Blocks {
    /// Number of frames whose data is whole.
    frames: u64,
    has_oblong_pixels: bool,
}

impl Blocks {
    /// Reads the blocks up to the end or the first damaged one.
    fn read(bytes: &[u8]) -> Self {
        let mut blocks = Self { frames: 0, has_oblong_pixels: false };
        let Some(start) = bytes.get(..START) else { return blocks };
        // 0 is none, 49 is 1 : 1.
        blocks.has_oblong_pixels = !matches!(start[12], 0 | 49);
        let mut at = START + table_length(start[10]);
        while let Some(kind) = bytes.get(at) {
            let end = match kind {
                0x21 => end_of_data(bytes, at + 2),
                0x2C => bytes.get(at + 9).and_then(|flags| end_of_data(bytes, at + 11 + table_length(*flags))),
                _ => return blocks,
            };
            let Some(end) = end else { return blocks };
            blocks.frames += u64::from(*kind == 0x2C);
            at = end;
        }
        blocks
    }
}

/// Length of a colour table.
fn table_length(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// The place after sub-blocks, which begin with their length and end with an empty one.
fn end_of_data(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
