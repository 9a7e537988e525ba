//! JPEG-LS, lossless and near-lossless, of 2 to 16 bits (ITU-T T.87). Written here because the known library needs a C++
//! compiler, which this crate does without.

mod bits;
mod coder;
mod parameters;

use anyhow::{Context, Result, bail, ensure};
use coder::Coder;
use parameters::{Parameters, Preset};

/// A decoded frame.
pub(super) struct Frame {
    /// Bits per sample.
    pub precision: u32,
    /// Samples pixel by pixel.
    pub samples: Vec<u16>,
}

/// The frame header (SOF55) and the parameters before the first scan.
#[derive(Clone)]
struct Header {
    columns: u32,
    rows: u32,
    precision: u32,
    names: Vec<u8>,
}

/// Decodes a frame; `fits` checks columns, rows and components before memory is allocated.
///
/// # Errors
/// Fails if the data is cut short, damaged, or uses an extension.
pub(super) fn decode(bytes: &[u8], fits: impl Fn(u32, u32, usize) -> bool) -> Result<Frame> {
    ensure!(bytes.starts_with(&[0xFF, 0xD8]), "the JPEG-LS data has no start");
    let (mut header, mut preset): (Option<Header>, _) = (None, Preset::default());
    let mut samples = Vec::new();
    let mut decoded: Vec<u8> = Vec::new();
    let mut at = 2;
    loop {
        let cut = "the JPEG-LS data is cut short";
        let [0xFF, marker] = *bytes.get(at..at + 2).context(cut)? else {
            bail!("the JPEG-LS data is damaged: no marker")
        };
        // Fill bytes, and markers without a length.
        if marker == 0xFF {
            at += 1;
            continue;
        }
        ensure!(marker != 0xD9, "{cut}: a component is missing");
        let length = bytes.get(at + 2..at + 4).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
        let segment = length.and_then(|length| bytes.get(at + 4..at + 2 + length)).context(cut)?;
        at += 4 + segment.len();
        match marker {
            0xF7 => {
                let found = Header::read(segment)?;
                let (columns, rows, components) = (found.columns, found.rows, found.names.len());
                ensure!(
                    header.is_none() && columns > 0 && rows > 0 && fits(columns, rows, components),
                    "the pixels do not fit the header: found a JPEG-LS image of {columns} × {rows} with {components} samples"
                );
                samples = vec![0; columns as usize * rows as usize * components];
                header = Some(found);
            }
            0xF8 => preset.read(segment)?,
            0xDD => ensure!(segment.iter().all(|byte| *byte == 0), "JPEG-LS with restart intervals is not supported"),
            0xE8 => ensure!(
                !segment.starts_with(b"mrfx") || segment.get(4) == Some(&0),
                "JPEG-LS with a colour transform of its own is not supported"
            ),
            0xDA => {
                let header = header.as_ref().context("the JPEG-LS data is damaged: a scan before the frame header")?;
                let scan = Scan::read(segment, header, preset)?;
                let used = scan.decode(&bytes[at..], header, &mut samples)?;
                at += used;
                for place in &scan.places {
                    ensure!(!decoded.contains(place), "the JPEG-LS data is damaged: a component appears twice");
                    decoded.push(*place);
                }
                if decoded.len() == header.names.len() {
                    return Ok(Frame { precision: header.precision, samples });
                }
            }
            0xE0..=0xEF | 0xFE => {}
            other => bail!("the JPEG-LS data has an unexpected marker (FF{other:02X})"),
        }
    }
}

impl Header {
    fn read(segment: &[u8]) -> Result<Self> {
        let [precision, a, b, c, d, count, rest @ ..] = segment else { bail!("the JPEG-LS frame header is cut short") };
        ensure!(
            (2..=16).contains(precision) && matches!(count, 1..=4) && rest.len() == 3 * usize::from(*count),
            "the JPEG-LS frame header is damaged"
        );
        let names: Vec<u8> = rest.chunks_exact(3).map(|component| component[0]).collect();
        ensure!(
            rest.chunks_exact(3).all(|component| component[1] == 0x11),
            "JPEG-LS with subsampling is not supported"
        );
        let (rows, columns) = (u16::from_be_bytes([*a, *b]).into(), u16::from_be_bytes([*c, *d]).into());
        Ok(Self { columns, rows, precision: (*precision).into(), names })
    }
}

