//! Attention with linear biases (Press, Smith, Lewis 2022), symmetric as in JinaBERT.

use candle_core::{Device, Result, Tensor};

/// The additive attention bias [1, heads, length, length]: minus the distance times the head's slope.
pub(super) fn biases(heads: usize, length: usize, device: &Device) -> Result<Tensor> {
    let mut values = Vec::with_capacity(heads * length * length);
    for slope in slopes(heads) {
        for query in 0..length {
            values.extend((0..length).map(|key| -(query.abs_diff(key) as f32) * slope));
        }
    }
    Tensor::from_vec(values, (1, heads, length, length), device)
}

/// Slopes 2^(-8/n), 2^(-16/n), … for n heads. If n is not a power of two: those of the next lower power, then every second
/// one of the next higher power.
fn slopes(heads: usize) -> Vec<f32> {
    let geometric =
        |count: usize| -> Vec<f32> { (1..=count).map(|place| (-8.0 * place as f32 / count as f32).exp2()).collect() };
    if heads.is_power_of_two() {
        return geometric(heads);
    }
    let below = heads.next_power_of_two() / 2;
    let mut slopes = geometric(below);
    slopes.extend(geometric(2 * below).into_iter().step_by(2).take(heads - below));
    slopes
}

#[cfg(test)]
mod tests {
    use super::slopes;

    #[test]
    fn slopes_match_the_paper() {
        assert_eq!(slopes(8), [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625]);
        let twelve = slopes(12);
        assert_eq!(twelve[..8], slopes(8));
        let halves = [-0.5_f32, -1.5, -2.5, -3.5].map(f32::exp2);
        assert!(twelve[8..].iter().zip(halves).all(|(found, expected)| (found - expected).abs() < 1e-7), "{twelve:?}");
    }
}
