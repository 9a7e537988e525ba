//! Scores the labels of a task by the best method of the server, and generates text answers.

use super::answer::{Answer, Completion};
use super::capability::{Capability, LogProbabilities, SeveralTokens};
use super::chat::{CHAT, NextToken, SentPrompt, end_of_prompt, generated_text};
use super::error::{ServerError, ServerErrorKind};
use super::fleet::Fleet;
use super::sampling::Sampling;
use super::server_kind::ServerKind;
use super::tokens::ServedLabels;
use super::usage::UsageCounter;
use super::waiting_time;
use crate::reader::generation::answer_in;
use crate::reader::label_tokens::LabelTokens;
use anyhow::{Context, Result, bail};
use dissent_core::run::LabelScores;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// Most ids that vLLM accepts in one request.
const MOST_IDS: usize = 128;
/// Length of the first list of likeliest tokens if any length is allowed; then multiplied until all labels are found.
const FIRST_LIST: usize = 32;
const LONGER_LIST: usize = 32;
/// No vocabulary is larger.
const LONGEST_LIST: usize = 1 << 20;
/// Labels of several tokens are scored by several requests, whose batches differ in rounding (bf16: 0.01 per token).
/// The sum of their probabilities may reach this value.
const MOST_OF_LABELS: f64 = 1.05;

/// A log-probability, or what is known about it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LogProbBound {
    Exactly(f32),
    AtMost(f32),
}

impl LogProbBound {
    fn value(self) -> f32 {
        match self {
            Self::Exactly(value) | Self::AtMost(value) => value,
        }
    }

    fn exact(self) -> Option<f32> {
        match self {
            Self::Exactly(value) => Some(value),
            Self::AtMost(_) => None,
        }
    }
}

/// How labels are answered.
#[derive(Debug)]
pub(super) enum Means {
    Exact(Capability),
    Sampled(Sampling),
}

/// Scores labels on servers, or samples answers.
pub(super) struct Scorer {
    pub fleet: Fleet,
    pub means: Means,
    /// Initial length of the list of likeliest tokens: the length that the last labels needed.
    pub list: AtomicUsize,
    /// What was asked so far.
    pub usage: UsageCounter,
}

impl Scorer {
    pub fn new(fleet: Fleet, means: Means, usage: UsageCounter) -> Self {
        Self { fleet, means, list: AtomicUsize::new(FIRST_LIST), usage }
    }

    /// The abilities by which labels are scored.
    ///
    /// # Errors
    /// Fails in the mode `answers`.
    pub fn capability(&self) -> Result<&Capability> {
        match &self.means {
            Means::Exact(capability) => Ok(capability),
            Means::Sampled(sampling) => bail!(
                "the reader {} gives answers and no log-probabilities ({}), which this needs: reranking, explanations, the \
                 training of a retriever, and sets of labels that are asked for label by label (prompt.sets.ask = \"words\" \
                 in dataset.toml asks for the whole set); use vLLM, llama.cpp or a checkpoint folder",
                self.fleet.identity().shown_model,
                sampling.reason
            ),
        }
    }

    /// How answers are sampled.
    ///
    /// # Errors
    /// Fails if the reader gives log-probabilities.
    pub fn sampling(&self) -> Result<&Sampling> {
        match &self.means {
            Means::Sampled(sampling) => Ok(sampling),
            Means::Exact(_) => bail!("internal error: answers are sampled from a reader that gives log-probabilities"),
        }
    }

