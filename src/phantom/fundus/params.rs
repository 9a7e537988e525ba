//! Settings of the generator.

use std::ops::RangeInclusive;

/// Strength of nuisances and lesions. Lengths are in pixels, strengths from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Radius of the round image.
    pub field_radius: f32,
    /// Distance of the optic disc from the middle of the image.
    pub disc_offset: RangeInclusive<f32>,

    /// Sign. Numbers of microaneurysms for grade 1, grade 2, and grades 3 and 4; radius and strength of one.
    pub microaneurysms: [RangeInclusive<usize>; 3],
    pub microaneurysm_radius: f32,
    pub microaneurysm_strength: f32,
    /// Sign. Numbers of haemorrhages for grades 2, 3 and 4; radius and strength of one.
    pub haemorrhages: [RangeInclusive<usize>; 3],
    pub haemorrhage_radius: RangeInclusive<f32>,
    pub haemorrhage_strength: f32,
    /// Sign. Numbers of hard exudates (clusters of dots) and cotton-wool spots, both grade 3 only.
    pub exudate_clusters: RangeInclusive<usize>,
    pub cotton_wool_spots: RangeInclusive<usize>,
    /// Sign. New vessels at the disc, grade 4 only: number, length, strength.
    pub new_vessels: RangeInclusive<usize>,
    pub new_vessel_reach: RangeInclusive<f32>,
    pub new_vessel_strength: f32,

    /// Nuisance. Brightness of dim, even and bright pictures.
    pub brightness: [f32; 3],
    /// Nuisance. Darkening towards the rim.
    pub vignetting: RangeInclusive<f32>,
    /// Nuisance. Blur (sigma) of sharp and of blurred pictures.
    pub blur: [f32; 2],
    /// Nuisance. Pigment texture.
    pub texture: f32,
    /// Nuisance. Noise of the camera.
    pub noise: f32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            field_radius: 30.5,
            disc_offset: 15.0..=19.0,
            microaneurysms: [4..=7, 6..=9, 5..=9],
            microaneurysm_radius: 0.95,
            microaneurysm_strength: 0.75,
            haemorrhages: [3..=5, 8..=12, 1..=4],
            haemorrhage_radius: 1.5..=2.6,
            haemorrhage_strength: 0.85,
            exudate_clusters: 2..=3,
            cotton_wool_spots: 1..=3,
            new_vessels: 6..=8,
            new_vessel_reach: 7.0..=12.0,
            new_vessel_strength: 0.8,
            brightness: [0.6, 0.85, 1.1],
            vignetting: 0.15..=0.5,
            blur: [0.35, 0.7],
            texture: 0.045,
            noise: 0.012,
        }
    }
}
