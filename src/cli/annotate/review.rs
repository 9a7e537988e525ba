//! All annotations of a case, for the adjudicator.

use super::page::AnnotationText;
use crate::annotation::{AnnotationSession, CaseReview, CategoryId};
use crate::output::one_line;
use serde::Serialize;

/// A [`CaseReview`] as lines of text or as a JSON object.
#[derive(Serialize)]
pub(super) struct ReviewPage<'a> {
    case: &'a str,
    /// Ordered by name.
    voices: Vec<Voice<'a>>,
    /// "open", "single", "agreed", "disputed" or "decided".
    standing: &'static str,
    decision: Option<DecisionLine<'a>>,
    #[serde(skip)]
    standing_in_words: String,
}

#[derive(Serialize)]
struct Voice<'a> {
    annotator: &'a str,
    annotation: AnnotationText<'a>,
}

#[derive(Serialize)]
struct DecisionLine<'a> {
    adjudicator: &'a str,
    categories: Vec<&'a str>,
    reason: &'a str,
    /// Somebody has annotated the case anew since.
    is_outdated: bool,
}

impl<'a> ReviewPage<'a> {
    pub fn of(review: &'a CaseReview, session: &AnnotationSession) -> Self {
        let standing = review.standing();
        let mut voices = Vec::new();
        for authored in &review.annotations {
            let annotation = AnnotationText::of(&authored.annotation, session);
            voices.push(Voice { annotator: &authored.annotator, annotation });
        }
        let decision = review.decision.as_ref().map(|decision| DecisionLine {
            adjudicator: &decision.adjudicator,
            categories: decision.categories.iter().map(CategoryId::as_str).collect(),
            reason: &decision.reason,
            is_outdated: standing.is_to_be_decided(),
        });
        Self {
            case: &review.case,
            voices,
            standing: standing.word(),
            decision,
            standing_in_words: review.standing_in_words(),
        }
    }

    /// A line per annotator, and one with the state of agreement.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for voice in &self.voices {
            lines.push(format!("{} said: {}", one_line(voice.annotator), voice.annotation.text()));
        }
        lines.push(format!("the case is {}", one_line(&self.standing_in_words)));
        lines.join("\n")
    }
}
