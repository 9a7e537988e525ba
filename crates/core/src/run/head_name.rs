//! Names of retrievers outside of this program: the tag of a TREC run file.

use crate::text::printable::{beginning, is_printable};
use std::cmp::Ordering;
use std::fmt;
use std::sync::{PoisonError, RwLock};

/// Longest name in letters.
const LONGEST: usize = 60;
/// Most different names in one process. They are never freed, so a damaged file must not add names without end.
const MOST: usize = 1000;

/// All names so far. A hit holds the position, which keeps millions of hits small.
static NAMES: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

/// A name of at most 60 letters without spaces. Names sort by their letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeadName(u16);

/// Why a text is no name of a head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadNameError {
    #[error("expected a name of 1 to {LONGEST} letters without spaces, found {:?}", beginning(.0, LONGEST))]
    NotAName(String),
    #[error("more than {MOST} different names of heads")]
    TooMany,
}

impl HeadName {
    /// The name with this text.
    ///
    /// # Errors
    /// Fails if the text is empty, too long or has spaces or characters that cannot be seen, and if there are too many names.
    pub fn new(name: &str) -> Result<Self, HeadNameError> {
        let is_name = !name.is_empty()
            && name.chars().count() <= LONGEST
            && !name.chars().any(|letter| letter.is_whitespace() || !is_printable(letter));
        if !is_name {
            return Err(HeadNameError::NotAName(name.to_owned()));
        }
        let position = |names: &[&str]| names.iter().position(|known| *known == name);
        let known = position(&NAMES.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(known) = known {
            return Ok(Self(known as u16));
        }
        let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have added it meanwhile.
        if let Some(known) = position(&names) {
            return Ok(Self(known as u16));
        }
        if names.len() == MOST {
            return Err(HeadNameError::TooMany);
        }
        names.push(Box::leak(name.into()));
        Ok(Self((names.len() - 1) as u16))
    }

    /// The text.
    pub fn as_str(self) -> &'static str {
        NAMES.read().unwrap_or_else(PoisonError::into_inner).get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl PartialOrd for HeadName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HeadName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Debug for HeadName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::run::{Head, HeadName, Provenance};

    #[test]
    fn names_are_equal_by_their_letters_and_stay_small() {
        let [second, first] = ["colpali-v1.2", "bm25"].map(|name| HeadName::new(name).unwrap());
        assert_eq!(HeadName::new("bm25").unwrap(), first);
        assert!(first < second && second.as_str() == "colpali-v1.2");
        assert!(size_of::<Provenance>() <= 24);
        for wrong in ["", "two words", "tab\t", &"x".repeat(61)] {
            assert!(HeadName::new(wrong).unwrap_err().to_string().starts_with("expected a name of 1 to 60"), "{wrong}");
        }
    }

    #[test]
    fn heads_of_this_program_keep_their_names_in_files() {
        for (text, head) in [("image", Head::Image), ("random", Head::Random)] {
            assert_eq!((text.parse(), serde_json::to_string(&head).unwrap()), (Ok(head), format!("\"{text}\"")));
        }
        let named: Head = serde_json::from_str("\"col\\u0050ali\"").unwrap();
        assert_eq!(named.to_string(), "colPali");
        assert!(serde_json::from_str::<Head>("\"\"").is_err() && serde_json::from_str::<Head>("3").is_err());
        assert!(Head::Random < named, "named heads come last");
    }
}
