//! The VOI LUT: from modality values to display values (PS3.3, C.11.2).

use super::elements::Attributes;
use super::lookup_table::LookupTable;
use anyhow::{Result, bail, ensure};

/// The transformation from modality to display values.
pub(super) enum VoiLut {
    /// Linear between these two values.
    Window(f64, f64),
    /// A table with 16-bit output.
    Table(LookupTable),
    Sigmoid {
        centre: f64,
        width: f64,
    },
}

impl VoiLut {
    /// The first table or window among the sources. `may_be_negative` tells whether modality values may be below 0.
    ///
    /// # Errors
    /// Fails if the table or the window is invalid, or the VOI LUT Function is unknown.
    pub fn read(sources: &[&Attributes], may_be_negative: bool) -> Result<Option<Self>> {
        for source in sources {
            if let Some(item) = source.item(0x0028_3010) {
                return Ok(Some(Self::Table(LookupTable::read(item, 0x0028_3002, 0x0028_3006, may_be_negative)?)));
            }
            let centre = source.decimal(0x0028_1050, "Window Center")?;
            let (Some(centre), Some(width)) = (centre, source.decimal(0x0028_1051, "Window Width")?) else { continue };
            let function = source.text(0x0028_1056).unwrap_or_else(|| "LINEAR".into());
            ensure!(width > 0.0, "expected a Window Width above 0 in the DICOM file, found {width}");
            return Ok(Some(match function.as_str() {
                "SIGMOID" => Self::Sigmoid { centre, width },
                "LINEAR_EXACT" => Self::Window(centre - width / 2.0, centre + width / 2.0),
                // The formula of LINEAR requires widths from 1 (C.11.2.1.2.1); with fractional values smaller ones occur,
                // which mean the ends of the window.
                "LINEAR" if width < 1.0 => Self::Window(centre - width / 2.0, centre + width / 2.0),
                // A width of 1 is a threshold.
                "LINEAR" => {
                    let half = (width - 1.0).max(1.0) / 2.0;
                    Self::Window(centre - 0.5 - half, centre - 0.5 + half)
                }
                other => bail!(
                    "expected VOI LUT Function LINEAR, LINEAR_EXACT or SIGMOID in the DICOM file, found '{}'",
                    other.escape_debug()
                ),
            }));
        }
        Ok(None)
    }

    /// The display value, from 0 to 1, of a modality value.
    pub fn apply(&self, value: f64) -> f64 {
        match self {
            Self::Window(low, high) => ((value - low) / (high - low)).clamp(0.0, 1.0),
            Self::Table(table) => f64::from(table.of(value)) / f64::from(table.top),
            Self::Sigmoid { centre, width } => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
        }
    }
}
