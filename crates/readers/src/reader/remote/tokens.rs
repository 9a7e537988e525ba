//! Token ids of labels from the server's own tokenizer.

use super::WITHIN_SHORT;
use super::answer::{Answer, LONGEST_TOKENS, Props, Text, TokenList};
use super::error::ServerErrorKind;
use super::fleet::Fleet;
use super::server_kind::ServerKind;
use crate::reader::label_tokens::LabelTokens;
use anyhow::{Context, Result};
use dissent_core::data::Label;
use dissent_models::model::vlm::PromptProcessor;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The tokens of a task's labels, and the texts that precede each of their tokens.
#[derive(Debug)]
pub(super) struct ServedLabels {
    pub tokens: LabelTokens,
    /// The possible answers, which are the labels' ids.
    pub texts: Vec<String>,
    /// Prefixes of labels without the end token, and the text that the assistant would have written.
    pub prefixes: HashMap<Vec<u32>, String>,
}

impl ServedLabels {
    /// The tokens of a label without the end token, and their text.
    pub fn written<'a>(&'a self, tokens: &'a [u32]) -> Result<(&'a [u32], &'a str)> {
        let before_end = &tokens[..tokens.len().saturating_sub(1)];
        let written = [tokens, before_end].into_iter().find(|written| self.prefixes.contains_key(*written));
        let written = written.context("a label was not looked up")?;
        Ok((written, self.prefixes.get(written).map(String::as_str).unwrap_or_default()))
    }
}

/// Source of token ids.
pub(super) struct Tokens<'a> {
    pub fleet: &'a Fleet,
    /// Processor for servers without a tokenizer.
    pub local: Option<&'a dyn PromptProcessor>,
}

