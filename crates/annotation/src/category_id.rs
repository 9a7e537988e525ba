//! The id of an error category, used by taxonomy, journals, edits and the explorer's actions.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

/// Categories that people choose from, and that one event may give. Each has a key of its own, and the largest
/// vocabularies that people annotate with have a few hundred; time and memory of the agreement tables grow with them.
pub(super) const MOST_CATEGORIES: usize = 500;

/// By category id: the fingerprint of the definition it was given under.
pub type GivenDefinitions = BTreeMap<CategoryId, CompactString>;

/// The id of a category. The taxonomy need not know it: journals keep ids that somebody removed from the file later.
///
/// Cloning is cheap: up to 24 bytes are stored in place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CategoryId(CompactString);

impl CategoryId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for CategoryId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for CategoryId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

impl Deref for CategoryId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Allows sets and maps to be searched by a plain text.
impl Borrow<str> for CategoryId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for CategoryId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for CategoryId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// The id in quotation marks, as messages show it.
impl fmt::Debug for CategoryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl fmt::Display for CategoryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}
