//! Earlier wordings of categories, from the copies of the taxonomy that people worked with.

use super::category_id::{CategoryId, GivenDefinitions};
use super::taxonomy::{Category, Taxonomy, read_taxonomy};
use super::taxonomy_copies::kept_versions;
use dissent_core::data::Problem;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// Every category in every wording that was used, by id and definition fingerprint.
#[derive(Clone, Debug, Default)]
pub struct TaxonomyVersions {
    by_definition: HashMap<(CategoryId, String), Category>,
}

/// A category that was given under another definition than the current one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EarlierDefinition {
    pub id: CategoryId,
    /// Its current name; the id if the taxonomy no longer has it.
    pub name: String,
    /// Its wording then; `None` if no copy of that version is in the folder.
    pub then: Option<Category>,
}

impl EarlierDefinition {
    /// Text such as "earlier definition of Other: None of the above.", with the earlier name if it was different.
    pub fn in_words(&self) -> String {
        let then = match &self.then {
            None => "its words are not kept here".to_owned(),
            Some(then) if then.name == self.name => then.definition.clone(),
            Some(then) => format!("{}: {}", then.name, then.definition),
        };
        format!("earlier definition of {}: {then}", self.name)
    }
}

impl TaxonomyVersions {
    /// Reads the copies in the annotations folder; returns a problem for each that cannot be read. The wordings in
    /// such a copy stay unknown.
    pub fn read(folder: &Path) -> (Self, Vec<Problem>) {
        let mut versions = Self::default();
        let mut problems = Vec::new();
        for path in kept_versions(folder) {
            let taxonomy = match read_taxonomy(&path).map_err(Into::into).and_then(|text| Taxonomy::parse(&text)) {
                Ok(taxonomy) => taxonomy,
                Err(error) => {
                    let message = format!("{error:#}; the wordings in it are not known");
                    problems.push(Problem::warning(&path, message));
                    continue;
                }
            };
            versions.add(taxonomy);
        }
        (versions, problems)
    }

    /// Adds the wordings of this version.
    pub fn add(&mut self, taxonomy: Taxonomy) {
        for category in taxonomy.categories {
            let definition = category.definition_fingerprint().to_string();
            self.by_definition.insert((category.id.clone(), definition), category);
        }
    }

    /// The categories that have been reworded or removed since they were given.
    pub fn earlier(&self, given: &GivenDefinitions, taxonomy: &Taxonomy) -> Vec<EarlierDefinition> {
        let mut earlier = Vec::new();
        for id in taxonomy.changed_since(given) {
            let name = taxonomy.by_id(id).map_or_else(|| id.to_owned(), |category| category.name.clone());
            let then = given.get(id).and_then(|definition| self.find(id, definition)).cloned();
            earlier.push(EarlierDefinition { id: id.into(), name, then });
        }
        earlier
    }

    /// The category with this definition fingerprint, as events record it.
    pub fn find(&self, id: &str, definition: &str) -> Option<&Category> {
        self.by_definition.get(&(id.into(), definition.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TAXONOMIES_FOLDER, TAXONOMY_FILE};
    use super::*;
    use std::fs;

    #[test]
    fn an_earlier_wording_is_found_after_the_file_was_edited() {
        let folder = tempfile::tempdir().unwrap();
        let before = Taxonomy::load(folder.path()).unwrap();
        let given = before.definitions_of(&["other".into()]);
        let path = folder.path().join(TAXONOMY_FILE);
        let edited = fs::read_to_string(&path).unwrap().replace("None of the above", "Nothing else fits");
        fs::write(&path, edited).unwrap();
        let now = Taxonomy::load(folder.path()).unwrap();
        assert_eq!(now.changed_since(&given), ["other"]);
        let (versions, problems) = TaxonomyVersions::read(folder.path());
        assert!(problems.is_empty(), "{problems:?}");
        let then = versions.find("other", &given["other"]).unwrap();
        assert!(then.definition.starts_with("None of the above"));
        let [earlier] = versions.earlier(&given, &now).try_into().unwrap();
        assert_eq!((earlier.id.as_str(), earlier.then.as_ref()), ("other", Some(then)));
        assert!(
            earlier.in_words().starts_with("earlier definition of Other: None of the above"),
            "{}",
            earlier.in_words()
        );
        assert_eq!(earlier.name, now.by_id("other").unwrap().name);
        assert_eq!(versions.earlier(&now.definitions_of(&["other".into()]), &now), []);
        assert_eq!(fs::read_dir(folder.path().join(TAXONOMIES_FOLDER)).unwrap().count(), 2);
        Taxonomy::load(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path().join(TAXONOMIES_FOLDER)).unwrap().count(), 2);
    }
}
