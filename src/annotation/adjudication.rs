//! The final categories of a case: an adjudicator's decision, else what its annotators agree on.

use super::{AnnotationState, CaseAnnotation, Decision};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Where a case stands among its annotators.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing<'a> {
    /// Nobody has given it a category.
    Open,
    /// One annotator has.
    Single(&'a BTreeSet<String>),
    /// Two or more have, and all gave the same ones.
    Agreed(&'a BTreeSet<String>),
    /// They differ.
    Disputed,
    /// An adjudicator has decided; `is_outdated` where somebody has annotated the case anew since.
    Decided { decision: &'a Decision, is_outdated: bool },
}

impl<'a> Standing<'a> {
    /// The final categories, where there are any.
    pub fn categories(&self) -> Option<&'a BTreeSet<String>> {
        match self {
            Self::Single(categories) | Self::Agreed(categories) => Some(categories),
            Self::Decided { decision, .. } => Some(&decision.categories),
            Self::Open | Self::Disputed => None,
        }
    }

    /// "disputed", or "decided: eve decided other: the caption says so (annotated anew since)".
    pub fn in_words(&self) -> String {
        let Self::Decided { decision, is_outdated } = self else { return self.word().to_owned() };
        let since = if *is_outdated { " (annotated anew since)" } else { "" };
        format!("{}: {}{since}", self.word(), decision.in_words())
    }

    /// Should an adjudicator look at the case?
    pub fn is_to_be_decided(&self) -> bool {
        matches!(self, Self::Disputed | Self::Decided { is_outdated: true, .. })
    }
}

impl AnnotationState {
    /// Where the case stands. Only categories given to the case itself count; a skip is no vote, and neither is a note.
    pub fn standing<'a>(&'a self, case: &'a str) -> Standing<'a> {
        let votes = || self.on_case(case).filter(|(_, annotation)| !annotation.categories.is_empty());
        if let Some(decision) = self.decision(case) {
            let is_outdated = votes().any(|(_, annotation)| !was_seen(annotation, decision));
            return Standing::Decided { decision, is_outdated };
        }
        let mut votes = votes().map(|(_, annotation)| &annotation.categories);
        let Some(first) = votes.next() else { return Standing::Open };
        let mut is_single = true;
        for other in votes {
            is_single = false;
            if other != first {
                return Standing::Disputed;
            }
        }
        if is_single { Standing::Single(first) } else { Standing::Agreed(first) }
    }

    /// What a decision takes down as seen: of each annotation of a case the event that gave its categories, and the latest.
    pub fn seen_by_a_decision(&self, case: &str) -> Vec<Uuid> {
        let mut seen = Vec::new();
        for (_, annotation) in self.on_case(case) {
            seen.extend(annotation.given_by);
            seen.extend(annotation.event_ids.last().filter(|last| annotation.given_by != Some(**last)));
        }
        seen
    }
}

/// Were the categories those of now? A decision that names no events was made by something that does not say what it saw:
/// then the clock tells.
fn was_seen(annotation: &CaseAnnotation, decision: &Decision) -> bool {
    if decision.seen.is_empty() {
        return annotation.ts <= decision.ts;
    }
    // Whoever saw a later event of the annotation saw the categories that stood then.
    let given_by = annotation.event_ids.iter().position(|id| annotation.given_by == Some(*id)).unwrap_or(0);
    annotation.event_ids[given_by..].iter().any(|id| decision.seen.contains(id))
}
