//! The taxonomy: categories of error that people assign, from a file that people edit.

use super::category_id::{CategoryId, GivenDefinitions, MOST_CATEGORIES};
use super::taxonomy_copies::keep_version;
use anyhow::{Context, Result, bail};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::{durable, input_file};
use dissent_core::text::toml_text;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Name of the file in the annotations folder.
pub const TAXONOMY_FILE: &str = "taxonomy.toml";

/// Size limit of a taxonomy, bytes: 500 categories of a page each.
const LONGEST: u64 = 2 << 20;

const DEFAULT: &str = include_str!("default_taxonomy.toml");

/// The categories in the order of the file; keys and ids are unique. The explorer checks that no key is used by one
/// of its own actions (`tui::keymap::conflict`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taxonomy {
    /// Whether a case, or a document, may have several categories. If not, a new one replaces the old one.
    pub several: bool,
    pub categories: Vec<Category>,
}

/// One `[[category]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// The one key that assigns it.
    pub key: char,
    /// The id that journals store.
    pub id: CategoryId,
    pub name: String,
    /// When to choose it; shown beside the name.
    pub definition: String,
    /// Describes a case that belongs here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_example: Option<String>,
    /// Describes a case that seems to belong here and does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_example: Option<String>,
    #[serde(default)]
    pub level: Level,
}

/// The level that a category applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    #[default]
    Case,
    /// A retrieved document of a case.
    Hit,
    Both,
}

impl Level {
    /// Whether a case may have it.
    pub fn is_of_case(self) -> bool {
        self != Self::Hit
    }

    /// Whether a document may have it.
    pub fn is_of_hit(self) -> bool {
        self != Self::Case
    }
}

impl Category {
    /// Fingerprint of the category's meaning: id, name, definition and examples, ignoring line breaks. Key, level and
    /// position in the file do not count.
    pub(crate) fn definition_fingerprint(&self) -> Fingerprint {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let optional = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
        let (positive, negative) = (optional(&self.positive_example), optional(&self.negative_example));
        let (name, definition) = (plain(&self.name), plain(&self.definition));
        Fingerprint::of_parts([self.id.as_str(), &name, &definition, &positive, &negative])
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxonomyFile {
    #[serde(default)]
    several: bool,
    category: Vec<Category>,
}

impl Default for Taxonomy {
    /// The embedded categories of inconsistent-retrieval errors.
    fn default() -> Self {
        // The test `the_default_is_valid` ensures that the alternative is never used.
        Self::parse(DEFAULT).unwrap_or(Self { several: false, categories: Vec::new() })
    }
}

impl Taxonomy {
    /// The folder's taxonomy. On first use the default is written there, so that people find and edit it, and each
    /// version is kept under `taxonomies/`. A folder that cannot be written is no error here (the journal reports
    /// it).
    ///
    /// # Errors
    /// Fails if the file exists and cannot be read or is no taxonomy; the message names file, category and field.
    pub fn load(folder: &Path) -> Result<Self> {
        let text = read_text(folder)?.unwrap_or_else(|| {
            let _ = durable::write_file(&folder.join(TAXONOMY_FILE), DEFAULT.as_bytes());
            DEFAULT.to_owned()
        });
        let taxonomy = Self::parse_file(folder, &text)?;
        // Keep the version, so that readers of the journals find the definitions that annotators used.
        keep_version(folder, text.as_bytes());
        Ok(taxonomy)
    }

    /// Like [`Taxonomy::load`], without writing anything.
    ///
    /// # Errors
    /// Fails like [`Taxonomy::load`].
    pub fn read(folder: &Path) -> Result<Self> {
        read_text(folder)?.map_or_else(|| Ok(Self::default()), |text| Self::parse_file(folder, &text))
    }

    fn parse_file(folder: &Path, text: &str) -> Result<Self> {
        Self::parse(text).with_context(|| format!("taxonomy {}", folder.join(TAXONOMY_FILE).display()))
    }

    /// The category that `key` assigns.
    pub fn by_key(&self, key: char) -> Option<&Category> {
        self.categories.iter().find(|category| category.key == key)
    }

    /// The category that the journal calls `id`.
    pub fn by_id(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// Fingerprints of these categories' definitions, by id, for recording in events.
    pub fn definitions_of<'a>(&self, ids: impl IntoIterator<Item = &'a CategoryId>) -> GivenDefinitions {
        let known = ids.into_iter().filter_map(|id| self.by_id(id));
        known.map(|category| (category.id.clone(), category.definition_fingerprint().as_str().into())).collect()
    }

    /// Ids of these definitions (from [`Taxonomy::definitions_of`]) that have been reworded or removed since.
    pub fn changed_since<'a>(&self, definitions: &'a GivenDefinitions) -> Vec<&'a str> {
        let is_changed = |id: &str, then: &str| {
            self.by_id(id).is_none_or(|category| category.definition_fingerprint().as_str() != then)
        };
        let changed = definitions.iter().filter(|(id, then)| is_changed(id, then));
        changed.map(|(id, _)| id.as_str()).collect()
    }

