//! MobileCLIP's image tower: FastViT (Vasu et al. 2023) in timm's sizes `fastvit_mci0` to `fastvit_mci2`, computed by
//! candle-transformers.
//!
//! It merges the branches of each block while loading, and passes over a branch of which a tensor is missing or has another
//! shape. So every tensor is checked before.

use crate::model::checkpoint::{Weights, is_harmless};
use crate::model::dual_encoder::{ImageTower, Pixels};
use crate::model::layers::Mode;
use candle_core::{DType, Result, Tensor};
use candle_nn::{Func, Module, VarBuilder};
use candle_transformers::models::fastvit;

/// The sizes of the tower whose arithmetic candle-transformers has.
pub(super) const SIZES: [&str; 3] = ["fastvit_mci0", "fastvit_mci1", "fastvit_mci2"];
/// Width of an attention head in every size.
const HEAD_WIDTH: usize = 32;
/// Most blocks in a stage; published ones have 24.
const MOST_BLOCKS: usize = 1000;
/// Parameters of a batch norm; the count of batches, which is stored too, has no effect.
const BATCH_NORM: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// Sizes of the tower.
#[derive(Clone, Debug)]
pub(super) struct FastVitShape {
    config: fastvit::Config,
    pub dimension: usize,
    pub image_size: usize,
}

impl FastVitShape {
    /// Takes the sizes from `weights`, since the configuration contains only a name.
    ///
    /// # Errors
    /// Fails if the blocks' branches are merged already, or a tensor has no counterpart in the network.
    pub fn of(weights: &Weights, dimension: usize, image_size: usize) -> std::result::Result<Self, String> {
        let size = |name: &str, place: usize| -> usize {
            let shape = weights.shape(&format!("vision_model.{name}")).unwrap_or_default();
            shape.get(place).copied().unwrap_or(0)
        };
        let channels = size("stem.0.conv_kxk.0.conv.weight", 0);
        let mut blocks = [0; 4];
        for (stage, count) in blocks.iter_mut().enumerate() {
            *count = weights.layers_below(&format!("vision_model.stages.{stage}.blocks."));
        }
        let exp_ratio = size("stages.0.blocks.0.mlp.fc1.weight", 0) / channels.max(1);
        let config = fastvit::Config { exp_ratio, in_channels: channels, blocks, attn: true, lkc_use_act: true };
        let names = weights.names();
        let mut of_tower = names.iter().filter_map(|name| name.strip_prefix("vision_model."));
        if of_tower.clone().any(|name| name.contains("reparam_conv")) {
            return Err(
                "image tower: the blocks' branches are merged (reparam_conv); expected the published checkpoint, \
                        whose branches are separate"
                    .into(),
            );
        }
        if channels == 0
            || !(8 * channels).is_multiple_of(HEAD_WIDTH)
            || blocks.iter().any(|count| *count > MOST_BLOCKS)
        {
            return Err(format!(
                "image tower: expected a FastViT whose first tensor has a multiple of {} channels, found {channels}, and \
                 {blocks:?} blocks",
                HEAD_WIDTH / 8
            ));
        }
        let shape = Self { config, dimension, image_size };
        let expected = shape.tensors();
        let is_known = |name: &str| is_harmless(name, false) || expected.iter().any(|(expected, _)| expected == name);
        if let Some(name) = of_tower.find(|name| !is_known(name)) {
            return Err(format!(
                "image tower: tensor vision_model.{name} has no counterpart in the model that timm_model_name describes"
            ));
        }
        Ok(shape)
    }

    /// Names and shapes of all tensors.
    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut tensors = Tensors::default();
        let (base, ratio) = (self.config.in_channels, self.config.exp_ratio);
        tensors.block("stem.0", (3, base), 3, 1, None);
        tensors.block("stem.1", (base, base), 3, base, None);
        tensors.block("stem.2", (base, base), 1, 1, None);
        tensors.batch_norm("stem.2.identity", base);
        for (stage, count) in self.config.blocks.iter().enumerate() {
            let (width, place) = (base << stage, format!("stages.{stage}"));
            if stage > 0 {
                let below = format!("{place}.downsample.proj");
                for (name, kernel) in [("large_conv", 7), ("small_conv", 3)] {
                    tensors.conv_norm(&format!("{below}.0.{name}"), (width, 1, kernel));
                }
                if stage > 1 {
                    tensors.squeeze(&format!("{below}.0.se"), width, width / 4);
                }
                tensors.block(&format!("{below}.1"), (width, width), 1, 1, None);
                tensors.batch_norm(&format!("{below}.1.identity"), width);
            }
            if stage == 3 {
                tensors.add(&format!("{place}.pos_emb.pos_enc.weight"), &[width, 1, 7, 7]);
                tensors.add(&format!("{place}.pos_emb.pos_enc.bias"), &[width]);
            }
            for number in 0..*count {
                let place = format!("{place}.blocks.{number}");
                if stage == 3 {
                    tensors.attention(&place, width);
                } else {
                    tensors.mixer(&place, width);
                }
                tensors.conv_norm(&format!("{place}.mlp.conv"), (width, 1, 7));
                tensors.linear(&format!("{place}.mlp.fc1"), &[width * ratio, width, 1, 1]);
                tensors.linear(&format!("{place}.mlp.fc2"), &[width, width * ratio, 1, 1]);
            }
        }
        tensors.block("final_conv", (8 * base, 16 * base), 3, 8 * base, Some(base));
        tensors.linear("head.fc", &[self.dimension, 16 * base]);
        tensors.0
    }
}

