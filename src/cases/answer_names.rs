//! Names of answers: a letter for each different answer to a case, and its label or words.

use super::Cases;
use crate::data::{Answer, LabelSet, TaskKind};
use crate::evaluation::PartialCaseAnswer;
use crate::run::Prediction;

/// Name of the empty set of labels.
pub const NO_LABEL: &str = "none";

/// Names with commas between them, or semicolons if a name has a comma itself.
pub fn joined_names(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    names.join(if names.iter().any(|name| name.contains(',')) { "; " } else { ", " })
}

/// Letter of a label: A for the first, `?` for an answer that names none.
pub fn letter(label: Option<usize>) -> char {
    const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some(label) = label else { return '?' };
    LETTERS.get(label).map_or('#', |letter| char::from(*letter))
}

impl Cases {
    /// Letter of an answer to a case: the position of its label in the task or, for an open answer and a set of labels, its
    /// position among the different ones given to this case, in the order of the hits.
    pub fn letter_of(&self, case: usize, answer: Option<Answer>) -> char {
        if !self.is_open(case) && !self.takes_sets(case) {
            return letter(answer.and_then(Answer::label));
        }
        let given = self.given_answers(case);
        // An answer that was never given is the gold answer, or a set of labels that the user's changes lead to.
        let gold = self.get(case).and_then(|case| self.gold_of(case));
        let place = |answer| {
            let known = given.iter().position(|(known, _)| *known == answer);
            known.unwrap_or(given.len() + usize::from(gold != Some(answer)))
        };
        letter(answer.map(place))
    }

    /// Name of an answer to a case: its label's name, the names of a set of labels with commas, the words of an open answer as
    /// first given, or a remark that it names no label.
    pub fn answer_name(&self, case: usize, answer: Option<Answer>) -> String {
        if !self.is_open(case) {
            let Some(answer) = answer else { return "no label".to_owned() };
            if let Answer::Set(set) = answer {
                return joined_names(&self.set_names(case, set));
            }
            let task = self.get(case).and_then(|case| self.task_of(case));
            return task
                .and_then(|task| answer.label_in(&task.labels))
                .map_or_else(|| "?".to_owned(), |label| label.name.clone());
        }
        let Some(answer) = answer else { return "no answer".to_owned() };
        let given = self.given_answers(case).into_iter().find(|(known, _)| *known == answer);
        given.and_then(|(_, words)| words).unwrap_or("?").to_owned()
    }

    /// Names of the labels of a set; [`NO_LABEL`] alone for the empty one.
    pub fn set_names(&self, case: usize, set: LabelSet) -> Vec<String> {
        let labels = self.get(case).and_then(|case| self.task_of(case)).map(|task| task.labels.as_slice());
        let labels = labels.unwrap_or_default();
        let names: Vec<String> = set
            .labels()
            .map(|label| labels.get(label).map_or_else(|| "?".to_owned(), |label| label.name.clone()))
            .collect();
        if names.is_empty() { vec![NO_LABEL.to_owned()] } else { names }
    }

    /// The gold answer to a case by its name, or in its own words. A set of which some labels are unknown is followed by them:
    /// "Edema; unknown: Nodule".
    pub fn gold_name(&self, case: usize) -> Option<String> {
        let (own, task) = (self.get(case)?, self.task_of(self.get(case)?)?);
        if own.unknown.is_empty() {
            let gold = self.gold_of(own)?;
            return Some(if self.is_open(case) { own.answer.clone() } else { self.answer_name(case, Some(gold)) });
        }
        let set = task.set_of(&own.answer).ok()?;
        let unknown =
            LabelSet::of(own.unknown.iter().filter_map(|id| task.labels.iter().position(|label| label.id == *id)));
        let known = joined_names(&self.set_names(case, set));
        Some(format!("{known}; unknown: {}", joined_names(&self.set_names(case, unknown))))
    }

    /// Whether the case is answered with a set of labels.
    pub fn takes_sets(&self, case: usize) -> bool {
        let task = self.get(case).and_then(|case| self.task_of(case));
        task.is_some_and(|task| task.kind == TaskKind::MultiLabel)
    }

    /// Whether the case is answered in words.
    pub fn is_open(&self, case: usize) -> bool {
        let task = self.get(case).and_then(|case| self.task_of(case));
        task.is_some_and(|task| task.kind == TaskKind::OpenVqa)
    }

    /// The different answers to a case, with the words of open ones: with its hits, without a document, then those of the
    /// other run.
    pub fn given_answers(&self, case: usize) -> Vec<(Answer, Option<&str>)> {
        let mut given: Vec<(Answer, Option<&str>)> = Vec::new();
        for answers in [self.answers_of(case), self.other_answers(case)].into_iter().flatten() {
            for prediction in all_answers(answers) {
                let Some(answer) = prediction.answer else { continue };
                if given.iter().all(|(known, _)| *known != answer) {
                    given.push((answer, prediction.text.as_deref()));
                }
            }
            // The fused set of labels may differ from every single one.
            let fused = answers.fused().and_then(|fused| fused.prediction.answer);
            let is_new = |answer: &Answer| given.iter().all(|(known, _)| known != answer);
            given.extend(fused.filter(is_new).map(|answer| (answer, None)));
        }
        given
    }
}

/// All answers to a case, in the order of the hits, the one without a document last.
fn all_answers(answers: &PartialCaseAnswer) -> impl Iterator<Item = &Prediction> {
    (0..answers.slots()).filter_map(|slot| answers.prediction_at(slot)).chain(&answers.closed_book)
}
