//! A record of the server of a reader: what it is and can do.

use serde::{Deserialize, Serialize};

/// A served reader and its abilities, as stored in runs and shown in the status line and by `dissent doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Name and version of the server software.
    pub engine: String,
    /// Name of the model on the server.
    pub model: String,
    pub api: String,
    /// How log-probabilities are obtained: exact, or limited to the likeliest tokens.
    pub log_probabilities: String,
    /// How labels of several tokens are scored.
    pub several_tokens: String,
    /// The side that resizes images to the size that the model takes.
    pub images: String,
    /// How the server's prompt is compared with that of the checkpoint.
    pub prompt_check: String,
    /// Context length in tokens (prompt and answer), if the server reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// How labels are sampled by a reader in the mode `answers`; absent if it gives log-probabilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerSampling>,
}

/// The mode `answers`: shares of sampled answers in place of probabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerSampling {
    /// Answers per question.
    pub samples: u32,
    /// Temperature, as it is shown: "1".
    pub temperature: String,
    /// How a label is asked for: a choice, a grammar, a JSON schema, or a short answer that is searched for labels.
    pub asked_by: String,
    /// Why there are no log-probabilities.
    pub reason: String,
}

impl ServiceRecord {
    /// For the status line: "sample-reader on vLLM 0.32.0, exact, by token id".
    pub fn short(&self) -> String {
        if let Some(answers) = &self.answers {
            return format!("{} (≈ of {} answers) on {}", self.model, answers.samples, self.engine);
        }
        let quality = self.log_probabilities.split([',', ';']).next().unwrap_or_default();
        format!("{} on {}, log-probabilities {quality}", self.model, self.engine)
    }

    /// Name and value of each field.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let context = self.context.map_or_else(|| "unknown".to_owned(), |tokens| format!("{tokens} tokens"));
        let mut facts = vec![
            ("engine", self.engine.clone()),
            ("model", self.model.clone()),
            ("API", self.api.clone()),
            ("log p", self.log_probabilities.clone()),
            ("long labels", self.several_tokens.clone()),
            ("images", self.images.clone()),
            ("prompt check", self.prompt_check.clone()),
            ("context", context),
        ];
        if let Some(answers) = &self.answers {
            facts.insert(3, ("mode", format!("answers (≈): {}", answers.reason)));
            facts.insert(4, ("labels", answers.asked_by.clone()));
            facts.retain(|(name, _)| *name != "long labels");
        }
        facts
    }
}
