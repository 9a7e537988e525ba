//! The pieces of a prompt to ids through a chat template, with nothing that a caption says taken for a special token.

use super::ids::PromptIds;
use super::template::ChatTemplate;
use super::tokenizer::ChatTokenizer;
use crate::model::vlm::{ImageGrid, Piece};
use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use std::sync::Arc;

/// Stands for an answer while a template is asked what it puts before one.
const PROBE: &str = "Answer";

/// Tokenizer and template of a checkpoint.
#[derive(Clone, Debug)]
pub struct ChatPrompt {
    tokenizer: ChatTokenizer,
    template: Arc<ChatTemplate>,
    /// What the template prints for an image: a special token.
    image_mark: String,
    /// White space that the template puts between the prompt and an answer.
    lead: String,
}

impl ChatPrompt {
    /// A prompt of this template, which prints `image_mark` for each image.
    ///
    /// # Errors
    /// A template that cannot ask a question.
    pub fn new(tokenizer: ChatTokenizer, template: ChatTemplate, image_mark: &str) -> Result<Self> {
        let lead = lead_of(&template)?;
        Ok(Self { tokenizer, template: Arc::new(template), image_mark: image_mark.to_string(), lead })
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &ChatTokenizer {
        &self.tokenizer
    }

    /// The template.
    pub fn template(&self) -> &ChatTemplate {
        &self.template
    }

    /// White space that the template puts between the prompt and an answer.
    pub fn lead(&self) -> &str {
        &self.lead
    }

    /// Ids of a user's turn up to where the answer begins. `write_image` writes the tokens of an image.
    ///
    /// # Errors
    /// What the template refuses; a template that leaves out a text or an image.
    pub fn encode(
        &self,
        pieces: &[Piece],
        write_image: &dyn Fn(ImageGrid, &mut PromptIds) -> Result<()>,
    ) -> Result<Vec<u32>> {
        let guard = guard_for(pieces);
        let mut grids = Vec::new();
        let mut content: Vec<Value> = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        let mut follows_text = false;
        for piece in pieces {
            match piece {
                Piece::Text(text) if follows_text => {
                    if let Some(before) = texts.last_mut() {
                        before.push_str(text);
                    }
                }
                Piece::Text(text) => texts.push((*text).to_string()),
                Piece::Image(grid) => {
                    content.extend(follows_text.then(|| json!(texts.len() - 1)));
                    content.push(json!({ "type": "image" }));
                    grids.push(*grid);
                }
            }
            follows_text = matches!(piece, Piece::Text(_));
        }
        content.extend(follows_text.then(|| json!(texts.len() - 1)));
        let texts: Vec<String> = texts.iter().map(|text| self.guarded(text, guard)).collect();
        for part in &mut content {
            if let Some(number) = part.as_u64() {
                let text = &texts[number as usize];
                // Older templates of Pixtral read `content`.
                *part = json!({ "type": "text", "text": text, "content": text });
            }
        }
        let rendered = self.template.render(&json!([{ "role": "user", "content": content }]), true)?;
        for text in &texts {
            ensure!(rendered.contains(text.trim()), "the chat template leaves out a part of the prompt");
        }
        self.ids_of(&rendered, guard, &grids, write_image)
    }

    /// Ids of an answer after a prompt, with the end token where the turn ends with it.
    pub fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        let mut ids = self.tokenizer.encode(&format!("{}{answer}", self.lead))?;
        if ends {
            let Some(end) = self.tokenizer.end() else {
                bail!("tokenizer_config.json names no eos_token that tokenizer.json knows: an answer cannot end")
            };
            ids.push(end);
        }
        Ok(ids)
    }

    fn ids_of(
        &self,
        rendered: &str,
        guard: char,
        grids: &[ImageGrid],
        write_image: &dyn Fn(ImageGrid, &mut PromptIds) -> Result<()>,
    ) -> Result<Vec<u32>> {
        let mut ids = PromptIds::new(&self.tokenizer);
        let mut images = grids.iter();
        let mut rest = rendered;
        while let Some(first) = rest.chars().next() {
            if let Some(token) = self.tokenizer.special_at(rest) {
                if token.text == self.image_mark {
                    let Some(grid) = images.next() else {
                        bail!("the chat template asks for more images than there are")
                    };
                    write_image(*grid, &mut ids)?;
                } else {
                    ids.push_special(token)?;
                }
                rest = &rest[token.text.len()..];
                continue;
            }
            if first != guard {
                ids.push_text(&rest[..first.len_utf8()]);
            }
            rest = &rest[first.len_utf8()..];
        }
        ensure!(images.next().is_none(), "the chat template leaves out an image");
        ids.finish()
    }

    /// `text` with the guard inside every special token that it spells.
    fn guarded(&self, text: &str, guard: char) -> String {
        let mut guarded = String::with_capacity(text.len());
        for (position, letter) in text.char_indices() {
            guarded.push(letter);
            if self.tokenizer.special_at(&text[position..]).is_some() {
                guarded.push(guard);
            }
        }
        guarded
    }
}

/// A character of private use that no text has.
fn guard_for(pieces: &[Piece]) -> char {
    let is_used = |guard: char| pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(guard)));
    // There are 6,400 of them; who used them all has no special tokens left to fear for.
    ('\u{e000}'..='\u{f8ff}').find(|guard| !is_used(*guard)).unwrap_or('\u{e000}')
}

/// The white space between the prompt and an answer, such as the one after SmolVLM's `Assistant:`.
fn lead_of(template: &ChatTemplate) -> Result<String> {
    let user = json!({ "role": "user", "content": [{ "type": "text", "text": "?", "content": "?" }] });
    let prompt = template.render(&json!([user]), true)?;
    let answers = [json!([{ "type": "text", "text": PROBE, "content": PROBE }]), Value::String(PROBE.to_string())];
    for answer in answers {
        let messages = json!([user, { "role": "assistant", "content": answer }]);
        // A template may take one of the two forms only.
        let Ok(whole) = template.render(&messages, false) else { continue };
        let Some(said) = whole.strip_prefix(&prompt) else { continue };
        let Some(lead) = said.find(PROBE).map(|position| &said[..position]) else { continue };
        if lead.chars().all(char::is_whitespace) {
            return Ok(lead.to_string());
        }
    }
    Ok(String::new())
}