    /// The log-probability of every label.
    ///
    /// # Errors
    /// Fails with the error of a server, or if a server reads another prompt than expected.
    pub async fn score(self: Arc<Self>, prompt: Arc<SentPrompt>, labels: Arc<ServedLabels>) -> Result<LabelScores> {
        let known = match &labels.tokens {
            LabelTokens::First(first) => {
                let known = self.next_tokens(&prompt, "", &[], first).await?;
                self.by_choice(&prompt, &labels.texts, first, known).await?
            }
            LabelTokens::Whole(whole) => match self.capability()?.several_tokens {
                SeveralTokens::InThePrompt => self.read_in_the_prompt(&prompt, &labels, whole).await?,
                SeveralTokens::OneByOne => self.one_by_one(&prompt, &labels, whole).await?,
            },
        };
        if !known.iter().any(|known| matches!(known, LogProbBound::Exactly(_))) {
            let kind = ServerErrorKind::NoLabelNamed;
            return Err(self.failed(kind).into());
        }
        let sum: f64 = known.iter().filter_map(|known| known.exact()).map(|value| f64::from(value).exp()).sum();
        if sum > MOST_OF_LABELS {
            let what = format!("the probabilities of the labels sum to {sum:.4}");
            return Err(self.failed(ServerErrorKind::NoProbabilities { what }).into());
        }
        let bounds = (0..known.len()).filter(|label| matches!(known[*label], LogProbBound::AtMost(_))).collect();
        Ok(LabelScores::bounded(known.into_iter().map(LogProbBound::value).collect(), bounds))
    }

    /// Generates a text answer of at most this many tokens.
    ///
    /// # Errors
    /// Fails as [`Self::score`] does.
    pub async fn generate(self: Arc<Self>, prompt: Arc<SentPrompt>, most_tokens: usize) -> Result<String> {
        if matches!(self.means, Means::Sampled(_)) {
            return self.words(&prompt, most_tokens).await;
        }
        let identity = self.fleet.identity();
        let body = prompt.generation_body(&identity.model, most_tokens, identity.kind == ServerKind::Vllm);
        let answer = self.ask(&prompt, &body, &[]).await?;
        let text = generated_text(&answer).map_err(|kind| self.failed(kind))?;
        Ok(answer_in(&self.without_secrets(text)))
    }

