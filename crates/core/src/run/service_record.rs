//! What a served reader is and can do.

use serde::{Deserialize, Serialize};

/// What a served reader is and can do, as runs, the status line and `dissent doctor` tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRecord {
    /// Name and version of the server's program.
    pub engine: String,
    /// Name of the model there.
    pub model: String,
    pub api: String,
    /// Are log-probabilities exact, or cut off after the likeliest tokens?
    pub log_probabilities: String,
    /// How labels of several tokens are scored.
    pub several_tokens: String,
    /// Who brings images to the model's size.
    pub images: String,
    /// How it is made sure that the server reads the prompt that the checkpoint would.
    pub prompt_check: String,
    /// Tokens of prompt and answer together, where the server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
}

impl ServiceRecord {
    /// "sample-reader on vLLM 0.32.0, exact, by token id", for a status line.
    pub fn short(&self) -> String {
        let quality = self.log_probabilities.split([',', ';']).next().unwrap_or_default();
        format!("{} on {}, log-probabilities {quality}", self.model, self.engine)
    }

    /// Name and value of each field.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let context = self.context.map_or_else(|| "unknown".to_owned(), |tokens| format!("{tokens} tokens"));
        vec![
            ("engine", self.engine.clone()),
            ("model", self.model.clone()),
            ("API", self.api.clone()),
            ("log p", self.log_probabilities.clone()),
            ("long labels", self.several_tokens.clone()),
            ("images", self.images.clone()),
            ("prompt check", self.prompt_check.clone()),
            ("context", context),
        ]
    }
}
