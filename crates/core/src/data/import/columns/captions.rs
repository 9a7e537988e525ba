//! Captions of sources that have none, made of the answers of training rows.

use super::answers::RowAnswer;
use super::mapping::{ColumnMapping, TaskMapping};
use crate::data::Document;
use crate::files::fingerprint::Fingerprint;
use rustc_hash::FxHashMap;

/// Most questions that one caption repeats; more would fill the reader's prompt.
const MOST_QUESTIONS: usize = 20;

/// The part of a caption that an answer gives: label names, or the question with its answer.
pub(super) fn caption_part(task: &TaskMapping, question: Option<&str>, answer: &RowAnswer) -> String {
    let asked = question.or(task.question.as_deref()).unwrap_or_default();
    match answer {
        RowAnswer::Label(name) => name.clone(),
        RowAnswer::Set { labels, .. } if labels.is_empty() => {
            task.none.first().cloned().unwrap_or_else(|| "none of the findings".into())
        }
        RowAnswer::Set { labels, .. } => labels.join(", "),
        RowAnswer::YesNo(true) => format!("{asked} Yes."),
        RowAnswer::YesNo(false) => format!("{asked} No."),
        RowAnswer::Words(text) => format!("{asked} {}.", text.trim_end_matches('.')),
    }
}

/// The caption of a row from the parts of its tasks.
pub(super) fn caption_of(mapping: &ColumnMapping, parts: &[String]) -> String {
    format!("{}{}", mapping.caption_start.as_deref().unwrap_or_default(), parts.join("; "))
}

/// Documents whose captions grow with the questions about their picture.
#[derive(Debug, Default)]
pub(super) struct PictureCaptions {
    documents: Vec<(Document, Vec<String>)>,
    /// Position by the hash of the picture.
    positions: FxHashMap<u64, usize>,
}

impl PictureCaptions {
    /// Adds parts to the caption of a picture; `document` makes its document, without caption, if it is new.
    pub fn add(&mut self, picture: &str, parts: Vec<String>, document: impl FnOnce() -> Document) {
        let position = *self.positions.entry(hash_of(picture)).or_insert_with(|| {
            self.documents.push((document(), Vec::new()));
            self.documents.len() - 1
        });
        let known = &mut self.documents[position].1;
        for part in parts {
            if known.len() < MOST_QUESTIONS && !known.contains(&part) {
                known.push(part);
            }
        }
    }

    /// The documents with their captions, in the order of their first rows.
    pub fn finish(self, mapping: &ColumnMapping) -> impl Iterator<Item = Document> {
        let start = mapping.caption_start.clone().unwrap_or_default();
        self.documents.into_iter().map(move |(document, parts)| {
            let caption = format!("{start}{}", parts.join(" "));
            Document { caption, ..document }
        })
    }
}

pub(super) fn hash_of(text: &str) -> u64 {
    Fingerprint::number_of(text.as_bytes())
}
