//! Run-length encoded pixels (PS3.5, annex G).

use anyhow::{Context, Result, ensure};

/// Number of offsets in a header, 32-bit words after the count.
const MOST_SEGMENTS: usize = 15;
const HEADER: usize = 4 * (1 + MOST_SEGMENTS);

/// Decodes the samples of a frame, interleaved, little endian: `pixels` × `samples` × `width` bytes.
///
/// # Errors
/// Fails if a segment lies outside the frame or has too few bytes.
pub(super) fn decode(frame: &[u8], pixels: usize, samples: usize, width: usize) -> Result<Vec<u8>> {
    let word = |place: usize| {
        let bytes = frame.get(4 * place..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map(|bytes| u32::from_le_bytes(*bytes) as usize)
    };
    let wanted = samples * width;
    let segments = word(0).context("the run-length encoded pixels of the DICOM file are cut short")?;
    ensure!(
        segments == wanted && segments <= MOST_SEGMENTS && frame.len() >= HEADER,
        "expected {wanted} run-length encoded segments in the DICOM file, found {segments}"
    );
    let mut target = vec![0; pixels * wanted];
    for segment in 0..segments {
        let start = word(1 + segment).unwrap_or(usize::MAX);
        let end = if segment + 1 < segments { word(2 + segment).unwrap_or(usize::MAX) } else { frame.len() };
        let coded = frame.get(start..end).filter(|_| start >= HEADER);
        let coded = coded.with_context(|| {
            format!(
                "segment {segment} of the DICOM file's pixels lies outside them (bytes {start} to {end} of {})",
                frame.len()
            )
        })?;
        // Most significant byte first.
        let place = segment / width * width + (width - 1 - segment % width);
        let found = unpack(coded, target.iter_mut().skip(place).step_by(wanted));
        ensure!(found == pixels, "expected {pixels} pixels in segment {segment} of the DICOM file, found {found}");
    }
    Ok(target)
}

/// Unpacks runs and literals until the target is full; returns the number of written bytes.
fn unpack<'a>(mut coded: &[u8], mut target: impl Iterator<Item = &'a mut u8>) -> usize {
    let mut written = 0;
    while let [control, rest @ ..] = coded {
        let control = *control as i8;
        let (literal, run) = match control {
            0.. => {
                let (literal, after) = rest.split_at(rest.len().min(control as usize + 1));
                coded = after;
                (literal, 1)
            }
            // No operation.
            -128 => {
                coded = rest;
                continue;
            }
            _ => {
                let (literal, after) = rest.split_at(rest.len().min(1));
                coded = after;
                (literal, 1 + usize::from(control.unsigned_abs()))
            }
        };
        for byte in literal {
            for _ in 0..run {
                let Some(place) = target.next() else { return written };
                *place = *byte;
                written += 1;
            }
        }
    }
    written
}
