//! Readers of every known family: which family a checkpoint belongs to, and loading it.
//!
//! This is the only file of `model` that knows all families; no family imports it.

use super::checkpoint::{Adapter, CheckpointError, read_json};
use super::gemma3::{Gemma3Checkpoint, Gemma3Config, Gemma3Processor};
use super::internvl::{InternVlCheckpoint, InternVlConfig, InternVlProcessor};
use super::llava::{LlavaCheckpoint, LlavaConfig, LlavaProcessor};
use super::paligemma::{PaliGemmaCheckpoint, PaliGemmaConfig, PaliGemmaProcessor};
use super::pixtral::{PixtralCheckpoint, PixtralConfig, PixtralProcessor, pixtral_fingerprint};
use super::qwen2_vl::{Qwen2VlCheckpoint, Qwen2VlConfig, Qwen2VlProcessor};
use super::qwen3_vl::{Qwen3VlCheckpoint, Qwen3VlConfig, read_qwen3_processor};
use super::settings_notes::notes_of_reader;
use super::smolvlm::{SmolVlmCheckpoint, SmolVlmConfig, SmolVlmProcessor};
use super::vlm::{ChatProcessor, PromptProcessor, ReaderCheckpoint, fingerprint_with};
use anyhow::{Context, Result};
use candle_core::{DType, Device};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::text::printable::beginning;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Values of `model_type` in `config.json` that can be loaded, for messages.
const KNOWN_READERS: &str =
    "llava (Pixtral, LLaVA 1.5), qwen2_vl, qwen2_5_vl, qwen3_vl, smolvlm, idefics3, gemma3, internvl, paligemma";

/// The message for a checkpoint of LLaVA's own code.
const OTHER_LLAVA: &str = "the layout of LLaVA's own code (mm_vision_tower): expected that of transformers; \
    scripts/llava-settings writes the settings for it, and the weights stay as they are";

/// A family of vision-language models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderFamily {
    /// `LlavaForConditionalGeneration` with a Pixtral vision tower.
    Pixtral,
    /// `LlavaForConditionalGeneration` with a CLIP vision tower: LLaVA 1.5 and LLaVA-Med.
    Llava,
    /// Qwen2-VL and Qwen2.5-VL.
    Qwen2Vl,
    /// The dense models of Qwen3-VL.
    Qwen3Vl,
    /// SmolVLM, which has the architecture of Idefics3.
    SmolVlm,
    /// Gemma 3 and MedGemma.
    Gemma3,
    /// InternVL 3 in its transformers format.
    InternVl,
    /// PaliGemma with a Gemma decoder.
    PaliGemma,
}

/// Loads the checkpoint `folder` for inference; a LoRA adapter in another folder is merged into its weights.
///
/// # Errors
/// Fails if the family is unknown, a file is missing or broken, a tensor is missing, has the wrong shape or is not finite,
/// the adapter does not fit, or the model does not fit into memory. Each message names the file or tensor.
pub fn load_reader(folder: &Path, adapter: Option<&Path>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
    let in_folder = || format!("cannot load the reader {}", folder.display());
    let family = ReaderFamily::of(folder).with_context(in_folder)?;
    let adapter = adapter.map(Adapter::read).transpose()?;
    let mut checkpoint = family.load(folder, adapter, device, dtype).with_context(in_folder)?;
    checkpoint.notes.extend(notes_of_reader(folder).with_context(in_folder)?);
    Ok(checkpoint)
}

