//! Layers of tissue from the probe downwards: skin, fat, gland, fascia, muscle; levels in decibel.

use super::attributes::Tissue;
use crate::phantom::field::{Field, SIDE, smoothstep};
use crate::phantom::rng::PhantomRng;
use std::f32::consts::TAU;

/// A boundary between layers, a depth that varies as a sine across the image.
struct Boundary {
    depth: f32,
    height: f32,
    frequency: f32,
    phase: f32,
}

impl Boundary {
    fn draw(depth: f32, height: f32, rng: &mut PhantomRng) -> Self {
        Self { depth, height, frequency: rng.between(0.08, 0.2), phase: rng.between(0.0, TAU) }
    }

    fn at(&self, x: f32) -> f32 {
        self.depth + self.height * libm::sinf(self.frequency * x + self.phase)
    }
}

/// The tissue of one phantom.
pub struct Layers {
    fat_end: Boundary,
    gland_end: Boundary,
    fat_level: f32,
    gland_level: f32,
    muscle_level: f32,
    strand_slope: f32,
    strand_phase: f32,
    blobs: Field,
    blob_level: f32,
}

impl Layers {
    /// Draws the layers: fatty tissue has a thick dark fat layer and large blobs, dense tissue a bright gland.
    pub fn draw(tissue: Tissue, rng: &mut PhantomRng) -> Self {
        let (fat_end, fat_level, gland_level, blob_sigma) = match tissue {
            Tissue::Fatty => (rng.between(14.0, 17.0), -20.0, -15.5, (5.0, 2.6)),
            Tissue::Dense => (rng.between(6.5, 9.0), -17.5, -11.5, (2.6, 1.7)),
        };
        let gland_depth = rng.between(53.0, 57.0);
        Self {
            fat_end: Boundary::draw(fat_end, rng.between(0.6, 1.6), rng),
            gland_end: Boundary::draw(gland_depth, rng.between(0.4, 1.3), rng),
            fat_level,
            gland_level,
            muscle_level: -19.0,
            strand_slope: rng.sign() * rng.between(0.35, 0.8),
            strand_phase: rng.between(0.0, TAU),
            blobs: Field::blobs(rng, blob_sigma.0, blob_sigma.1),
            blob_level: rng.between(1.6, 2.6),
        }
    }

    /// Level of the tissue at a pixel that lies `depth` below the probe.
    pub fn level(&self, x: usize, y: usize, depth: f32) -> f32 {
        let across = x as f32;
        let (fat_end, gland_end) = (self.fat_end.at(across), self.gland_end.at(across));
        let strand = libm::sinf(0.42 * (depth + self.strand_slope * across) + self.strand_phase);
        let fat = self.fat_level + 5.0 * smoothstep(0.75, 1.0, strand);
        let muscle = self.muscle_level + 2.5 * libm::sinf(2.1 * (depth - 0.05 * across));
        let mut level = fat + (self.gland_level - fat) * smoothstep(fat_end - 0.8, fat_end + 0.8, depth);
        level += (muscle - level) * smoothstep(gland_end - 0.5, gland_end + 0.5, depth);
        level += self.blob_level * self.blobs.0[y * SIDE + x];
        level += ridge(depth - fat_end, 0.7, 4.5) + ridge(depth - gland_end, 0.8, 11.0);
        // The skin: a bright band with a dark line in it.
        level += (-3.0 - level) * (1.0 - smoothstep(2.6, 3.6, depth));
        level + ridge(depth - 1.6, 0.6, -7.0)
    }
}

/// A bright or dark line: `level` at distance 0, fading with `sigma` pixels.
fn ridge(distance: f32, sigma: f32, level: f32) -> f32 {
    if distance.abs() > 4.0 * sigma {
        return 0.0;
    }
    level * libm::expf(-0.5 * distance * distance / (sigma * sigma))
}
