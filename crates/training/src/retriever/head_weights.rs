//! A head with its variables: the head in training, and its snapshot, which fetches candidates.

use crate::variables::sorted_variables;
use anyhow::Result;
use candle_core::{DType, Tensor, Var};
use candle_nn::VarMap;
use dissent_models::model::checkpoint::Weights;
use dissent_models::model::dual_encoder::DualEncoder;
use dissent_models::model::initialise::seeded_builder;
use dissent_models::model::layers::Mode;
use dissent_retrieval::retriever::heads::{HeadKind, QueryHead, QueryInputs};
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
    /// A new head, equal to the encoder itself.
    ///
    /// # Errors
    /// Fails if the encoder's weights cannot be read.
    pub fn of_base(kind: HeadKind, encoder: &DualEncoder, base: &Weights, alpha: f64, mode: Mode) -> Result<Self> {
        let map = VarMap::new();
        // The drawn values are all replaced: by the base's weights, and by zeros in the question map.
        let builder = seeded_builder(&map, 0, DType::F32, encoder.device());
        let head = QueryHead::new(kind, encoder.architecture(), alpha, &builder, mode)?;
        base.load_part_into(&map, kind.taken_from_base())?;
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
