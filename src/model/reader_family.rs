//! Which family a checkpoint is of.

use super::{PromptProcessor, ReaderCheckpoint, fingerprint_with};
use crate::files::fingerprint::Fingerprint;
use crate::model::checkpoint::{Adapter, CheckpointError, read_json};
use crate::model::pixtral::{PixtralCheckpoint, PixtralConfig, PixtralProcessor, pixtral_fingerprint};
use crate::model::qwen2_vl::{Qwen2VlCheckpoint, Qwen2VlConfig, Qwen2VlProcessor};
use crate::model::smolvlm::{SmolVlmCheckpoint, SmolVlmConfig, SmolVlmProcessor};
use anyhow::Result;
use candle_core::{DType, Device};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// For messages: what `config.json` may say.
pub const KNOWN_READERS: &str = "llava (Pixtral), qwen2_vl, qwen2_5_vl, smolvlm, idefics3";

/// A family of readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `LlavaForConditionalGeneration` with a Pixtral tower.
    Pixtral,
    /// Qwen2-VL and Qwen2.5-VL.
    Qwen2Vl,
    /// SmolVLM, which has the layout of Idefics3.
    SmolVlm,
}

impl Family {
    /// The family of the checkpoint `folder`, by `model_type` of its `config.json`, else by its `architectures`.
    ///
    /// # Errors
    /// No such file, or a family that is not known; the known ones are named.
    pub fn of(folder: &Path) -> Result<Self, CheckpointError> {
        let config = read_json(folder, "config.json", "it describes the model")?;
        let architecture = config["architectures"][0].as_str().unwrap_or_default();
        let named = match config["model_type"].as_str() {
            Some(name) => name,
            None => match architecture {
                "LlavaForConditionalGeneration" => "llava",
                "Qwen2VLForConditionalGeneration" => "qwen2_vl",
                "Qwen2_5_VLForConditionalGeneration" => "qwen2_5_vl",
                "SmolVLMForConditionalGeneration" => "smolvlm",
                "Idefics3ForConditionalGeneration" => "idefics3",
                other => other,
            },
        };
        match named {
            "llava" => Ok(Self::Pixtral),
            "qwen2_vl" | "qwen2_5_vl" => Ok(Self::Qwen2Vl),
            "smolvlm" | "idefics3" => Ok(Self::SmolVlm),
            _ => Err(CheckpointError::BadJson {
                path: folder.join("config.json"),
                reason: unknown(&config["model_type"], architecture),
            }),
        }
    }

    /// Loads the checkpoint `folder`, with an adapter merged into it where one is given.
    ///
    /// # Errors
    /// A missing or broken file, a tensor that is missing, of the wrong shape or not finite, a model that does not fit
    /// into memory; each is named.
    pub fn load(
        self,
        folder: &Path,
        adapter: Option<Adapter>,
        device: &Device,
        dtype: DType,
    ) -> Result<ReaderCheckpoint> {
        Ok(match self {
            Self::Pixtral => PixtralCheckpoint::load_with(folder, adapter, device, dtype)?.into(),
            Self::Qwen2Vl => Qwen2VlCheckpoint::load(folder, adapter, device, dtype)?.into(),
            Self::SmolVlm => SmolVlmCheckpoint::load(folder, adapter, device, dtype)?.into(),
        })
    }

    /// The processor of the checkpoint `folder`, and the checkpoint's fingerprint, which is that of the loaded reader.
    ///
    /// # Errors
    /// A missing or broken file; parts that do not fit each other.
    pub fn read_processor(self, folder: &Path) -> Result<(Arc<dyn PromptProcessor>, Fingerprint)> {
        Ok(match self {
            Self::Pixtral => {
                let processor = PixtralProcessor::read(folder)?;
                let fingerprint = pixtral_fingerprint(folder, &processor)?;
                (Arc::new(processor), fingerprint)
            }
            Self::Qwen2Vl => {
                let (processor, _) = Qwen2VlProcessor::read(folder, &Qwen2VlConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
            Self::SmolVlm => {
                let (processor, _) = SmolVlmProcessor::read(folder, &SmolVlmConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
        })
    }

    /// Columns of the decoder of the checkpoint `folder`.
    ///
    /// # Errors
    /// Where its `config.json` cannot be read.
    pub fn text_hidden(self, folder: &Path) -> Result<usize> {
        Ok(match self {
            Self::Pixtral => PixtralConfig::read(folder)?.text.hidden,
            Self::Qwen2Vl => Qwen2VlConfig::read(folder)?.text.hidden,
            Self::SmolVlm => SmolVlmConfig::read(folder)?.text.hidden,
        })
    }
}

fn unknown(model_type: &Value, architecture: &str) -> String {
    let found = match model_type.as_str() {
        Some(name) => format!("\"model_type\": \"{name}\""),
        None => format!("no model_type and the architecture \"{architecture}\""),
    };
    format!("no known reader: expected one of {KNOWN_READERS}, found {found}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(config: &str) -> Result<Family, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        Family::of(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn model_type_or_architecture_decides() {
        assert_eq!(family(r#"{"model_type": "llava"}"#), Ok(Family::Pixtral));
        assert_eq!(family(r#"{"model_type": "qwen2_5_vl"}"#), Ok(Family::Qwen2Vl));
        assert_eq!(family(r#"{"architectures": ["SmolVLMForConditionalGeneration"]}"#), Ok(Family::SmolVlm));
    }

    #[test]
    fn an_unknown_family_names_the_known_ones() {
        for config in [r#"{"model_type": "gemma3"}"#, r#"{"architectures": ["Gemma3"]}"#, "{}"] {
            let message = family(config).unwrap_err();
            assert!(message.contains("qwen2_vl") && message.contains("llava (Pixtral)"), "{message}");
        }
        assert!(family(r#"{"model_type": "gemma3"}"#).unwrap_err().contains("gemma3"));
    }
}
