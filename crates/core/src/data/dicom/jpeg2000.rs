//! JPEG 2000 (ITU-T T.800), decoded by OpenJPEG in Rust. The size is read here first, so that memory depends on the DICOM
//! header and not on what the codestream claims.

use super::layout::Layout;
use anyhow::{Context, Result, ensure};
use jpeg2k::{DecodeParameters, Image, ImageComponent};

/// The start of a codestream: SOC, SIZ.
const START: &[u8] = &[0xFF, 0x4F, 0xFF, 0x51];
/// Length of SIZ before its components, from its own length on.
const FIXED: usize = 38;
/// Maximum number of tiles (T.800, A.4.2).
const MOST_TILES: u64 = 65_535;

/// What SIZ says of all components.
struct Size {
    columns: u32,
    rows: u32,
    components: usize,
    precision: u32,
    is_signed: bool,
}

/// Decodes the samples pixel by pixel, as the bits of two's complement, with their number of bits.
///
/// # Errors
/// Fails if the codestream is cut short or damaged, or does not fit the layout.
pub(super) fn decode(frame: &[u8], layout: &Layout) -> Result<(Vec<u32>, u32)> {
    let start = frame.windows(START.len()).position(|four| four == START);
    let codestream = &frame[start.context("the JPEG 2000 data has no codestream")?..];
    let size = Size::read(codestream)?;
    ensure!(
        (size.columns, size.rows, size.components) == (layout.columns, layout.rows, layout.samples),
        "the pixels do not fit the header: expected {} × {} with {} samples, found a JPEG 2000 image of {} × {} with {}",
        layout.columns,
        layout.rows,
        layout.samples,
        size.columns,
        size.rows,
        size.components
    );
    ensure!(layout.is_signed || !size.is_signed, "the JPEG 2000 samples are signed, but the header says they are not");
    // Otherwise missing data would be filled.
    let parameters = DecodeParameters::new().strict(true);
    let image = Image::from_bytes_with(codestream, parameters)
        .map_err(|error| anyhow::anyhow!("the JPEG 2000 data is cut short or damaged: {error}"))?;
    let components: Vec<&[i32]> = image.components().iter().map(ImageComponent::data).collect();
    let pixels = layout.pixels();
    ensure!(
        components.len() == size.components && components.iter().all(|component| component.len() == pixels),
        "the JPEG 2000 data has fewer pixels than its header claims"
    );
    let bits = |pixel: usize| components.iter().map(move |component| component[pixel] as u32);
    Ok(((0..pixels).flat_map(bits).collect(), size.precision))
}

impl Size {
    fn read(codestream: &[u8]) -> Result<Self> {
        let segment = codestream.get(START.len()..).unwrap_or_default();
        let long = |at: usize| {
            segment.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|four| u32::from_be_bytes(*four))
        };
        let read = || {
            let [x, y, left, top, across, down] = [4, 8, 12, 16, 20, 24].map(long);
            let count = segment.get(36..38).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])))?;
            let components = segment.get(FIXED..FIXED + 3 * count)?;
            let columns = x?.checked_sub(left?).filter(|columns| *columns > 0)?;
            let rows = y?.checked_sub(top?).filter(|rows| *rows > 0)?;
            let tiles = u64::from(x?.div_ceil(across?.max(1))) * u64::from(y?.div_ceil(down?.max(1)));
            Some((columns, rows, components, tiles))
        };
        let (columns, rows, components, tiles) = read().context("the JPEG 2000 data has no size")?;
        let first = *components.first().context("the JPEG 2000 data has no components")?;
        ensure!(tiles <= MOST_TILES, "the JPEG 2000 data is damaged: it claims {tiles} tiles");
        ensure!(
            components.chunks_exact(3).all(|component| component == [first, 1, 1]),
            "JPEG 2000 components of different depths or sizes are not supported"
        );
        let precision = u32::from(first & 0x7F) + 1;
        ensure!(precision <= 16, "expected JPEG 2000 samples of at most 16 bits, found {precision}");
        Ok(Self { columns, rows, components: components.len() / 3, precision, is_signed: first & 0x80 != 0 })
    }
}
