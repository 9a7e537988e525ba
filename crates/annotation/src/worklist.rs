//! Worklists: the cases that an annotator should see now, and the pass in which each is read.

use super::AnnotationState;
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// The cases that an annotator wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All assigned cases.
    #[default]
    All,
    /// Cases that the annotator has not labelled.
    Left,
    /// Cases that somebody else has labelled and the annotator has not, for a second reading.
    SecondPass,
    /// Cases that the annotator labelled at least this long ago, for reading them again; both readings are kept.
    OwnAgain(Duration),
}

/// The cases of a session, with the pass in which each is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worklist {
    /// Positions in the list they were chosen from, in its order.
    pub cases: Vec<usize>,
    /// Pass by case id, if it is not that of the annotator's latest annotation.
    pub passes: HashMap<String, u32>,
}

impl Worklist {
    /// Chooses from these cases (ids, in order).
    pub fn choose(
        cases: &[&str],
        annotator: &str,
        wanted: Wanted,
        state: &AnnotationState,
        now: OffsetDateTime,
    ) -> Self {
        let mut list = Self::default();
        for (position, case) in cases.iter().enumerate() {
            let own = state.of(annotator, case).filter(|annotation| annotation.is_labelled());
            let is_wanted = match wanted {
                Wanted::All => true,
                Wanted::Left => own.is_none(),
                Wanted::SecondPass => {
                    let review = state.review(case);
                    let mut others = review.annotations.iter().filter(|other| other.annotator != annotator);
                    own.is_none() && others.any(|other| other.annotation.is_labelled())
                }
                Wanted::OwnAgain(after) => own.is_some_and(|annotation| now - annotation.ts >= after),
            };
            if !is_wanted {
                continue;
            }
            list.cases.push(position);
            if let (Wanted::OwnAgain(_), Some(own)) = (wanted, own) {
                list.passes.insert((*case).to_owned(), own.pass + 1);
            }
        }
        list
    }
}