    /// The set after assigning a category. If several are allowed, the category is added or, if it is there, removed;
    /// if not, it replaces all others.
    pub(crate) fn with_assigned(&self, given: &BTreeSet<CategoryId>, id: &CategoryId) -> BTreeSet<CategoryId> {
        if !self.several {
            return BTreeSet::from([id.clone()]);
        }
        let mut set = given.clone();
        if !set.remove(id) {
            set.insert(id.clone());
        }
        set
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let file: TaxonomyFile =
            toml_text::parse(text).context("expected [[category]] tables with key, id, name, definition")?;
        if file.category.is_empty() {
            bail!("expected at least one [[category]], found none");
        }
        let count = file.category.len();
        if count > MOST_CATEGORIES {
            bail!("expected at most {MOST_CATEGORIES} [[category]] tables, found {count}");
        }
        let mut keys = HashMap::new();
        let mut ids = HashMap::new();
        for (index, category) in file.category.iter().enumerate() {
            let place = format!("category {} (id {:?})", index + 1, category.id);
            let texts = [
                ("id", Some(category.id.as_str())),
                ("name", Some(category.name.as_str())),
                ("definition", Some(category.definition.as_str())),
                ("positive_example", category.positive_example.as_deref()),
                ("negative_example", category.negative_example.as_deref()),
            ];
            for (field, value) in texts {
                if value.is_some_and(|value: &str| value.trim().is_empty()) {
                    bail!("{place}: field {field}: expected text, found nothing");
                }
            }
            if category.key.is_control() || category.key.is_whitespace() {
                bail!("{place}: field key: expected a key that can be seen, found {:?}", category.key);
            }
            if [',', '"', ':'].contains(&category.key) {
                bail!("{place}: field key: {:?} cannot be asked for in a filter; expected another one", category.key);
            }
            if let Some(other) = keys.insert(category.key, index) {
                bail!("{place}: field key: {:?} is already the key of category {}", category.key, other + 1);
            }
            if let Some(other) = ids.insert(category.id.as_str(), index) {
                bail!("{place}: field id: already the id of category {}", other + 1);
            }
        }
        Ok(Self { several: file.several, categories: file.category })
    }
}

/// Reads the text of a taxonomy file.
pub(super) fn read_taxonomy(path: &Path) -> io::Result<String> {
    input_file::read_text(path, LONGEST)
}

/// The text of the folder's file; `None` if there is no file.
fn read_text(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(TAXONOMY_FILE);
    match read_taxonomy(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read taxonomy {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn message_of(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TAXONOMY_FILE), text).unwrap();
        format!("{:#}", Taxonomy::load(folder.path()).unwrap_err())
    }

    fn category(key: &str, id: &str) -> String {
        format!("[[category]]\nkey = \"{key}\"\nid = \"{id}\"\nname = \"A name of {id}\"\ndefinition = \"When\"\n")
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
    fn a_file_of_before_loads_and_says_one_category_per_case() {
        let taxonomy = Taxonomy::parse(&category("1", "a")).unwrap();
        assert!(!taxonomy.several);
        assert_eq!((taxonomy.categories[0].level, &taxonomy.categories[0].positive_example), (Level::Case, &None));
    }

    #[test]
    fn a_changed_definition_is_noticed_and_a_reflowed_one_is_none() {
        let text = category("1", "a") + "negative_example = \"An artefact\"\nlevel = \"both\"\n" + &category("2", "b");
        let before = Taxonomy::parse(&format!("several = true\n{text}")).unwrap();
        assert!(before.several && before.categories[0].level.is_of_hit() && before.categories[0].level.is_of_case());
        let given = before.definitions_of(&["a".into(), "b".into(), "unknown".into()]);
        assert_eq!(given.len(), 2);
        assert_eq!(before.changed_since(&given), [""; 0]);
        let changed = |text: &str| {
            let now = Taxonomy::parse(text).unwrap();
            now.changed_since(&given).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(changed(&text.replace("A name", "A   name")), [""; 0]);
        assert_eq!(changed(&text.replace("key = \"1\"", "key = \"9\"")), [""; 0]);
        assert_eq!(changed(&text.replace("An artefact", "A scar")), ["a"]);
        assert_eq!(changed(&category("1", "a")), ["a", "b"], "its negative example went, and so did b");
    }

    #[test]
    fn assigning_toggles_where_several_are_allowed() {
        let mut taxonomy = Taxonomy::default();
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).into()).collect::<BTreeSet<CategoryId>>();
        assert_eq!(taxonomy.with_assigned(&set(&["other"]), &"look-alike".into()), set(&["look-alike"]));
        taxonomy.several = true;
        assert_eq!(taxonomy.with_assigned(&set(&["other"]), &"look-alike".into()), set(&["look-alike", "other"]));
        assert_eq!(taxonomy.with_assigned(&set(&["other"]), &"other".into()), set(&[]));
    }

    #[test]
    fn mistakes_are_named_with_file_and_field() {
        let twice = category("1", "a") + &category("1", "b");
        let cases = [
            (twice, vec!["category 2 (id \"b\")", "field key", "category 1"]),
            (category("1", "a") + &category("2", "a"), vec!["category 2", "field id", "category 1"]),
            (category("12", "a"), vec!["line 2", "key", "12"]),
            (category(" ", "a"), vec!["field key", "can be seen"]),
            (category(",", "a"), vec!["field key", "in a filter"]),
            (category("1", " "), vec!["field id", "found nothing"]),
            (category("1", "a") + "positive_example = \"\"\n", vec!["field positive_example", "found nothing"]),
            (category("1", "a") + "level = \"picture\"\n", vec!["line 6", "picture", "case"]),
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
