//! DICOM images: the first frame as the standard says it is seen (PS3.3, C.11; docs/reference/pictures.md).
//!
//! The data set is walked here and not by a library: every length, depth and bit count that a file claims must be proved
//! before memory, stack or an index depends on it (issue 18).

mod colour;
mod elements;
mod grey;
mod layout;
mod lut;
mod rle;
mod samples;
mod syntax;

use super::picture_limits::MOST_BYTES;
use super::remark::PictureRemark;
use super::value_window::ValueWindow;
use crate::panics::caught_here;
use anyhow::{Context, Result, bail, ensure};
use elements::{Attributes, Coding};
use flate2::read::DeflateDecoder;
use image::DynamicImage;
use layout::Layout;
use std::borrow::Cow;
use std::io::Read;
use syntax::{Compression, Syntax};

/// Bytes before the letters by which a DICOM file is known.
const PREAMBLE: usize = 128;
const LETTERS: &[u8; 4] = b"DICM";

/// Image, its window, and what its owner should know.
pub(super) type Decoded = (DynamicImage, Option<ValueWindow>, Vec<PictureRemark>);

/// Does a file of these bytes call itself DICOM, or begin as a data set without file header does?
pub(super) fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE..PREAMBLE + 4) == Some(LETTERS) || bytes.starts_with(LETTERS) || bare_coding(bytes).is_some()
}

/// The coding of a data set without preamble: it begins with group 0002 or 0008, a small element and a length within it.
fn bare_coding(bytes: &[u8]) -> Option<Coding> {
    let big_endian = match bytes.get(..2)? {
        [2 | 8, 0] => false,
        [0, 8] => true,
        _ => return None,
    };
    let [low, high] = bytes.get(2..4)? else { return None };
    let element = if big_endian { u16::from_be_bytes([*low, *high]) } else { u16::from_le_bytes([*low, *high]) };
    let explicit = bytes.get(4..6)?.iter().all(u8::is_ascii_uppercase);
    let length = u32::from_le_bytes(*bytes.get(4..)?.first_chunk::<4>()?) as usize;
    let fits = explicit || (!big_endian && length <= bytes.len());
    (element < 0x0100 && fits).then_some(Coding { explicit, big_endian })
}

/// The first frame. Grey values are those of the modality (lookup table or rescale, PS3.3 C.11.1), moved so that the darkest
/// is 0 and turned round where smaller is lighter; they come with the window that the file asks for (C.11.2.1.2), else with
/// the range of what is not padding. VOI lookup tables and sigmoids are applied. 8-bit grey without a window and colours come
/// as they are.
///
/// # Errors
/// Fails if the file is damaged, holds no pixels, or stores them in a way that is not read here.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded> {
    // The JPEG decoder asserts in places: on a thread of its own a panic is an error of this file alone.
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("dissent-dicom".into());
        let decode = || {
            let _caught = caught_here();
            decode_frame(bytes)
        };
        let decoding = builder.spawn_scoped(scope, decode).context("no thread to decode DICOM on")?;
        decoding.join().unwrap_or_else(|_| bail!("the DICOM file is damaged, and the decoder failed on it"))
    })
}

fn decode_frame(bytes: &[u8]) -> Result<Decoded> {
    let start = if bytes.get(PREAMBLE..PREAMBLE + 4) == Some(LETTERS) {
        PREAMBLE + 4
    } else if bytes.starts_with(LETTERS) {
        4
    } else {
        let without_header = "the file looks like a DICOM data set without file header; `dcmconv IN OUT` or `gdcmconv IN OUT` writes one";
        return decode_data_set(bytes, 0).context(without_header);
    };
    decode_data_set(bytes, start)
}

