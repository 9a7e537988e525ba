//! Which program serves which model: what decides the numbers that come back.

use super::error::{ServerError, Trouble};
use super::http::Http;
use super::refusal::excerpt;
use super::{ServerAddress, WITHIN_SHORT};
use serde_json::Value;
use std::fmt;

/// Servers that have more than what OpenAI's interface says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EngineKind {
    Vllm,
    LlamaCpp,
    Other,
}

/// What one server serves; two of the same identity give the same answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EngineIdentity {
    pub kind: EngineKind,
    /// Version as the server says it; empty where it says none.
    pub version: String,
    /// Name of the model, as requests give it.
    pub model: String,
    /// What the server says about the weights: folder, number of parameters, sizes.
    pub weights: String,
    /// Tokens of prompt and answer together.
    pub context: Option<usize>,
    /// Tokens of the vocabulary, where the server says so.
    pub vocabulary: Option<usize>,
}

impl EngineIdentity {
    /// Asks a server what it is. With several models, `wanted` names one.
    ///
    /// # Errors
    /// Where it does not answer as OpenAI's interface does, or does not serve the model wanted.
    pub async fn ask(http: &Http, server: &ServerAddress, wanted: Option<&str>) -> Result<Self, ServerError> {
        let path = "/v1/models";
        let list = http.get(server, path, WITHIN_SHORT).await?;
        let failed = |trouble| ServerError::new(server, trouble);
        let Some(models) = list["data"].as_array() else {
            let found = excerpt(&list.to_string());
            return Err(failed(Trouble::Incomplete { missing: "list of models".into(), found }));
        };
        let named = |model: &&Value| wanted.is_none_or(|wanted| model["id"] == wanted);
        let chosen: Vec<&Value> = models.iter().filter(named).collect();
        let [model] = chosen[..] else {
            let names: Vec<&str> = models.iter().filter_map(|model| model["id"].as_str()).collect();
            return Err(failed(Trouble::UnknownModel { said: format!("it has {}", names.join(", ")) }));
        };
        let name = model["id"].as_str().unwrap_or_default().to_owned();
        let number = |value: &Value| value.as_u64().map(|number| number as usize);
        let mut identity = Self {
            kind: EngineKind::Other,
            version: String::new(),
            model: name,
            weights: model["root"].as_str().unwrap_or_default().to_owned(),
            context: number(&model["max_model_len"]),
            vocabulary: None,
        };
        match model["owned_by"].as_str().unwrap_or_default() {
            "vllm" => {
                identity.kind = EngineKind::Vllm;
                let version = http.get(server, "/version", WITHIN_SHORT).await?;
                version["version"].as_str().unwrap_or_default().clone_into(&mut identity.version);
            }
            "llamacpp" => {
                identity.kind = EngineKind::LlamaCpp;
                let meta = &model["meta"];
                identity.vocabulary = number(&meta["n_vocab"]);
                identity.weights = ["n_params", "size", "n_vocab", "n_embd"].map(|key| meta[key].to_string()).join(" ");
                let props = http.get(server, "/props", WITHIN_SHORT).await?;
                props["build_info"].as_str().unwrap_or_default().clone_into(&mut identity.version);
                identity.context = number(&props["default_generation_settings"]["n_ctx"]);
            }
            _ => {}
        }
        Ok(identity)
    }

    /// "vLLM 0.32.0".
    pub fn engine(&self) -> String {
        let name = self.kind.to_string();
        if self.version.is_empty() { name } else { format!("{name} {}", self.version) }
    }

    /// What differs from another, in words; `None` where nothing does.
    pub fn difference(&self, now: &Self) -> Option<String> {
        let fields = [
            ("engine", self.engine(), now.engine()),
            ("model", self.model.clone(), now.model.clone()),
            ("weights", self.weights.clone(), now.weights.clone()),
            ("context", format!("{:?}", self.context), format!("{:?}", now.context)),
        ];
        let [name, then, now] =
            fields.into_iter().find(|(_, then, now)| then != now).map(|(a, b, c)| [a.into(), b, c])?;
        Some(format!("{name}: {} then, {} now", excerpt(&then), excerpt(&now)))
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Vllm => "vLLM",
            Self::LlamaCpp => "llama.cpp",
            Self::Other => "OpenAI-compatible server",
        })
    }
}
