//! A set of labels of one task, and its text in `cases.jsonl` and in predictions.

use super::identifier::identifier_of;
use super::label::position_of;
use super::{Label, LabelIndex, Task};
use crate::text::written_json::Written;

/// Most labels of a task that takes several at once.
pub const MOST_LABELS_IN_SETS: usize = 128;

const BITS: usize = u64::BITS as usize;

/// Positions of labels in their task. Two sets are equal if they hold the same labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelSet {
    bits: [u64; MOST_LABELS_IN_SETS / BITS],
}

impl LabelSet {
    /// The set of these positions. Positions from [`MOST_LABELS_IN_SETS`] on are left out; no task that is read has them.
    pub fn of(labels: impl IntoIterator<Item = LabelIndex>) -> Self {
        let mut set = Self::default();
        for label in labels {
            debug_assert!(label < MOST_LABELS_IN_SETS, "label {label} is too far for a set");
            if let Some(bits) = set.bits.get_mut(label / BITS) {
                *bits |= 1 << (label % BITS);
            }
        }
        set
    }

    /// Whether the label is in the set.
    pub fn contains(&self, label: LabelIndex) -> bool {
        self.bits.get(label / BITS).is_some_and(|bits| bits >> (label % BITS) & 1 == 1)
    }

    /// Whether the set has no label.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.bits.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// The set that a text lists among these labels, as [`Task::set_of`].
    fn read(text: &str, labels: &[Label]) -> Result<Self, String> {
        let known = |part: &str| position_of(labels, part).ok_or_else(|| part.trim().to_owned());
        if let Some(ids) = ids_in_list(text) {
            return Ok(Self::of(ids.iter().map(|id| known(id)).collect::<Result<Vec<_>, _>>()?));
        }
        // A label id may itself contain a comma.
        if let Ok(label) = known(text) {
            return Ok(Self::of([label]));
        }
        Ok(Self::of(text.split(',').map(known).collect::<Result<Vec<_>, _>>()?))
    }

    /// The text of the set, as [`Task::answer_text_of_set`].
    pub fn text(&self, labels: &[Label]) -> String {
        let ids: Vec<&str> = self.labels().filter_map(|label| Some(labels.get(label)?.id.as_str())).collect();
        let text = ids.join(", ");
        if Self::read(&text, labels) == Ok(*self) { text } else { list_text(&ids) }
    }

    /// The positions, in order.
    pub fn labels(&self) -> impl Iterator<Item = LabelIndex> + use<> {
        let set = *self;
        (0..MOST_LABELS_IN_SETS).filter(move |label| set.contains(*label))
    }
}

impl Task {
    /// The text of a set of labels (by position) as a case's answer: `0, 3`. It is a JSON list if the ids cannot be parted
    /// by commas (`["Lung, left", "Edema"]`), and `[]` for the empty set.
    ///
    /// ```
    /// use dissent_core::data::{Label, PromptTemplate, Task, TaskKind};
    ///
    /// let labels = ["Edema", "Lung, left", "Nodule"].map(|id| Label::new(id, id)).to_vec();
    /// let prompt = PromptTemplate::default();
    /// let task = Task { id: "findings".into(), kind: TaskKind::MultiLabel, question: None, labels, prompt };
    /// assert_eq!(task.answer_text_of_set(&[2, 0]), "Edema, Nodule");
    /// assert_eq!(task.answer_text_of_set(&[0, 1]), r#"["Edema","Lung, left"]"#);
    /// assert_eq!(task.answer_text_of_set(&[]), "[]");
    /// ```
    pub fn answer_text_of_set(&self, labels: &[LabelIndex]) -> String {
        self.text_of_set(LabelSet::of(labels.iter().copied()))
    }

    /// As [`Self::answer_text_of_set`].
    pub(crate) fn text_of_set(&self, set: LabelSet) -> String {
        set.text(&self.labels)
    }

    /// The set of labels that this text lists: ids with commas between them, or a JSON list of ids.
    ///
    /// # Errors
    /// Fails with the part of the text that is not a label; an empty text is one.
    pub fn set_of(&self, text: &str) -> Result<LabelSet, String> {
        LabelSet::read(text, &self.labels)
    }
}

/// The text of a JSON list of ids.
pub(super) fn list_text(ids: &[impl AsRef<str>]) -> String {
    ids.iter().map(AsRef::as_ref).collect::<serde_json::Value>().to_string()
}

/// The ids in a JSON list of texts and numbers; `None` if the text is anything else.
fn ids_in_list(text: &str) -> Option<Vec<String>> {
    let Ok(Written::List(entries)) = Written::parse(text.trim().as_bytes()) else { return None };
    entries.iter().map(identifier_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{PromptTemplate, TaskKind};

    fn task(labels: &[&str]) -> Task {
        let labels = labels.iter().map(|id| Label::new(*id, *id)).collect();
        Task { id: "t".into(), kind: TaskKind::MultiLabel, question: None, labels, prompt: PromptTemplate::default() }
    }

    #[test]
    fn every_set_reads_back_from_its_text() {
        for labels in [
            &["0", "1", "10"][..],
            &["a", "b", "a, b"],
            &["[]", "[x]", r#"["none"]"#, "none"],
            &["Lung, left", "left", "7"],
        ] {
            let task = task(labels);
            let mut texts = std::collections::HashSet::new();
            for bits in 0..1_usize << labels.len() {
                let set = LabelSet::of((0..labels.len()).filter(|label| bits >> label & 1 == 1));
                let text = task.text_of_set(set);
                assert_eq!(task.set_of(&text), Ok(set), "{text:?}");
                assert!(texts.insert(text.clone()), "{text:?} stands for two sets of {labels:?}");
            }
        }
    }

    #[test]
    fn a_set_is_written_as_people_write_it() {
        let task = task(&["0", "3", "Edema"]);
        for text in ["3, edema,3", r#"["3", "Edema"]"#, "[3, \"edema\"]"] {
            assert_eq!(task.set_of(text), Ok(LabelSet::of([1, 2])), "{text}");
        }
        assert_eq!(task.set_of(" [ ] "), Ok(LabelSet::default()));
        assert_eq!(task.set_of("3, 9"), Err("9".into()));
        assert_eq!(task.set_of(r#"["3", "9"]"#), Err("9".into()));
        assert_eq!(task.set_of(""), Err(String::new()));
        assert_eq!(task.set_of("[true]"), Err("[true]".into()));
    }

    #[test]
    fn the_last_label_that_fits_is_kept() {
        let set = LabelSet::of([0, 63, 64, MOST_LABELS_IN_SETS - 1]);
        assert_eq!(set.labels().collect::<Vec<_>>(), [0, 63, 64, MOST_LABELS_IN_SETS - 1]);
        assert!(set.len() == 4 && !set.contains(1) && !set.contains(MOST_LABELS_IN_SETS) && !set.is_empty());
    }
}
