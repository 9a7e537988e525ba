//! SGLang's own `/generate`: exact log-probabilities by token id. Its chat completions name texts of tokens alone.
//!
//! The prompt goes as token ids with one token per image, which the checkpoint's processor gives; SGLang puts the images
//! in, and the number of tokens that it read is compared with ours. Protocol: docs.sglang.io, "Sampling parameters" and "Native
//! APIs". It was never run here, because PyPI has no SGLang kernels for CPUs.

use super::answer::{Answer, Usage};
use super::capability::{Capability, LogProbabilities, SeveralTokens};
use super::chat::SentPrompt;
use super::error::{ServerError, ServerErrorKind};
use super::http::Http;
use super::score::Scorer;
use super::usage::UsageCounter;
use super::{ServerAddress, WITHIN_LONG, waiting_time};
use anyhow::Result;
use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;

const GENERATE: &str = "/generate";
/// Ids that every vocabulary has.
const PROBED: [u32; 2] = [10, 11];

/// An answer of `/generate`.
#[derive(Debug, Deserialize)]
struct Generated {
    meta_info: MetaInfo,
}

#[derive(Debug, Deserialize)]
struct MetaInfo {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    /// For each generated token, the requested ids.
    output_token_ids_logprobs: Option<Vec<Vec<ById>>>,
}

/// `[-0.5, 54, null]`: log-probability, token id, text.
#[derive(Debug)]
struct ById {
    log_probability: f64,
    id: u32,
}

impl<'de> Deserialize<'de> for ById {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ByIdVisitor)
    }
}

struct ByIdVisitor;

impl<'de> Visitor<'de> for ByIdVisitor {
    type Value = ById;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of log-probability, token id and text")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ById, A::Error> {
        let log_probability = list.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let id = list.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(ById { log_probability, id })
    }
}

/// Tries `/generate` with an image and a word.
///
/// # Errors
/// Fails if there is no processor or the server reads another prompt than it gives.
pub(super) async fn try_out(
    http: &Http,
    server: &ServerAddress,
    prompt: &SentPrompt,
    usage: &UsageCounter,
) -> Result<Capability, ServerError> {
    let failed = |kind| http.failed(server, kind);
    let body = body_of(prompt, &[], &PROBED).map_err(failed)?;
    let answer = http.post(server, GENERATE, &body, prompt.longest_answer(&body), WITHIN_LONG).await?;
    usage.add(Some(&usage_of(&answer)));
    read(&answer, prompt, &[], &PROBED).map_err(failed)?;
    Ok(Capability {
        log_probabilities: LogProbabilities::Generate,
        several_tokens: SeveralTokens::OneByOne,
        prompt_ids: false,
    })
}

impl Scorer {
    /// Log-probabilities of these tokens after the prompt and the tokens `written` of the answer.
    ///
    /// # Errors
    /// Fails with the error of a server, or if it reads another prompt or leaves out a token.
    pub async fn generated_next(&self, prompt: &SentPrompt, written: &[u32], wanted: &[u32]) -> Result<Vec<f32>> {
        let body = body_of(prompt, written, wanted).map_err(|kind| self.failed(kind))?;
        let (most, within) = (prompt.longest_answer(&body), waiting_time(prompt.length));
        let (answer, server) = self.fleet.ask(GENERATE, &body, most, within).await?;
        self.usage.add(Some(&usage_of(&answer)));
        Ok(read(&answer, prompt, written, wanted).map_err(|kind| self.fleet.failed(&server, kind))?)
    }
}

fn body_of(prompt: &SentPrompt, written: &[u32], wanted: &[u32]) -> Result<Value, ServerErrorKind> {
    let (ids, images) = prompt.with_whole_images().ok_or(ServerErrorKind::NeedsProcessor)?;
    let ids: Vec<u32> = ids.iter().chain(written).copied().collect();
    let images: Vec<&str> = images.iter().map(|image| &**image).collect();
    Ok(json!({
        "input_ids": ids,
        "image_data": images,
        // Greedy decoding leaves the log-probabilities as they are.
        "sampling_params": {"max_new_tokens": 1, "temperature": 0},
        "return_logprob": true,
        "logprob_start_len": -1,
        "token_ids_logprob": wanted,
    }))
}