    /// The text without our key: it becomes a prediction in files and on screens.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        self.fleet.secrets().iter().fold(text.to_owned(), |text, secret| secret.hide_in(&text))
    }

    /// Log-probabilities of these tokens after the prompt and the text `written` of the assistant.
    async fn next_tokens(
        &self,
        prompt: &SentPrompt,
        written: &str,
        written_ids: &[u32],
        wanted: &[u32],
    ) -> Result<Vec<LogProbBound>> {
        let mut body = prompt.body(&self.fleet.identity().model, written);
        match self.capability()?.log_probabilities {
            LogProbabilities::ById => {
                let mut known = Vec::with_capacity(wanted.len());
                for ids in wanted.chunks(MOST_IDS) {
                    body["logprob_token_ids"] = json!(ids);
                    let answer = self.ask(prompt, &body, written_ids).await?;
                    let next = self.read(&answer)?;
                    for id in ids {
                        let value = next.of(*id).with_context(|| format!("the server left out token {id}"))?;
                        known.push(LogProbBound::Exactly(value));
                    }
                }
                Ok(known)
            }
            LogProbabilities::Generate => {
                let values = self.generated_next(prompt, written_ids, wanted).await?;
                Ok(values.into_iter().map(LogProbBound::Exactly).collect())
            }
            LogProbabilities::AnyNumber => {
                let mut length = self.list.load(Ordering::Relaxed);
                loop {
                    body["top_logprobs"] = json!(length);
                    let answer = self.ask(prompt, &body, written_ids).await?;
                    let next = self.read(&answer)?;
                    let known = known_of(&next, wanted);
                    let has_all = known.iter().all(|known| matches!(known, LogProbBound::Exactly(_)));
                    if has_all || next.0.len() < length || length >= LONGEST_LIST {
                        self.list.store(length, Ordering::Relaxed);
                        return Ok(known);
                    }
                    length *= LONGER_LIST;
                }
            }
            LogProbabilities::Likeliest(count) => {
                body["top_logprobs"] = json!(count);
                let answer = self.ask(prompt, &body, written_ids).await?;
                let next = self.read(&answer)?;
                Ok(known_of(&next, wanted))
            }
        }
    }

    /// Scores labels that the likeliest tokens lack, by an answer that must be one of the labels. vLLM then returns
    /// log-probabilities among the labels alone, which differ from those after the prompt by the same number for all
    /// labels.
    async fn by_choice(
        &self,
        prompt: &SentPrompt,
        texts: &[String],
        first: &[u32],
        known: Vec<LogProbBound>,
    ) -> Result<Vec<LogProbBound>> {
        let LogProbabilities::Likeliest(count) = self.capability()?.log_probabilities else { return Ok(known) };
        let anchor = known.iter().zip(first).find_map(|(known, token)| match known {
            LogProbBound::Exactly(value) => Some((*value, *token)),
            LogProbBound::AtMost(_) => None,
        });
        let is_whole = known.iter().all(|known| matches!(known, LogProbBound::Exactly(_)));
        let (Some((value, token)), false, ServerKind::Vllm) = (anchor, is_whole, self.fleet.identity().kind) else {
            return Ok(known);
        };
        let mut body = prompt.body(&self.fleet.identity().model, "");
        body["top_logprobs"] = json!(count);
        body["structured_outputs"] = json!({"choice": texts});
        let chosen = self.read(&self.ask(prompt, &body, &[]).await?)?;
        let among: f64 = first.iter().filter_map(|token| chosen.of(*token)).map(|value| f64::from(value).exp()).sum();
        let Some(shift) = chosen.of(token).map(|among| value - among) else { return Ok(known) };
        // An older server ignores the choice.
        if (among - 1.0).abs() > 1e-3 {
            return Ok(known);
        }
        let found = |(known, token): (LogProbBound, &u32)| match (known, chosen.of(*token)) {
            (LogProbBound::AtMost(_), Some(value)) => LogProbBound::Exactly(value + shift),
            (known, _) => known,
        };
        Ok(known.into_iter().zip(first).map(found).collect())
    }

    /// Scores each label as part of the prompt by vLLM's `prompt_logprobs`: one request per label. The first request
    /// goes alone, so that the others find its prefix in the server's cache.
    async fn read_in_the_prompt(
        self: &Arc<Self>,
        prompt: &Arc<SentPrompt>,
        labels: &Arc<ServedLabels>,
        whole: &[Vec<u32>],
    ) -> Result<Vec<LogProbBound>> {
        let mut known = vec![LogProbBound::AtMost(f32::NAN); whole.len()];
        let mut others = JoinSet::new();
        for (number, tokens) in whole.iter().enumerate() {
            let (scorer, prompt, labels, tokens) = (self.clone(), prompt.clone(), labels.clone(), tokens.clone());
            let label = async move { scorer.label_in_the_prompt(&prompt, &labels, &tokens).await };
            if number == 0 {
                known[0] = label.await?;
            } else {
                others.spawn(async move { (number, label.await) });
            }
        }
        while let Some(joined) = others.join_next().await {
            let (number, label) = joined.context("internal error while asking for a label")?;
            known[number] = label?;
        }
        Ok(known)
    }

    async fn label_in_the_prompt(
        &self,
        prompt: &SentPrompt,
        labels: &ServedLabels,
        tokens: &[u32],
    ) -> Result<LogProbBound> {
        let (written, text) = labels.written(tokens)?;
        let mut body = prompt.body(&self.fleet.identity().model, text);
        body["prompt_logprobs"] = json!(0);
        let end = &tokens[written.len()..];
        match self.capability()?.log_probabilities {
            LogProbabilities::ById | LogProbabilities::Generate => body["logprob_token_ids"] = json!(end),
            LogProbabilities::AnyNumber => body["top_logprobs"] = json!(self.list.load(Ordering::Relaxed)),
            LogProbabilities::Likeliest(count) => body["top_logprobs"] = json!(count),
        }
        if end.is_empty()
            && let Some(body) = body.as_object_mut()
        {
            body.remove("logprob_token_ids");
        }
        let answer = self.ask(prompt, &body, written).await?;
        let sum = end_of_prompt(&answer, written).map_err(|kind| self.failed(kind))?;
        let [end] = end[..] else { return Ok(LogProbBound::Exactly(sum)) };
        Ok(match known_of(&self.read(&answer)?, &[end])[0] {
            LogProbBound::Exactly(value) => LogProbBound::Exactly(sum + value),
            LogProbBound::AtMost(value) => LogProbBound::AtMost(sum + value),
        })
    }

    /// Sends one request for each different prefix of a label, for the tokens that follow it.
    async fn one_by_one(
        self: &Arc<Self>,
        prompt: &Arc<SentPrompt>,
        labels: &Arc<ServedLabels>,
        whole: &[Vec<u32>],
    ) -> Result<Vec<LogProbBound>> {
        // Expected tokens after each prefix. Sorted, so that the shortest prefix comes first and is cached.
        let mut wanted: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
        for tokens in whole {
            for (length, next) in tokens.iter().enumerate() {
                let prefix = &tokens[..length];
                match wanted.iter_mut().find(|(known, _)| known == prefix) {
                    Some((_, after)) if after.contains(next) => {}
                    Some((_, after)) => after.push(*next),
                    None => wanted.push((prefix.to_vec(), vec![*next])),
                }
            }
        }
        wanted.sort_by_key(|(prefix, _)| prefix.len());
        let mut found: HashMap<(Vec<u32>, u32), LogProbBound> = HashMap::new();
        let mut asked = JoinSet::new();
        for (prefix, after) in wanted {
            let (scorer, prompt, labels) = (self.clone(), prompt.clone(), labels.clone());
            let is_first = prefix.is_empty();
            let request = async move {
                let text = labels.prefixes.get(&prefix).map(String::as_str).unwrap_or_default();
                let known = scorer.next_tokens(&prompt, text, &prefix, &after).await;
                known.map(|known| (prefix, after, known))
            };
            if is_first {
                note(&mut found, request.await?);
            } else {
                asked.spawn(request);
            }
        }
        while let Some(joined) = asked.join_next().await {
            note(&mut found, joined.context("internal error while asking for a label")??);
        }
        let mut sums = Vec::with_capacity(whole.len());
        for tokens in whole {
            let mut sum = LogProbBound::Exactly(0.0);
            for (length, next) in tokens.iter().enumerate() {
                let known = found.get(&(tokens[..length].to_vec(), *next)).context("a token was not asked for")?;
                sum = match (sum, *known) {
                    (LogProbBound::Exactly(sum), LogProbBound::Exactly(value)) => LogProbBound::Exactly(sum + value),
                    (sum, known) => LogProbBound::AtMost(sum.value() + known.value()),
                };
            }
            sums.push(sum);
        }
        Ok(sums)
    }

    async fn ask(&self, prompt: &SentPrompt, body: &Value, written: &[u32]) -> Result<Answer<Completion>, ServerError> {
        let (most, within) = (prompt.longest_answer(body), waiting_time(prompt.length));
        let (answer, server): (Answer<Completion>, _) = self.fleet.ask(CHAT, body, most, within).await?;
        self.usage.add(answer.value.usage.as_ref());
        prompt.check(&answer, written).map_err(|kind| self.fleet.failed(&server, kind))?;
        Ok(answer)
    }

    fn read(&self, answer: &Answer<Completion>) -> Result<NextToken, ServerError> {
        NextToken::read(answer).map_err(|kind| self.failed(kind))
    }

    pub(super) fn failed(&self, kind: ServerErrorKind) -> ServerError {
        self.fleet.failed(self.fleet.first(), kind)
    }
}

fn note(
    found: &mut HashMap<(Vec<u32>, u32), LogProbBound>,
    (prefix, after, known): (Vec<u32>, Vec<u32>, Vec<LogProbBound>),
) {
    for (token, known) in after.into_iter().zip(known) {
        found.insert((prefix.clone(), token), known);
    }
}

/// The entries of a list of likely tokens for the tokens in `wanted`.
fn known_of(next: &NextToken, wanted: &[u32]) -> Vec<LogProbBound> {
    let bound = next.bound_of_others();
    wanted.iter().map(|token| next.of(*token).map_or(LogProbBound::AtMost(bound), LogProbBound::Exactly)).collect()
}
