//! What a family of dual encoders is.

use super::{PictureProcessor, Pixels};
use crate::model::checkpoint::{CheckpointError, Weights};
use crate::model::layers::{Linear, Mode, linear_without_bias};
use crate::model::tokenizer::Tokenizer;
use candle_core::{Result, Tensor};
use candle_nn::VarBuilder;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

/// A family's configuration, which knows how to build its networks and read the files beside them.
///
/// Whatever a family calls its tensors on disk, [`Self::weights`] gives them the same outer names: the image tower is
/// below `vision_model.`, and `visual_projection.weight` [D, H] takes its output to the shared space. Where a family has
/// no such projection it is the matrix that changes nothing. Trained heads are saved under these names.
pub trait Architecture: Debug + Send + Sync {
    /// D, the length of the vectors.
    fn dimension(&self) -> usize;

    /// H, the width of the image tower's pooled output.
    fn pooled_width(&self) -> usize;

    /// Number of token ids that the text tower knows.
    fn vocabulary(&self) -> usize;

    /// The image tower, below `vision_model.` of `vars`; differentiable in [`Mode::Train`].
    ///
    /// # Errors
    /// A tensor that is missing or of the wrong shape.
    fn image_tower(&self, vars: &VarBuilder, mode: Mode) -> Result<Arc<dyn ImageTower>>;

    /// The text tower with its projection.
    ///
    /// # Errors
    /// A tensor that is missing or of the wrong shape.
    fn text_tower(&self, vars: &VarBuilder, mode: Mode) -> Result<Arc<dyn TextTower>>;

    /// The weights of `folder` under the names above.
    ///
    /// # Errors
    /// A missing or broken file.
    fn weights(&self, folder: &Path) -> std::result::Result<Weights, CheckpointError>;

    /// How texts become tokens.
    ///
    /// # Errors
    /// A missing or broken file.
    fn tokenizer(&self, folder: &Path) -> anyhow::Result<Tokenizer>;

    /// How pictures become pixels.
    ///
    /// # Errors
    /// A missing or broken file.
    fn processor(&self, folder: &Path) -> std::result::Result<PictureProcessor, CheckpointError>;
}

/// The image side of a dual encoder, without the projection.
pub trait ImageTower: Debug + Send + Sync {
    /// The pooled output [B, H] of `pixels`.
    ///
    /// # Errors
    /// Pixels of another size, or in another form.
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor>;
}

/// The text side of a dual encoder.
pub trait TextTower: Debug + Send + Sync {
    /// Embeddings [B, D] of `ids` [B, T] (u32), padded on the right; not normalised.
    ///
    /// # Errors
    /// More tokens than the tower has positions.
    fn features(&self, ids: &Tensor) -> Result<Tensor>;
}

/// The projection [D, H] of an image tower's output into the shared space.
///
/// # Errors
/// If it is missing or of the wrong shape.
pub fn image_projection(architecture: &dyn Architecture, vars: &VarBuilder) -> Result<Linear> {
    let inputs = architecture.pooled_width();
    let deviation = (inputs as f64).powf(-0.5);
    linear_without_bias(inputs, architecture.dimension(), deviation, &vars.pp("visual_projection"))
}
