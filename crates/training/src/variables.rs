//! The variables of a model in one fixed order.

use candle_core::Var;
use candle_nn::VarMap;
use std::sync::PoisonError;

/// All variables, sorted by name, so that sums over them have one order and a run repeats bit for bit.
pub fn sorted_variables(variables: &VarMap) -> Vec<(String, Var)> {
    let map = variables.data().lock().unwrap_or_else(PoisonError::into_inner);
    let mut sorted: Vec<(String, Var)> = map.iter().map(|(name, variable)| (name.clone(), variable.clone())).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    sorted
}

/// The variables as pairs of references, for [`super::gradients::Gradients`].
pub fn named(weights: &[(String, Var)]) -> impl Iterator<Item = (&str, &Var)> {
    weights.iter().map(|(name, variable)| (name.as_str(), variable))
}
