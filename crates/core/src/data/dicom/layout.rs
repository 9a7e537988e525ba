//! The storage layout of a DICOM image (PS3.3, C.7.6.3), checked before use.

use super::elements::Attributes;
use crate::data::picture_limits::check_size;
use anyhow::{Context, Result, bail, ensure};

/// Consistent image pixel attributes.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub columns: u32,
    pub rows: u32,
    pub samples: usize,
    pub allocated: u32,
    pub stored: u32,
    /// Lowest bit of the value.
    pub shift: u32,
    pub is_signed: bool,
    pub is_planar: bool,
    pub photometric: String,
    pub frames: u64,
}

impl Layout {
    /// # Errors
    /// Fails with the attribute that is missing, contradicts another, or is not supported.
    pub fn read(attributes: &Attributes) -> Result<Self> {
        let number = |tag, name: &str| {
            attributes.number(tag).with_context(|| format!("the DICOM file contains no picture: it has no {name}"))
        };
        let (rows, columns) = (number(0x0028_0010, "Rows")?.into(), number(0x0028_0011, "Columns")?.into());
        check_size(columns, rows).context("the DICOM file is too large")?;
        let samples = usize::from(attributes.number(0x0028_0002).unwrap_or(1));
        ensure!(samples == 1 || samples == 3, "expected 1 or 3 Samples per Pixel in the DICOM file, found {samples}");
        let allocated = u32::from(number(0x0028_0100, "Bits Allocated")?);
        ensure!(
            matches!(allocated, 1 | 8 | 16 | 32),
            "expected Bits Allocated of 1, 8, 16 or 32 in the DICOM file, found {allocated}"
        );
        let stored = attributes.number(0x0028_0101).map_or(allocated, u32::from);
        ensure!(
            (1..=allocated).contains(&stored),
            "expected Bits Stored of 1 to {allocated} in the DICOM file, found {stored}"
        );
        let high = attributes.number(0x0028_0102).map_or(stored - 1, u32::from);
        ensure!(
            high < allocated && high + 1 >= stored,
            "expected a High Bit of {} to {} in the DICOM file, found {high}",
            stored - 1,
            allocated - 1
        );
        let is_signed = match attributes.number(0x0028_0103).unwrap_or(0) {
            0 => false,
            1 => true,
            other => bail!("expected Pixel Representation 0 or 1 in the DICOM file, found {other}"),
        };
        ensure!(
            is_signed || stored < 32,
            "unsigned values of 32 bits are not supported; gdcmconv or pydicom can convert the DICOM file to 16 bits"
        );
        let frames = match attributes.text(0x0028_0008) {
            Some(text) => text.parse::<u64>().ok().filter(|frames| *frames > 0).with_context(|| {
                format!("expected a Number of Frames in the DICOM file, found '{}'", text.escape_debug())
            })?,
            None => 1,
        };
        Ok(Self {
            columns,
            rows,
            samples,
            allocated,
            stored,
            shift: high + 1 - stored,
            is_signed,
            is_planar: samples > 1 && attributes.number(0x0028_0006) == Some(1),
            photometric: attributes.text(0x0028_0004).unwrap_or_else(|| "MONOCHROME2".into()),
            frames,
        })
    }

    pub fn pixels(&self) -> usize {
        self.columns as usize * self.rows as usize
    }

    /// Smallest and largest value that the stored bits can hold.
    pub fn range(&self) -> (f64, f64) {
        let values = 2_f64.powi(self.stored as i32);
        if self.is_signed { (-values / 2.0, values / 2.0 - 1.0) } else { (0.0, values - 1.0) }
    }

    /// The value of the bits of a sample.
    pub fn value(&self, bits: u32) -> i32 {
        let unused = 32 - self.stored;
        let raised = (bits >> self.shift) << unused;
        if self.is_signed { raised as i32 >> unused } else { (raised >> unused) as i32 }
    }
}
