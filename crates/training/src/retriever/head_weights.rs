//! A head with its variables: the one in training, and the snapshot of it that fetches candidates.

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

/// Cases whose queries are computed together where nothing is learned.
const BATCH: usize = 128;

/// A head over variables of its own.
pub struct HeadWeights {
    pub head: QueryHead,
    /// Sorted by name.
    pub variables: Vec<(String, Var)>,
}

impl HeadWeights {
    /// A head that is the encoder itself, so far.
    ///
    /// # Errors
    /// Fails if the encoder's weights cannot be read.
    pub fn of_base(kind: HeadKind, encoder: &DualEncoder, base: &Weights, alpha: f64, mode: Mode) -> Result<Self> {
        let map = VarMap::new();
        // No variable keeps what is drawn here: they come from the base, and the question map begins at zero.
        let builder = seeded_builder(&map, 0, DType::F32, encoder.device());
        let head = QueryHead::new(kind, encoder.architecture(), alpha, &builder, mode)?;
        base.load_part_into(&map, kind.taken_from_base())?;
        Ok(Self { head, variables: sorted_variables(&map) })
    }

    /// Takes over the values of another head of the same kind.
    pub fn copy_from(&self, other: &Self) -> Result<()> {
        for ((_, own), (_, theirs)) in self.variables.iter().zip(&other.variables) {
            // A copy: a variable's storage is changed in place by the next step.
            own.set(&theirs.as_tensor().copy()?)?;
        }
        Ok(())
    }

    /// The variables with a prefix before their names.
    pub fn named(&self, prefix: &str) -> Vec<(String, Var)> {
        self.variables.iter().map(|(name, variable)| (format!("{prefix}.{name}"), variable.clone())).collect()
    }

    /// The values with a prefix before their names.
    pub fn tensors(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        self.named(prefix).into_iter().map(|(name, variable)| (name, variable.as_detached_tensor())).collect()
    }

    /// Number of trained numbers.
    pub fn count(&self) -> usize {
        self.variables.iter().map(|(_, variable)| variable.elem_count()).sum()
    }
}

/// Query vectors of these cases, without a graph.
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
