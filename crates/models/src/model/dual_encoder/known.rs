//! Finding the family of a checkpoint folder.

use super::Architecture;
use crate::model::checkpoint::{CheckpointError, has_transformers_weights, read_json};
use crate::model::clip::ClipConfig;
use crate::model::dinov2::Dinov2Config;
use crate::model::jina_clip::JinaClip;
use crate::model::open_clip::OpenClip;
use crate::model::siglip::SiglipConfig;
use crate::model::siglip2::Siglip2Config;
use dissent_core::files::input_file::is_there;
use dissent_core::text::printable::beginning;
use std::path::Path;
use std::sync::Arc;

/// Characters of a model type shown in messages.
const SHOWN: usize = 80;

/// Supported families, for messages.
const KNOWN: &str = "clip (CLIPModel), siglip (SiglipModel, with SigLIP 2 of fixed resolution), siglip2 (Siglip2Model, \
                     NaFlex), jina_clip (v1 and v2), dinov2 (Dinov2Model, images alone) and, by an open_clip_config.json, \
                     OpenCLIP's layout (BiomedCLIP and MobileCLIP among others)";

/// The architecture of the dual encoder in `folder`, by `model_type` of `config.json`. `open_clip_config.json` is used if
/// there is no `config.json`, if it has no `model_type`, or if the weights are OpenCLIP's.
///
/// # Errors
/// Fails if a file is missing or broken, or the family is unknown; the message lists the known ones.
pub fn architecture_of(folder: &Path) -> Result<Arc<dyn Architecture>, CheckpointError> {
    let has_open_clip = is_there(&folder.join("open_clip_config.json"));
    if has_open_clip && !(is_there(&folder.join("config.json")) && has_transformers_weights(folder)) {
        return Ok(Arc::new(OpenClip::read(folder)?));
    }
    let config = read_json(folder, "config.json", "it describes the model")?;
    if has_open_clip && config["model_type"].is_null() {
        return Ok(Arc::new(OpenClip::read(folder)?));
    }
    let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
    match config["model_type"].as_str() {
        Some("clip") => Ok(Arc::new(ClipConfig::read(folder)?)),
        Some("siglip") => Ok(Arc::new(SiglipConfig::read(folder)?)),
        Some("dinov2") => Ok(Arc::new(Dinov2Config::read(folder)?)),
        Some("jina_clip") => Ok(Arc::new(JinaClip::read(folder)?)),
        Some("siglip2") => Ok(Arc::new(Siglip2Config::read(folder)?)),
        _ => Err(bad(format!(
            "field model_type: expected a known dual encoder, found {}; known are {KNOWN}",
            beginning(&config["model_type"].to_string(), SHOWN)
        ))),
    }
}
