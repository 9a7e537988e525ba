//! DICOM images: decodes the first frame as the standard says it is displayed (PS3.3, C.11; docs/reference/pictures.md).
//!
//! The data set is parsed here and not by a library: every length, depth and bit count that a file claims must be checked
//! before memory, stack or an index depends on it (issue 18).

mod colour;
mod elements;
mod grey;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
mod jpeg_ls;
mod layout;
mod lookup_table;
mod modality_lut;
mod rle;
mod samples;
mod syntax;
mod transfer_syntax;
mod voi_lut;

use super::dicom_start::{LETTERS, PREAMBLE, bare_start};
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

pub(super) use transfer_syntax::TransferSyntax;

/// The image, its window, and remarks for its owner.
pub(super) type Decoded = (DynamicImage, Option<ValueWindow>, Vec<PictureRemark>);

/// Decodes the first frame. Grey values are modality values (lookup table or rescale, PS3.3 C.11.1), shifted so that the
/// darkest is 0 and inverted if smaller is lighter. They come with the file's window (C.11.2.1.2), else with the range of
/// the values that are not padding. VOI lookup tables and sigmoids are applied. 8-bit grey without a window and colours
/// stay unchanged.
///
/// # Errors
/// Fails if the file is damaged, contains no pixels, or stores them in an unsupported way.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded> {
    // The JPEG decoder may panic: on a separate thread a panic becomes an error of this file.
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("dissent-dicom".into());
        let decode = || {
            let _caught = caught_here();
            decode_frame(bytes)
        };
        let decoding = builder.spawn_scoped(scope, decode).context("cannot start a thread to decode DICOM")?;
        decoding.join().unwrap_or_else(|_| bail!("the DICOM file is damaged: the decoder failed"))
    })
}

fn decode_frame(bytes: &[u8]) -> Result<Decoded> {
    let start = if bytes.get(PREAMBLE..PREAMBLE + 4) == Some(LETTERS) {
        PREAMBLE + 4
    } else if bytes.starts_with(LETTERS) {
        4
    } else {
        let without_header =
            "the file looks like a DICOM data set without file header; `dcmconv IN OUT` or `gdcmconv IN OUT` adds one";
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
    if let Compression::Other(name) = syntax.compression {
        let identifier = meta.text(0x0002_0010).unwrap_or_default();
        bail!(
            "the pixels of the DICOM file are compressed as {name} (transfer syntax {}), which is not supported; {}",
            identifier.escape_debug(),
            samples::WAY_OUT
        );
    }
    let data_set = if syntax.is_deflated { Cow::Owned(inflated(rest)?) } else { Cow::Borrowed(rest) };
    picture(&Attributes::read(&data_set, syntax.coding)?, syntax.compression)
}

fn bare_coding(bytes: &[u8]) -> Option<Coding> {
    bare_start(bytes).map(|(explicit, big_endian)| Coding { explicit, big_endian })
}

/// Inflates the data set of the deflated syntax, which has no zlib header.
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
        "floating-point pixels in DICOM files are not supported; pydicom can convert them to 16 bits"
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
            // INVERSE and MONOCHROME1 mean the same (PS3.3, C.8.11.3.1.2).
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
            "expected a DICOM image in grey, RGB, YBR_FULL or PALETTE COLOR, found {}; `gdcmconv --raw` or pydicom can convert it to RGB",
            other.escape_debug()
        ),
    };
    Ok((image, None, remarks))
}

/// Whether the pixels are not square (PS3.3, C.7.6.3.1.7 and 10.7.1.3).
fn has_oblong_pixels(attributes: &Attributes) -> bool {
    [0x0028_0034, 0x0028_0030].into_iter().any(|tag| match attributes.decimals(tag).as_deref() {
        Some([rows, columns]) => (rows - columns).abs() > 0.01 * rows.max(*columns),
        _ => false,
    })
}

/// The places of grey value transformations: functional groups of the first frame, of all frames, the data set itself.
fn sources_of<'b, 'a>(attributes: &'b Attributes<'a>) -> Vec<&'b Attributes<'a>> {
    let groups = [0x5200_9230, 0x5200_9229].into_iter().filter_map(|tag| attributes.item(tag));
    let mut sources: Vec<_> =
        groups.flat_map(|group| [0x0028_9145, 0x0028_9132].into_iter().filter_map(|tag| group.item(tag))).collect();
    sources.push(attributes);
    sources
}