fn usage_of(answer: &Answer<Generated>) -> Usage {
    let MetaInfo { prompt_tokens, completion_tokens, .. } = answer.value.meta_info;
    Usage { prompt_tokens, completion_tokens, total_tokens: None }
}

/// The log-probabilities of the wanted tokens, in their order.
fn read(
    answer: &Answer<Generated>,
    prompt: &SentPrompt,
    written: &[u32],
    wanted: &[u32],
) -> Result<Vec<f32>, ServerErrorKind> {
    let meta = &answer.value.meta_info;
    prompt.check_read(None, meta.prompt_tokens, written)?;
    let missing = |missing: String| ServerErrorKind::Incomplete { missing, found: answer.beginning.clone() };
    let Some(first) = meta.output_token_ids_logprobs.as_ref().and_then(|places| places.first()) else {
        return Err(missing("log-probabilities (meta_info.output_token_ids_logprobs)".into()));
    };
    let mut found: HashMap<u32, f32> = HashMap::with_capacity(first.len());
    for ById { log_probability, id } in first {
        let value = super::chat::log_probability(*log_probability)?;
        if found.insert(*id, value).is_some_and(|earlier| earlier != value) {
            return Err(ServerErrorKind::NoProbabilities { what: format!("token {id} has two of them") });
        }
    }
    let of = |id: &u32| found.get(id).copied().ok_or_else(|| missing(format!("log-probability of token {id}")));
    wanted.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Answer<Generated>, serde_json::Error> {
        Ok(Answer { value: serde_json::from_str(text)?, beginning: text.to_owned() })
    }

    fn prompt() -> SentPrompt {
        let mut prompt = SentPrompt::probe("data:,");
        (prompt.ids, prompt.whole_image_ids) = (Some(vec![1, 5, 5, 6]), Some(vec![1, 5, 6]));
        prompt
    }

    #[test]
    fn a_request_has_ids_with_whole_images_and_the_images() {
        let body = body_of(&prompt(), &[7], &[54, 65]).unwrap();
        assert_eq!(body["input_ids"], json!([1, 5, 6, 7]));
        assert_eq!((&body["image_data"], &body["token_ids_logprob"]), (&json!(["data:,"]), &json!([54, 65])));
        assert_eq!(body_of(&SentPrompt::probe("data:,"), &[], &[1]), Err(ServerErrorKind::NeedsProcessor));
    }

    /// In the shape of the documentation and of sglang's own tests.
    #[test]
    fn an_answer_is_read_by_id() {
        let text = r#"{"text": "Yes", "output_ids": [54], "meta_info": {"id": "a", "finish_reason": {"type": "length",
            "length": 1}, "prompt_tokens": 4, "completion_tokens": 1, "cached_tokens": 0, "input_token_logprobs": [],
            "output_token_logprobs": [[-0.25, 54, null]],
            "output_token_ids_logprobs": [[[-1.75, 65, null], [-0.25, 54, null]]], "e2e_latency": 0.03}}"#;
        assert_eq!(read(&answer(text).unwrap(), &prompt(), &[], &[54, 65]), Ok(vec![-0.25, -1.75]));
        let message = read(&answer(text).unwrap(), &prompt(), &[], &[54, 66]).unwrap_err().to_string();
        assert!(message.contains("log-probability of token 66"), "{message}");
        let message = read(&answer(text).unwrap(), &prompt(), &[7], &[54]).unwrap_err().to_string();
        assert!(message.contains("5 tokens here, 4 there"), "{message}");
        for (wrong, expected) in [("-1.75", "0.5"), ("65, null", "54, null")] {
            let changed = text.replacen(wrong, expected, 1);
            let kind = read(&answer(&changed).unwrap(), &prompt(), &[], &[54]).unwrap_err();
            assert!(matches!(kind, ServerErrorKind::NoProbabilities { .. }), "{kind:?}");
        }
        for wrong in [text.replace("65, null", "-65, null"), text.replace("[-1.75, 65, null]", "[-1.75]")] {
            assert!(answer(&wrong).is_err(), "{wrong}");
        }
    }
}
