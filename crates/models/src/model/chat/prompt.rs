//! Tokenising a prompt through a chat template, such that no text of a caption is read as a special token.

use super::ids::PromptIds;
use super::template::ChatTemplate;
use super::tokenizer::ChatTokenizer;
use crate::model::vlm::{ContentPart, ImageGrid};
use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use std::sync::Arc;

/// A dummy answer, rendered to find the white space that a template puts before answers.
const PROBE: &str = "Answer";

/// Tokenizer and template of a checkpoint.
#[derive(Clone, Debug)]
pub struct ChatPrompt {
    tokenizer: ChatTokenizer,
    template: Arc<ChatTemplate>,
    /// The special token that the template prints for an image.
    image_mark: String,
    /// White space that the template puts between the prompt and an answer.
    lead: String,
    /// True if the prompt ends with a special token, so that an answer without `lead` is a piece of text of its own.
    ends_with_special: bool,
}

impl ChatPrompt {
    /// Combines a tokenizer with a template that prints `image_mark` for each image.
    ///
    /// # Errors
    /// Fails if the template cannot render a user message.
    pub fn new(tokenizer: ChatTokenizer, template: ChatTemplate, image_mark: &str) -> Result<Self> {
        let lead = lead_of(&template)?;
        let prompt = template.render(&json!([probe_question()]), true)?;
        let ends_with_special = tokenizer.ends_with_special(&prompt);
        Ok(Self {
            tokenizer,
            template: Arc::new(template),
            image_mark: image_mark.to_string(),
            lead,
            ends_with_special,
        })
    }

    /// The same prompts, with answers ended by the special token that the template puts after an answer, if there is one.
    /// Gemma's `eos_token` ends a text, and `<end_of_turn>` an answer.
    ///
    /// # Errors
    /// Fails if the template cannot render a user message.
    pub fn ended_as_by_template(self) -> Result<Self> {
        let after = after_answer(&self.template)?.map(|(_, after)| after);
        let end = after.and_then(|after| self.tokenizer.special_at(after.trim_start()).map(|token| token.id));
        let Some(end) = end else { return Ok(self) };
        Ok(Self { tokenizer: self.tokenizer.ending_with(end), ..self })
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

    /// Token ids of a user message and the generation prompt. `write_image` appends the tokens of an image.
    ///
    /// # Errors
    /// Fails if the template raises an error or omits a text or an image.
    pub fn encode(
        &self,
        parts: &[ContentPart],
        write_image: &dyn Fn(ImageGrid, &mut PromptIds) -> Result<()>,
    ) -> Result<Vec<u32>> {
        let guard = guard_for(parts);
        let mut grids = Vec::new();
        let mut content: Vec<Value> = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        let mut follows_text = false;
        for part in parts {
            match part {
                ContentPart::Text(text) if follows_text => {
                    if let Some(before) = texts.last_mut() {
                        before.push_str(text);
                    }
                }
                ContentPart::Text(text) => texts.push((*text).to_string()),
                ContentPart::Image(grid) => {
                    content.extend(follows_text.then(|| json!(texts.len() - 1)));
                    content.push(json!({ "type": "image" }));
                    grids.push(*grid);
                }
            }
            follows_text = matches!(part, ContentPart::Text(_));
        }
        content.extend(follows_text.then(|| json!(texts.len() - 1)));
        let texts: Vec<String> = texts.iter().map(|text| self.guarded(text, guard)).collect();
        for part in &mut content {
            if let Some(number) = part.as_u64() {
                let text = &texts[number as usize];
                // Older Pixtral templates read `content`.
                *part = json!({ "type": "text", "text": text, "content": text });
            }
        }
        let rendered = self.template.render(&json!([{ "role": "user", "content": content }]), true)?;
        for text in &texts {
            ensure!(rendered.contains(text.trim()), "the chat template omits a text of the prompt");
        }
        self.ids_of(&rendered, guard, &grids, write_image)
    }

    /// Token ids of an answer that follows a prompt, with the end-of-sequence token if `ends`.
    pub fn answer_ids(&self, answer: &str, ends: bool) -> Result<Vec<u32>> {
        let text = format!("{}{answer}", self.lead);
        let mut ids = if self.ends_with_special {
            self.tokenizer.encode_after_special(&text)?
        } else {
            self.tokenizer.encode_after_text(&text)?
        };
        if ends {
            let Some(end) = self.tokenizer.end() else {
                bail!("tokenizer_config.json has no eos_token that is in tokenizer.json: answers cannot be ended")
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
        let mut ids = PromptIds::after(&self.tokenizer, self.tokenizer.added_before(rendered));
        let mut images = grids.iter();
        let mut rest = rendered;
        while let Some(first) = rest.chars().next() {
            if let Some(token) = self.tokenizer.special_at(rest) {
                if token.text == self.image_mark {
                    let Some(grid) = images.next() else {
                        bail!("the chat template prints more images than the prompt has")
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
        ensure!(images.next().is_none(), "the chat template omits an image");
        ids.finish()
    }

    /// Inserts the guard character into every special token spelled in `text`, so that it stays text.
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

/// A private-use character that occurs in none of the texts.
fn guard_for(parts: &[ContentPart]) -> char {
    let is_used =
        |guard: char| parts.iter().any(|part| matches!(part, ContentPart::Text(text) if text.contains(guard)));
    // There are 6,400 of them, so one is always free in practice.
    ('\u{e000}'..='\u{f8ff}').find(|guard| !is_used(*guard)).unwrap_or('\u{e000}')
}

/// A user message without an image.
fn probe_question() -> Value {
    json!({ "role": "user", "content": [{ "type": "text", "text": "?", "content": "?" }] })
}

/// White space between the prompt and an answer, such as the space after SmolVLM's `Assistant:`.
fn lead_of(template: &ChatTemplate) -> Result<String> {
    Ok(after_answer(template)?.map(|(lead, _)| lead).unwrap_or_default())
}

/// White space between the prompt and an answer, and what follows the answer; `None` if the template shows neither.
fn after_answer(template: &ChatTemplate) -> Result<Option<(String, String)>> {
    let user = probe_question();
    let prompt = template.render(&json!([user]), true)?;
    let answers = [json!([{ "type": "text", "text": PROBE, "content": PROBE }]), Value::String(PROBE.to_string())];
    for answer in answers {
        let messages = json!([user, { "role": "assistant", "content": answer }]);
        // Some templates accept only one of the two forms.
        let Ok(whole) = template.render(&messages, false) else { continue };
        let Some(reply) = whole.strip_prefix(&prompt) else { continue };
        let Some((lead, after)) = reply.split_once(PROBE) else { continue };
        if lead.chars().all(char::is_whitespace) {
            return Ok(Some((lead.to_string(), after.to_string())));
        }
    }
    Ok(None)
}
