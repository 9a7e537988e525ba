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
}

impl ServiceRecord {
    /// For the status line: "sample-reader on vLLM 0.32.0, exact, by token id".
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
