//! Finds the label that a caption names, the answer of a reader that trusts the caption, and the words that name labels.

use super::{Label, Task};
use std::collections::BTreeMap;
use std::ops::Range;

/// Minimum length of a name searched in captions; `No` would match "no lesions".
const SHORTEST: usize = 4;

impl Task {
    /// Position of the label that the caption names, as whole words and ignoring case. A name within a longer one
    /// does not count ("effusion" in "pleural effusion"). `None` if no label or more than one is named.
    pub fn label_named_in(&self, caption: &str) -> Option<usize> {
        let mut labels = self.labels_named_in(caption).into_iter();
        let first = labels.next()?;
        labels.all(|label| label == first).then_some(first)
    }

    /// Positions of all labels that the caption names, as [`Self::label_named_in`]; a label with several names may be there
    /// more than once.
    pub fn labels_named_in(&self, caption: &str) -> Vec<usize> {
        let caption = words(caption);
        let mut found: Vec<(usize, String)> = Vec::new();
        for (position, label) in self.labels.iter().enumerate() {
            found.extend(names(label).filter(|name| contains(&caption, name)).map(|name| (position, name)));
        }
        let within_another =
            |name: &str| found.iter().any(|(_, other)| other.len() > name.len() && other.contains(name));
        found.iter().filter(|(_, name)| !within_another(name)).map(|(position, _)| *position).collect()
    }

    /// The parts of the caption that name labels, as byte ranges in order. Parts that overlap are joined.
    pub fn names_in(&self, caption: &str) -> Vec<Range<usize>> {
        let normalised = words(caption);
        let places: Vec<Range<usize>> = word_ranges(caption).collect();
        let spaces = |text: &str| text.matches(' ').count();
        let mut named: Vec<Range<usize>> = Vec::new();
        for name in self.labels.iter().flat_map(names).filter(|name| contains(&normalised, name)) {
            let mut from = 0;
            while let Some(after) = normalised[from..].find(&name) {
                let start = from + after;
                let first = spaces(&normalised[..start]);
                let last = first + spaces(&name) - 2;
                named.push(places[first].start..places[last].end);
                // The space that ends this name may begin the next.
                from = start + name.len() - 1;
            }
        }
        named.sort_unstable_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in named {
            match joined.last_mut().filter(|last| range.start < last.end) {
                Some(last) => last.end = last.end.max(range.end),
                None => joined.push(range),
            }
        }
        joined
    }

    /// Words that name two labels, with the ids of both.
    pub(super) fn words_of_two_labels(&self) -> Vec<(String, &str, &str)> {
        let mut labels_of: BTreeMap<String, &str> = BTreeMap::new();
        let mut found = Vec::new();
        for label in &self.labels {
            for name in names(label) {
                match labels_of.get(&name) {
                    Some(other) if *other != label.id => {
                        found.push((name.trim().to_owned(), *other, label.id.as_str()));
                    }
                    _ => drop(labels_of.insert(name, &label.id)),
                }
            }
        }
        found
    }
}

/// The names of a label in captions, in lower case with one space between words.
fn names(label: &Label) -> impl Iterator<Item = String> + '_ {
    let own_name = label.named_as.is_empty().then_some(&label.name).filter(|name| name.chars().count() >= SHORTEST);
    label.named_as.iter().chain(own_name).map(|name| words(name))
}

/// Words and numbers of a text in lower case, each surrounded by one space.
pub(super) fn words(text: &str) -> String {
    let mut words = String::from(" ");
    for range in word_ranges(text) {
        let word = &text[range];
        if word.is_ascii() {
            words.extend(word.chars().map(|letter| letter.to_ascii_lowercase()));
        } else {
            words.push_str(&word.to_lowercase());
        }
        words.push(' ');
    }
    words
}

/// Words and numbers of a text as byte ranges.
fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let separates = |letter: char| !letter.is_alphanumeric();
    let mut start = 0;
    let words = text.split_inclusive(separates).map(move |piece| {
        let range = start..start + piece.trim_end_matches(separates).len();
        start += piece.len();
        range
    });
    words.filter(|range| !range.is_empty())
}

pub(super) fn contains(caption: &str, name: &str) -> bool {
    name.len() > 1 && caption.contains(name)
}

#[cfg(test)]
mod tests {
    use super::super::{PromptTemplate, TaskKind};
    use super::*;

    fn task(labels: &[(&str, &str, &[&str])]) -> Task {
        let label = |(id, name, named_as): &(&str, &str, &[&str])| Label {
            id: (*id).into(),
            name: (*name).into(),
            named_as: named_as.iter().map(|name| (*name).to_string()).collect(),
        };
        Task {
            id: "t".into(),
            kind: TaskKind::Classification,
            question: None,
            labels: labels.iter().map(label).collect(),
            prompt: PromptTemplate::default(),
        }
    }

    #[test]
    fn a_label_is_found_by_its_name_as_whole_words() {
        let task = task(&[("0", "normal", &[]), ("1", "pleural effusion", &[]), ("2", "effusion", &[])]);
        assert_eq!(task.label_named_in("Chest film: Normal."), Some(0));
        assert_eq!(task.label_named_in("abnormal"), None);
        assert_eq!(task.label_named_in("small pleural  effusion"), Some(1), "the longer name");
        assert_eq!(task.label_named_in("normal; effusion"), None, "two labels are named");
        assert_eq!(task.labels_named_in("normal; pleural effusion"), [0, 1]);
    }

    #[test]
    fn the_parts_that_name_labels_are_found() {
        let task = task(&[("1", "pleural effusion", &[]), ("2", "effusion", &[]), ("3", "x", &["悪性"])]);
        let parts = |caption| -> Vec<&str> { task.names_in(caption).into_iter().map(|part| &caption[part]).collect() };
        assert_eq!(parts("Small Pleural,  effusion; no effusions"), ["Pleural,  effusion"], "as whole words");
        assert_eq!(parts("Effusion, effusion. 胸部、悪性"), ["Effusion", "effusion", "悪性"]);
        assert!(parts("…").is_empty() && parts("").is_empty());
    }

    #[test]
    fn yes_and_no_are_named_by_their_findings_only() {
        let plain = task(&[("Yes", "Yes", &[]), ("No", "No", &[])]);
        assert_eq!(plain.label_named_in("no mass; yes"), None);
        let named = task(&[("Yes", "Yes", &["malignant"]), ("No", "No", &["benign"])]);
        assert_eq!(named.label_named_in("biopsy malignant"), Some(0));
        assert_eq!(named.label_named_in("benign, not malignant"), None);
        assert!(named.words_of_two_labels().is_empty());
    }

    #[test]
    fn a_word_of_two_labels_is_found() {
        let both = task(&[("Yes", "Yes", &["Mass", "malignant"]), ("No", "No", &["mass", "benign"])]);
        assert_eq!(both.words_of_two_labels(), [("mass".to_owned(), "Yes", "No")]);
    }
}
