//! Asks a question several times and counts the labels in the answers.

use super::answer::{Answer, SampledChoice, SampledCompletion};
use super::chat::{CHAT, SentPrompt};
use super::dialect::FIELD;
use super::error::ServerErrorKind;
use super::sampling::{LONGEST_ANSWER, Sampling, without_fence};
use super::score::Scorer;
use super::waiting_time;
use crate::reader::generation::answer_in;
use crate::reader::request::SampledAnswer;
use anyhow::{Context, Result};
use dissent_core::data::{LabelIndex, Task};
use dissent_core::run::LabelSamples;
use dissent_core::text::printable::beginning;
use serde_json::Value;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Letters that are kept of an answer that names no label.
const KEPT: usize = 200;

impl Scorer {
    /// Samples answers and counts their labels. Every answer counts: one without a label is an outcome of its own.
    ///
    /// # Errors
    /// Fails with the error of a server, or if another model answers than at the start.
    pub async fn sample(self: Arc<Self>, prompt: Arc<SentPrompt>, task: Arc<Task>) -> Result<SampledAnswer> {
        let wanted = self.sampling()?.settings.samples;
        let mut texts = self.answers(&prompt, &task, 0, wanted).await?;
        if self.sampling()?.dialect.several_choices {
            while (texts.len() as u32) < wanted {
                let number = texts.len() as u32;
                texts.extend(self.answers(&prompt, &task, number, wanted - number).await?);
            }
        } else {
            // The first request went alone, so that the others find its prompt in the server's cache.
            let mut others = JoinSet::new();
            for number in 1..wanted {
                let (scorer, prompt, task) = (self.clone(), prompt.clone(), task.clone());
                others.spawn(async move { scorer.answers(&prompt, &task, number, 1).await });
            }
            while let Some(joined) = others.join_next().await {
                texts.extend(joined.context("internal error while asking for an answer")??);
            }
        }
        let mut counts = vec![0; task.labels.len()];
        let (mut unnamed, mut first_unnamed) = (0, None);
        for text in texts {
            if let Some(label) = label_in(&text, &task) {
                counts[label] += 1;
            } else {
                unnamed += 1;
                first_unnamed.get_or_insert(text);
            }
        }
        let unnamed_text = first_unnamed.map(|text| self.kept(&text));
        Ok(SampledAnswer { samples: LabelSamples::of_counts(&counts, unnamed), unnamed_text })
    }

    /// Generates a text in the form of request that the server takes.
    ///
    /// # Errors
    /// Fails as [`Self::sample`] does.
    pub async fn words(&self, prompt: &SentPrompt, most_tokens: usize) -> Result<String> {
        let dialect = &self.sampling()?.dialect;
        let body = dialect.words_body(prompt, &self.fleet.identity().model, most_tokens);
        let choices = self.completion(prompt, &body).await?.value.choices;
        let text = choices.first().and_then(SampledChoice::text).unwrap_or_default();
        Ok(answer_in(&self.without_secrets(text)))
    }

    /// The texts of at most `most` answers; `number` is that of the first.
    async fn answers(&self, prompt: &SentPrompt, task: &Task, number: u32, most: u32) -> Result<Vec<String>> {
        let Sampling { dialect, settings, .. } = self.sampling()?;
        let labels: Vec<&str> = task.labels.iter().map(|label| label.id.as_str()).collect();
        let model = &self.fleet.identity().model;
        let asked = dialect.choices(most);
        let body = dialect.label_body(prompt, model, &labels, settings.temperature, (number, asked));
        let answer = self.completion(prompt, &body).await?;
        let given = answer.value.choices.len();
        if given == 0 || given > asked as usize {
            let missing = format!("list of {asked} answers (choices)");
            return Err(self.failed(ServerErrorKind::Incomplete { missing, found: answer.beginning }).into());
        }
        // Without a text an answer is empty, as behind a filter.
        Ok(answer.value.choices.iter().map(|choice| choice.text().unwrap_or_default().to_owned()).collect())
    }

    async fn completion(&self, prompt: &SentPrompt, body: &Value) -> Result<Answer<SampledCompletion>> {
        let most = LONGEST_ANSWER + 4 * prompt.length;
        let (answer, server): (Answer<SampledCompletion>, _) =
            self.fleet.ask(CHAT, body, most, waiting_time(prompt.length)).await?;
        self.usage.add(answer.value.usage.as_ref());
        let SampledCompletion { usage, prompt_token_ids, model, .. } = &answer.value;
        let count = usage.as_ref().and_then(|usage| usage.prompt_tokens);
        if answer.value.choices.iter().any(SampledChoice::is_used_up) {
            let missing = "text of an answer: its tokens ended before, most likely because the model thinks".into();
            let kind = ServerErrorKind::Incomplete { missing, found: answer.beginning };
            return Err(self.fleet.failed(&server, kind).into());
        }
        let checked = prompt.check_read(prompt_token_ids.as_deref(), count, &[]);
        checked.map_err(|kind| self.fleet.failed(&server, kind))?;
        let then = &self.sampling()?.model;
        if let (Some(then), Some(now)) = (then, model)
            && then != now
        {
            let what = format!("model: {then} then, {now} now");
            return Err(self.fleet.failed(&server, ServerErrorKind::Changed { what }).into());
        }
        Ok(answer)
    }

    /// The beginning of an answer as it may be kept in files.
    fn kept(&self, text: &str) -> String {
        beginning(&self.without_secrets(text), KEPT)
    }
}

/// The label that an answer names: in a JSON object by its field, else in the text.
fn label_in(text: &str, task: &Task) -> Option<LabelIndex> {
    let bare = without_fence(text);
    if !bare.starts_with('{') {
        return task.label_in_words(text);
    }
    let value: Value = serde_json::from_str(bare).ok()?;
    let named = value[FIELD].as_str()?;
    task.labels.iter().position(|label| label.id == named).or_else(|| task.label_in_words(named))
}
