//! Chat completions: converts a prompt to messages, and reads log-probabilities from the answer.

use super::answer::{Answer, Completion};
use super::error::ServerErrorKind;
use super::images::{ImageEncoding, SentImage};
use super::server_kind::ServerKind;
use crate::reader::generation::STOP;
use crate::reader::{PromptPiece, ReadRequest};
use anyhow::{Context, Result};
use dissent_core::data::Picture;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_models::model::vlm::{ContentPart, PromptProcessor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) const CHAT: &str = "/v1/chat/completions";
/// Letters per token in most texts, for an estimate.
const LETTERS_PER_TOKEN: usize = 3;
/// vLLM writes minus infinity (for a token that a constraint forbids) as -9999.
const FORBIDDEN: f32 = -9000.0;
/// Rounding may put a probability, or the sum of several, this far above 1.
const ROUNDING: f64 = 1e-3;
/// Bytes of a token with its log-probability and its text as text and as a list of bytes: 80 in llama.cpp's answers, as
/// measured.
const ENTRY: usize = 512;
/// Bytes of the rest of an answer, and of a prompt whose length is an estimate (16,384 tokens with their
/// log-probabilities).
const BESIDE_ENTRIES: usize = 4 << 20;

/// A prompt in the form in which it is sent.
#[derive(Clone, Debug)]
pub(super) struct SentPrompt {
    /// The parts of the user's message.
    content: Value,
    /// Key of the prompt up to the first text after an image: prompts with the same key share a prefix.
    pub prefix_key: String,
    /// Token ids that the model should read, if its processor is known.
    pub ids: Option<Vec<u32>>,
    /// The same ids with one token per image, for SGLang.
    pub whole_image_ids: Option<Vec<u32>>,
    /// Data URIs of the images, in their order.
    images: Vec<Arc<str>>,
    /// Number of tokens, at least roughly.
    pub length: usize,
    /// Seed of its first sampled answer. Prompts have seeds of their own: with the same ones, the answers to all of them would be
    /// drawn alike, and their shares would be off in the same direction.
    pub seed: u32,
}

impl SentPrompt {
    /// Builds the prompt from the text and images of a request, in the order of its template.
    ///
    /// # Errors
    /// Fails if the template is wrong, or an image cannot be sent.
    pub fn new(
        request: &ReadRequest,
        images: &ImageEncoding,
        (processor, kind): (Option<&dyn PromptProcessor>, ServerKind),
    ) -> Result<Self> {
        let pieces = request.prompt()?;
        let mut parts = Vec::with_capacity(pieces.len());
        let mut local = Vec::with_capacity(pieces.len());
        let mut uris = Vec::new();
        let mut prefix_key: Vec<&str> = Vec::new();
        let mut whole: Vec<&str> = Vec::with_capacity(pieces.len());
        let mut has_image = false;
        let mut is_begun = false;
        let mut length = 0;
        for piece in &pieces {
            let image = match piece {
                PromptPiece::Text(text) => {
                    whole.push(text);
                    parts.push(json!({"type": "text", "text": text}));
                    local.push(ContentPart::Text(text));
                    length += text.len().div_ceil(LETTERS_PER_TOKEN);
                    if !is_begun {
                        prefix_key.push(text);
                    }
                    is_begun |= has_image;
                    continue;
                }
                PromptPiece::QueryImage => &request.query,
                PromptPiece::DocumentImage => {
                    let image = request.evidence.as_ref().and_then(|evidence| evidence.image.as_ref());
                    image.context("a closed-book prompt has no document image")?
                }
            };
            whole.push(image.fingerprint.as_str());
            if !is_begun {
                prefix_key.push(image.fingerprint.as_str());
            }
            has_image = true;
            let sent = push_image(&mut parts, image, images)?;
            length += sent.tokens;
            uris.push(sent.uri);
            local.extend(sent.grid.map(ContentPart::Image));
        }
        let ids = processor.map(|processor| processor.encode(&local)).transpose()?;
        let length = ids.as_ref().map_or(length, Vec::len);
        let whole_image_ids = whole_images_of(&local, processor.filter(|_| kind == ServerKind::Sglang))?;
        let (content, prefix_key) = (Value::Array(parts), prefix_key.concat());
        Ok(Self { content, prefix_key, ids, whole_image_ids, images: uris, length, seed: seed_of(&whole) })
    }

