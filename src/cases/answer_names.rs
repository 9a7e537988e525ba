//! Names of answers: a letter for each different answer to a case, and its label or words.

use super::Cases;
use crate::data::{Answer, TaskKind};
use crate::evaluation::PartialCaseAnswer;
use crate::run::Prediction;

/// Name of the empty set of labels.
pub const NO_LABEL: &str = "none";

/// Letter of a label: A for the first, `?` for an answer that names none.
pub fn letter(label: Option<usize>) -> char {
    const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some(label) = label else { return '?' };
    LETTERS.get(label).map_or('#', |letter| char::from(*letter))
}

impl Cases {
    /// Letter of an answer to a case: the position of its label in the task or, for an open answer, its position
    /// among the different ones given to this case, in the order of the hits.
    pub fn letter_of(&self, case: usize, answer: Option<Answer>) -> char {
        if !self.is_open(case) {
            return letter(answer.and_then(Answer::label));
        }
        let given = self.given_answers(case);
        // An answer that was never given is the gold answer.
        let place = |answer| given.iter().position(|(known, _)| *known == answer).unwrap_or(given.len());
        letter(answer.map(place))
    }

    /// Name of an answer to a case: its label's name, the words of an open answer as first given, or a remark that it
    /// names no label.
    pub fn answer_name(&self, case: usize, answer: Option<Answer>) -> String {
        if !self.is_open(case) {
            let Some(answer) = answer else { return "no label".to_owned() };
            let task = self.get(case).and_then(|case| self.task_of(case));
            return task
                .and_then(|task| answer.label_in(&task.labels))
                .map_or_else(|| "?".to_owned(), |label| label.name.clone());
        }
        let Some(answer) = answer else { return "no answer".to_owned() };
        let given = self.given_answers(case).into_iter().find(|(known, _)| *known == answer);
        given.map_or_else(|| "?".to_owned(), |(_, words)| words.to_owned())
    }

    /// Whether the case is answered in words.
    pub fn is_open(&self, case: usize) -> bool {
        let task = self.get(case).and_then(|case| self.task_of(case));
        task.is_some_and(|task| task.kind == TaskKind::OpenVqa)
    }

    /// The different open answers to a case: with its hits, without a document, then those of the other run.
    pub fn given_answers(&self, case: usize) -> Vec<(Answer, &str)> {
        let mut given: Vec<(Answer, &str)> = Vec::new();
        for answers in [self.answers_of(case), self.other_answers(case)].into_iter().flatten() {
            for prediction in all_answers(answers) {
                let Some((answer, words)) = prediction.answer.zip(prediction.text.as_deref()) else { continue };
                if given.iter().all(|(known, _)| *known != answer) {
                    given.push((answer, words));
                }
            }
        }
        given
    }
}

/// All answers to a case, in the order of the hits, the one without a document last.
fn all_answers(answers: &PartialCaseAnswer) -> impl Iterator<Item = &Prediction> {
    (0..answers.slots()).filter_map(|slot| answers.prediction_at(slot)).chain(&answers.closed_book)
}
