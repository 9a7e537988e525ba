//! Maps generated text to a label (docs/method.md, "Parsing").

use super::line::Group;
use crate::data::{Answer, LabelIndex, label_in_text, numbers_in_text};
use crate::run::{LabelScores, MASKED_LOG_PROBABILITY, Prediction};
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::path::Path;

/// The labels of the run, in the order of its logits.
#[derive(Clone, Debug)]
pub(super) struct AnswerParser {
    pub labels: Vec<String>,
    /// Answers are sets of numbers, and every set that occurs is a label.
    pub sets: bool,
}

impl AnswerParser {
    /// Uses the given labels. If there are none, the labels are the different gold answers, sorted. If a gold answer
    /// is a list of numbers (`0, 3`), the labels are the sets that occur in gold answers and generated texts
    /// (`other_texts` too), sorted.
    pub fn new(labels: &[String], groups: &[Group], other_texts: &[String], source: &Path) -> Result<Self> {
        if labels.is_empty() && groups.iter().any(|group| group.gold.contains(',')) {
            return Self::of_sets(groups, other_texts, source);
        }
        let mut labels = labels.to_vec();
        if labels.is_empty() {
            labels = groups.iter().map(|group| group.gold.trim().to_owned()).collect();
            labels.sort_unstable();
            labels.dedup();
        }
        let known = labels.join(", ");
        ensure!(
            labels.len() > 1,
            "{}: expected two labels or more, found {known}; --labels names them",
            source.display()
        );
        let parser = Self { labels, sets: false };
        for group in groups {
            ensure!(
                parser.exact(&group.gold).is_some(),
                "{}:{}: field answers: expected one of {known}, found {:?}; --labels names the labels",
                source.display(),
                group.line,
                group.gold
            );
            let columns = group.logits.as_ref().and_then(|rows| rows.first()).map(Vec::len);
            ensure!(
                columns.is_none_or(|columns| columns == parser.labels.len()),
                "{}:{}: field logits: expected {} numbers a row, one per label ({known}), found {}; --labels names the labels \
                 in the order of the logits",
                source.display(),
                group.line,
                parser.labels.len(),
                columns.unwrap_or_default()
            );
        }
        Ok(parser)
    }

    fn of_sets(groups: &[Group], other_texts: &[String], source: &Path) -> Result<Self> {
        let mut labels = BTreeSet::new();
        for group in groups {
            let is_list =
                |part: &str| !part.trim().is_empty() && part.trim().chars().all(|letter| letter.is_ascii_digit());
            ensure!(
                group.gold.split(',').all(is_list),
                "{}:{}: field answers: expected numbers parted by commas, as on other lines, found {:?}; --labels names labels \
                 that are no lists",
                source.display(),
                group.line,
                group.gold
            );
            let generated = group.candidates.iter().map(|candidate| candidate.generation.as_str());
            labels.extend(generated.chain([group.gold.as_str()]).filter_map(numbers_in_text));
        }
        labels.extend(other_texts.iter().filter_map(|text| numbers_in_text(text)));
        Ok(Self { labels: labels.into_iter().collect(), sets: true })
    }

    /// The label that equals a gold answer, ignoring case.
    pub fn exact(&self, text: &str) -> Option<LabelIndex> {
        if self.sets {
            let set = numbers_in_text(text)?;
            return self.labels.binary_search(&set).ok();
        }
        let text = text.trim();
        self.labels.iter().position(|label| label.eq_ignore_ascii_case(text))
    }

    /// The label that equals the text or, as in the reference, the first label in order that occurs in it.
    fn label(&self, text: &str) -> Option<LabelIndex> {
        if self.sets {
            return self.exact(text);
        }
        label_in_text(&self.labels, text).map(|named| named.label)
    }

    /// Predicts the label of the text; logits become log-probabilities over the labels.
    pub fn prediction(&self, text: &str, logits: Option<&[f32]>) -> Prediction {
        // For label sets, the reference stores the logits of the single labels.
        let scores = logits.filter(|_| !self.sets).map(|logits| {
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = logits.iter().map(|value| (value - largest).exp()).sum();
            LabelScores::exact(
                logits.iter().map(|value| (value - largest - sum.ln()).max(MASKED_LOG_PROBABILITY)).collect(),
            )
        });
        Prediction {
            answer: self.label(text).map(Answer::Label),
            scores,
            odds: None,
            samples: None,
            text: Some(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::run_import::answer::*;

    #[test]
    fn texts_are_read_as_the_reference_reads_them() {
        let parser = AnswerParser { labels: ["No", "Yes"].map(String::from).to_vec(), sets: false };
        assert_eq!(parser.label("Yes"), Some(1));
        assert_eq!(parser.label("yes, there is."), Some(1));
        assert_eq!(parser.label("no, or yes"), Some(0), "No comes first");
        assert_eq!(parser.label("unclear"), None);
        let grades = AnswerParser { labels: ["0", "1", "2"].map(String::from).to_vec(), sets: false };
        assert_eq!(grades.label("grade 2 or 1"), Some(1));
        assert_eq!(numbers_in_text("findings: 3, 0 and 3"), Some("0, 3".into()));
        assert_eq!(numbers_in_text("none"), None);
        let scores = grades.prediction("2", Some(&[1.0, 1.0, 1.0 + 2.0_f32.ln()])).scores.unwrap();
        assert!((scores.log_probabilities()[2] - 0.5_f32.ln()).abs() < 1e-6, "{scores:?}");
    }
}