    /// A test prompt of one image and a word.
    pub fn probe(image: &str) -> Self {
        let content = json!([
            {"type": "image_url", "image_url": {"url": image}},
            {"type": "text", "text": "?"},
        ]);
        let images = vec![image.into()];
        Self { content, prefix_key: String::new(), ids: None, whole_image_ids: None, images, length: 100, seed: 0 }
    }

    /// The same test prompt with the token ids that the processor gives.
    ///
    /// # Errors
    /// Fails as [`PromptProcessor::encode`] does.
    pub fn probe_of_ids(image: &SentImage, processor: &dyn PromptProcessor) -> Result<Self> {
        let local: Vec<ContentPart> =
            image.grid.map(ContentPart::Image).into_iter().chain([ContentPart::Text("?")]).collect();
        let ids = processor.encode(&local)?;
        let whole_image_ids = whole_images_of(&local, Some(processor))?;
        Ok(Self { length: ids.len(), ids: Some(ids), whole_image_ids, ..Self::probe(&image.uri) })
    }

    /// The token ids with one token per image, and the images; `None` if the processor is not known.
    pub fn with_whole_images(&self) -> Option<(&[u32], &[Arc<str>])> {
        Some((self.whole_image_ids.as_deref()?, &self.images))
    }

    /// The messages of a request.
    pub fn messages(&self) -> Value {
        json!([{"role": "user", "content": self.content}])
    }

    /// The body of a request for the first token of the answer; `written` is the start of the assistant's message.
    pub fn body(&self, model: &str, written: &str) -> Value {
        let mut messages = vec![json!({"role": "user", "content": self.content})];
        let mut body = json!({
            "model": model,
            "max_tokens": 1,
            "temperature": 0,
            "seed": 0,
            "logprobs": true,
            "return_token_ids": self.ids.is_some(),
            "return_tokens_as_token_ids": true,
        });
        if !written.is_empty() {
            messages.push(json!({"role": "assistant", "content": written}));
            // llama.cpp continues an assistant's message by default and ignores these fields.
            body["continue_final_message"] = json!(true);
            body["add_generation_prompt"] = json!(false);
        }
        body["messages"] = Value::Array(messages);
        body
    }

    /// The body of a request for a text answer of at most `most_tokens`, by greedy decoding. vLLM would apply the repetition penalty of the
    /// checkpoint's `generation_config.json`; `is_vllm` disables this.
    pub fn generation_body(&self, model: &str, most_tokens: usize, is_vllm: bool) -> Value {
        let mut body = json!({
            "model": model,
            "messages": [{"role": "user", "content": self.content}],
            "max_tokens": most_tokens,
            "stop": [STOP],
            "temperature": 0,
            "seed": 0,
            "return_token_ids": self.ids.is_some(),
        });
        if is_vllm {
            body["repetition_penalty"] = json!(1.0);
        }
        body
    }

    /// Checks that the server read the same token ids as the model's own processor produces for the prompt and
    /// `written`.
    ///
    /// # Errors
    /// Fails if they differ, and names the difference. Without a processor nothing can be checked.
    pub fn check(&self, answer: &Answer<Completion>, written: &[u32]) -> Result<(), ServerErrorKind> {
        let count = answer.value.usage.as_ref().and_then(|usage| usage.prompt_tokens);
        self.check_read(answer.value.prompt_token_ids.as_deref(), count, written)
    }

    /// [`Self::check`] of the ids and of the number of tokens that a server read, as far as it names them.
    ///
    /// # Errors
    /// Fails as [`Self::check`] does.
    pub fn check_read(&self, read: Option<&[u32]>, count: Option<u64>, written: &[u32]) -> Result<(), ServerErrorKind> {
        let Some(ids) = &self.ids else { return Ok(()) };
        let here = ids.iter().chain(written);
        let length = ids.len() + written.len();
        if let Some(there) = read {
            if here.clone().eq(there) {
                return Ok(());
            }
            let place = here.zip(there).position(|(here, there)| here != there).unwrap_or(length.min(there.len()));
            let what = format!("{length} tokens here, {} there, other ones from number {place} on", there.len());
            return Err(ServerErrorKind::OtherPrompt { what });
        }
        match count {
            Some(there) if there != length as u64 => {
                Err(ServerErrorKind::OtherPrompt { what: format!("{length} tokens here, {there} there") })
            }
            _ => Ok(()),
        }
    }

