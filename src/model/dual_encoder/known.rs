//! Which family a checkpoint folder holds.

use super::Architecture;
use crate::files::input_file::is_there;
use crate::model::checkpoint::{CheckpointError, has_transformers_weights, read_json};
use crate::model::clip::ClipConfig;
use crate::model::jina_clip::JinaClip;
use crate::model::open_clip::OpenClip;
use crate::model::siglip::SiglipConfig;
use crate::model::siglip2::Siglip2Config;
use crate::text::printable::beginning;
use std::path::Path;
use std::sync::Arc;

/// Letters of a model type that are shown.
const SHOWN: usize = 80;

/// What a user may point at, for messages.
const KNOWN: &str = "clip (CLIPModel), siglip (SiglipModel, with SigLIP 2 of fixed resolution), siglip2 (Siglip2Model, \
                     NaFlex), jina_clip (v1) and, by an open_clip_config.json, OpenCLIP's layout (BiomedCLIP among others)";

/// The configuration of the dual encoder in `folder`, by `model_type` of its `config.json`; where there is none, or only
/// OpenCLIP's weights, or it names no type, by `open_clip_config.json`.
///
/// # Errors
/// A missing or broken file; a family that is not known, with those that are.
pub fn architecture_of(folder: &Path) -> Result<Arc<dyn Architecture>, CheckpointError> {
    let has_open_clip = is_there(&folder.join("open_clip_config.json"));
    if has_open_clip && !(is_there(&folder.join("config.json")) && has_transformers_weights(folder)) {
        return Ok(Arc::new(OpenClip::read(folder)?));
    }
    let config = read_json(folder, "config.json", "it says what model this is")?;
    if has_open_clip && config["model_type"].is_null() {
        return Ok(Arc::new(OpenClip::read(folder)?));
    }
    let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
    match config["model_type"].as_str() {
        Some("clip") => Ok(Arc::new(ClipConfig::read(folder)?)),
        Some("siglip") => Ok(Arc::new(SiglipConfig::read(folder)?)),
        Some("jina_clip") => Ok(Arc::new(JinaClip::read(folder)?)),
        Some("siglip2") => Ok(Arc::new(Siglip2Config::read(folder)?)),
        _ => Err(bad(format!(
            "field model_type: found {}, which is no known dual encoder; known are {KNOWN}",
            beginning(&config["model_type"].to_string(), SHOWN)
        ))),
    }
}
