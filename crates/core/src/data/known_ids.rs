//! Finds a case or document by an id that another program wrote: the one rule for hits, judgements, predictions and vectors.
//!
//! An id is first looked for as it is written, without white space and invisible characters around it. If no id is written so,
//! one that is the same by [`group_of`] is taken: in Unicode NFC, and 12.0 or +12 for 12. An apostrophe before an id, which
//! keeps spreadsheets from running it, is passed over. Letter case and leading zeros count. If several ids are the same in that
//! way, none is taken, and all are named.

use super::identifier::{group_of, is_plain_group, likeness, trimmed};
use crate::text::printable::beginning;
use rustc_hash::FxHashMap;

/// Ids and their positions.
#[derive(Clone, Debug, Default)]
pub struct KnownIds<'a> {
    /// As they are written.
    exact: FxHashMap<&'a str, usize>,
    /// Those that may be written in another way, by the way in which all are compared.
    alike: FxHashMap<String, Vec<&'a str>>,
}

/// An id that is written as no known one, and is the same as several of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{id:?} may be {}; write it as one of them", .ids.iter().map(|id| format!("{id:?}")).collect::<Vec<_>>().join(" or "))]
pub struct AmbiguousId {
    pub id: String,
    /// The ids that it may be.
    pub ids: Vec<String>,
}

impl<'a> KnownIds<'a> {
    /// The ids with their positions. Of equal ids the last one counts.
    pub fn of(ids: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        let mut known = Self::default();
        for (id, position) in ids {
            let is_new = known.exact.insert(id, position).is_none();
            // The others are found as they are written.
            if is_new && !is_plain_group(id) {
                known.alike.entry(group_of(id)).or_default().push(id);
            }
        }
        known
    }

    /// The position of an id; `None` if there is none like it.
    ///
    /// # Errors
    /// Fails if it is written as no known id and is the same as several.
    pub fn find(&self, id: &str) -> Result<Option<usize>, AmbiguousId> {
        let id = trimmed(id);
        if let Some(position) = self.exact.get(id) {
            return Ok(Some(*position));
        }
        let group = group_of(id);
        let written = self.exact.get_key_value(group.as_str()).map(|(known, _)| *known);
        let others = self.alike.get(&group).into_iter().flatten().copied();
        // An id that needs no comparing is only among those that are written so.
        let mut same: Vec<&str> = written.into_iter().chain(others).collect();
        same.sort_unstable();
        same.dedup();
        match same.as_slice() {
            [] => match id.strip_prefix('\'') {
                Some(unescaped) => self.find(unescaped),
                None => Ok(None),
            },
            [one] => Ok(self.exact.get(one).copied()),
            several => {
                let ids = several.iter().map(|id| (*id).to_owned()).collect();
                Err(AmbiguousId { id: id.to_owned(), ids })
            }
        }
    }

    /// [`Self::find`] for a message to the user: `what` is "case" or "document", `file` is where the ids are.
    ///
    /// # Errors
    /// Fails with the reason if there is no such id, with one that looks like it, or several.
    pub fn expect(&self, what: &str, id: &str, file: &str) -> Result<usize, String> {
        match self.find(id) {
            Ok(Some(position)) => Ok(position),
            Err(ambiguous) => Err(format!("the {what} {ambiguous}")),
            Ok(None) => {
                let like = likeness(id);
                let alike = self.exact.keys().filter(|known| likeness(known) == like).min();
                let hint = alike.map(|known| format!("; it has {known:?}")).unwrap_or_default();
                Err(format!("the {what} {:?} is not in {file} of the dataset{hint}", beginning(id, 60)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known<'a>(ids: &[&'a str]) -> KnownIds<'a> {
        KnownIds::of(ids.iter().enumerate().map(|(position, id)| (*id, position)))
    }

    #[test]
    fn an_id_is_found_in_every_spelling_that_is_the_same() {
        let ids = known(&["p1", "12", "M\u{fc}ller", "7.0", "=cmd"]);
        for (written, position) in
            [("p1", 0), ("\u{feff}p1\u{a0}", 0), ("12.0", 1), ("+12", 1), ("Mu\u{308}ller", 2), ("7", 3), ("'=cmd", 4)]
        {
            assert_eq!(ids.find(written), Ok(Some(position)), "{written:?}");
        }
        for other in ["P1", "012", "1.2e1", "p 1", ""] {
            assert_eq!(ids.find(other), Ok(None), "{other:?}");
        }
        let reverse = known(&["Mu\u{308}ller"]);
        assert_eq!(reverse.find("M\u{fc}ller"), Ok(Some(0)), "the dataset may have the other form");
    }

    #[test]
    fn ids_that_may_be_several_are_named_and_an_exact_one_is_not_ambiguous() {
        let ids = known(&["12", "12.0", "p1"]);
        assert_eq!((ids.find("12"), ids.find("12.0")), (Ok(Some(0)), Ok(Some(1))));
        let message = ids.expect("case", "+12", "cases.jsonl").unwrap_err();
        assert_eq!(message, "the case \"+12\" may be \"12\" or \"12.0\"; write it as one of them");
        let unknown = ids.expect("case", "P1", "cases.jsonl").unwrap_err();
        assert_eq!(unknown, "the case \"P1\" is not in cases.jsonl of the dataset; it has \"p1\"");
    }
}