/// How components are interleaved.
#[derive(Clone, Copy, PartialEq)]
enum Interleave {
    Line,
    Sample,
}

struct Scan {
    /// Positions of its components in the frame.
    places: Vec<u8>,
    interleave: Interleave,
    parameters: Parameters,
}

impl Scan {
    fn read(segment: &[u8], header: &Header, preset: Preset) -> Result<Self> {
        let damaged = "the JPEG-LS scan header is damaged";
        let (count, rest) = segment.split_first().context(damaged)?;
        let count = usize::from(*count);
        ensure!((1..=4).contains(&count) && rest.len() == 2 * count + 3, damaged);
        let mut places = Vec::new();
        for component in rest[..2 * count].chunks_exact(2) {
            ensure!(component[1] == 0, "JPEG-LS with mapping tables is not supported");
            places.push(header.names.iter().position(|name| *name == component[0]).context(damaged)? as u8);
        }
        let [near, interleave, transform] = rest[2 * count..] else { bail!(damaged) };
        ensure!(transform == 0, "JPEG-LS with a point transform is not supported");
        let interleave = match interleave {
            0 if count == 1 => Interleave::Line,
            1 => Interleave::Line,
            2 => Interleave::Sample,
            _ => bail!(damaged),
        };
        Ok(Self { places, interleave, parameters: Parameters::new(header.precision, near.into(), preset)? })
    }

    /// Decodes the coded data at the start of `bytes`; returns its length.
    fn decode(&self, bytes: &[u8], header: &Header, samples: &mut [u16]) -> Result<usize> {
        let (width, components) = (header.columns as usize, header.names.len());
        let mut coder = Coder::new(bytes, &self.parameters);
        // A sample to the left of the line and one to the right.
        let mut above = vec![vec![0; width + 2]; self.places.len()];
        let mut lines = above.clone();
        let mut run_indexes = vec![0; self.places.len()];
        for row in samples.chunks_exact_mut(width * components) {
            for (line, above) in lines.iter_mut().zip(&mut above) {
                above[width + 1] = above[width];
                line[0] = above[1];
            }
            if self.interleave == Interleave::Sample {
                coder.sample_line(&above, &mut lines, &mut run_indexes[0])?;
            } else {
                for ((line, above), run_index) in lines.iter_mut().zip(&above).zip(&mut run_indexes) {
                    coder.line(above, line, run_index)?;
                }
            }
            for (line, place) in lines.iter().zip(&self.places) {
                for (pixel, value) in row.chunks_exact_mut(components).zip(&line[1..=width]) {
                    pixel[usize::from(*place)] = *value as u16;
                }
            }
            std::mem::swap(&mut lines, &mut above);
        }
        Ok(coder.bits.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codestream(name: &str) -> Vec<u8> {
        let file = std::fs::read(format!("../../tests/fixtures/dicom/{name}.dcm")).unwrap();
        let start = file.windows(4).position(|four| four == [0xFF, 0xD8, 0xFF, 0xF7]).unwrap();
        let end = file.windows(2).rposition(|two| two == [0xFF, 0xD9]).unwrap();
        file[start..end + 2].to_vec()
    }

    #[test]
    fn data_that_ends_early_is_an_error_and_changed_data_no_panic() {
        for name in ["jls_ct", "jls_film", "jls_colour", "jls_planes", "jls_lossy"] {
            let whole = codestream(name);
            let samples = decode(&whole, |_, _, _| true).unwrap().samples;
            for length in 0..whole.len() {
                if let Ok(frame) = decode(&whole[..length], |_, _, _| true) {
                    assert!(length + 4 >= whole.len() && frame.samples == samples, "{name} of {length} bytes");
                }
                for value in [0, 1, 0x7F, 0xFF] {
                    let mut changed = whole.clone();
                    changed[length] = value;
                    let _ = decode(&changed, |columns, rows, _| columns <= 100 && rows <= 100);
                }
            }
        }
    }
}
