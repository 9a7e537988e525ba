//! Reads the stored samples of the first frame: native, run-length encoded or JPEG (PS3.5, section 8 and annex A).

use super::elements::{Attributes, PIXEL_DATA};
#[cfg(feature = "jpeg2000")]
use super::jpeg2000;
use super::layout::Layout;
use super::syntax::{self, Compression};
use super::{jpeg_ls, rle};
use crate::data::jpeg_data;
use crate::data::jpeg_file::JpegHeader;
use anyhow::{Context, Result, bail, ensure};
use jpeg_decoder::{ColorTransform, Decoder};

/// The advice for an unsupported compression.
pub(super) const WAY_OUT: &str = "`gdcmconv --raw IN OUT` decompresses it";

/// Reads the samples of the first frame, pixel by pixel. Changes `layout` to that of the JPEG decoder's output.
///
/// # Errors
/// Fails if there are fewer bytes than the header claims, or the compression is not supported.
pub(super) fn read(attributes: &Attributes, layout: &mut Layout, compression: Compression) -> Result<Vec<i32>> {
    if let Some(fragments) = attributes.fragments() {
        let compression = if compression == Compression::None {
            syntax::of_fragment(fragments.first().copied().unwrap_or_default())
        } else {
            compression
        };
        return compressed(fragments, layout, compression);
    }
    let bytes = attributes.bytes(PIXEL_DATA).context("the DICOM file contains no pixels (Pixel Data)")?;
    if let Compression::Other(name) = compression {
        bail!("the pixels of the DICOM file are compressed as {name}, which is not supported; {WAY_OUT}");
    }
    // In words of the other byte order, pairs of bytes are swapped (PS3.5, section 8.1).
    if attributes.is_big_endian() && attributes.pixels_are_words() && layout.allocated <= 8 {
        let turned: Vec<u8> = bytes.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect();
        return native(&turned, layout, true);
    }
    native(bytes, layout, attributes.is_big_endian())
}

fn native(bytes: &[u8], layout: &Layout, is_big_endian: bool) -> Result<Vec<i32>> {
    // Two luminances, then their common colour (PS3.3, C.7.6.3.1.2).
    // Some writers use this name but store all colours: then every frame has three bytes per pixel.
    let whole = (layout.pixels() as u64 * 3).saturating_mul(layout.frames);
    let is_whole = (whole..=whole.saturating_add(1)).contains(&(bytes.len() as u64));
    let is_422 = layout.photometric == "YBR_FULL_422" && layout.samples == 3 && !is_whole;
    let samples = layout.pixels() * if is_422 { 2 } else { layout.samples };
    let wanted = (samples as u64 * u64::from(layout.allocated)).div_ceil(8) as usize;
    let Some(bytes) = bytes.get(..wanted) else {
        bail!(
            "the pixels of the DICOM file do not fit its header: expected {wanted} bytes for a frame of {} × {}, found {}",
            layout.columns,
            layout.rows,
            bytes.len()
        );
    };
    if is_422 {
        ensure!(layout.allocated == 8, "expected YBR_FULL_422 of 8 bits in the DICOM file, found {}", layout.allocated);
        let spread = |pair: &[u8]| [pair[0], pair[2], pair[3], pair[1], pair[2], pair[3]].map(i32::from);
        ensure!(
            layout.columns.is_multiple_of(2),
            "expected an even number of Columns for YBR_FULL_422 in the DICOM file"
        );
        return Ok(bytes.chunks_exact(4).flat_map(spread).collect());
    }
    let values: Vec<i32> = match layout.allocated {
        1 => (0..samples).map(|place| i32::from(bytes[place / 8] >> (place % 8) & 1)).collect(),
        8 => bytes.iter().map(|byte| layout.value(u32::from(*byte))).collect(),
        16 => {
            let word = if is_big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
            bytes.chunks_exact(2).map(|pair| layout.value(word([pair[0], pair[1]]).into())).collect()
        }
        _ => {
            let long = if is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
            bytes.chunks_exact(4).map(|four| layout.value(long([four[0], four[1], four[2], four[3]]))).collect()
        }
    };
    if !layout.is_planar {
        return Ok(values);
    }
    let plane = layout.pixels();
    Ok((0..plane)
        .flat_map(|pixel| (0..layout.samples).map(move |channel| (channel, pixel)))
        .map(|(channel, pixel)| values[channel * plane + pixel])
        .collect())
}

fn compressed(fragments: &[&[u8]], layout: &mut Layout, compression: Compression) -> Result<Vec<i32>> {
    // Either one fragment per frame, or all fragments are one frame; JPEG data has its own end.
    let frame = if fragments.len() as u64 == layout.frames { fragments[0].to_vec() } else { fragments.concat() };
    match compression {
        Compression::RunLength => {
            ensure!(layout.allocated != 1, "run-length encoded pixels of 1 bit are not supported");
            let width = (layout.allocated / 8) as usize;
            let bytes = rle::decode(&frame, layout.pixels(), layout.samples, width)?;
            layout.is_planar = false;
            if layout.photometric == "YBR_FULL_422" {
                layout.photometric = "YBR_FULL".into();
            }
            native(&bytes, layout, false)
        }
        Compression::Jpeg => jpeg(&frame, layout),
        Compression::JpegLs => near_lossless(&frame, layout),
        #[cfg(feature = "jpeg2000")]
        Compression::Jpeg2000 => wavelets(&frame, layout),
        Compression::Other(name) => {
            bail!("the pixels of the DICOM file are compressed as {name}, which is not supported; {WAY_OUT}")
        }
        Compression::None => bail!("the pixels of the DICOM file are compressed in an unknown way; {WAY_OUT}"),
    }
}

