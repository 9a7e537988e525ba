//! Which of an annotator's cases are to be shown now, and as which reading of them.

use super::AnnotationState;
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// Which cases an annotator wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All that are theirs.
    #[default]
    All,
    /// Those that they have not decided.
    Left,
    /// Those that somebody else has decided and they have not: they are the second reader.
    SecondPass,
    /// Those that they decided at least so long ago: they read them again, and both readings are kept.
    OwnAgain(Duration),
}

/// The cases of a session and as which pass each is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worklist {
    /// Positions in the list they were chosen from, in its order.
    pub cases: Vec<usize>,
    /// By case id, where it is not the pass in which the annotator spoke last.
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
            let own = state.of(annotator, case).filter(|annotation| annotation.is_decided());
            let is_wanted = match wanted {
                Wanted::All => true,
                Wanted::Left => own.is_none(),
                Wanted::SecondPass => {
                    let review = state.review(case);
                    let mut others = review.annotations.iter().filter(|other| other.annotator != annotator);
                    own.is_none() && others.any(|other| other.annotation.is_decided())
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
