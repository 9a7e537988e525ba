//! A head with its variables: the head in training, and its snapshot, which fetches candidates.

use crate::variables::sorted_variables;
use anyhow::{Context, Result};
use candle_core::{DType, Tensor, Var};
use candle_nn::VarMap;
use dissent_models::model::checkpoint::Weights;
use dissent_models::model::initialise::seeded_builder;
use dissent_models::model::layers::Mode;
use dissent_retrieval::retriever::heads::{HeadBase, HeadKind, QueryHead, QueryInputs};
use std::collections::BTreeMap;

/// Number of cases per batch when queries are computed without training.
const BATCH: usize = 128;

/// A head with its own variables.
pub struct HeadWeights {
    pub head: QueryHead,
    /// Sorted by name.
    pub variables: Vec<(String, Var)>,
}

impl HeadWeights {
    /// A new head, equal to its base: the encoder with these weights, or the given vectors, which have none.
    ///
    /// # Errors
    /// Fails if the encoder's weights cannot be read, or such a head needs an encoder and there is none.
    pub fn of_base(kind: HeadKind, base: HeadBase, weights: Option<&Weights>, alpha: f64, mode: Mode) -> Result<Self> {
        let map = VarMap::new();
        // The drawn values are all replaced: by the base's weights, and by zeros in the question map.
        let builder = seeded_builder(&map, 0, DType::F32, base.device());
        let head = base.head(kind, alpha, &builder, mode)?;
        match (base, weights) {
            (HeadBase::Encoder(_), weights) => {
                weights.context("expected the weights of the encoder")?.load_part_into(&map, kind.taken_from_base())?;
            }
            (HeadBase::Given { dimension, .. }, _) => {
                let identity = Tensor::eye(dimension, DType::F32, base.device())?;
                for (_, variable) in sorted_variables(&map) {
                    variable.set(&identity)?;
                }
            }
        }
        Ok(Self { head, variables: sorted_variables(&map) })
    }

    /// Copies the values of another head of the same kind.
    pub fn copy_from(&self, other: &Self) -> Result<()> {
        for ((_, own), (_, theirs)) in self.variables.iter().zip(&other.variables) {
            // `copy` is needed: the next step changes a variable's storage in place.
            own.set(&theirs.as_tensor().copy()?)?;
        }
        Ok(())
    }

    /// The variables, with a prefix before their names.
    pub fn named(&self, prefix: &str) -> Vec<(String, Var)> {
        self.variables.iter().map(|(name, variable)| (format!("{prefix}.{name}"), variable.clone())).collect()
    }

    /// The values, with a prefix before their names.
    pub fn tensors(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        self.named(prefix).into_iter().map(|(name, variable)| (name, variable.as_detached_tensor())).collect()
    }

    /// Number of trained parameters.
    pub fn count(&self) -> usize {
        self.variables.iter().map(|(_, variable)| variable.elem_count()).sum()
    }
}

/// Query vectors of these cases, computed without a gradient graph.
///
/// # Errors
/// Fails if the network cannot be run.
pub fn query_vectors(
    head: &QueryHead,
    cases: &[usize],
    inputs: impl Fn(&[usize]) -> Result<QueryInputs>,
) -> Result<Vec<Vec<f32>>> {
    let mut vectors = Vec::with_capacity(cases.len());
    for batch in cases.chunks(BATCH) {
        vectors.extend(head.queries(&inputs(batch)?)?.detach().to_vec2()?);
    }
    Ok(vectors)
}