fn decode_data_set(bytes: &[u8], start: usize) -> Result<Decoded> {
    let (meta, after) = Attributes::read_meta(bytes, start)?;
    let rest = &bytes[after..];
    let syntax = match meta.text(0x0002_0010) {
        Some(identifier) => syntax::of_identifier(&identifier),
        None => Syntax {
            coding: bare_coding(rest).context("the DICOM file has no Transfer Syntax UID")?,
            is_deflated: false,
            compression: Compression::None,
        },
    };
    let data_set = if syntax.is_deflated { Cow::Owned(inflated(rest)?) } else { Cow::Borrowed(rest) };
    picture(&Attributes::read(&data_set, syntax.coding)?, syntax.compression)
}

/// The data set of the deflated syntax, which has no header of zlib.
fn inflated(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut data_set = Vec::new();
    let mut decoder = DeflateDecoder::new(bytes).take(MOST_BYTES + 1);
    decoder.read_to_end(&mut data_set).context("the deflated data set of the DICOM file is damaged")?;
    ensure!(data_set.len() as u64 <= MOST_BYTES, "the deflated DICOM file inflates to more than {MOST_BYTES} bytes");
    Ok(data_set)
}

fn picture(attributes: &Attributes, compression: Compression) -> Result<Decoded> {
    ensure!(
        !attributes.has(0x7FE0_0008) && !attributes.has(0x7FE0_0009),
        "the DICOM file holds floating-point pixels, which are not read; pydicom can write them with 16 bits"
    );
    let mut layout = Layout::read(attributes)?;
    let stored = samples::read(attributes, &mut layout, compression)?;
    let mut remarks = Vec::new();
    remarks.extend(has_oblong_pixels(attributes).then_some(PictureRemark::OblongPixels));
    remarks.extend((layout.frames > 1).then_some(PictureRemark::FirstOfFrames(layout.frames)));
    let image = match layout.photometric.as_str() {
        name @ ("MONOCHROME1" | "MONOCHROME2") => {
            ensure!(
                layout.samples == 1,
                "expected 1 Sample per Pixel for {name} in the DICOM file, found {}",
                layout.samples
            );
            // INVERSE and MONOCHROME1 say the same thing (PS3.3, C.8.11.3.1.2).
            let asks_inverse = attributes.text(0x2050_0020).is_some_and(|shape| shape == "INVERSE");
            remarks.extend((asks_inverse && name == "MONOCHROME2").then_some(PictureRemark::Inverted));
            let sources = sources_of(attributes);
            let (image, window) = grey::picture(&sources, &layout, &stored, asks_inverse || name == "MONOCHROME1")?;
            return Ok((image, window, remarks));
        }
        "RGB" => colour::picture(&layout, &stored, false)?,
        "YBR_FULL" | "YBR_FULL_422" => colour::picture(&layout, &stored, true)?,
        "PALETTE COLOR" => colour::from_palette(attributes, &layout, &stored)?,
        other => bail!(
            "expected a DICOM image in grey, RGB, YBR_FULL or PALETTE COLOR, found {}; `gdcmconv --raw` or pydicom can write it as RGB",
            other.escape_debug()
        ),
    };
    Ok((image, None, remarks))
}

/// Are the pixels taller or wider than the other way (PS3.3, C.7.6.3.1.7 and 10.7.1.3)?
fn has_oblong_pixels(attributes: &Attributes) -> bool {
    [0x0028_0034, 0x0028_0030].into_iter().any(|tag| match attributes.decimals(tag).as_deref() {
        Some([rows, columns]) => (rows - columns).abs() > 0.01 * rows.max(*columns),
        _ => false,
    })
}

/// Where transformations of grey values stand: functional groups of the first frame, of all frames, the data set itself.
fn sources_of<'b, 'a>(attributes: &'b Attributes<'a>) -> Vec<&'b Attributes<'a>> {
    let groups = [0x5200_9230, 0x5200_9229].into_iter().filter_map(|tag| attributes.item(tag));
    let mut sources: Vec<_> =
        groups.flat_map(|group| [0x0028_9145, 0x0028_9132].into_iter().filter_map(|tag| group.item(tag))).collect();
    sources.push(attributes);
    sources
}
