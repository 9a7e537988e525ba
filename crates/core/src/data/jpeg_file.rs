//! JPEG: reads the segments before decoding (ITU-T T.81, annex B), then the pixels.

use super::jpeg_data;
use super::jpeg_scans::ScanCoverage;
use super::picture_limits::{MOST_BYTES, check_size};
use anyhow::{Context, Result, bail, ensure};
use image::metadata::Orientation;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// Maximum number of scans of a progressive file. 3,584 are possible (64 coefficients of 14 bits for four components),
/// encoders write about ten. Each scan costs a pass over the picture.
const MOST_SCANS: usize = 200;

/// Properties of a JPEG file from its segments.
pub(super) struct JpegHeader {
    /// 0 if there is no frame header.
    pub width: u32,
    pub height: u32,
    pub orientation: Orientation,
    /// Whether it has a colour profile other than sRGB.
    pub other_colours: bool,
    scans: usize,
    /// Whether there is an end-of-image marker after the first scan.
    pub has_end: bool,
    pub is_jfif: bool,
    /// Colour transform of an Adobe marker: 0 none, 1 YCbCr, 2 YCCK.
    pub adobe_transform: Option<u8>,
    coverage: ScanCoverage,
}

impl JpegHeader {
    /// Reads the segments. Markers of a thumbnail are inside a segment and are skipped.
    pub fn read(bytes: &[u8]) -> Self {
        let mut header = Self {
            width: 0,
            height: 0,
            orientation: Orientation::NoTransforms,
            other_colours: false,
            scans: 0,
            has_end: false,
            is_jfif: false,
            adobe_transform: None,
            coverage: ScanCoverage::default(),
        };
        let mut position = 2;
        while let Some([0xFF, marker]) = bytes.get(position..position + 2) {
            match marker {
                // Fill byte before a marker.
                0xFF => position += 1,
                // Markers without a length.
                0x01 | 0xD0..=0xD8 => position += 2,
                0xD9 => {
                    header.has_end = true;
                    return header;
                }
                _ => {
                    let Some([high, low]) = bytes.get(position + 2..position + 4) else { return header };
                    let end = position + 2 + usize::from(u16::from_be_bytes([*high, *low]));
                    header.segment(*marker, bytes.get(position + 4..end).unwrap_or_default());
                    position = end;
                    if *marker == 0xDA {
                        header.scans += 1;
                        position = end_of_scan(bytes, position);
                    }
                }
            }
        }
        header
    }

    /// Whether scans of a progressive file are missing.
    pub fn lacks_scans(&self) -> bool {
        !self.coverage.is_whole()
    }

    fn segment(&mut self, marker: u8, data: &[u8]) {
        match (marker, data) {
            // Frame headers; C4, C8 and CC are tables.
            (0xC0..=0xCF, [_, a, b, c, d, ..]) if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                self.coverage.begin(marker == 0xC2, data);
                self.height = u16::from_be_bytes([*a, *b]).into();
                self.width = u16::from_be_bytes([*c, *d]).into();
            }
            (0xDA, data) => self.coverage.scan(data),
            (0xE0, data) => self.is_jfif |= data.starts_with(b"JFIF\0"),
            (0xEE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                self.adobe_transform = Some(*transform);
            }
            (0xE1, data) => {
                let orientation = data.strip_prefix(b"Exif\0\0").and_then(Orientation::from_exif_chunk);
                self.orientation = orientation.unwrap_or(self.orientation);
            }
            // The first part of a profile holds its description, in ASCII or UTF-16.
            (0xE2, data) if data.starts_with(b"ICC_PROFILE\0\x01") => {
                let letters: Vec<u8> = data.iter().copied().filter(|byte| *byte != 0).collect();
                self.other_colours = !letters.windows(4).any(|part| part == b"sRGB");
            }
            _ => {}
        }
    }
}

/// Within coded data 0xFF is followed by 0x00 or a restart marker; any other marker ends the scan.
fn end_of_scan(bytes: &[u8], start: usize) -> usize {
    let mut position = start;
    while let Some(step) = bytes.get(position..).and_then(|coded| memchr::memchr(0xFF, coded)) {
        position += step;
        match bytes.get(position + 1) {
            Some(0x00 | 0x01 | 0xD0..=0xD7) => position += 2,
            Some(0xFF) => position += 1,
            _ => return position,
        }
    }
    bytes.len()
}

/// Decodes the pixels to 8 bits; CMYK and YCCK become RGB.
///
/// # Errors
/// Fails with the first error of the file.
pub(super) fn decode(bytes: &[u8], header: &JpegHeader) -> Result<DynamicImage> {
    // The decoder silently fills missing data with grey.
    if !header.has_end {
        bail!("the JPEG file is cut short: expected its end marker within {} bytes", bytes.len());
    }
    ensure!(header.width > 0, "the JPEG file is damaged: it has no frame header with a width");
    check_size(header.width, header.height)?;
    ensure!(header.scans <= MOST_SCANS, "expected a JPEG file of at most {MOST_SCANS} scans, found {}", header.scans);
    ensure!(
        !header.coverage.lacks_a_component() && jpeg_data::is_whole(bytes),
        "the JPEG file is cut short or damaged: its coded data ends before the picture does"
    );
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg);
    reader.limits(limits);
    reader.decode().context("the JPEG file cannot be decoded")
}
