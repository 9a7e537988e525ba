//! Earlier wordings of the taxonomy: a copy of each version of the file that people worked with, named after its content.

use super::taxonomy::{Category, Taxonomy};
use crate::durable;
use crate::fingerprint::Fingerprint;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Folder of the copies in the annotations folder.
pub const TAXONOMIES_FOLDER: &str = "taxonomies";

/// Every category in every wording that was worked with, by id and definition fingerprint.
#[derive(Clone, Debug, Default)]
pub struct TaxonomyVersions {
    by_definition: HashMap<(String, String), Category>,
}

/// Keeps a copy of the file's text; one that is there already costs no write. Names are of the content, so that folders of
/// several people merge. A folder that cannot be written is no error here.
pub(super) fn keep_version(folder: &Path, text: &[u8]) {
    let path = folder.join(TAXONOMIES_FOLDER).join(format!("{}.toml", Fingerprint::of_bytes(text)));
    if !path.exists() {
        let _ = durable::write_file(&path, text);
    }
}

impl TaxonomyVersions {
    /// Reads the copies in the annotations folder. One that cannot be read leaves its wordings unknown.
    pub fn read(folder: &Path) -> Self {
        let mut versions = Self::default();
        for entry in fs::read_dir(folder.join(TAXONOMIES_FOLDER)).into_iter().flatten().flatten() {
            let Ok(text) = fs::read_to_string(entry.path()) else { continue };
            let Ok(taxonomy) = Taxonomy::parse(&text) else { continue };
            for category in taxonomy.categories {
                let definition = category.definition_fingerprint().to_string();
                versions.by_definition.insert((category.id.clone(), definition), category);
            }
        }
        versions
    }

    /// The category as it was worded when an event took down this fingerprint of its definition.
    pub fn find(&self, id: &str, definition: &str) -> Option<&Category> {
        self.by_definition.get(&(id.to_owned(), definition.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::TAXONOMY_FILE;
    use super::*;

    #[test]
    fn an_earlier_wording_is_found_after_the_file_was_edited() {
        let folder = tempfile::tempdir().unwrap();
        let before = Taxonomy::load(folder.path()).unwrap();
        let given = before.definitions_of(&["other".to_owned()]);
        let path = folder.path().join(TAXONOMY_FILE);
        let edited = fs::read_to_string(&path).unwrap().replace("None of the above", "Nothing else fits");
        fs::write(&path, edited).unwrap();
        let now = Taxonomy::load(folder.path()).unwrap();
        assert_eq!(now.changed_since(&given), ["other"]);
        let versions = TaxonomyVersions::read(folder.path());
        let then = versions.find("other", &given["other"]).unwrap();
        assert!(then.definition.starts_with("None of the above"));
        assert_eq!(fs::read_dir(folder.path().join(TAXONOMIES_FOLDER)).unwrap().count(), 2);
        Taxonomy::load(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path().join(TAXONOMIES_FOLDER)).unwrap().count(), 2);
    }
}
