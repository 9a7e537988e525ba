//! The fields of servers' answers that are needed. Other fields are skipped without being stored, so an answer takes no
//! more memory than a few times its bytes. A repeated field is an error.

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

/// Longest answer in bytes to a question about the server. A list of 10,000 models is shorter, and so is llama.cpp's
/// answer with its chat template.
pub(super) const LONGEST_ABOUT_SERVER: usize = 4 << 20;
/// Longest answer in bytes with the tokens of a label or of two short messages.
pub(super) const LONGEST_TOKENS: usize = 1 << 20;

/// An answer, and its first characters for error messages.
#[derive(Debug)]
pub(super) struct Answer<T> {
    pub value: T,
    pub beginning: String,
}

/// `/v1/models`.
#[derive(Debug, Deserialize)]
pub(super) struct ModelList {
    pub data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Model {
    pub id: String,
    pub owned_by: Option<String>,
    pub root: Option<String>,
    pub max_model_len: Option<u32>,
    pub meta: Option<ModelMeta>,
}

/// Properties of the weights in llama.cpp's list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ModelMeta {
    pub n_vocab: Option<u32>,
    pub n_params: Option<u64>,
    pub size: Option<u64>,
    pub n_embd: Option<u64>,
}

/// vLLM's `/version`.
#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub version: Option<String>,
}

/// llama.cpp's `/props`.
#[derive(Debug, Deserialize)]
pub(super) struct Props {
    pub build_info: Option<String>,
    pub eos_token: Option<String>,
    pub default_generation_settings: Option<GenerationSettings>,
}

#[derive(Debug, Deserialize)]
pub(super) struct GenerationSettings {
    pub n_ctx: Option<u32>,
}

/// `/tokenize`.
#[derive(Debug, Deserialize)]
pub(super) struct TokenList {
    pub tokens: Vec<u32>,
    /// The number of tokens in the list, as vLLM reports it.
    pub count: Option<usize>,
}

/// `/detokenize`: vLLM's `prompt`, llama.cpp's `content`.
#[derive(Debug, Deserialize)]
pub(super) struct Text {
    pub prompt: Option<String>,
    pub content: Option<String>,
}

/// `/v1/chat/completions`.
#[derive(Debug, Deserialize)]
pub(super) struct Completion {
    #[serde(default)]
    pub choices: Only<Choice>,
    pub prompt_token_ids: Option<Vec<u32>>,
    pub prompt_logprobs: Option<Vec<Option<ByToken>>>,
    pub usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub message: Option<Message>,
    pub logprobs: Option<ChoiceLogProbabilities>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub content: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ChoiceLogProbabilities {
    pub content: Option<Only<Place>>,
}

/// One position of the answer: its token, and likely alternatives.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub id: Option<u64>,
    pub token: Option<String>,
    pub logprob: Option<f64>,
    pub top_logprobs: Option<Vec<Listed>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub id: Option<u64>,
    pub token: Option<String>,
    pub logprob: f64,
}

#[derive(Debug, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the names of the protocol")]
pub(super) struct Usage {
    pub prompt_tokens: Option<u64>,
    pub completion_tokens: Option<u64>,
    /// Some servers count what a model thinks only here.
    pub total_tokens: Option<u64>,
}

/// `/v1/chat/completions` with one answer or several.
#[derive(Debug, Deserialize)]
pub(super) struct SampledCompletion {
    #[serde(default)]
    pub choices: Vec<SampledChoice>,
    pub model: Option<String>,
    pub prompt_token_ids: Option<Vec<u32>>,
    pub usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SampledChoice {
    pub message: Option<Message>,
    pub finish_reason: Option<String>,
}

impl SampledChoice {
    /// The answer; `None` if the model wrote none.
    pub fn text(&self) -> Option<&str> {
        self.message.as_ref()?.content.as_deref()
    }

    /// Did the tokens end before the first word of the answer, as when a model thinks?
    pub fn is_used_up(&self) -> bool {
        self.finish_reason.as_deref() == Some("length") && self.text().is_none_or(|text| text.trim().is_empty())
    }
}

/// The only element of a list. With several elements it is unclear which one belongs to the request.
#[derive(Debug)]
pub(super) struct Only<T>(pub Option<T>);

impl<T> Default for Only<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Only<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(OnlyVisitor(PhantomData))
    }
}

struct OnlyVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyVisitor<T> {
    type Value = Only<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a list of one element")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element()?;
        if first.is_some() && list.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom("a list of several elements, expected one"));
        }
        Ok(Only(first))
    }
}

/// Log-probabilities by token id, as in `{"7": {"logprob": -1.0}}`.
#[derive(Debug)]
pub(super) struct ByToken(pub HashMap<u32, f64>);

#[derive(Deserialize)]
struct LogProbability {
    logprob: f64,
}

impl<'de> Deserialize<'de> for ByToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByTokenVisitor)
    }
}

struct ByTokenVisitor;

impl<'de> Visitor<'de> for ByTokenVisitor {
    type Value = ByToken;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("log-probabilities by token id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = HashMap::new();
        while let Some((token, entry)) = map.next_entry::<u32, LogProbability>()? {
            if found.insert(token, entry.logprob).is_some() {
                return Err(A::Error::custom(format!("the token {token} twice")));
            }
        }
        Ok(ByToken(found))
    }
}
