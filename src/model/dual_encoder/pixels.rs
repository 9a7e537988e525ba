//! Pictures as image towers take them.

use candle_core::{Device, Result, Tensor};

/// A batch of pictures.
#[derive(Clone, Debug)]
pub struct Pixels {
    values: Tensor,
    /// Empty where all pictures are of the tower's one size.
    grids: Vec<PatchGrid>,
}

/// How many patches a picture has.
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
    /// Number of pictures.
    ///
    /// # Errors
    /// Values without a dimension.
    pub fn count(&self) -> Result<usize> {
        self.values.dim(0)
    }

    /// Pictures of one size, [B, 3, height, width].
    pub fn whole(values: Tensor) -> Self {
        Self { values, grids: Vec::new() }
    }

    /// Pictures of different sizes, cut into patches row by row: [B, N, 3 · patch²], of which each picture fills as many
    /// as its grid has.
    pub fn in_patches(values: Tensor, grids: Vec<PatchGrid>) -> Self {
        Self { values, grids }
    }

    /// Whatever form they have.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// Pictures of one size.
    ///
    /// # Errors
    /// Where they were cut into patches.
    pub fn as_whole(&self) -> Result<&Tensor> {
        if !self.grids.is_empty() {
            candle_core::bail!("the image tower takes pictures of one size, these were cut into patches");
        }
        Ok(&self.values)
    }

    /// Patches and the grid of each picture.
    ///
    /// # Errors
    /// Where they were not cut, or a grid has more patches than there are.
    pub fn as_patches(&self) -> Result<(&Tensor, &[PatchGrid])> {
        let (pictures, patches, _) = self.values.dims3()?;
        if self.grids.len() != pictures {
            candle_core::bail!("{pictures} pictures in patches with {} grids", self.grids.len());
        }
        if let Some(grid) = self.grids.iter().find(|grid| !(1..=patches).contains(&grid.count())) {
            candle_core::bail!("a grid of {} by {} patches, of {patches}", grid.rows, grid.columns);
        }
        Ok((&self.values, &self.grids))
    }

    /// The same on another device.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self { values: self.values.to_device(device)?, grids: self.grids.clone() })
    }
}
