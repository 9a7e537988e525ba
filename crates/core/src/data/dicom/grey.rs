//! Grey values: from stored values to modality values to display values (PS3.3, C.11).

use super::elements::Attributes;
use super::layout::Layout;
use super::lut::LookupTable;
use crate::data::value_window::ValueWindow;
use anyhow::{Context, Result, ensure};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma};

const TOP: f64 = 65535.0;
/// Number of window widths kept below and above the window.
const ROOM: f64 = 4.0;

/// The transformation from stored to modality values.
enum Modality {
    Table(LookupTable),
    Rescale { slope: f64, intercept: f64 },
}

impl Modality {
    /// Tables only give values from 0 (C.11.1.1).
    fn may_be_negative(&self, layout: &Layout) -> bool {
        let (low, high) = layout.range();
        match self {
            Self::Table(_) => false,
            Self::Rescale { slope, intercept } => (low * slope).min(high * slope) + intercept < 0.0,
        }
    }
}

/// The transformation from modality to display values.
enum Light {
    /// Linear between these two values.
    Window(f64, f64),
    /// A table with 16-bit output.
    Table(LookupTable),
    Sigmoid {
        centre: f64,
        width: f64,
    },
}

impl Light {
    /// The display value, from 0 to 1, of a modality value.
    fn of(&self, value: f64) -> f64 {
        match self {
            Self::Window(low, high) => ((value - low) / (high - low)).clamp(0.0, 1.0),
            Self::Table(table) => f64::from(table.of(value)) / f64::from(table.top),
            Self::Sigmoid { centre, width } => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
        }
    }
}