    /// Longest allowed answer to this body in bytes.
    pub fn longest_answer(&self, body: &Value) -> usize {
        let listed = body["top_logprobs"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        let by_id = [&body["logprob_token_ids"], &body["token_ids_logprob"]]
            .into_iter()
            .find_map(Value::as_array)
            .map_or(0, Vec::len);
        let entries = listed.saturating_add(by_id).saturating_add(self.length);
        entries.saturating_mul(ENTRY).saturating_add(BESIDE_ENTRIES)
    }
}

/// A number of 30 bits, which every server takes.
fn seed_of(parts: &[&str]) -> u32 {
    let print = Fingerprint::of_parts(parts.iter().copied());
    let digits = print.as_str().get(..8).unwrap_or_default();
    u32::from_str_radix(digits, 16).unwrap_or_default() >> 2
}

fn whole_images_of(parts: &[ContentPart], processor: Option<&dyn PromptProcessor>) -> Result<Option<Vec<u32>>> {
    Ok(processor.map(|processor| processor.encode_with_whole_images(parts)).transpose()?.flatten())
}

fn push_image(parts: &mut Vec<Value>, picture: &Picture, images: &ImageEncoding) -> Result<SentImage> {
    let sent = images.of(picture)?;
    parts.push(json!({"type": "image_url", "image_url": {"url": &*sent.uri}}));
    Ok(sent)
}

/// Token ids and log-probabilities at the first position of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NextToken(pub Vec<(u32, f32)>);

impl NextToken {
    /// Reads `choices[0].logprobs.content[0]`. Texts of tokens are ambiguous, so entries without an id are refused.
    ///
    /// # Errors
    /// Fails if log-probabilities or ids are missing, or if the numbers cannot be log-probabilities of one position.
    pub fn read(answer: &Answer<Completion>) -> Result<Self, ServerErrorKind> {
        let choice = answer.value.choices.0.as_ref();
        let content = choice.and_then(|choice| choice.logprobs.as_ref()?.content.as_ref()?.0.as_ref());
        let Some((place, own)) = content.and_then(|place| Some((place, place.logprob?))) else {
            return Err(ServerErrorKind::Incomplete {
                missing: "log-probabilities (choices[0].logprobs.content)".into(),
                found: answer.beginning.clone(),
            });
        };
        let listed = place.top_logprobs.as_deref().unwrap_or_default();
        let mut entries: Vec<(u32, f32)> = Vec::with_capacity(listed.len() + 1);
        let mut known: HashMap<u32, f32> = HashMap::with_capacity(listed.len() + 1);
        for entry in listed {
            let id = token_id(entry.id, entry.token.as_deref()).ok_or(ServerErrorKind::NoTokenIds)?;
            let value = log_probability(entry.logprob)?;
            if let Some(earlier) = known.insert(id, value) {
                if f64::from(earlier - value).abs() > ROUNDING {
                    let what = format!("token {id} has {earlier} and {value}");
                    return Err(ServerErrorKind::NoProbabilities { what });
                }
                continue;
            }
            entries.push((id, value));
        }
        let id = token_id(place.id, place.token.as_deref()).ok_or(ServerErrorKind::NoTokenIds)?;
        let own = log_probability(own)?;
        // For a constrained answer, llama.cpp's value of the answer differs from its list, which has the raw value.
        if !known.contains_key(&id) {
            entries.push((id, own));
        }
        entries.retain(|(_, value)| *value > FORBIDDEN);
        let sum: f64 = entries.iter().map(|(_, value)| f64::from(*value).exp()).sum();
        if sum > 1.0 + ROUNDING {
            let what = format!("the probabilities of {} tokens at one place sum to {sum:.4}", entries.len());
            return Err(ServerErrorKind::NoProbabilities { what });
        }
        Ok(Self(entries))
    }

