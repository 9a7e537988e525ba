//! The identity of a server that may have another list of models than OpenAI's.

use super::super::ServerAddress;
use super::super::WITHIN_SHORT;
use super::super::answer::{LONGEST_ABOUT_SERVER, ModelList};
use super::super::error::{ServerError, ServerErrorKind};
use super::super::http::Http;
use super::super::server_kind::{ServerIdentity, ServerKind};
use dissent_core::secret::excerpt;
use serde::Deserialize;

/// `/info` of Text Embeddings Inference.
#[derive(Debug, Deserialize)]
struct Info {
    model_id: String,
    model_sha: Option<String>,
    version: Option<String>,
    max_input_length: Option<usize>,
}

/// [`ServerIdentity::ask`]; of a server without `/v1/models`, by `/info` (Text Embeddings Inference) or `/models` (Infinity).
///
/// # Errors
/// Fails as [`ServerIdentity::ask`] does.
pub(in crate::reader::remote) async fn ask_identity(
    http: &Http,
    server: &ServerAddress,
    wanted: Option<&str>,
) -> Result<ServerIdentity, ServerError> {
    let error = match ServerIdentity::ask(http, server, wanted).await {
        Err(error) if matches!(error.kind, ServerErrorKind::UnknownPath { .. }) => error,
        asked => return asked,
    };
    let of = |model: &str, version: String, weights: String, context: Option<usize>| ServerIdentity {
        kind: ServerKind::Other,
        version,
        model: model.to_owned(),
        shown_model: excerpt(model, http.secrets()),
        weights,
        context,
        vocabulary: None,
    };
    if let Ok(info) = http.get::<Info>(server, "/info", LONGEST_ABOUT_SERVER, WITHIN_SHORT).await {
        let info = info.value;
        if wanted.is_some_and(|wanted| wanted != info.model_id) {
            let said = format!("it has {}", info.model_id);
            return Err(http.failed(server, ServerErrorKind::UnknownModel { said }));
        }
        let version = info.version.map(|version| format!("text-embeddings-inference {version}")).unwrap_or_default();
        let version = excerpt(&version, http.secrets());
        return Ok(of(&info.model_id, version, info.model_sha.unwrap_or_default(), info.max_input_length));
    }
    let Ok(list) = http.get::<ModelList>(server, "/models", LONGEST_ABOUT_SERVER, WITHIN_SHORT).await else {
        return Err(error);
    };
    let models = list.value.data;
    let mut named = models.iter().filter(|model| wanted.is_none_or(|wanted| model.id == wanted));
    if let (Some(model), None) = (named.next(), named.next()) {
        let owner = excerpt(model.owned_by.as_deref().unwrap_or_default(), http.secrets());
        return Ok(of(&model.id, owner, model.root.clone().unwrap_or_default(), None));
    }
    let names: Vec<&str> = models.iter().take(5).map(|model| model.id.as_str()).collect();
    let said = format!("it has {}", names.join(", "));
    Err(http.failed(server, ServerErrorKind::UnknownModel { said }))
}
