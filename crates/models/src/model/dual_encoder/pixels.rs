//! Preprocessed images, the input of image towers.

use candle_core::{Device, Result, Tensor};

/// A batch of preprocessed images.
#[derive(Clone, Debug)]
pub struct Pixels {
    values: Tensor,
    /// Patch grid of each image; empty for images of fixed size.
    grids: Vec<PatchGrid>,
}

/// The patch grid of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchGrid {
    pub rows: usize,
    pub columns: usize,
}

impl PatchGrid {
    /// Number of patches.
    pub fn count(self) -> usize {
        self.rows * self.columns
    }
}

impl Pixels {
    /// Number of images.
    ///
    /// # Errors
    /// Fails if the values have no dimension.
    pub fn count(&self) -> Result<usize> {
        self.values.dim(0)
    }

    /// Images of the same size, [B, 3, height, width].
    pub fn whole(values: Tensor) -> Self {
        Self { values, grids: Vec::new() }
    }

    /// Images of different sizes as patches in row-major order, [B, N, 3 · patch²]; patches beyond an image's grid are padding.
    pub(crate) fn in_patches(values: Tensor, grids: Vec<PatchGrid>) -> Self {
        Self { values, grids }
    }

    /// The values in either form.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// The values [B, 3, height, width] of images of fixed size.
    ///
    /// # Errors
    /// Fails if the images are split into patches.
    pub(crate) fn as_whole(&self) -> Result<&Tensor> {
        if !self.grids.is_empty() {
            candle_core::bail!("the image tower expects images of fixed size, found patches");
        }
        Ok(&self.values)
    }

    /// The patches [B, N, 3 · patch²] and the grid of each image.
    ///
    /// # Errors
    /// Fails if the images are not split into patches, or a grid has more than N patches.
    pub(crate) fn as_patches(&self) -> Result<(&Tensor, &[PatchGrid])> {
        let (pictures, patches, _) = self.values.dims3()?;
        if self.grids.len() != pictures {
            candle_core::bail!("{pictures} images have {} patch grids", self.grids.len());
        }
        if let Some(grid) = self.grids.iter().find(|grid| !(1..=patches).contains(&grid.count())) {
            candle_core::bail!("a grid of {} by {} patches exceeds {patches}", grid.rows, grid.columns);
        }
        Ok((&self.values, &self.grids))
    }

    /// Moves the values to `device`.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self { values: self.values.to_device(device)?, grids: self.grids.clone() })
    }
}
