//! Prompt templates with slots, from `dataset.toml`, converted to the pieces of a prompt.

use super::ReadRequest;
use anyhow::{Result, bail};
use dissent_core::data::Task;

/// A piece of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptPiece {
    /// Text of the template, with caption and question filled in. White space is kept.
    Text(String),
    DocumentImage,
    QueryImage,
}

/// A slot of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    DocumentImage,
    Caption,
    QueryImage,
    Question,
}

const KNOWN_SLOTS: &str = "{document_image}, {caption}, {query_image}, {question}";

/// A part of a template: text or a slot.
enum Stretch<'a> {
    Text(&'a str),
    Slot(Slot),
}

impl ReadRequest {
    /// The template of this request.
    pub fn template(&self) -> &str {
        match self.evidence {
            Some(_) => &self.task.prompt.with_document,
            None => &self.task.prompt.closed_book,
        }
    }

    /// The prompt of this request as pieces in the order of the template; adjacent texts are one piece.
    ///
    /// # Errors
    /// Fails if the template has an unknown slot, lacks the query image, or uses a document in a closed-book prompt.
    pub fn prompt(&self) -> Result<Vec<PromptPiece>> {
        let field = template_field(self.evidence.is_some());
        let mut pieces: Vec<PromptPiece> = Vec::new();
        for stretch in cut_at_slots(&self.task, field, self.template())? {
            let text = match stretch {
                Stretch::Text(text) => text,
                Stretch::Slot(Slot::Question) => &self.question,
                Stretch::Slot(Slot::Caption) => {
                    self.evidence.as_ref().and_then(|evidence| evidence.caption.as_deref()).unwrap_or_default()
                }
                Stretch::Slot(Slot::DocumentImage) => {
                    if self.evidence.as_ref().is_some_and(|evidence| evidence.image.is_none()) {
                        continue;
                    }
                    pieces.push(PromptPiece::DocumentImage);
                    continue;
                }
                Stretch::Slot(Slot::QueryImage) => {
                    pieces.push(PromptPiece::QueryImage);
                    continue;
                }
            };
            match pieces.last_mut() {
                Some(PromptPiece::Text(before)) => before.push_str(text),
                _ if text.is_empty() => {}
                _ => pieces.push(PromptPiece::Text(text.to_string())),
            }
        }
        Ok(pieces)
    }
}

/// Checks both templates of a task, so that a mistake is found before any case is read.
///
/// # Errors
/// Fails as [`ReadRequest::prompt`] does.
pub fn check_templates(task: &Task) -> Result<()> {
    cut_at_slots(task, template_field(true), &task.prompt.with_document)?;
    cut_at_slots(task, template_field(false), &task.prompt.closed_book)?;
    Ok(())
}

fn template_field(has_document: bool) -> &'static str {
    if has_document { "with_document" } else { "closed_book" }
}

/// Splits a template at its slots. A brace that does not open a slot name (small letters and `_` between braces) is
/// plain text.
fn cut_at_slots<'a>(task: &Task, field: &str, template: &'a str) -> Result<Vec<Stretch<'a>>> {
    let mut stretches = Vec::new();
    let mut text_start = 0;
    let mut search_from = 0;
    let mut has_query_image = false;
    while let Some(open) = template[search_from..].find('{').map(|offset| search_from + offset) {
        let inside = &template[open + 1..];
        let length =
            inside.find(|letter: char| !(letter.is_ascii_lowercase() || letter == '_')).unwrap_or(inside.len());
        search_from = open + 1;
        if length == 0 || !inside[length..].starts_with('}') {
            continue;
        }
        let slot = match &inside[..length] {
            "document_image" => Slot::DocumentImage,
            "caption" => Slot::Caption,
            "query_image" => Slot::QueryImage,
            "question" => Slot::Question,
            unknown => bail!(
                "task {}: prompt.{field} has the unknown slot {{{unknown}}}; known slots are {KNOWN_SLOTS}",
                task.id
            ),
        };
        if field == "closed_book" && matches!(slot, Slot::DocumentImage | Slot::Caption) {
            bail!(
                "task {}: prompt.closed_book has the slot {{{}}}, but closed-book there is no document",
                task.id,
                &inside[..length]
            );
        }
        has_query_image |= slot == Slot::QueryImage;
        stretches.push(Stretch::Text(&template[text_start..open]));
        stretches.push(Stretch::Slot(slot));
        text_start = open + length + 2;
        search_from = text_start;
    }
    stretches.push(Stretch::Text(&template[text_start..]));
    if !has_query_image {
        bail!("task {}: prompt.{field} lacks the slot {{query_image}}; known slots are {KNOWN_SLOTS}", task.id);
    }
    Ok(stretches)
}