/// Makes the picture. 8 bits without any transformation stay unchanged; else modality values with a window, the darkest
/// at 0. A VOI table or a sigmoid is applied, and the window is then the whole range.
///
/// # Errors
/// Fails with the attribute that is invalid.
pub(super) fn picture(
    sources: &[&Attributes],
    layout: &Layout,
    stored: &[i32],
    is_inverted: bool,
) -> Result<(DynamicImage, Option<ValueWindow>)> {
    let modality = modality_of(sources, layout)?;
    let light = light_of(sources, modality.may_be_negative(layout))?;
    let is_plain = matches!(modality, Modality::Rescale { slope: 1.0, intercept: 0.0 });
    if layout.stored <= 8 && !layout.is_signed && is_plain && light.is_none() {
        let top = layout.range().1;
        let eight = |value: &i32| {
            let value = f64::from(*value);
            ((if is_inverted { top - value } else { value }) * 255.0 / top).round() as u8
        };
        let image = GrayImage::from_raw(layout.columns, layout.rows, stored.iter().map(eight).collect());
        return Ok((DynamicImage::ImageLuma8(image.context("the DICOM file has too few pixels")?), None));
    }
    let of_modality = |value: i32| match &modality {
        Modality::Table(table) => f64::from(table.of(value.into())),
        Modality::Rescale { slope, intercept } => f64::from(value) * slope + intercept,
    };
    let deep = |pixels: Vec<u16>| {
        let image: Option<ImageBuffer<Luma<u16>, _>> = ImageBuffer::from_raw(layout.columns, layout.rows, pixels);
        image.map(DynamicImage::ImageLuma16).context("the DICOM file has too few pixels")
    };
    if let Some(curve @ (Light::Table(_) | Light::Sigmoid { .. })) = &light {
        let value = |stored: &i32| {
            let light = curve.of(of_modality(*stored));
            ((if is_inverted { 1.0 - light } else { light }) * TOP).round() as u16
        };
        return Ok((deep(stored.iter().map(value).collect())?, Some(ValueWindow { low: 0.0, high: TOP })));
    }
    let sign = if is_inverted { -1.0 } else { 1.0 };
    let padding = padding_of(sources, layout);
    let (mut darkest, mut lightest, mut is_whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
    for value in stored.iter().filter(|value| !padding.is_some_and(|(low, high)| (low..=high).contains(*value))) {
        let value = sign * of_modality(*value);
        (darkest, lightest) = (darkest.min(value), lightest.max(value));
        is_whole &= value.fract() == 0.0;
    }
    // There is only padding.
    if darkest > lightest {
        (darkest, lightest) = (0.0, 0.0);
    }
    // Whole numbers within 16 bits stay unchanged; others are scaled to 16 bits. Values far outside the window are cut:
    // one outlier must not use up the 16 bits.
    if let Some(Light::Window(low, high)) = light
        && !(is_whole && lightest - darkest <= TOP)
    {
        let (low, high) = ((sign * low).min(sign * high), (sign * low).max(sign * high));
        let room = ROOM * (high - low);
        (darkest, lightest) = (darkest.max(low - room), lightest.min(high + room));
        // The window lies outside all values.
        if darkest > lightest {
            (darkest, lightest) = (low, high);
        }
    }
    let range = lightest - darkest;
    let scale = if range == 0.0 || (is_whole && range <= TOP) { 1.0 } else { TOP / range };
    let place = |value: f64| (sign * value - darkest) * scale;
    // Padding outside the range is clamped.
    let pixels = stored.iter().map(|value| place(of_modality(*value)).round() as u16).collect();
    let window = match light {
        Some(Light::Window(low, high)) => {
            let ends = (place(low), place(high));
            ValueWindow { low: ends.0.min(ends.1), high: ends.0.max(ends.1) }
        }
        _ => ValueWindow { low: 0.0, high: range * scale },
    };
    Ok((deep(pixels)?, Some(window)))
}

fn modality_of(sources: &[&Attributes], layout: &Layout) -> Result<Modality> {
    for source in sources {
        if let Some(item) = source.item(0x0028_3000) {
            return Ok(Modality::Table(LookupTable::read(item, 0x0028_3002, 0x0028_3006, layout.is_signed)?));
        }
        let slope = source.decimal(0x0028_1053, "Rescale Slope")?;
        let intercept = source.decimal(0x0028_1052, "Rescale Intercept")?;
        if slope.is_some() || intercept.is_some() {
            let slope = slope.unwrap_or(1.0);
            ensure!(slope != 0.0, "expected a Rescale Slope other than 0 in the DICOM file");
            return Ok(Modality::Rescale { slope, intercept: intercept.unwrap_or(0.0) });
        }
    }
    Ok(Modality::Rescale { slope: 1.0, intercept: 0.0 })
}

/// The first VOI table, else the first window.
fn light_of(sources: &[&Attributes], may_be_negative: bool) -> Result<Option<Light>> {
    for source in sources {
        if let Some(item) = source.item(0x0028_3010) {
            return Ok(Some(Light::Table(LookupTable::read(item, 0x0028_3002, 0x0028_3006, may_be_negative)?)));
        }
        let centre = source.decimal(0x0028_1050, "Window Center")?;
        let (Some(centre), Some(width)) = (centre, source.decimal(0x0028_1051, "Window Width")?) else { continue };
        let function = source.text(0x0028_1056).unwrap_or_else(|| "LINEAR".into());
        ensure!(width > 0.0, "expected a Window Width above 0 in the DICOM file, found {width}");
        return Ok(Some(match function.as_str() {
            "SIGMOID" => Light::Sigmoid { centre, width },
            "LINEAR_EXACT" => Light::Window(centre - width / 2.0, centre + width / 2.0),
            // The formula of LINEAR requires widths from 1 (C.11.2.1.2.1); with fractional values smaller ones occur,
            // which mean the ends of the window.
            "LINEAR" if width < 1.0 => Light::Window(centre - width / 2.0, centre + width / 2.0),
            // A width of 1 is a threshold.
            "LINEAR" => {
                let half = (width - 1.0).max(1.0) / 2.0;
                Light::Window(centre - 0.5 - half, centre - 0.5 + half)
            }
            other => anyhow::bail!(
                "expected VOI LUT Function LINEAR, LINEAR_EXACT or SIGMOID in the DICOM file, found '{}'",
                other.escape_debug()
            ),
        }));
    }
    Ok(None)
}

/// Range of the stored values that mean padding (C.7.5.1.1.2).
fn padding_of(sources: &[&Attributes], layout: &Layout) -> Option<(i32, i32)> {
    let value = |tag| {
        let word = sources.iter().find_map(|source| source.number(tag))?;
        Some(if layout.is_signed { i32::from(word as i16) } else { i32::from(word) })
    };
    let one = value(0x0028_0120)?;
    let other = value(0x0028_0121).unwrap_or(one);
    Some((one.min(other), one.max(other)))
}
