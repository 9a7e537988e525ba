//! Mappings of well-known tables. Each is a file beside this one.

use crate::data::import::ColumnMapping;
use anyhow::{Context, Result, bail};

/// Name and text of each mapping.
const SHIPPED: [(&str, &str); 7] = [
    ("chexpert", include_str!("mappings/chexpert.toml")),
    ("nih-chestxray14", include_str!("mappings/nih-chestxray14.toml")),
    ("ham10000", include_str!("mappings/ham10000.toml")),
    ("isic-2018", include_str!("mappings/isic-2018.toml")),
    ("isic-2019", include_str!("mappings/isic-2019.toml")),
    ("isic-2020", include_str!("mappings/isic-2020.toml")),
    ("pad-ufes-20", include_str!("mappings/pad-ufes-20.toml")),
];

/// Names of the mappings that come with the program.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// The mapping of a name.
///
/// # Errors
/// Fails if there is none.
pub fn shipped_mapping(name: &str) -> Result<ColumnMapping> {
    let Some((_, text)) = SHIPPED.iter().find(|(known, _)| *known == name) else {
        bail!("expected one of the mappings {}, found {name:?}", shipped_names().collect::<Vec<_>>().join(", "));
    };
    ColumnMapping::parse(text).with_context(|| format!("mapping {name}"))
}

/// The text of a mapping, to be kept and changed.
pub fn shipped_text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The mapping whose columns this header has; of several the one with most columns.
///
/// # Errors
/// Fails if a mapping is damaged.
pub(super) fn recognised(columns: &[String]) -> Result<Option<(&'static str, ColumnMapping)>> {
    let mut best: Option<(&str, ColumnMapping, usize)> = None;
    for name in shipped_names() {
        let mapping = shipped_mapping(name)?;
        let wanted = mapping.columns();
        if wanted.iter().all(|(_, column)| columns.iter().any(|known| known == column))
            && best.as_ref().is_none_or(|(_, _, count)| *count < wanted.len())
        {
            let count = wanted.len();
            best = Some((name, mapping, count));
        }
    }
    Ok(best.map(|(name, mapping, _)| (name, mapping)))
}
