//! What everybody said of a case, for the one who decides it.

use super::page::Said;
use crate::annotation::{Desk, Standing};
use crate::output::one_line;
use serde::Serialize;

/// Everybody's words and where the case stands among them.
#[derive(Serialize)]
pub(super) struct Heard<'a> {
    case: &'a str,
    /// By name.
    voices: Vec<Voice<'a>>,
    /// "open", "single", "agreed", "disputed" or "decided".
    standing: &'static str,
    /// Of a case that is decided.
    decision: Option<Ruling<'a>>,
    #[serde(skip)]
    standing_in_words: String,
}

#[derive(Serialize)]
struct Voice<'a> {
    annotator: &'a str,
    annotation: Said<'a>,
}

#[derive(Serialize)]
struct Ruling<'a> {
    adjudicator: &'a str,
    categories: Vec<&'a str>,
    reason: &'a str,
    /// Somebody has annotated the case anew since.
    is_outdated: bool,
}

impl<'a> Heard<'a> {
    pub fn of(case: &'a str, desk: &'a Desk) -> Self {
        let voices = desk.state().on_case(case);
        let standing = desk.state().standing(case);
        let decision = match &standing {
            Standing::Decided { decision, is_outdated } => Some(Ruling {
                adjudicator: &decision.adjudicator,
                categories: decision.categories.iter().map(String::as_str).collect(),
                reason: &decision.reason,
                is_outdated: *is_outdated,
            }),
            _ => None,
        };
        Self {
            case,
            voices: voices
                .map(|(annotator, annotation)| Voice { annotator, annotation: Said::of(annotation, desk) })
                .collect(),
            standing: standing.word(),
            decision,
            standing_in_words: standing.in_words(),
        }
    }

    /// A line for each, and one for where the case stands.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for voice in &self.voices {
            lines.push(format!("{} said: {}", one_line(voice.annotator), voice.annotation.text()));
        }
        lines.push(format!("the case is {}", one_line(&self.standing_in_words)));
        lines.join("\n")
    }
}
