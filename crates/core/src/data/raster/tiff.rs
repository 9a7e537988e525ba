//! TIFF: the first page. Samples of 1, 2, 4, 8 and 16 bits, grey (with alpha), RGB (with alpha), CMYK, palette, and
//! YCbCr within JPEG.

use super::tiff_directory::Directories;
use super::tiff_pixels::{Alpha, Page};
use super::{Raster, are_oblong, is_other_profile};
use crate::data::jpeg_data;
use crate::data::jpeg_file::JpegHeader;
use crate::data::picture_limits::{MOST_BYTES, check_size};
use crate::data::remark::PictureRemark;
use anyhow::{Context, Result, bail, ensure};
use image::metadata::Orientation;
use std::borrow::Cow;
use std::io::Cursor;
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

/// Memory for the value of one tag; offsets of a million strips take 8 MB.
const MOST_TAG_BYTES: usize = 64 << 20;
/// Values of PhotometricInterpretation and Compression.
const PALETTE: u64 = 3;
const JPEG: u16 = 7;
/// Values of ExtraSamples.
const PREMULTIPLIED_ALPHA: u16 = 1;
const ALPHA: u16 = 2;

type Pages<'a> = Decoder<Cursor<&'a [u8]>>;

pub(super) fn decode(bytes: &[u8]) -> Result<Raster> {
    let directories = Directories::read(bytes).context("the TIFF file is cut short: it has no directory")?;
    let is_palette = directories.photometric(bytes) == Some(PALETTE);
    let readable =
        if is_palette { Cow::Owned(directories.with_grey_in_place_of_palette(bytes)) } else { Cow::Borrowed(bytes) };
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MOST_BYTES as usize;
    limits.intermediate_buffer_size = MOST_BYTES as usize;
    limits.ifd_value_size = MOST_TAG_BYTES;
    let failed = "the TIFF file is cut short, damaged or of a kind that is not supported";
    let mut pages = Decoder::new(Cursor::new(&*readable)).context(failed)?.with_limits(limits);
    let (width, height) = pages.dimensions().context(failed)?;
    check_size(width, height)?;
    let colours = pages.colortype().context(failed)?;
    check_samples(&mut pages, colours)?;
    let is_jpeg = numbers(&mut pages, Tag::Compression)?.first() == Some(&u64::from(JPEG));
    check_chunks(&mut pages, &readable, is_jpeg)?;
    let mut samples = DecodingResult::U8(Vec::new());
    let layout = pages.read_image_to_buffer(&mut samples).context(failed)?;
    let page = Page {
        width,
        height,
        colours,
        samples,
        row_bytes: layout.row_stride.map_or(0, Into::into),
        planes: layout.planes,
        is_jpeg,
        alpha: alpha_of(&mut pages)?,
        palette: if is_palette { Some(palette(&mut pages, colours)?) } else { None },
    };
    let image = page.image()?;
    let mut remarks = Vec::new();
    remarks.extend((directories.pages > 1).then_some(PictureRemark::FirstOfFrames(directories.pages)));
    let profile = pages.get_tag_u8_vec(Tag::IccProfile).unwrap_or_default();
    remarks.extend(is_other_profile(&profile).then_some(PictureRemark::ColourProfile));
    let resolution = |pages: &mut Pages, tag| match pages.find_tag(tag) {
        Ok(Some(tiff::decoder::ifd::Value::Rational(above, below))) if below > 0 => f64::from(above) / f64::from(below),
        _ => 0.0,
    };
    let resolutions = (resolution(&mut pages, Tag::XResolution), resolution(&mut pages, Tag::YResolution));
    remarks.extend(are_oblong(resolutions.0, resolutions.1).then_some(PictureRemark::OblongPixels));
    let turned = numbers(&mut pages, Tag::Orientation)?.first().and_then(|number| u8::try_from(*number).ok());
    let orientation = turned.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms);
    Ok(Raster { image, orientation, remarks })
}

/// The numbers of a tag; none if it is missing.
fn numbers(pages: &mut Pages, tag: Tag) -> Result<Vec<u64>> {
    let found = pages.find_tag_unsigned_vec::<u64>(tag);
    Ok(found.with_context(|| format!("the TIFF file is damaged: its tag {tag:?} cannot be read"))?.unwrap_or_default())
}