impl ReaderFamily {
    /// The authors' name of this family.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pixtral => "Pixtral",
            Self::Llava => "LLaVA 1.5, LLaVA-Med",
            Self::Qwen2Vl => "Qwen2-VL, Qwen2.5-VL",
            Self::Qwen3Vl => "Qwen3-VL",
            Self::SmolVlm => "SmolVLM, Idefics3",
            Self::Gemma3 => "Gemma 3, MedGemma",
            Self::InternVl => "InternVL",
            Self::PaliGemma => "PaliGemma",
        }
    }

    /// The family of the checkpoint `folder`: `model_type` of its `config.json`, or its `architectures` if it has none.
    ///
    /// # Errors
    /// Fails if `config.json` cannot be read or names an unknown family; the message lists the known ones.
    pub fn of(folder: &Path) -> Result<Self, CheckpointError> {
        let config = read_json(folder, "config.json", "it describes the model")?;
        let architecture = config["architectures"][0].as_str().unwrap_or_default();
        let named = match config["model_type"].as_str() {
            Some(name) => name,
            None => match architecture {
                "LlavaForConditionalGeneration" => "llava",
                "Qwen2VLForConditionalGeneration" => "qwen2_vl",
                "Qwen2_5_VLForConditionalGeneration" => "qwen2_5_vl",
                "Qwen3VLForConditionalGeneration" => "qwen3_vl",
                "SmolVLMForConditionalGeneration" => "smolvlm",
                "Idefics3ForConditionalGeneration" => "idefics3",
                "Gemma3ForConditionalGeneration" => "gemma3",
                "InternVLForConditionalGeneration" => "internvl",
                "PaliGemmaForConditionalGeneration" => "paligemma",
                other => other,
            },
        };
        match named {
            "llava" | "llava_llama" | "llava_mistral" if config["mm_vision_tower"].is_string() => {
                Err(CheckpointError::BadJson { path: folder.join("config.json"), reason: OTHER_LLAVA.into() })
            }
            "llava" => match config["vision_config"]["model_type"].as_str() {
                Some("clip_vision_model") => Ok(Self::Llava),
                None | Some("pixtral") => Ok(Self::Pixtral),
                Some(other) => {
                    let found = beginning(other, 60);
                    let reason = format!(
                        "vision_config: expected \"model_type\": \"pixtral\" or \"clip_vision_model\", found \"{found}\""
                    );
                    Err(CheckpointError::BadJson { path: folder.join("config.json"), reason })
                }
            },
            "qwen2_vl" | "qwen2_5_vl" => Ok(Self::Qwen2Vl),
            "qwen3_vl" => Ok(Self::Qwen3Vl),
            "smolvlm" | "idefics3" => Ok(Self::SmolVlm),
            "gemma3" => Ok(Self::Gemma3),
            "internvl" => Ok(Self::InternVl),
            "paligemma" => Ok(Self::PaliGemma),
            _ => Err(CheckpointError::BadJson {
                path: folder.join("config.json"),
                reason: unknown(&config["model_type"], architecture),
            }),
        }
    }

    fn load(self, folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<ReaderCheckpoint> {
        Ok(match self {
            Self::Pixtral => PixtralCheckpoint::load_with(folder, adapter, device, dtype)?.into(),
            Self::Llava => LlavaCheckpoint::load(folder, adapter, device, dtype)?,
            Self::Qwen2Vl => Qwen2VlCheckpoint::load(folder, adapter, device, dtype)?,
            Self::Qwen3Vl => Qwen3VlCheckpoint::load(folder, adapter, device, dtype)?,
            Self::SmolVlm => SmolVlmCheckpoint::load(folder, adapter, device, dtype)?,
            Self::Gemma3 => Gemma3Checkpoint::load(folder, adapter, device, dtype)?,
            Self::InternVl => InternVlCheckpoint::load(folder, adapter, device, dtype)?,
            Self::PaliGemma => PaliGemmaCheckpoint::load(folder, adapter, device, dtype)?,
        })
    }

    /// The processor of the checkpoint `folder`, and the fingerprint that the loaded checkpoint would have; weights are
    /// hashed, not loaded.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or if configuration, tokenizer and image processor contradict each other.
    pub fn read_processor(self, folder: &Path) -> Result<(Arc<dyn PromptProcessor>, Fingerprint)> {
        Ok(match self {
            Self::Pixtral => {
                let processor = PixtralProcessor::read(folder)?;
                let fingerprint = pixtral_fingerprint(folder, &processor)?;
                (Arc::new(processor), fingerprint)
            }
            Self::Llava => {
                let (processor, _) = LlavaProcessor::read(folder, &LlavaConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
            Self::Qwen2Vl => {
                let (processor, _) = Qwen2VlProcessor::read(folder, &Qwen2VlConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
            Self::Qwen3Vl => {
                let (processor, _) = read_qwen3_processor(folder, &Qwen3VlConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
            Self::SmolVlm => {
                let (processor, _) = SmolVlmProcessor::read(folder, &SmolVlmConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
            Self::Gemma3 => {
                let (processor, _) = Gemma3Processor::read(folder, &Gemma3Config::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
            Self::InternVl => {
                let (processor, _) = InternVlProcessor::read(folder, &InternVlConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
            Self::PaliGemma => {
                let (processor, _) = PaliGemmaProcessor::read(folder, &PaliGemmaConfig::read(folder)?)?;
                let fingerprint = fingerprint_with(folder, processor.template())?;
                (Arc::new(processor), fingerprint)
            }
        })
    }

    /// The decoder's hidden size in the checkpoint `folder`.
    ///
    /// # Errors
    /// Fails if `config.json` cannot be read.
    pub fn text_hidden(self, folder: &Path) -> Result<usize> {
        Ok(match self {
            Self::Pixtral => PixtralConfig::read(folder)?.text.hidden,
            Self::Llava => LlavaConfig::read(folder)?.text.hidden,
            Self::Qwen2Vl => Qwen2VlConfig::read(folder)?.text.hidden,
            Self::Qwen3Vl => Qwen3VlConfig::read(folder)?.text.hidden,
            Self::SmolVlm => SmolVlmConfig::read(folder)?.text.hidden,
            Self::Gemma3 => Gemma3Config::read(folder)?.text.hidden,
            Self::InternVl => InternVlConfig::read(folder)?.text.hidden,
            Self::PaliGemma => PaliGemmaConfig::read(folder)?.text.hidden,
        })
    }
}

fn unknown(model_type: &Value, architecture: &str) -> String {
    let found = match model_type.as_str() {
        Some(name) => format!("\"model_type\": \"{name}\""),
        None => format!("no model_type and the architecture \"{architecture}\""),
    };
    format!(
        "no known reader: expected one of {KNOWN_READERS}, found {found}; other models can read on a server (--reader \
         http://HOST:PORT)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn family(config: &str) -> Result<ReaderFamily, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        ReaderFamily::of(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn model_type_or_architecture_decides() {
        assert_eq!(family(r#"{"model_type": "llava"}"#), Ok(ReaderFamily::Pixtral));
        let llava = r#"{"model_type": "llava", "vision_config": {"model_type": "clip_vision_model"}}"#;
        assert_eq!(family(llava), Ok(ReaderFamily::Llava));
        assert_eq!(family(r#"{"model_type": "qwen2_5_vl"}"#), Ok(ReaderFamily::Qwen2Vl));
        assert_eq!(family(r#"{"architectures": ["SmolVLMForConditionalGeneration"]}"#), Ok(ReaderFamily::SmolVlm));
    }

    #[test]
    fn the_layout_of_llavas_own_code_is_refused_with_the_way_out() {
        for model_type in ["llava_mistral", "llava"] {
            let config = format!(r#"{{"model_type": "{model_type}", "mm_vision_tower": "openai/clip"}}"#);
            let message = family(&config).unwrap_err();
            assert!(message.contains("scripts/llava-settings"), "{message}");
        }
    }

    #[test]
    fn an_unknown_family_names_the_known_ones() {
        for config in [r#"{"model_type": "gemma9"}"#, r#"{"architectures": ["Gemma9"]}"#, "{}"] {
            let message = family(config).unwrap_err();
            assert!(message.contains("qwen2_vl") && message.contains("llava (Pixtral, LLaVA 1.5)"), "{message}");
        }
        assert!(family(r#"{"model_type": "gemma9"}"#).unwrap_err().contains("gemma9"));
    }
}
