//! Elementwise functions and row sums over f32 slices, eight lanes at a time.

use rayon::prelude::*;
use wide::{bytemuck, f32x8, i32x8};

/// Elements per parallel task.
const CHUNK: usize = 1 << 14;

/// x · sigmoid(`slope` · x + `cubic` · x³) for every x of `values`, multiplied by `factors` if given. SiLU, QuickGELU and
/// the tanh approximation of GELU have this form.
pub(super) fn gated_activation(values: &[f32], slope: f32, cubic: f32, factors: Option<&[f32]>) -> Vec<f32> {
    let mut gated = values.to_vec();
    gated.par_chunks_mut(CHUNK).enumerate().for_each(|(number, chunk)| {
        gated_activation_chunk(chunk, slope, cubic);
        if let Some(factors) = factors {
            for (value, factor) in chunk.iter_mut().zip(&factors[number * CHUNK..]) {
                *value *= factor;
            }
        }
    });
    gated
}

/// [`gated_activation`] of one chunk, in place and without factors.
pub(super) fn gated_activation_chunk(values: &mut [f32], slope: f32, cubic: f32) {
    let one = f32x8::splat(1.0);
    let gated = |x: f32x8| {
        let inner = x * (f32x8::splat(slope) + f32x8::splat(cubic) * x * x);
        x / (one + exp(-inner))
    };
    let (lanes, rest) = values.as_chunks_mut::<8>();
    for lane in lanes {
        *lane = gated(f32x8::new(*lane)).to_array();
    }
    let mut last = [0.0; 8];
    last[..rest.len()].copy_from_slice(rest);
    rest.copy_from_slice(&gated(f32x8::new(last)).to_array()[..rest.len()]);
}

/// Σ `function`(x) over the row; `function` must map 0 to 0, since the last lanes are padded with zeros.
pub(super) fn sum_of(row: &[f32], function: impl Fn(f32x8) -> f32x8) -> f32 {
    let (lanes, rest) = row.as_chunks::<8>();
    let mut last = [0.0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut sums = function(f32x8::new(last));
    for lane in lanes {
        sums += function(f32x8::new(*lane));
    }
    sums.reduce_add()
}

/// Replaces each score by exp(score - largest score) and returns the reciprocal of their sum: multiplying by it gives the
/// softmax. At least one score must be above -inf.
///
/// If a score is NaN or +inf, the row and the result become NaN.
pub(super) fn exp_for_softmax(row: &mut [f32]) -> f32 {
    let (lanes, rest) = row.as_chunks_mut::<8>();
    let mut largest = f32x8::splat(f32::NEG_INFINITY);
    let mut unknown = f32x8::splat(0.0);
    for lane in lanes.iter() {
        let lane = f32x8::new(*lane);
        largest = largest.fast_max(lane);
        unknown |= lane.is_nan();
    }
    let largest = largest.to_array().iter().chain(rest.iter()).copied().fold(f32::NEG_INFINITY, f32::max);
    // Neither the maximum above nor `exp` propagates NaN.
    if unknown.any() || rest.iter().any(|score| score.is_nan()) || !largest.is_finite() {
        row.fill(f32::NAN);
        return f32::NAN;
    }
    let shift = f32x8::splat(largest);
    let mut sums = f32x8::splat(0.0);
    for lane in lanes {
        let power = exp(f32x8::new(*lane) - shift);
        sums += power;
        *lane = power.to_array();
    }
    let mut sum = sums.reduce_add();
    for value in rest {
        *value = (*value - largest).exp();
        sum += *value;
    }
    1.0 / sum
}

/// e^x with a relative error below 1e-7 (Cephes' `expf`: x = n ln 2 + r, and a polynomial in r). x is clamped to
/// -87…88, so -inf gives 1.6e-38.
#[inline(always)]
#[allow(clippy::inline_always, reason = "a function call per eight elements would cost more than the arithmetic")]
fn exp(x: f32x8) -> f32x8 {
    /// Adding 1.5 · 2^23 leaves the nearest integer in the lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const COEFFICIENTS: [f32; 5] = [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1];
    let x = x.fast_max(f32x8::splat(-87.0)).fast_min(f32x8::splat(88.0));
    let rounded = x * f32x8::splat(std::f32::consts::LOG2_E) + f32x8::splat(ROUNDING);
    let n = rounded - f32x8::splat(ROUNDING);
    let r = x - n * f32x8::splat(LN_2_HIGH) - n * f32x8::splat(LN_2_LOW);
    let mut polynomial = f32x8::splat(1.987_569_1e-4);
    for coefficient in COEFFICIENTS {
        polynomial = polynomial * r + f32x8::splat(coefficient);
    }
    let power = polynomial * r * r + r + f32x8::splat(1.0);
    let exponent: i32x8 = bytemuck::cast(rounded);
    let two_to_n: f32x8 = bytemuck::cast((exponent << 23_i32) + i32x8::splat(0x3f80_0000));
    power * two_to_n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_accurate_to_one_rounding() {
        let mut x = -86.9_f32;
        while x < 87.9 {
            let exact = f64::from(x).exp();
            let found = f64::from(exp(f32x8::splat(x)).to_array()[0]);
            assert!((found - exact).abs() < 2e-7 * exact, "e^{x} is {exact}, not {found}");
            x += 0.013;
        }
        assert_eq!(exp(f32x8::splat(0.0)).to_array()[3], 1.0);
    }

    #[test]
    fn scaled_exponentials_are_the_softmax() {
        for length in [1, 7, 8, 19] {
            let scores: Vec<f32> = (0..length).map(|number| (number * 5 % 7) as f32 * 0.7 - 3.0).collect();
            let mut row = scores.clone();
            if length > 8 {
                row[2] = f32::NEG_INFINITY;
            }
            let powers: Vec<f64> = row.iter().map(|score| f64::from(*score).exp()).collect();
            let total: f64 = powers.iter().sum();
            let factor = exp_for_softmax(&mut row);
            for (value, power) in row.iter().zip(&powers) {
                let probability = f64::from(value * factor);
                assert!((probability - power / total).abs() < 1e-7, "{probability} of {length}");
            }
        }
    }

    #[test]
    fn a_row_with_an_overflow_is_nan() {
        for length in [1, 7, 8, 19] {
            for place in 0..length {
                for bad in [f32::INFINITY, f32::NAN, -f32::NAN] {
                    let mut row = vec![0.5; length];
                    row[place] = bad;
                    if length > 1 {
                        row[(place + 1) % length] = f32::NEG_INFINITY;
                    }
                    assert!(exp_for_softmax(&mut row).is_nan(), "{bad} at {place} of {length}");
                    assert!(row.iter().all(|value| value.is_nan()), "{bad} at {place} of {length}");
                }
            }
        }
    }

    #[test]
    fn gated_activation_matches_the_definition() {
        let values: Vec<f32> = (0..40_003).map(|number| (number % 2001) as f32 * 0.01 - 10.0).collect();
        let factors: Vec<f32> = values.iter().map(|value| value * 0.5 + 1.0).collect();
        let gated = gated_activation(&values, 1.5, 0.07, Some(&factors));
        for ((found, value), factor) in gated.iter().zip(&values).zip(&factors) {
            let x = f64::from(*value);
            let exact = x / (1.0 + (-(1.5 * x + 0.07 * x.powi(3))).exp()) * f64::from(*factor);
            assert!((f64::from(*found) - exact).abs() < 1e-6 * exact.abs().max(1.0), "{found} is not {exact}");
        }
    }
}
