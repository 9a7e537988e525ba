//! Label names on the command line.

use crate::text::written_json::Written;
use anyhow::{Result, bail};

/// The names in values such as `benign,malignant` or, for names that contain commas, `["normal, benign","malignant"]`.
///
/// # Errors
/// Fails if a value that begins with `[` is not a JSON list of texts.
///
/// ```
/// use dissent_core::data::import::label_names;
///
/// assert_eq!(label_names(&["a,b".into()]).unwrap(), ["a", "b"]);
/// assert_eq!(label_names(&[r#"["normal, benign", "malignant"]"#.into()]).unwrap(), ["normal, benign", "malignant"]);
/// assert!(label_names(&["[a, b]".into()]).is_err());
/// ```
pub fn label_names(values: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for value in values {
        if !value.trim_start().starts_with('[') {
            names.extend(value.split(',').map(str::to_owned));
            continue;
        }
        let list = match Written::parse(value.as_bytes()) {
            Ok(Written::List(entries)) => entries.iter().map(|entry| entry.as_text().map(str::to_owned)).collect(),
            _ => None,
        };
        let Some(texts): Option<Vec<String>> = list else {
            bail!(
                "labels: expected a,b,… or a JSON list of texts such as [\"normal, benign\",\"malignant\"], found {value}"
            );
        };
        names.extend(texts);
    }
    Ok(names)
}
