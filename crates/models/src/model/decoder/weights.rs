//! The source of a decoder's weights: safetensors, a variable map, or a GGUF file.

use crate::model::gguf::GgufDecoder;
use crate::model::layers::{Linear, Matrix, linear, linear_without_bias};
use candle_core::{Error, Result};
use candle_nn::{Init, VarBuilder};
use std::sync::Arc;

/// A variable builder and, for quantised checkpoints, the GGUF file with the matrices. Norms and biases always come from
/// the builder.
#[derive(Clone)]
pub(in crate::model) struct LayerWeights<'a> {
    plain: VarBuilder<'a>,
    quantised: Option<Arc<GgufDecoder>>,
}

impl<'a> LayerWeights<'a> {
    pub fn new(plain: &VarBuilder<'a>, quantised: Option<&Arc<GgufDecoder>>) -> Self {
        Self { plain: plain.clone(), quantised: quantised.cloned() }
    }

    /// The weights below `name`, as [`VarBuilder::pp`].
    pub fn pp(&self, name: impl ToString) -> Self {
        Self { plain: self.plain.pp(name), quantised: self.quantised.clone() }
    }

    /// The builder for weights that are never quantised.
    pub fn plain(&self) -> &VarBuilder<'a> {
        &self.plain
    }

    /// The matrix `name` with `shape` `[outputs, inputs]`; a new one is initialised by `init`.
    pub fn matrix(&self, shape: (usize, usize), name: &str, init: Init) -> Result<Matrix> {
        match self.stored(name)? {
            Some(matrix) => Ok(matrix),
            None => Ok(Matrix::Plain(self.plain.get_with_hints(shape, name, init)?)),
        }
    }

    /// True if the decoder comes from a GGUF file.
    pub fn is_quantised(&self) -> bool {
        self.quantised.is_some()
    }

    /// True if the GGUF file has a matrix of this name.
    pub fn has_stored(&self, name: &str) -> bool {
        let full = self.full_name(name);
        self.quantised.as_ref().is_some_and(|file| file.shapes().any(|(known, _)| known == full))
    }

    /// A linear layer; new weights are drawn from N(0, `init_std`²).
    pub fn linear(&self, bias: bool, inputs: usize, outputs: usize, init_std: f64) -> Result<Linear> {
        match self.stored("weight")? {
            Some(matrix) if bias => Ok(Linear::new(matrix, Some(self.plain.get(outputs, "bias")?))),
            Some(matrix) => Ok(Linear::new(matrix, None)),
            None if bias => linear(inputs, outputs, init_std, &self.plain),
            None => linear_without_bias(inputs, outputs, init_std, &self.plain),
        }
    }

    fn stored(&self, name: &str) -> Result<Option<Matrix>> {
        let Some(file) = &self.quantised else { return Ok(None) };
        let stored = file.quantised(&self.full_name(name), self.plain.device());
        stored.map_err(|error| Error::Wrapped(Box::new(error)))?.map(Matrix::of_stored).transpose()
    }

    fn full_name(&self, name: &str) -> String {
        match self.plain.prefix().as_str() {
            "" => name.to_string(),
            prefix => format!("{prefix}.{name}"),
        }
    }
}