/// Refuses floating-point and signed samples, and more than 16 bits.
fn check_samples(pages: &mut Pages, colours: ColorType) -> Result<()> {
    let formats = numbers(pages, Tag::SampleFormat)?;
    let bits = colours.bit_depth();
    let kind = match formats.iter().find(|format| **format != 1) {
        None if matches!(bits, 1 | 2 | 4 | 8 | 16) => return Ok(()),
        None => "unsigned",
        Some(2) => "signed",
        Some(3) => "floating-point",
        Some(_) => "undefined",
    };
    bail!(
        "expected unsigned samples of 1, 2, 4, 8 or 16 bits in the TIFF file, found {kind} ones of {bits} bits; \
         which value is black and which is white is not known: convert it to 8 or 16 bits"
    );
}

/// Checks that the data of every strip or tile is in the file, and within JPEG whole: the libraries would fill the rest.
fn check_chunks(pages: &mut Pages, bytes: &[u8], is_jpeg: bool) -> Result<()> {
    let (mut offsets, mut lengths) = (numbers(pages, Tag::StripOffsets)?, numbers(pages, Tag::StripByteCounts)?);
    if offsets.is_empty() {
        (offsets, lengths) = (numbers(pages, Tag::TileOffsets)?, numbers(pages, Tag::TileByteCounts)?);
    }
    ensure!(offsets.len() == lengths.len(), "the TIFF file is damaged: its strips have no lengths");
    let tables = pages.get_tag_u8_vec(Tag::JPEGTables).unwrap_or_default();
    let (chunk_width, chunk_height) = pages.chunk_dimensions();
    for (offset, length) in offsets.into_iter().zip(lengths) {
        let data = offset.checked_add(length).and_then(|end| bytes.get(offset as usize..end as usize));
        let data = data.with_context(|| {
            format!("the TIFF file is cut short: a strip ends at byte {}, the file at {}", offset + length, bytes.len())
        })?;
        if !is_jpeg {
            continue;
        }
        // Tables of all strips come first, between markers of their own.
        let whole = match (tables.len().checked_sub(2), data.get(2..)) {
            (Some(end), Some(rest)) => [&tables[..end], rest].concat(),
            _ => data.to_vec(),
        };
        let header = JpegHeader::read(&whole);
        ensure!(
            header.has_end && jpeg_data::is_whole(&whole),
            "the TIFF file is damaged: the JPEG data of a strip is cut short"
        );
        ensure!(
            header.width <= chunk_width && header.height <= chunk_height,
            "the TIFF file is damaged: expected a strip of {chunk_width} × {chunk_height}, found JPEG data of {} × {}",
            header.width,
            header.height
        );
    }
    Ok(())
}

/// What the first sample after the colours is.
fn alpha_of(pages: &mut Pages) -> Result<Alpha> {
    Ok(match numbers(pages, Tag::ExtraSamples)?.first() {
        Some(kind) if *kind == u64::from(ALPHA) => Alpha::Straight,
        Some(kind) if *kind == u64::from(PREMULTIPLIED_ALPHA) => Alpha::Premultiplied,
        _ => Alpha::None,
    })
}

/// Red, green and blue of every position in the palette.
fn palette(pages: &mut Pages, colours: ColorType) -> Result<Vec<[u8; 3]>> {
    let values = numbers(pages, Tag::ColorMap)?;
    let ColorType::Gray(bits @ 1..=8) = colours else { bail!("expected a palette of 1 to 8 bits in the TIFF file") };
    let count = 1_usize << bits;
    ensure!(
        values.len() == 3 * count,
        "expected {} values in the palette of the TIFF file, found {}",
        3 * count,
        values.len()
    );
    // Some writers store 8 bits, as libtiff knows.
    let is_8_bit = values.iter().all(|value| *value < 256);
    let light = |value: u64| if is_8_bit { value as u8 } else { (value >> 8) as u8 };
    Ok((0..count).map(|at| [at, count + at, 2 * count + at].map(|place| light(values[place]))).collect())
}
