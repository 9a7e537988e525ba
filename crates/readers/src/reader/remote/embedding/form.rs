//! The forms of a request for vectors. None of them says whether the server looked at an image, so that a form counts as
//! taken only if it tells two images apart and does not read the image's address as a text.

use super::super::ServerAddress;
use super::super::error::{ServerError, ServerErrorKind};
use super::super::http::Http;
use super::probe::{TEXTS as TEST_TEXTS, TestInputs, one_vector};
use dissent_retrieval::index::is_same_direction;
use serde_json::{Value, json};

/// The addresses of the service, the usual one first; Infinity has the second by default.
const PATHS: [&str; 2] = ["/v1/embeddings", "/embeddings"];
/// Texts in one request.
pub(super) const TEXTS: usize = 32;

/// How images are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageForm {
    /// As a chat message, one image per request (vLLM).
    Message,
    /// As addresses with `"modality": "image"` (Infinity).
    Modality,
    /// As objects with the field `image` (Jina's API).
    Objects,
}

const IMAGE_FORMS: [ImageForm; 3] = [ImageForm::Message, ImageForm::Modality, ImageForm::Objects];

/// What a server embeds, and how it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub path: &'static str,
    pub has_texts: bool,
    pub images: Option<ImageForm>,
    pub dimension: usize,
}

impl ImageForm {
    /// Images in one request.
    pub fn per_request(self) -> usize {
        match self {
            Self::Message => 1,
            Self::Modality | Self::Objects => 8,
        }
    }

    /// The body of a request for the vectors of `uris`, data URIs.
    pub fn body(self, model: &str, uris: &[&str]) -> Value {
        match self {
            Self::Message => {
                let images: Vec<Value> =
                    uris.iter().map(|uri| json!({"type": "image_url", "image_url": {"url": uri}})).collect();
                json!({"model": model, "messages": [{"role": "user", "content": images}], "encoding_format": "float"})
            }
            Self::Modality => {
                json!({"model": model, "input": uris, "modality": "image", "encoding_format": "float"})
            }
            Self::Objects => {
                let bare = |uri: &&str| json!({"image": uri.split_once(',').map_or(*uri, |(_, data)| data)});
                let images: Vec<Value> = uris.iter().map(bare).collect();
                json!({"model": model, "input": images, "encoding_format": "float"})
            }
        }
    }
}

/// The body of a request for the vectors of `texts`.
pub(super) fn text_body(model: &str, texts: &[&str]) -> Value {
    json!({"model": model, "input": texts, "encoding_format": "float"})
}

/// Finds out what a server embeds.
///
/// # Errors
/// Fails if it embeds neither texts nor images, its vectors are not usable, or those of texts and images have different
/// lengths.
pub(super) async fn try_out(
    http: &Http,
    server: &ServerAddress,
    model: &str,
    inputs: &TestInputs,
) -> Result<Form, ServerError> {
    let [first, second, _] = &inputs.pictures;
    let mut first_refusal = None;
    for path in PATHS {
        let text = match one_vector(http, server, path, text_body(model, &TEST_TEXTS[..1])).await {
            Ok(vector) => Some(vector.len()),
            Err(error) if is_unknown_path(&error) => {
                first_refusal.get_or_insert(error);
                continue;
            }
            Err(error) if is_refusal(&error) => {
                first_refusal.get_or_insert(error);
                None
            }
            Err(error) => return Err(error),
        };
        let mut images = None;
        for form in IMAGE_FORMS {
            match one_vector(http, server, path, form.body(model, &[first])).await {
                Ok(vector) => {
                    let other = one_vector(http, server, path, form.body(model, &[second])).await?;
                    if is_same_direction(&vector, &other)
                        || is_read_as_text(http, server, (path, model), first, &vector).await?
                    {
                        continue;
                    }
                    images = Some((form, vector.len()));
                    break;
                }
                Err(error) if is_refusal(&error) || is_unknown_path(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let dimension = match (text, images) {
            (None, None) => continue,
            (Some(text), Some((_, image))) if text != image => {
                let why = format!("vectors of texts have {text} numbers, those of images {image}");
                return Err(http.failed(server, ServerErrorKind::OtherShape { why, found: "two spaces".into() }));
            }
            (Some(dimension), _) | (None, Some((_, dimension))) => dimension,
        };
        return Ok(Form { path, has_texts: text.is_some(), images: images.map(|(form, _)| form), dimension });
    }
    let unknown = || http.failed(server, ServerErrorKind::UnknownPath { path: PATHS[0].to_owned() });
    Err(first_refusal.unwrap_or_else(unknown))
}

/// Whether the vector of an image is that of its address as a text. A server that takes no text of that length has not
/// read it as one.
async fn is_read_as_text(
    http: &Http,
    server: &ServerAddress,
    (path, model): (&str, &str),
    uri: &str,
    vector: &[f32],
) -> Result<bool, ServerError> {
    match one_vector(http, server, path, text_body(model, &[uri])).await {
        Ok(of_text) => Ok(is_same_direction(vector, &of_text)),
        Err(error) if is_refusal(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_unknown_path(error: &ServerError) -> bool {
    matches!(error.kind, ServerErrorKind::UnknownPath { .. })
}

/// Whether the server does not take a request of this form. Each server words this differently, and some fail.
fn is_refusal(error: &ServerError) -> bool {
    matches!(
        error.kind,
        ServerErrorKind::Refused { .. }
            | ServerErrorKind::Failed { .. }
            | ServerErrorKind::NoImages { .. }
            | ServerErrorKind::BadImage { .. }
            | ServerErrorKind::ImageByAddress { .. }
            | ServerErrorKind::TooManyImages { .. }
            | ServerErrorKind::PromptTooLong { .. }
    )
}
