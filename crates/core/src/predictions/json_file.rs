//! The objects of a JSON file of another program: lines of objects, one list of objects, or objects one after the other.

use crate::data::import::JsonObjects;
use crate::text::written_json::Written;
use anyhow::{Context, Result};
use std::io::Read;
use std::path::Path;

/// All objects with the line that each begins in.
pub(super) fn read_objects(path: &Path) -> Result<Vec<(usize, Written)>> {
    let mut objects = JsonObjects::open(path)?;
    let mut all = Vec::new();
    while let Some((place, object)) = objects.next_object()? {
        all.push((place.row as usize, object));
    }
    Ok(all)
}

/// The first object, and whether the file is a list.
pub(super) fn first_object(path: &Path) -> Result<(bool, Written)> {
    let cannot_read = || format!("cannot read {}", path.display());
    let mut start = Vec::new();
    crate::files::input_file::open(path)
        .and_then(|file| file.take(64).read_to_end(&mut start))
        .with_context(cannot_read)?;
    let is_list = crate::files::input_file::without_bom(&start).trim_ascii_start().starts_with(b"[");
    let first = JsonObjects::open(path)?.next_object()?;
    let (_, object) =
        first.with_context(|| format!("{}: expected predictions, found an empty file", path.display()))?;
    Ok((is_list, object))
}

/// A field's text, or a number as its digits; `None` if it is missing or null.
///
/// # Errors
/// Fails with the kind of another value.
pub(super) fn text_field(object: &Written, name: &str) -> Result<Option<String>> {
    match object.get(name) {
        None | Some(Written::Null) => Ok(None),
        Some(Written::Text(text)) => Ok(Some(text.clone())),
        Some(other) => {
            let text = crate::data::identifier::identifier_of(other);
            text.map(Some).with_context(|| format!("field {name}: expected a text, found {}", other.kind()))
        }
    }
}
