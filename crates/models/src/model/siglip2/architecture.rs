//! SigLIP 2 NaFlex as a dual encoder.

use super::config::Siglip2Config;
use super::vision::VisionTower;
use crate::model::checkpoint::{CheckpointError, Weights};
use crate::model::dual_encoder::{self, Architecture, ImageTower, PatchProcessor, PictureProcessor, TextArchitecture};
use crate::model::layers::Mode;
use crate::model::siglip::tokenizer_config;
use crate::model::tokenizer::{Cleaning, Tokenizer};
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

impl Architecture for Siglip2Config {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }

    fn pooled_width(&self) -> usize {
        self.0.pooled_width()
    }

    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn ImageTower>> {
        Ok(Arc::new(VisionTower::new(&self.0.vision_config, mode, &vars.pp("vision_model"))?))
    }

    fn weights(&self, folder: &Path) -> Result<Weights, CheckpointError> {
        self.0.weights(folder)
    }

    fn processor(&self, folder: &Path) -> Result<PictureProcessor, CheckpointError> {
        Ok(PictureProcessor::Patches(PatchProcessor::read(folder, self.0.vision_config.patch_size)?))
    }

    fn text(&self) -> Option<&dyn TextArchitecture> {
        Some(self)
    }
}

impl TextArchitecture for Siglip2Config {
    fn vocabulary(&self) -> usize {
        self.0.vocabulary()
    }

    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn dual_encoder::TextTower>> {
        self.0.text_tower(vars, mode)
    }

    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer> {
        // transformers always uses `Siglip2Tokenizer`, although published files name Gemma's tokenizer.
        let keeps_case = tokenizer_config(folder)?["do_lower_case"] == false;
        let cleaning = if keeps_case { Cleaning::Nothing } else { Cleaning::Lowercase };
        self.0.tokenizer_that_cleans(folder, cleaning)
    }
}
