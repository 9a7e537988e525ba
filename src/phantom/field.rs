//! A square field of numbers, one per pixel, and smooth noise for drawing tissue.

use super::rng::PhantomRng;

/// Side of every phantom, pixels.
pub const SIDE: usize = 64;

/// One number per pixel, row by row.
#[derive(Clone, Debug)]
pub struct Field(pub Vec<f32>);

impl Field {
    /// The same value everywhere.
    pub fn filled(value: f32) -> Self {
        Self(vec![value; SIDE * SIDE])
    }

    /// Independent noise, uniform in [-1, 1).
    pub fn noise(rng: &mut PhantomRng) -> Self {
        Self((0..SIDE * SIDE).map(|_| rng.between(-1.0, 1.0)).collect())
    }

    /// Noise blurred to blobs of about `sigma_x` by `sigma_y` pixels, scaled to mean 0 and standard deviation 1.
    pub fn blobs(rng: &mut PhantomRng, sigma_x: f32, sigma_y: f32) -> Self {
        let mut field = Self::noise(rng);
        field.blur(sigma_x, sigma_y);
        field.standardise();
        field
    }

    /// Gaussian blur, mirrored at the border; sigma in pixels, 0 leaves a direction alone.
    pub fn blur(&mut self, sigma_x: f32, sigma_y: f32) {
        let mut line = [0.0; SIDE];
        if sigma_x > 0.0 {
            let weights = gaussian_weights(sigma_x);
            for y in 0..SIDE {
                line.copy_from_slice(&self.0[y * SIDE..(y + 1) * SIDE]);
                for x in 0..SIDE {
                    self.0[y * SIDE + x] = weighted_sum(&line, x, &weights);
                }
            }
        }
        if sigma_y > 0.0 {
            let weights = gaussian_weights(sigma_y);
            for x in 0..SIDE {
                for (y, value) in line.iter_mut().enumerate() {
                    *value = self.0[y * SIDE + x];
                }
                for y in 0..SIDE {
                    self.0[y * SIDE + x] = weighted_sum(&line, y, &weights);
                }
            }
        }
    }

    /// Mean 0, standard deviation 1 (a flat field becomes 0).
    pub fn standardise(&mut self) {
        let count = self.0.len() as f32;
        let mean = self.0.iter().sum::<f32>() / count;
        let variance = self.0.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
        let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 };
        for value in &mut self.0 {
            *value = (*value - mean) * scale;
        }
    }
}

/// Half of a Gaussian kernel (centre first), normalised over both halves.
fn gaussian_weights(sigma: f32) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil() as usize;
    let mut weights: Vec<f32> =
        (0..=reach).map(|step| libm::expf(-0.5 * (step * step) as f32 / (sigma * sigma))).collect();
    let total = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    for weight in &mut weights {
        *weight /= total;
    }
    weights
}

fn weighted_sum(line: &[f32; SIDE], at: usize, weights: &[f32]) -> f32 {
    let mut sum = weights[0] * line[at];
    for (step, weight) in weights.iter().enumerate().skip(1) {
        sum += weight * (line[mirrored(at as isize - step as isize)] + line[mirrored((at + step) as isize)]);
    }
    sum
}

/// Index inside the line for one that may lie outside, mirrored at the ends as often as needed.
fn mirrored(index: isize) -> usize {
    let side = SIDE as isize;
    let wrapped = index.rem_euclid(2 * side);
    (if wrapped < side { wrapped } else { 2 * side - 1 - wrapped }) as usize
}

/// Smooth step from 0 below `low` to 1 above `high`.
pub fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let unit = ((value - low) / (high - low)).clamp(0.0, 1.0);
    unit * unit * (3.0 - 2.0 * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blur_keeps_the_sum_and_spreads_a_point() {
        let mut field = Field::filled(0.0);
        field.0[20 * SIDE + 30] = 1.0;
        field.blur(1.5, 2.5);
        assert!((field.0.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(field.0[20 * SIDE + 32] > field.0[20 * SIDE + 34]);
        assert!(field.0[22 * SIDE + 30] > field.0[20 * SIDE + 32], "wider along y");
    }

    #[test]
    fn the_border_mirrors() {
        assert_eq!([mirrored(-1), mirrored(0), mirrored(63), mirrored(64), mirrored(200)], [0, 0, 63, 63, 55]);
    }
}