/// A list of expected tensors.
#[derive(Debug, Default)]
struct Tensors(Vec<(String, Vec<usize>)>);

impl Tensors {
    fn add(&mut self, name: &str, shape: &[usize]) {
        self.0.push((name.to_string(), shape.to_vec()));
    }

    fn linear(&mut self, name: &str, shape: &[usize]) {
        self.add(&format!("{name}.weight"), shape);
        self.add(&format!("{name}.bias"), &shape[..1]);
    }

    fn batch_norm(&mut self, name: &str, channels: usize) {
        for part in BATCH_NORM {
            self.add(&format!("{name}.{part}"), &[channels]);
        }
    }

    /// A square convolution and its norm.
    fn conv_norm(&mut self, name: &str, (outputs, inputs, kernel): (usize, usize, usize)) {
        self.add(&format!("{name}.conv.weight"), &[outputs, inputs, kernel, kernel]);
        self.batch_norm(&format!("{name}.bn"), outputs);
    }

    /// The branches of a block with convolutions (`MobileOneBlock`), without the identity.
    fn block(
        &mut self,
        name: &str,
        (inputs, outputs): (usize, usize),
        kernel: usize,
        groups: usize,
        squeezed: Option<usize>,
    ) {
        self.conv_norm(&format!("{name}.conv_kxk.0"), (outputs, inputs / groups, kernel));
        if kernel > 1 {
            self.conv_norm(&format!("{name}.conv_scale"), (outputs, inputs / groups, 1));
        }
        if let Some(squeezed) = squeezed {
            self.squeeze(&format!("{name}.se"), outputs, squeezed);
        }
    }

    /// Squeeze-and-excitation.
    fn squeeze(&mut self, name: &str, channels: usize, squeezed: usize) {
        self.linear(&format!("{name}.fc1"), &[squeezed, channels, 1, 1]);
        self.linear(&format!("{name}.fc2"), &[channels, squeezed, 1, 1]);
    }

    fn mixer(&mut self, place: &str, width: usize) {
        let mixer = format!("{place}.token_mixer");
        self.add(&format!("{place}.layer_scale.gamma"), &[width, 1, 1]);
        self.add(&format!("{mixer}.layer_scale.gamma"), &[width, 1, 1]);
        self.batch_norm(&format!("{mixer}.norm.identity"), width);
        self.block(&format!("{mixer}.mixer"), (width, width), 3, width, None);
        self.batch_norm(&format!("{mixer}.mixer.identity"), width);
    }

    fn attention(&mut self, place: &str, width: usize) {
        self.add(&format!("{place}.layer_scale_1.gamma"), &[width, 1, 1]);
        self.add(&format!("{place}.layer_scale_2.gamma"), &[width, 1, 1]);
        self.batch_norm(&format!("{place}.norm"), width);
        self.add(&format!("{place}.token_mixer.qkv.weight"), &[3 * width, width]);
        self.linear(&format!("{place}.token_mixer.proj"), &[width, width]);
    }
}

/// The tower; weights under `vision_model.`, named as in timm. It computes in f32 whatever the other weights have, since
/// candle-transformers merges branches in f32.
#[derive(Clone, Debug)]
pub(super) struct FastVit {
    network: Func<'static>,
    image_size: usize,
    dtype: DType,
}

impl FastVit {
    /// # Errors
    /// Fails if a tensor is missing or has the wrong shape, and in [`Mode::Train`]: a norm's averages would be trained.
    pub fn new(shape: &FastVitShape, mode: Mode, vars: &VarBuilder) -> Result<Self> {
        if mode == Mode::Train {
            candle_core::bail!(
                "MobileCLIP's image tower cannot be trained, as its norms are merged into convolutions: take --kind adapter"
            );
        }
        let wide = vars.to_dtype(DType::F32);
        for (name, dimensions) in shape.tensors() {
            wide.get(dimensions, &name)?;
        }
        let network = fastvit::fastvit(&shape.config, shape.dimension, wide)?;
        Ok(Self { network, image_size: shape.image_size, dtype: vars.dtype() })
    }
}

impl ImageTower for FastVit {
    /// The output of `head.fc`.
    fn pooled(&self, pixels: &Pixels) -> Result<Tensor> {
        let pixels = pixels.as_whole()?.to_dtype(DType::F32)?;
        let (batch, _, height, width) = pixels.dims4()?;
        let side = self.image_size;
        if height != side || width != side {
            candle_core::bail!("the image tower expects {side}×{side} pixels, found {width}×{height}");
        }
        // One image at a time: for several, the strides of its keys are none that candle's matmul takes.
        let mut vectors = Vec::with_capacity(batch);
        for number in 0..batch {
            vectors.push(self.network.forward(&pixels.narrow(0, number, 1)?)?);
        }
        Tensor::cat(&vectors, 0)?.to_dtype(self.dtype)
    }
}
