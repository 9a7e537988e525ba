//! SigLIP as a dual encoder.

use super::config::SiglipConfig;
use super::text::TextTower;
use super::vision::VisionTower;
use crate::model::checkpoint::{CheckpointError, Weights, read_json};
use crate::model::dual_encoder::{self, Architecture, ImageProcessor, ImageTower, PictureProcessor, TextArchitecture};
use crate::model::layers::Mode;
use crate::model::tokenizer::{Cleaning, Tokenizer};
use candle_nn::VarBuilder;
use dissent_core::files::input_file::is_there;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

impl Architecture for SiglipConfig {
    fn dimension(&self) -> usize {
        self.vision_config.hidden_size
    }

    fn pooled_width(&self) -> usize {
        self.vision_config.hidden_size
    }

    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn ImageTower>> {
        Ok(Arc::new(VisionTower::new(&self.vision_config, mode, &vars.pp("vision_model"))?))
    }

    fn weights(&self, folder: &Path) -> Result<Weights, CheckpointError> {
        Ok(Weights::read(folder)?.with_identity("visual_projection.weight", self.dimension()))
    }

    fn processor(&self, folder: &Path) -> Result<PictureProcessor, CheckpointError> {
        let side = self.vision_config.image_size;
        let usual = ImageProcessor::siglip(side as u32);
        Ok(PictureProcessor::FixedSize(ImageProcessor::read_for(folder, &usual, side)?))
    }

    fn text(&self) -> Option<&dyn TextArchitecture> {
        Some(self)
    }
}

impl TextArchitecture for SiglipConfig {
    fn vocabulary(&self) -> usize {
        self.text_config.vocab_size
    }

    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn dual_encoder::TextTower>> {
        Ok(Arc::new(TextTower::new(&self.text_config, mode, &vars.pp("text_model"))?))
    }

    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer> {
        self.tokenizer_that_cleans(folder, cleaning(folder)?)
    }
}

impl SiglipConfig {
    /// Reads the tokenizer, with the given cleaning of texts.
    ///
    /// # Errors
    /// Fails if a file is missing or broken.
    pub(in crate::model) fn tokenizer_that_cleans(
        &self,
        folder: &Path,
        cleaning: Cleaning,
    ) -> anyhow::Result<Tokenizer> {
        let text = &self.text_config;
        let length = text.max_position_embeddings;
        let tokenizer = Tokenizer::read(folder, length, text.pad_token_id.unwrap_or(1))?;
        // The text is pooled at the last position, so it must be padded to full length as in training.
        Ok(tokenizer.padded_to(length).cleaning(cleaning))
    }
}

/// The cleaning that the checkpoint's tokenizer class in transformers applies in addition to `tokenizer.json`. The Gemma
/// tokenizers named in SigLIP 2 checkpoints ignore `do_lower_case`.
fn cleaning(folder: &Path) -> Result<Cleaning, CheckpointError> {
    let config = tokenizer_config(folder)?;
    Ok(match config["tokenizer_class"].as_str().unwrap_or("SiglipTokenizer") {
        "SiglipTokenizer" | "SiglipTokenizerFast" if config["do_lower_case"] == false => {
            let path = folder.join("tokenizer_config.json");
            let reason = "field do_lower_case: expected true with SiglipTokenizer, found false".to_string();
            return Err(CheckpointError::BadJson { path, reason });
        }
        "SiglipTokenizer" | "SiglipTokenizerFast" => Cleaning::Canonical,
        "Siglip2Tokenizer" => Cleaning::Lowercase,
        _ => Cleaning::Nothing,
    })
}

/// The content of `tokenizer_config.json`; null if there is none.
///
/// # Errors
/// Fails if the file is broken.
pub(in crate::model) fn tokenizer_config(folder: &Path) -> Result<Value, CheckpointError> {
    if !is_there(&folder.join("tokenizer_config.json")) {
        return Ok(Value::Null);
    }
    read_json(folder, "tokenizer_config.json", "it names the special tokens")
}
