//! How a reader is asked for a set of labels, and the set in a text that it gives (docs/method.md, "Sets of labels").

use super::caption_label::{contains, words};
use super::{LabelIndex, LabelSet, Task, TaskKind};
use serde::{Deserialize, Serialize};

/// The slot of a label's name in [`SetPrompt::question`].
const LABEL_SLOT: &str = "{label}";
/// The slot of the case's question.
const QUESTION_SLOT: &str = "{question}";

/// The question that is asked for a set of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskForSets {
    /// The reader answers each label with yes or no.
    #[default]
    EachLabel,
    /// The reader writes the set in words, and the labels are looked for in its text.
    Words,
}

/// `[task.prompt.sets]` of `dataset.toml`; of use only to tasks with several labels at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SetPrompt {
    pub ask: AskForSets,
    /// The question about one label, with the slots `{question}` (the case's own) and `{label}` (the label's name).
    pub question: String,
    /// The two answers to it.
    pub yes: String,
    pub no: String,
    /// A label is in the predicted set if its probability of yes is above this.
    pub threshold: f32,
    /// The word for the empty set, in a reader's text and as the text that a reader learns.
    pub none: String,
}

/// A threshold that is not a number is refused when `dataset.toml` is read.
impl Eq for SetPrompt {}

impl Default for SetPrompt {
    fn default() -> Self {
        Self {
            ask: AskForSets::EachLabel,
            question: "{question} Finding: {label}. Answer Yes or No.".into(),
            yes: "Yes".into(),
            no: "No".into(),
            threshold: 0.5,
            none: "none".into(),
        }
    }
}

impl SetPrompt {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The question about the label with this name.
    pub fn question_about(&self, question: &str, label: &str) -> String {
        let pieces: Vec<String> =
            self.question.split(QUESTION_SLOT).map(|piece| piece.replace(LABEL_SLOT, label)).collect();
        pieces.join(question)
    }

    /// The log-odds of yes above which a label is in the set.
    pub fn log_odds_threshold(&self) -> f32 {
        (self.threshold / (1.0 - self.threshold)).ln()
    }

    /// The field and the reason of each setting that cannot be used.
    pub(super) fn problems(&self, task: &Task) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if task.kind != TaskKind::MultiLabel {
            if !self.is_default() {
                problems.push(("prompt.sets", "expected it only in a task of kind multi-label".to_owned()));
            }
            return problems;
        }
        if !self.question.contains(LABEL_SLOT) {
            problems.push(("prompt.sets.question", format!("expected the slot {LABEL_SLOT}, found none")));
        }
        if self.yes.trim().is_empty() || self.no.trim().is_empty() || self.yes == self.no {
            let message = format!("expected two different words, found {:?} and {:?}", self.yes, self.no);
            problems.push(("prompt.sets.yes", message));
        }
        if !(self.threshold > 0.0 && self.threshold < 1.0) {
            let message = format!("expected a probability between 0 and 1, found {}", self.threshold);
            problems.push(("prompt.sets.threshold", message));
        }
        let word = words(&self.none);
        if word.trim().is_empty() {
            let message = format!("expected a word for the empty set, found {:?}", self.none);
            problems.push(("prompt.sets.none", message));
        } else if let Some(label) =
            task.labels.iter().find(|label| [&label.id, &label.name].map(|name| words(name)).contains(&word))
        {
            let message =
                format!("{:?} is also a label ({:?}); expected another word for the empty set", self.none, label.id);
            // Only a text needs the word; where each label is asked, this does no harm.
            if self.ask == AskForSets::Words {
                problems.push(("prompt.sets.none", message));
            }
        }
        problems
    }
}

impl Task {
    /// Whether readers are asked for a set of labels, one label at a time.
    pub fn asks_each_label(&self) -> bool {
        self.kind == TaskKind::MultiLabel && self.prompt.sets.ask == AskForSets::EachLabel
    }

    /// The set in a reader's text; `None` if it names no label and is not the word for the empty set.
    ///
    /// If all ids are numbers, all numbers in the text count, as in the reference code. Otherwise the ids and names count that
    /// the text contains as whole words; a name within a longer one that is there does not count.
    pub fn set_in_words(&self, text: &str) -> Option<LabelSet> {
        if let Ok(set) = self.set_of(text) {
            return Some(set);
        }
        let said = words(text);
        let is_number = |id: &str| id.bytes().all(|byte| byte.is_ascii_digit());
        let set = if self.labels.iter().all(|label| is_number(&label.id)) {
            let numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
            let numbers: Vec<u128> = numbers.collect();
            let is_named =
                |label: LabelIndex| self.labels[label].id.parse().is_ok_and(|id: u128| numbers.contains(&id));
            LabelSet::of((0..self.labels.len()).filter(|label| is_named(*label)))
        } else {
            self.named_in(&said)
        };
        let is_none = said == words(&self.prompt.sets.none);
        (!set.is_empty() || is_none).then_some(set)
    }