impl Tokens<'_> {
    /// The tokens of these labels. With `every_prefix`, the texts of all prefixes of the labels are included, else only
    /// those of whole labels.
    ///
    /// # Errors
    /// Fails if there is no tokenizer on the server or here, or if the server tokenises a text in context differently.
    pub async fn of_labels(&self, labels: &[Label], every_prefix: bool) -> Result<ServedLabels> {
        let mut ids: HashMap<&str, Vec<u32>> = HashMap::new();
        for label in labels {
            ids.insert(&label.id, self.of_text(&label.id).await?);
        }
        let end = self.end().await?;
        let tokens = LabelTokens::told_apart(labels, &|label, ends| {
            let mut tokens = ids.get(label).cloned().context("a label has no tokens")?;
            tokens.extend(ends.then_some(end));
            Ok(tokens)
        })?;
        let mut served = ServedLabels {
            tokens,
            texts: labels.iter().map(|label| label.id.clone()).collect(),
            prefixes: HashMap::new(),
        };
        let LabelTokens::Whole(whole) = &served.tokens else { return Ok(served) };
        let mut prefixes = HashMap::new();
        for (label, tokens) in labels.iter().zip(whole) {
            let written = tokens.strip_suffix(&[end]).unwrap_or(tokens);
            let lengths = if every_prefix { 1..=tokens.len() - 1 } else { written.len()..=written.len() };
            for prefix in lengths.map(|length| &written[..length]) {
                if prefixes.contains_key(prefix) {
                    continue;
                }
                let text = if prefix == written { label.id.clone() } else { self.to_text(prefix).await? };
                // The template writes the text before an answer itself.
                let text = text.strip_prefix(self.lead()).unwrap_or(&text).to_owned();
                let again = self.of_text(&text).await?;
                if again != prefix {
                    let why = format!(
                        "its prefix {text:?} is the tokens {again:?} there, and {prefix:?} within the label; \
                         give the label a shorter or another id, or use vLLM"
                    );
                    return Err(self.refuse(ServerErrorKind::OtherTokens { label: label.id.clone(), why }));
                }
                prefixes.insert(prefix.to_vec(), text);
            }
        }
        served.prefixes = prefixes;
        Ok(served)
    }

    /// The text that the template puts before an answer, if known.
    fn lead(&self) -> &str {
        self.local.map(PromptProcessor::answer_lead).unwrap_or_default()
    }

    /// Token ids of an answer.
    async fn of_text(&self, text: &str) -> Result<Vec<u32>> {
        let spelled = format!("{}{text}", self.lead());
        let model = &self.fleet.identity().model;
        let body = match self.fleet.identity().kind {
            ServerKind::Vllm => json!({"model": model, "prompt": spelled, "add_special_tokens": false}),
            ServerKind::LlamaCpp => json!({"content": spelled, "add_special": false, "parse_special": false}),
            ServerKind::Sglang | ServerKind::Ollama | ServerKind::Other => {
                let local = self.local.context(NO_TOKENIZER)?;
                return local.answer_ids(text, false);
            }
        };
        let ids = self.ids_from("/tokenize", &body).await?;
        if let Some(local) = self.local {
            let here = local.answer_ids(text, false)?;
            if here != ids {
                let what = format!("{text:?} is the tokens {here:?} here and {ids:?} there");
                return Err(self.refuse(ServerErrorKind::OtherPrompt { what }));
            }
        }
        Ok(ids)
    }

    /// The token that ends an answer.
    async fn end(&self) -> Result<u32> {
        if let Some(local) = self.local {
            return local.tokenizer().end().context("tokenizer_config.json names no eos_token: an answer cannot end");
        }
        let model = &self.fleet.identity().model;
        match self.fleet.identity().kind {
            ServerKind::Vllm => {
                // Renders a finished answer: the chat template appends the end token.
                let messages =
                    json!([{"role": "user", "content": "question"}, {"role": "assistant", "content": "answer"}]);
                let mut body = json!({"model": model, "messages": messages, "add_generation_prompt": false});
                let ended = self.ids_from("/tokenize", &body).await?;
                body["continue_final_message"] = json!(true);
                let open = self.ids_from("/tokenize", &body).await?;
                let end = ended.strip_prefix(open.as_slice()).and_then(|rest| rest.first()).copied();
                end.ok_or_else(|| self.incomplete("token that ends an answer", format!("{ended:?}")))
            }
            ServerKind::LlamaCpp => {
                let props = self.fleet.get::<Props>("/props", WITHIN_SHORT).await?;
                let body = json!({"content": props.value.eos_token, "add_special": false, "parse_special": true});
                let ids = self.ids_from("/tokenize", &body).await?;
                let [end] = ids[..] else {
                    return Err(self.incomplete("single token that ends an answer", format!("{ids:?}")));
                };
                Ok(end)
            }
            ServerKind::Sglang | ServerKind::Ollama | ServerKind::Other => anyhow::bail!(NO_TOKENIZER),
        }
    }

    async fn to_text(&self, ids: &[u32]) -> Result<String> {
        if let Some(local) = self.local {
            return local.tokenizer().decode(ids);
        }
        let model = &self.fleet.identity().model;
        let body = json!({"model": model, "tokens": ids});
        let (answer, _): (Answer<Text>, _) = self.fleet.ask("/detokenize", &body, LONGEST_TOKENS, WITHIN_SHORT).await?;
        let text = answer.value.prompt.or(answer.value.content);
        text.ok_or_else(|| self.incomplete("text", answer.beginning))
    }

    async fn ids_from(&self, path: &str, body: &Value) -> Result<Vec<u32>> {
        let (answer, _): (Answer<TokenList>, _) = self.fleet.ask(path, body, LONGEST_TOKENS, WITHIN_SHORT).await?;
        let TokenList { tokens, count } = answer.value;
        if let Some(count) = count.filter(|count| *count != tokens.len()) {
            let found = format!("count {count} and {} tokens", tokens.len());
            return Err(self.incomplete("list of as many tokens as it counts", found));
        }
        Ok(tokens)
    }

    fn incomplete(&self, missing: &str, found: String) -> anyhow::Error {
        self.refuse(ServerErrorKind::Incomplete { missing: missing.into(), found })
    }

    fn refuse(&self, kind: ServerErrorKind) -> anyhow::Error {
        self.fleet.failed(self.fleet.first(), kind).into()
    }
}

const NO_TOKENIZER: &str = "the server has no tokenizer to ask for the tokens of labels; give the checkpoint's folder with --reader-processor DIR";
