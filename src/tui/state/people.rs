//! What everybody said about a case, for the one who decides.

use super::annotation_view::positions;
use crate::annotation::{CaseAnnotation, Desk, EarlierDefinition, Standing, Taxonomy};
use std::collections::BTreeSet;

/// Everybody's words on one case and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Ordered by name.
    pub voices: Vec<Voice>,
    /// "open", "single", "agreed", "disputed" or "decided".
    pub standing: &'static str,
    pub decision: Option<Ruling>,
    /// The final categories; `None` where there is no final answer.
    pub final_words: Option<Words>,
}

/// One annotator's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    pub annotator: String,
    /// They are those of the person at the keys.
    pub is_own: bool,
    pub words: Words,
    pub skipped: bool,
    pub unsure: bool,
    pub flagged: bool,
    pub blind: bool,
    pub note: Option<String>,
    /// Categories that are worded otherwise now, or gone.
    pub earlier: Vec<EarlierDefinition>,
    /// By document id.
    pub hits: Vec<(String, Words)>,
}

/// A set of categories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Positions in the taxonomy, ascending.
    pub categories: Vec<usize>,
    /// Ids that the taxonomy does not know any more.
    pub unknown: Vec<String>,
}

/// An adjudicator's decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    pub adjudicator: String,
    pub words: Words,
    pub reason: String,
    /// Somebody has annotated the case anew since.
    pub is_outdated: bool,
}

impl Words {
    fn of(ids: &BTreeSet<String>, taxonomy: &Taxonomy) -> Self {
        let unknown = ids.iter().filter(|id| taxonomy.by_id(id).is_none()).cloned().collect();
        Self { categories: positions(taxonomy, ids), unknown }
    }

    pub fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.unknown.is_empty()
    }
}

impl People {
    /// What the journals hold on this case; `None` where nobody has said or decided anything.
    pub fn of(case: &str, desk: &Desk) -> Option<Self> {
        let (state, taxonomy) = (desk.state(), desk.taxonomy());
        let voices: Vec<Voice> = state.on_case(case).map(|(name, said)| Voice::of(name, said, desk)).collect();
        let standing = state.standing(case);
        let decision = match &standing {
            Standing::Decided { decision, is_outdated } => Some(Ruling {
                adjudicator: decision.adjudicator.clone(),
                words: Words::of(&decision.categories, taxonomy),
                reason: decision.reason.clone(),
                is_outdated: *is_outdated,
            }),
            _ => None,
        };
        if voices.is_empty() && decision.is_none() {
            return None;
        }
        let final_words = standing.categories().map(|ids| Words::of(ids, taxonomy));
        Some(Self { voices, standing: standing.word(), decision, final_words })
    }

    /// Is this the word for it in a filter?
    pub fn stands(&self, word: &str) -> bool {
        match word {
            "outdated" => self.decision.as_ref().is_some_and(|ruling| ruling.is_outdated),
            word => self.standing == word,
        }
    }
}

impl Voice {
    fn of(annotator: &str, said: &CaseAnnotation, desk: &Desk) -> Self {
        let taxonomy = desk.taxonomy();
        Self {
            annotator: annotator.to_owned(),
            is_own: annotator == desk.annotator(),
            words: Words::of(&said.categories, taxonomy),
            skipped: said.skipped,
            unsure: said.unsure,
            flagged: said.flagged,
            blind: said.blind,
            note: said.note.clone(),
            earlier: desk.earlier_definitions(said),
            hits: said.hits.iter().map(|(id, ids)| (id.clone(), Words::of(ids, taxonomy))).collect(),
        }
    }
}
