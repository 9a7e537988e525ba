//! ViT patch embedding: a convolution whose stride equals its kernel size.

use super::add_per_channel;
use candle_core::{Result, Tensor};
use candle_nn::{Init, VarBuilder};

/// Sizes of a patch embedding.
#[derive(Clone, Copy, Debug)]
pub struct PatchShape {
    pub width: usize,
    pub channels: usize,
    /// Side of the square input, in pixels.
    pub image_size: usize,
    /// Side of a square patch, in pixels.
    pub patch_size: usize,
}

impl PatchShape {
    /// Patches along one side; a rest of pixels smaller than a patch is dropped, as by a strided convolution.
    pub fn grid(self) -> usize {
        self.image_size / self.patch_size
    }
}

/// `weight` \[width, 3, patch, patch\] and, in some models, `bias` \[width\].
#[derive(Clone, Debug)]
pub struct PatchEmbedding {
    kernel: Tensor,
    bias: Option<Tensor>,
    shape: PatchShape,
}

impl PatchEmbedding {
    /// A kernel without bias; new weights are drawn from N(0, `init_std`²).
    pub(crate) fn without_bias(shape: PatchShape, init_std: f64, vars: &VarBuilder) -> Result<Self> {
        let init = Init::Randn { mean: 0.0, stdev: init_std };
        let kernel =
            vars.get_with_hints((shape.width, shape.channels, shape.patch_size, shape.patch_size), "weight", init)?;
        Ok(Self { kernel, bias: None, shape })
    }

    /// A kernel with bias; a new bias is 0.
    pub(crate) fn with_bias(shape: PatchShape, init_std: f64, vars: &VarBuilder) -> Result<Self> {
        let bias = vars.get_with_hints(shape.width, "bias", Init::Const(0.0))?;
        Ok(Self { bias: Some(bias), ..Self::without_bias(shape, init_std, vars)? })
    }

    /// Embeds `pixels` [B, 3, side, side] as patches [B, grid², width] in row-major order.
    ///
    /// # Errors
    /// Fails if the pixels have another size.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let side = self.shape.image_size;
        if height != side || width != side {
            candle_core::bail!("the image tower expects {side}×{side} pixels, found {width}×{height}");
        }
        let (patch, grid) = (self.shape.patch_size, self.shape.grid());
        let used = grid * patch;
        let pixels = pixels.to_dtype(self.kernel.dtype())?.narrow(2, 0, used)?.narrow(3, 0, used)?;
        // The convolution as one matrix multiplication over unfolded patches.
        let patches = pixels
            .contiguous()?
            .reshape(vec![batch, channels, grid, patch, grid, patch])?
            .permute(vec![0, 2, 4, 1, 3, 5])?
            .reshape((batch * grid * grid, channels * patch * patch))?;
        let kernel = self.kernel.flatten_from(1)?;
        let patches = patches.matmul(&kernel.t()?)?.reshape((batch, grid * grid, ()))?;
        match &self.bias {
            None => Ok(patches),
            Some(bias) => add_per_channel(&patches, bias),
        }
    }
}
