//! The interface that each family of dual encoders implements.

use super::{PictureProcessor, Pixels};
use crate::model::checkpoint::{CheckpointError, Weights};
use crate::model::layers::{Linear, Mode, linear_without_bias};
use crate::model::tokenizer::Tokenizer;
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

/// The configuration of a dual encoder; builds its networks and reads its tokenizer and image processor.
///
/// [`Self::weights`] maps the tensor names of every family to common ones: the image tower is below `vision_model.`, and
/// `visual_projection.weight` [D, H] projects its output to the shared space (the identity matrix for families without a
/// projection). Trained heads are saved under these names.
pub trait Architecture: Debug + Send + Sync {
    /// D, the length of the embeddings.
    fn dimension(&self) -> usize;

    /// H, the size of the image tower's pooled output.
    fn pooled_width(&self) -> usize;

    /// Builds the image tower below `vision_model.` of `vars`; differentiable in [`Mode::Train`].
    ///
    /// # Errors
    /// Fails if a tensor is missing or has the wrong shape.
    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> Result<Arc<dyn ImageTower>>;

    /// Opens the weights of `folder` under the common names.
    ///
    /// # Errors
    /// Fails if a file is missing or broken.
    fn weights(&self, folder: &Path) -> std::result::Result<Weights, CheckpointError>;

    /// Reads the image processor.
    ///
    /// # Errors
    /// Fails if a file is missing or broken.
    fn processor(&self, folder: &Path) -> std::result::Result<PictureProcessor, CheckpointError>;

    /// The text side; `None` for an encoder of images alone.
    fn text(&self) -> Option<&dyn TextArchitecture>;
}

/// The text side of a dual encoder's configuration.
pub trait TextArchitecture: Debug + Send + Sync {
    /// Vocabulary size of the text tower.
    fn vocabulary(&self) -> usize;

    /// Builds the text tower with its projection.
    ///
    /// # Errors
    /// Fails if a tensor is missing or has the wrong shape.
    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> Result<Arc<dyn TextTower>>;

    /// Reads the tokenizer.
    ///
    /// # Errors
    /// Fails if a file is missing or broken.
    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer>;
}

/// The image side of a dual encoder, without the projection.
pub trait ImageTower: Debug + Send + Sync {
    /// The pooled output [B, H] of `pixels`.
    ///
    /// # Errors
    /// Fails if the pixels have another size or form than the tower expects.
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor>;
}

/// The text side of a dual encoder.
pub trait TextTower: Debug + Send + Sync {
    /// Embeddings [B, D], not normalised, of token ids [B, T] (u32) with right padding.
    ///
    /// # Errors
    /// Fails if there are more tokens than positions.
    fn features(&self, ids: &Tensor) -> Result<Tensor>;
}

/// The projection [D, H] from the image tower's output to the shared space.
///
/// # Errors
/// Fails if it is missing or has the wrong shape.
pub fn image_projection(architecture: &dyn Architecture, vars: &VarBuilder) -> Result<Linear> {
    let inputs = architecture.pooled_width();
    let init_std = (inputs as f64).powf(-0.5);
    linear_without_bias(inputs, architecture.dimension(), init_std, &vars.pp("visual_projection"))
}
