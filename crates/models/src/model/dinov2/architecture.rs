//! DINOv2 as an encoder of images alone.

use super::config::Dinov2Config;
use super::vision::VisionTower;
use crate::model::checkpoint::{CheckpointError, TargetTensor, Weights};
use crate::model::dual_encoder::{Architecture, ImageTower, PictureProcessor, TextArchitecture};
use crate::model::layers::Mode;
use candle_nn::VarBuilder;
use std::path::Path;
use std::sync::Arc;

impl Architecture for Dinov2Config {
    fn dimension(&self) -> usize {
        self.encoder.width
    }

    fn pooled_width(&self) -> usize {
        self.encoder.width
    }

    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> candle_core::Result<Arc<dyn ImageTower>> {
        Ok(Arc::new(VisionTower::new(self, mode, &vars.pp("vision_model"))?))
    }

    fn weights(&self, folder: &Path) -> Result<Weights, CheckpointError> {
        let targets = |name: &str| match name {
            // It replaces patches in training only.
            "embeddings.mask_token" => Vec::new(),
            _ if name.starts_with("vision_model.") => vec![TargetTensor::whole(name)],
            _ => vec![TargetTensor::whole(format!("vision_model.{name}"))],
        };
        let weights = Weights::read(folder)?.rearranged(targets);
        Ok(weights.with_identity("visual_projection.weight", self.dimension()))
    }

    fn processor(&self, _: &Path) -> Result<PictureProcessor, CheckpointError> {
        Ok(PictureProcessor::FixedSize(self.processor.clone()))
    }

    fn text(&self) -> Option<&dyn TextArchitecture> {
        None
    }
}
