//! The modality LUT: from stored values to modality values (PS3.3, C.11.1).

use super::elements::Attributes;
use super::layout::Layout;
use super::lookup_table::LookupTable;
use anyhow::{Result, ensure};

/// The transformation from stored to modality values.
pub(super) enum ModalityLut {
    Table(LookupTable),
    Rescale { slope: f64, intercept: f64 },
}

impl ModalityLut {
    /// The first table or rescale among the sources, else the identity.
    ///
    /// # Errors
    /// Fails if a table or a rescale is invalid.
    pub fn read(sources: &[&Attributes], layout: &Layout) -> Result<Self> {
        for source in sources {
            if let Some(item) = source.item(0x0028_3000) {
                return Ok(Self::Table(LookupTable::read(item, 0x0028_3002, 0x0028_3006, layout.is_signed)?));
            }
            let slope = source.decimal(0x0028_1053, "Rescale Slope")?;
            let intercept = source.decimal(0x0028_1052, "Rescale Intercept")?;
            if slope.is_some() || intercept.is_some() {
                let slope = slope.unwrap_or(1.0);
                ensure!(slope != 0.0, "expected a Rescale Slope other than 0 in the DICOM file");
                return Ok(Self::Rescale { slope, intercept: intercept.unwrap_or(0.0) });
            }
        }
        Ok(Self::Rescale { slope: 1.0, intercept: 0.0 })
    }

    /// The modality value (for CT: Hounsfield units) of a stored value.
    pub fn apply(&self, stored: i32) -> f64 {
        match self {
            Self::Table(table) => f64::from(table.of(stored.into())),
            Self::Rescale { slope, intercept } => f64::from(stored) * slope + intercept,
        }
    }

    /// Whether stored values are modality values.
    pub fn is_identity(&self) -> bool {
        matches!(self, Self::Rescale { slope: 1.0, intercept: 0.0 })
    }

    /// Whether a modality value may be below 0. Tables only give values from 0 (C.11.1.1).
    pub fn may_be_negative(&self, layout: &Layout) -> bool {
        let (low, high) = layout.range();
        match self {
            Self::Table(_) => false,
            Self::Rescale { slope, intercept } => (low * slope).min(high * slope) + intercept < 0.0,
        }
    }
}