    /// The log-probability of a token, if it is listed.
    pub fn of(&self, token: u32) -> Option<f32> {
        self.0.iter().find(|(id, _)| *id == token).map(|(_, value)| *value)
    }

    /// Upper bound for the log-probability of an unlisted token: at most that of the least likely listed token, and at
    /// most the remaining probability.
    pub fn bound_of_others(&self) -> f32 {
        let least = self.0.iter().map(|(_, value)| *value).fold(0.0, f32::min);
        let named: f64 = self.0.iter().map(|(_, value)| f64::from(*value).exp()).sum();
        let left = (1.0 - named).max(f64::MIN_POSITIVE).ln() as f32;
        // Rounding makes a tiny remaining probability unreliable; it is ignored below this limit.
        if 1.0 - named > 1e-4 { least.min(left) } else { least }
    }
}

/// Reads the id from `"id": 5` (llama.cpp) or `"token": "token_id:5"` (vLLM, on request).
fn token_id(id: Option<u64>, token: Option<&str>) -> Option<u32> {
    if let Some(id) = id {
        return u32::try_from(id).ok();
    }
    let digits = token?.strip_prefix("token_id:")?;
    // `parse` alone would accept a sign.
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// Converts a server's number to a log-probability. Values above 0 by rounding become 0; values below the range of f32
/// count as forbidden.
pub(super) fn log_probability(value: f64) -> Result<f32, ServerErrorKind> {
    if value.is_nan() || value > ROUNDING {
        return Err(ServerErrorKind::NoProbabilities { what: format!("expected at most 0, found {value}") });
    }
    Ok(value.clamp(f64::from(f32::MIN), 0.0) as f32)
}

/// The text of an answer.
///
/// # Errors
/// Fails if the answer has no text.
pub(super) fn generated_text(answer: &Answer<Completion>) -> Result<&str, ServerErrorKind> {
    let choice = answer.value.choices.0.as_ref();
    let text = choice.and_then(|choice| choice.message.as_ref()?.content.as_deref());
    text.ok_or_else(|| ServerErrorKind::Incomplete {
        missing: "text (choices[0].message.content)".into(),
        found: answer.beginning.clone(),
    })
}

/// Sum of the log-probabilities of the last `tokens` of a prompt, from vLLM's `prompt_logprobs`.
///
/// # Errors
/// Fails if the prompt does not end with these tokens, or there are no log-probabilities.
pub(super) fn end_of_prompt(answer: &Answer<Completion>, tokens: &[u32]) -> Result<f32, ServerErrorKind> {
    let missing = || ServerErrorKind::Incomplete {
        missing: "log-probabilities of the label (prompt_logprobs)".into(),
        found: answer.beginning.clone(),
    };
    let places = answer.value.prompt_logprobs.as_ref().ok_or_else(missing)?;
    let start = places.len().checked_sub(tokens.len()).ok_or_else(missing)?;
    let mut sum = 0.0;
    for (place, token) in places[start..].iter().zip(tokens) {
        let value = place.as_ref().and_then(|place| place.0.get(token)).ok_or_else(missing)?;
        sum += log_probability(*value)?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Value) -> Answer<Completion> {
        let beginning = value.to_string();
        Answer { value: serde_json::from_value(value).unwrap(), beginning }
    }

    fn answer(place: Value) -> Answer<Completion> {
        of(json!({"choices": [{"logprobs": {"content": [place]}}]}))
    }

    #[test]
    fn tokens_are_matched_by_id_in_both_spellings() {
        let vllm = answer(json!({"token": "token_id:54", "logprob": -0.5, "top_logprobs": [
            {"token": "token_id:54", "logprob": -0.5}, {"token": "token_id:65", "logprob": -1.0},
            {"token": "token_id:7", "logprob": -9999.0}]}));
        let read = NextToken::read(&vllm).unwrap();
        assert_eq!((read.of(65), read.of(54), read.of(7)), (Some(-1.0), Some(-0.5), None));
        let llama = answer(json!({"id": 54, "token": "", "logprob": -0.5, "top_logprobs": [
            {"id": 65, "token": "", "logprob": -1.0}]}));
        assert_eq!(NextToken::read(&llama).unwrap().of(65), Some(-1.0));
    }

    #[test]
    fn texts_alone_are_refused() {
        let texts = answer(json!({"token": "Yes", "logprob": -0.5, "top_logprobs": []}));
        let message = NextToken::read(&texts).unwrap_err().to_string();
        assert!(message.contains("token ids"), "{message}");
        let message = NextToken::read(&of(json!({"choices": [{"logprobs": null}]}))).unwrap_err().to_string();
        assert!(message.contains("no log-probabilities"), "{message}");
    }

    #[test]
    fn a_token_that_is_not_named_is_at_most_the_least_one_and_what_is_left() {
        let of = |values: &[f32]| {
            NextToken(values.iter().enumerate().map(|(id, p)| (id as u32, p.ln())).collect()).bound_of_others()
        };
        assert!((of(&[0.5, 0.3]) - 0.2_f32.ln()).abs() < 1e-5, "no more than what is left");
        assert!((of(&[0.5, 0.1]) - 0.1_f32.ln()).abs() < 1e-5, "not above the least one");
        assert!((of(&[0.99999, 1e-9]) - 1e-9_f32.ln()).abs() < 1e-3, "what rounding leaves says nothing");
    }

    #[test]
    fn the_end_of_a_prompt_is_its_label() {
        let answer = of(json!({"prompt_logprobs": [null, {"3": {"logprob": -9.0}}, {"7": {"logprob": -1.0}},
            {"8": {"logprob": -0.25}, "9": {"logprob": -0.1}}]}));
        assert_eq!(end_of_prompt(&answer, &[7, 8]), Ok(-1.25));
        assert!(end_of_prompt(&answer, &[7, 1]).is_err());
        assert!(end_of_prompt(&of(json!({})), &[7]).is_err());
    }

    #[test]
    fn what_is_no_log_probability_is_refused() {
        let read = |values: &[f64]| {
            let top: Vec<Value> =
                values.iter().enumerate().map(|(id, value)| json!({"id": id, "logprob": value})).collect();
            NextToken::read(&answer(json!({"id": 0, "logprob": values[0], "top_logprobs": top})))
        };
        assert_eq!(read(&[5e-4, -9.0]).unwrap().of(0), Some(0.0), "rounding");
        assert_eq!(read(&[-0.1, -1e300]).unwrap().of(1), None, "as good as forbidden");
        for wrong in [&[0.01][..], &[1e30], &[1e300], &[-0.1, -0.2], &[-1.0, -1.0, -1.0]] {
            let message = read(wrong).unwrap_err().to_string();
            assert!(message.contains("log-probabilities are wrong"), "{wrong:?}: {message}");
        }
        let twice =
            json!({"id": 1, "logprob": -3.0, "top_logprobs": [{"id": 1, "logprob": -3.0}, {"id": 1, "logprob": -4.0}]});
        assert!(NextToken::read(&answer(twice)).unwrap_err().to_string().contains("token 1 has -3 and -4"));
        for wrong in ["token_id:+5", "token_id:", "token_id:-1", "token_id:4294967296"] {
            assert_eq!(
                NextToken::read(&answer(json!({"token": wrong, "logprob": -1.0}))),
                Err(ServerErrorKind::NoTokenIds)
            );
        }
    }

    #[test]
    fn contradictions_and_other_shapes_are_errors() {
        for wrong in [
            r#"{"choices": {}}"#,
            r#"{"choices": [{}, {}]}"#,
            r#"{"choices": [], "choices": []}"#,
            r#"{"prompt_token_ids": [-1]}"#,
            r#"{"prompt_token_ids": [1.5]}"#,
            r#"{"prompt_token_ids": [4294967296]}"#,
            r#"{"usage": {"prompt_tokens": -1}}"#,
            r#"{"prompt_logprobs": [{"7": {"logprob": -1}, "7": {"logprob": -2}}]}"#,
            r#"{"choices": [{"logprobs": {"content": [{"id": 1, "id": 2, "logprob": -1}]}}]}"#,
            r#"{"choices": [{"logprobs": {"content": [{"id": 1, "logprob": "-1"}]}}]}"#,
        ] {
            assert!(serde_json::from_str::<Completion>(wrong).is_err(), "{wrong}");
        }
    }
}