    /// The label that a reader's text names: the one whose id equals the text, ignoring case, else the first one in the task's
    /// order whose id or name is in it. That is the reference's rule (docs/method.md, "Parsing"), but only whole words count,
    /// so that "cannot say" does not name "No", and a name within a longer one that is there does not count.
    pub fn label_in_words(&self, text: &str) -> Option<LabelIndex> {
        let bare = text.trim().trim_end_matches('.');
        self.label_index(bare).or_else(|| self.named_in(&words(text)).labels().next())
    }

    /// The labels whose id or name is in the normalised text.
    fn named_in(&self, said: &str) -> LabelSet {
        let mut names: Vec<(String, LabelIndex)> = Vec::new();
        for (position, label) in self.labels.iter().enumerate() {
            for name in [&label.id, &label.name].into_iter().chain(&label.named_as) {
                names.push((words(name), position));
            }
        }
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        let mut left = said.to_owned();
        let mut labels = Vec::new();
        for (name, label) in names {
            if contains(&left, &name) {
                labels.push(label);
                // The name is replaced, so that a shorter one within it does not count.
                left = left.replace(&name, " \0 ");
            }
        }
        LabelSet::of(labels)
    }

    /// The answer as a reader is taught to write it: as a gold answer is spelt, but a set of labels as its ids with commas, and the
    /// empty set as its word.
    pub fn taught_text(&self, answer: &str) -> String {
        let set = if self.kind == TaskKind::MultiLabel { self.set_of(answer).ok() } else { None };
        let Some(set) = set else { return answer.to_owned() };
        if set.is_empty() {
            return self.prompt.sets.none.clone();
        }
        let ids: Vec<&str> = set.labels().filter_map(|label| Some(self.labels.get(label)?.id.as_str())).collect();
        ids.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Label, PromptTemplate};

    fn task(labels: &[(&str, &str)]) -> Task {
        let labels = labels.iter().map(|(id, name)| Label::new(*id, *name)).collect();
        Task { id: "t".into(), kind: TaskKind::MultiLabel, question: None, labels, prompt: PromptTemplate::default() }
    }

    #[test]
    fn numbers_are_read_as_the_reference_reads_them() {
        let task = task(&[("0", "cardiomegaly"), ("1", "edema"), ("10", "nodule")]);
        let read = |text: &str| task.set_in_words(text).map(|set| set.labels().collect::<Vec<_>>());
        assert_eq!(read("0, 10"), Some(vec![0, 2]));
        assert_eq!(read("labels: 10 and 1."), Some(vec![1, 2]));
        assert_eq!(read("01"), Some(vec![1]));
        assert_eq!(read("None."), Some(vec![]));
        assert_eq!((read("7"), read("edema"), read("")), (None, None, None));
    }

    #[test]
    fn names_are_found_as_whole_words_and_the_longest_wins() {
        let task =
            task(&[("lesion", "Lesion"), ("lung", "Lung lesion"), ("effusion", "Effusion"), ("x", "Lung, left")]);
        let read = |text: &str| task.set_in_words(text).map(|set| set.labels().collect::<Vec<_>>());
        assert_eq!(read("There is a lung lesion and an effusion."), Some(vec![1, 2]));
        assert_eq!(read("Lung lesion, another lesion"), Some(vec![0, 1]));
        assert_eq!(read("lung left"), Some(vec![3]));
        assert_eq!(read("effusions"), None);
        assert_eq!(read("none"), Some(vec![]));
    }

    #[test]
    fn one_label_is_read_as_the_reference_reads_it_but_in_whole_words() {
        let task = task(&[("No", "No"), ("Yes", "Yes"), ("No finding", "No finding")]);
        let read = |text: &str| task.label_in_words(text);
        assert_eq!((read("yes"), read(" Yes. "), read("Yes, there is.")), (Some(1), Some(1), Some(1)));
        assert_eq!(read("no, or yes"), Some(0), "No comes first");
        assert_eq!(read("There is no finding here"), Some(2), "the longer name");
        assert_eq!((read("I cannot say"), read("unknown"), read("")), (None, None, None));
    }

    #[test]
    fn the_taught_text_reads_back() {
        let task = task(&[("Edema", "Edema"), ("Lung, left", "Lung, left")]);
        for set in [&[][..], &[0], &[1], &[0, 1]] {
            let taught = task.taught_text(&task.answer_text_of_set(set));
            assert_eq!(task.set_in_words(&taught), Some(LabelSet::of(set.iter().copied())), "{taught}");
        }
        assert_eq!(task.taught_text("[]"), "none");
    }

    #[test]
    fn the_question_about_a_label_has_the_questions_own_braces() {
        let prompt = SetPrompt::default();
        assert_eq!(
            prompt.question_about("Which {label}?", "Edema"),
            "Which {label}? Finding: Edema. Answer Yes or No."
        );
        assert_eq!(prompt.log_odds_threshold(), 0.0);
    }
}
