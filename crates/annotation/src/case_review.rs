//! All annotations of one case, and what follows from them: whether annotators agree, and the final categories.

use super::case_annotation::{CaseAnnotation, Decision};
use super::category_id::CategoryId;
use compact_str::CompactString;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// The annotations of one case by everybody, and the adjudicator's decision if there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseReview {
    /// Id of the case.
    pub case: CompactString,
    /// The latest annotation of each annotator, ordered by name. Skips and mere notes are among them.
    pub annotations: Vec<AuthoredAnnotation>,
    /// The decision that counts, if there is one.
    pub decision: Option<Arc<Decision>>,
}

/// One annotator's annotation of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthoredAnnotation {
    pub annotator: CompactString,
    pub annotation: Arc<CaseAnnotation>,
}

/// The state of agreement on a case. Only categories given to the case itself count: a skip, a note or a category of
/// a document is no vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has given a category.
    Open,
    /// One annotator has given categories.
    Single,
    /// At least two have, and all gave the same categories.
    Agreed,
    /// They gave different categories.
    Disputed,
    /// An adjudicator has decided; `is_outdated` if somebody has annotated the case anew since.
    Decided { is_outdated: bool },
}

impl Standing {
    /// The word for it in files, tables and filters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Single => "single",
            Self::Agreed => "agreed",
            Self::Disputed => "disputed",
            Self::Decided { .. } => "decided",
        }
    }

    /// Whether an adjudicator should look at the case.
    pub fn is_to_be_decided(self) -> bool {
        matches!(self, Self::Disputed | Self::Decided { is_outdated: true })
    }
}

impl CaseReview {
    /// Whether nobody has annotated or decided the case.
    pub fn is_empty(&self) -> bool {
        self.annotations.is_empty() && self.decision.is_none()
    }

    /// The annotations that give the case a category.
    pub fn votes(&self) -> impl Iterator<Item = &AuthoredAnnotation> {
        self.annotations.iter().filter(|authored| !authored.annotation.categories.is_empty())
    }

    pub fn standing(&self) -> Standing {
        if let Some(decision) = &self.decision {
            let is_outdated = self.votes().any(|vote| !was_seen(&vote.annotation, decision));
            return Standing::Decided { is_outdated };
        }
        let mut sets = self.votes().map(|vote| &vote.annotation.categories);
        let Some(first) = sets.next() else { return Standing::Open };
        let mut is_single = true;
        for other in sets {
            is_single = false;
            if other != first {
                return Standing::Disputed;
            }
        }
        if is_single { Standing::Single } else { Standing::Agreed }
    }

    /// The final categories: the adjudicator's, else those that all annotators gave. `None` if nobody gave any or they
    /// differ; an empty set if the adjudicator decided that no category applies.
    pub fn final_categories(&self) -> Option<&BTreeSet<CategoryId>> {
        match (&self.decision, self.standing()) {
            (Some(decision), _) => Some(&decision.categories),
            (None, Standing::Single | Standing::Agreed) => self.votes().next().map(|vote| &vote.annotation.categories),
            (None, _) => None,
        }
    }

    /// The standing in words, such as "disputed" or "decided: eve decided other: the caption says so (annotated anew
    /// since)".
    pub fn standing_in_words(&self) -> String {
        let standing = self.standing();
        let Some(decision) = &self.decision else { return standing.word().to_owned() };
        let since = if standing.is_to_be_decided() { " (annotated anew since)" } else { "" };
        format!("{}: {}{since}", standing.word(), decision.in_words())
    }

    /// The events that a decision records as seen: per annotation, the event that gave its categories and the latest
    /// one.
    pub fn seen_by_a_decision(&self) -> Vec<Uuid> {
        let mut seen = Vec::new();
        for AuthoredAnnotation { annotation, .. } in &self.annotations {
            seen.extend(annotation.given_by);
            seen.extend(annotation.event_ids.last().filter(|last| annotation.given_by != Some(**last)));
        }
        seen
    }
}

/// Whether the adjudicator had seen these categories. A decision that names no events comes from a program that does
/// not record them; then the times of both decide.
fn was_seen(annotation: &CaseAnnotation, decision: &Decision) -> bool {
    if decision.seen.is_empty() {
        return annotation.ts <= decision.ts;
    }
    // An adjudicator who saw a later event of the annotation saw the categories as well.
    let given_by = annotation.event_ids.iter().position(|id| annotation.given_by == Some(*id)).unwrap_or(0);
    annotation.event_ids[given_by..].iter().any(|id| decision.seen.contains(id))
}
