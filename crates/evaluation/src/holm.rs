//! Correction for several tests in one table.

/// Holm's correction (1979): adjusts each p so that the chance of any false discovery stays below the significance
/// level. Returns the adjusted values in the given order.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (place, position) in order.into_iter().enumerate() {
        let stepped = p_values[position] * (p_values.len() - place) as f64;
        largest = largest.max(stepped.min(1.0));
        adjusted[position] = largest;
    }
    adjusted
}
