//! Kind and identity of a server: everything that determines its answers.

use super::answer::{LONGEST_ABOUT_SERVER, Model, ModelList, ModelMeta, Props, Version};
use super::error::{ServerError, ServerErrorKind};
use super::http::Http;
use super::{ServerAddress, WITHIN_SHORT};
use dissent_core::secret::excerpt;
use std::fmt;

/// Longest name of a model in bytes; llama.cpp uses the path of its file (PATH_MAX).
const LONGEST_NAME: usize = 4096;
/// Ollama's usual port.
const OLLAMA_PORT: u16 = 11434;
/// Most names of models in a message.
const NAMES_SHOWN: usize = 5;

/// Servers with extensions of OpenAI's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerKind {
    Vllm,
    LlamaCpp,
    Sglang,
    Ollama,
    Other,
}

/// The identity of a server; servers with the same identity give the same answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerIdentity {
    pub kind: ServerKind,
    /// Version reported by the server; empty if none.
    pub version: String,
    /// Name of the model in requests.
    pub model: String,
    /// The same name for display: without our key, printable and short.
    pub shown_model: String,
    /// Properties of the weights as the server reports them: folder, number of parameters, sizes.
    pub weights: String,
    /// Context length in tokens (prompt and answer).
    pub context: Option<usize>,
    /// Vocabulary size in tokens, if the server reports it.
    pub vocabulary: Option<usize>,
}

impl ServerIdentity {
    /// Asks a server for its identity. If it has several models, `wanted` names one.
    ///
    /// # Errors
    /// Fails if the server does not implement OpenAI's interface or does not serve the wanted model.
    pub async fn ask(http: &Http, server: &ServerAddress, wanted: Option<&str>) -> Result<Self, ServerError> {
        let most = LONGEST_ABOUT_SERVER;
        let list = match http.get::<ModelList>(server, "/v1/models", most, WITHIN_SHORT).await {
            Ok(list) => list,
            // Some hosted servers list their models in their own protocol only.
            Err(error) => {
                let has_no_list = matches!(
                    error.kind,
                    ServerErrorKind::UnknownPath { .. }
                        | ServerErrorKind::Refused { .. }
                        | ServerErrorKind::KeyRefused { .. }
                );
                return match wanted.filter(|_| has_no_list && server.is_encrypted()) {
                    Some(model) => Ok(Self::unlisted(model, http)),
                    None => Err(error),
                };
            }
        };
        let (beginning, models) = (list.beginning, list.value.data);
        let failed = |kind| http.failed(server, kind);
        let Some(model) = choose(&models, wanted) else {
            return Err(failed(ServerErrorKind::UnknownModel { said: names_of(&models) }));
        };
        if model.id.trim().is_empty() || model.id.len() > LONGEST_NAME {
            let missing = format!("name of a model (at most {LONGEST_NAME} bytes)");
            return Err(failed(ServerErrorKind::Incomplete { missing, found: beginning }));
        }
        let mut identity = Self {
            kind: ServerKind::Other,
            version: String::new(),
            model: model.id.clone(),
            shown_model: excerpt(&model.id, http.secrets()),
            weights: model.root.clone().unwrap_or_default(),
            context: model.max_model_len.map(|tokens| tokens as usize),
            vocabulary: None,
        };
        match model.owned_by.as_deref().unwrap_or_default() {
            "vllm" => {
                identity.kind = ServerKind::Vllm;
                let version = http.get::<Version>(server, "/version", most, WITHIN_SHORT).await?;
                identity.version = version.value.version.unwrap_or_default();
            }
            "llamacpp" => {
                identity.kind = ServerKind::LlamaCpp;
                let meta = model.meta.as_ref();
                let number = |value: Option<u64>| value.map_or_else(|| "null".to_owned(), |value| value.to_string());
                let of = |field: fn(&ModelMeta) -> Option<u64>| number(meta.and_then(field));
                identity.vocabulary = meta.and_then(|meta| meta.n_vocab).map(|size| size as usize);
                let weights = [
                    of(|meta| meta.n_params),
                    of(|meta| meta.size),
                    of(|meta| meta.n_vocab.map(u64::from)),
                    of(|meta| meta.n_embd),
                ];
                identity.weights = weights.join(" ");
                let props = http.get::<Props>(server, "/props", most, WITHIN_SHORT).await?.value;
                identity.version = props.build_info.unwrap_or_default();
                let settings = props.default_generation_settings;
                identity.context = settings.and_then(|settings| settings.n_ctx).map(|tokens| tokens as usize);
            }
            "sglang" => identity.kind = ServerKind::Sglang,
            // Models that were not pulled from Ollama's library are owned by somebody else.
            owner if owner == "library" || server.has_port(OLLAMA_PORT) => {
                identity.kind = ServerKind::Ollama;
                let version = http.get::<Version>(server, "/api/version", most, WITHIN_SHORT).await?;
                identity.version = version.value.version.unwrap_or_default();
            }
            _ => {}
        }
        // Hidden, because it is shown in runs and on the screen. The result is the same for one server and key.
        identity.version =
            if identity.version.is_empty() { String::new() } else { excerpt(&identity.version, http.secrets()) };
        Ok(identity)
    }

    /// A model that the user names on a server without a list of models.
    fn unlisted(model: &str, http: &Http) -> Self {
        Self {
            kind: ServerKind::Other,
            version: String::new(),
            model: model.to_owned(),
            shown_model: excerpt(model, http.secrets()),
            weights: String::new(),
            context: None,
            vocabulary: None,
        }
    }

    /// For example "vLLM 0.32.0".
    pub fn engine(&self) -> String {
        let name = self.kind.to_string();
        if self.version.is_empty() { name } else { format!("{name} {}", self.version) }
    }

    /// The differences from another identity as text; `None` if there are none.
    pub fn difference(&self, now: &Self) -> Option<String> {
        let fields = [
            ("engine", self.engine(), now.engine()),
            ("model", self.model.clone(), now.model.clone()),
            ("weights", self.weights.clone(), now.weights.clone()),
            ("context", format!("{:?}", self.context), format!("{:?}", now.context)),
        ];
        let [name, then, now] =
            fields.into_iter().find(|(_, then, now)| then != now).map(|(a, b, c)| [a.into(), b, c])?;
        Some(format!("{name}: {then} then, {now} now"))
    }
}

/// The only model, or the model with the wanted name.
fn choose<'a>(models: &'a [Model], wanted: Option<&str>) -> Option<&'a Model> {
    // Google lists `models/NAME` and takes NAME.
    let is_wanted = |model: &&Model| {
        wanted
            .is_none_or(|wanted| model.id == wanted || model.id.strip_prefix("models/").is_some_and(|id| id == wanted))
    };
    let mut named = models.iter().filter(is_wanted);
    named.next().filter(|_| named.next().is_none())
}

/// For a message: "it has a, b and 7 more".
fn names_of(models: &[Model]) -> String {
    if models.is_empty() {
        return "it has none".into();
    }
    let names: Vec<&str> = models.iter().take(NAMES_SHOWN).map(|model| model.id.as_str()).collect();
    let more = models.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it has {}{more}", names.join(", "))
}

impl fmt::Display for ServerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Vllm => "vLLM",
            Self::LlamaCpp => "llama.cpp",
            Self::Sglang => "SGLang",
            Self::Ollama => "Ollama",
            Self::Other => "OpenAI-compatible server",
        })
    }
}
