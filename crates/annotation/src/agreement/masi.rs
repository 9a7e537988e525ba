//! The distance of two sets of categories.

/// Measuring Agreement on Set-valued Items (Passonneau 2006): 1 − Jaccard · monotonicity, where monotonicity is 1 for
/// equal sets, 2/3 if one contains the other, 1/3 if they overlap otherwise, and 0 for disjoint ones. Sets are in
/// ascending order. Two empty sets are equal.
pub fn masi_distance<T: PartialEq>(one: &[T], other: &[T]) -> f64 {
    if one == other {
        return 0.0;
    }
    let common = one.iter().filter(|category| other.contains(category)).count();
    let union = one.len() + other.len() - common;
    let monotonicity = if common == one.len().min(other.len()) { 2.0 / 3.0 } else { 1.0 / 3.0 };
    1.0 - common as f64 / union as f64 * monotonicity
}
