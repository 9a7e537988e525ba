//! JSON files that are a list of objects, one per question.

use crate::data::identifier::identifier_of;
use crate::files::input_file;
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Maximum size of such a file in bytes; the largest known one has 4 MB.
const LONGEST: u64 = 256 << 20;

/// The entries of a JSON list.
///
/// # Errors
/// Fails if the file cannot be read or is anything but a list; the message has the line.
pub(super) fn read_list(path: &Path) -> Result<Vec<Written>> {
    let text = input_file::read_text(path, LONGEST).with_context(|| format!("cannot read {}", path.display()))?;
    let expected = || format!("{}: expected a JSON list of objects, one per question", path.display());
    match Written::parse(text.as_bytes()) {
        Ok(Written::List(values)) => Ok(values),
        Ok(other) => bail!("{}, found {}", expected(), other.kind()),
        Err(error) => {
            let line = text.as_bytes().iter().take(error.offset).filter(|byte| **byte == b'\n').count() + 1;
            bail!("{}; line {line}: {}", expected(), error.message);
        }
    }
}

/// A field's text without surrounding spaces; some texts of the files are numbers.
///
/// # Errors
/// Fails if the field is missing, empty or another kind of value.
pub(super) fn text_field(value: &Written, field: &str) -> Result<String> {
    let Some(value) = value.get(field) else { bail!("{field}: the field is missing; expected a text") };
    let text = identifier_of(value).with_context(|| format!("{field}: expected a text, found {value}"))?;
    if text.is_empty() {
        bail!("{field}: expected a text, found an empty one");
    }
    Ok(text)
}
