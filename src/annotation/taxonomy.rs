//! The taxonomy: categories of error that people assign, from a file that people edit.

use crate::durable;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Name of the file in the annotations folder.
pub const TAXONOMY_FILE: &str = "taxonomy.toml";

const DEFAULT: &str = include_str!("default_taxonomy.toml");

/// The categories in the order of the file; keys and ids are unique. Whether a key is one that the explorer uses itself is
/// for its table of actions to say (`tui::keymap::conflict`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taxonomy {
    pub categories: Vec<Category>,
}

/// One `[[category]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The one key that assigns it.
    pub key: char,
    /// What the journal stores.
    pub id: String,
    pub name: String,
    /// When to choose it, shown beside the name.
    pub definition: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxonomyFile {
    category: Vec<Category>,
}

impl Default for Taxonomy {
    /// The embedded categories of inconsistent-retrieval errors.
    fn default() -> Self {
        // `the_default_is_valid` below keeps this branch from being taken.
        Self::parse(DEFAULT).unwrap_or(Self { categories: Vec::new() })
    }
}

impl Taxonomy {
    /// The folder's taxonomy. At first use the default is written there so that people find and edit it; a folder that
    /// cannot be written is no error here (the journal will say so).
    ///
    /// # Errors
    /// When the file exists and cannot be read, or is no taxonomy: file, category and field are named.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(TAXONOMY_FILE);
        let taxonomy = Self::read(folder)?;
        if !path.exists() {
            let _ = durable::write_file(&path, DEFAULT.as_bytes());
        }
        Ok(taxonomy)
    }

    /// As [`Taxonomy::load`], without writing anything.
    ///
    /// # Errors
    /// As [`Taxonomy::load`].
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(TAXONOMY_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("taxonomy {}", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read taxonomy {}", path.display())),
        }
    }

    /// The category that `key` assigns.
    pub fn by_key(&self, key: char) -> Option<&Category> {
        self.categories.iter().find(|category| category.key == key)
    }

    /// The category that the journal calls `id`.
    pub fn by_id(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    fn parse(text: &str) -> Result<Self> {
        // toml's message shows line, column and the offending text.
        let file: TaxonomyFile =
            toml::from_str(text).context("expected [[category]] tables with key, id, name, definition")?;
        if file.category.is_empty() {
            bail!("expected at least one [[category]], found none");
        }
        let mut keys = HashMap::new();
        let mut ids = HashMap::new();
        for (index, category) in file.category.iter().enumerate() {
            let place = format!("category {} (id {:?})", index + 1, category.id);
            for (field, value) in [("id", &category.id), ("name", &category.name), ("definition", &category.definition)]
            {
                if value.trim().is_empty() {
                    bail!("{place}: field {field}: expected text, found nothing");
                }
            }
            if category.key.is_control() || category.key.is_whitespace() {
                bail!("{place}: field key: expected a key that can be seen, found {:?}", category.key);
            }
            if let Some(other) = keys.insert(category.key, index) {
                bail!("{place}: field key: {:?} is already the key of category {}", category.key, other + 1);
            }
            if let Some(other) = ids.insert(category.id.as_str(), index) {
                bail!("{place}: field id: already the id of category {}", other + 1);
            }
        }
        Ok(Self { categories: file.category })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message_of(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TAXONOMY_FILE), text).unwrap();
        format!("{:#}", Taxonomy::load(folder.path()).unwrap_err())
    }

    fn category(key: &str, id: &str) -> String {
        format!("[[category]]\nkey = \"{key}\"\nid = \"{id}\"\nname = \"A name\"\ndefinition = \"When\"\n")
    }

    #[test]
    fn the_default_is_valid() {
        let taxonomy = Taxonomy::parse(DEFAULT).unwrap();
        assert_eq!(taxonomy.categories.len(), 8);
        assert_eq!(taxonomy.by_key('1').unwrap().id, "look-alike");
        assert_eq!(taxonomy.by_id("other").unwrap().key, '8');
        assert_eq!(Taxonomy::default(), taxonomy);
    }

    #[test]
    fn the_first_use_writes_the_file_and_edits_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("annotations");
        assert_eq!(Taxonomy::load(&inside).unwrap(), Taxonomy::default());
        assert_eq!(fs::read_to_string(inside.join(TAXONOMY_FILE)).unwrap(), DEFAULT);
        fs::write(inside.join(TAXONOMY_FILE), category("9", "mine")).unwrap();
        assert_eq!(Taxonomy::load(&inside).unwrap().by_key('9').unwrap().id, "mine");
    }

    #[test]
    fn mistakes_are_named_with_file_and_field() {
        let twice = category("1", "a") + &category("1", "b");
        let cases = [
            (twice, vec!["category 2 (id \"b\")", "field key", "category 1"]),
            (category("1", "a") + &category("2", "a"), vec!["category 2", "field id", "category 1"]),
            (category("12", "a"), vec!["line 2", "key", "12"]),
            (category(" ", "a"), vec!["field key", "can be seen"]),
            (category("1", " "), vec!["field id", "found nothing"]),
            (category("1", "a") + "colour = \"red\"\n", vec!["colour", "line 6"]),
            ("[[category]]\nkey = \"1\"\n".into(), vec!["missing field", "id"]),
            (String::new(), vec!["category"]),
            ("category = []\n".into(), vec!["at least one"]),
        ];
        for (text, expected) in cases {
            let message = message_of(&text);
            assert!(message.contains(TAXONOMY_FILE), "{message}");
            for part in expected {
                assert!(message.contains(part), "{part:?} is missing in: {message}");
            }
        }
    }
}