fn jpeg(frame: &[u8], layout: &mut Layout) -> Result<Vec<i32>> {
    let header = JpegHeader::read(frame);
    ensure!(header.has_end && jpeg_data::is_whole(frame), "the JPEG pixels of the DICOM file are cut short or damaged");
    let failed = || format!("the JPEG pixels of the DICOM file cannot be decoded; {WAY_OUT}");
    let mut decoder = Decoder::new(frame);
    // The header tells the colour space, except that files labelled RGB often contain JFIF, which is not RGB; an Adobe
    // marker overrides both.
    if layout.samples == 3 {
        match header.adobe_transform {
            Some(0) => layout.photometric = "RGB".into(),
            Some(1) => layout.photometric = "YBR_FULL".into(),
            _ if layout.photometric == "RGB" && header.is_jfif => layout.photometric = "YBR_FULL".into(),
            _ => {}
        }
    }
    // The decoder's "RGB" leaves the components unchanged, interleaved by pixel; its "None" interleaves them by line.
    decoder.set_color_transform(if layout.samples == 3 { ColorTransform::RGB } else { ColorTransform::Grayscale });
    decoder.read_info().with_context(failed)?;
    let info = decoder.info().context("the JPEG pixels of the DICOM file have no header")?;
    let bytes = info.pixel_format.pixel_bytes();
    let (samples, width) = if bytes == 3 { (3, 1) } else { (1, bytes) };
    ensure!(
        (u32::from(info.width), u32::from(info.height), samples) == (layout.columns, layout.rows, layout.samples)
            && width <= 2,
        "the pixels of the DICOM file do not fit its header: expected {} × {} with {} samples, found a JPEG image of {} × {} with {samples}",
        layout.columns,
        layout.rows,
        layout.samples,
        info.width,
        info.height
    );
    decoder.set_max_decoding_buffer_size(layout.pixels() * bytes);
    let decoded = decoder.decode().with_context(failed)?;
    ensure!(decoded.len() == layout.pixels() * bytes, "the DICOM file has fewer JPEG pixels than its header claims");
    // The decoder returns whole values, regardless of High Bit.
    layout.shift = 0;
    layout.stored = layout.stored.min(8 * width as u32);
    let value = |bits: u16| layout.value(bits.into());
    if width == 1 {
        return Ok(decoded.iter().map(|byte| value(u16::from(*byte))).collect());
    }
    Ok(decoded.chunks_exact(2).map(|pair| value(u16::from_ne_bytes([pair[0], pair[1]]))).collect())
}

fn near_lossless(frame: &[u8], layout: &mut Layout) -> Result<Vec<i32>> {
    let own = (layout.columns, layout.rows, layout.samples);
    let decoded = jpeg_ls::decode(frame, |columns, rows, samples| (columns, rows, samples) == own);
    let decoded =
        decoded.with_context(|| format!("the JPEG-LS pixels of the DICOM file cannot be decoded; {WAY_OUT}"))?;
    let bits: Vec<u32> = decoded.samples.into_iter().map(u32::from).collect();
    Ok(values(&bits, decoded.precision, layout))
}

#[cfg(feature = "jpeg2000")]
fn wavelets(frame: &[u8], layout: &mut Layout) -> Result<Vec<i32>> {
    let decoded = jpeg2000::decode(frame, layout);
    let (bits, precision) =
        decoded.with_context(|| format!("the JPEG 2000 pixels of the DICOM file cannot be decoded; {WAY_OUT}"))?;
    // The decoder has turned the colours back (PS3.5, 8.2.4).
    if matches!(layout.photometric.as_str(), "YBR_RCT" | "YBR_ICT") {
        layout.photometric = "RGB".into();
    }
    Ok(values(&bits, precision, layout))
}

/// Values of whole samples of `precision` bits. Some writers store more bits than Bits Stored says: where a sample uses them,
/// all of them count.
fn values(bits: &[u32], precision: u32, layout: &mut Layout) -> Vec<i32> {
    let sample = |bits: u32| bits & ((1 << precision) - 1);
    let fit = layout.stored >= precision || bits.iter().all(|bits| sample(*bits) >> layout.stored == 0);
    layout.stored = if fit { layout.stored.min(precision) } else { precision };
    layout.shift = 0;
    layout.is_planar = false;
    if layout.photometric == "YBR_FULL_422" {
        layout.photometric = "YBR_FULL".into();
    }
    bits.iter().map(|bits| layout.value(sample(*bits))).collect()
}
