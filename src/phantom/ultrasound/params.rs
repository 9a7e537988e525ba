//! Settings of the generator.

use std::ops::RangeInclusive;

/// Strength of nuisances and signs. Lengths are in pixels unless a field says lesion radii; levels are in decibel on
/// a 46 dB scale. The defaults suit vision transformers with 8x8 patches: lesions are larger and details coarser than
/// in the recipe's prototype, which had convolutional encoders.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Radius of a small and of a large lesion.
    pub radius_small: RangeInclusive<f32>,
    pub radius_large: RangeInclusive<f32>,
    /// Height of the lesion over its width.
    pub aspect: RangeInclusive<f32>,
    /// Largest tilt of the lesion, radians.
    pub tilt: f32,
    /// Centre of the lesion: across for left, central and right; down for shallow and deep.
    pub left: RangeInclusive<f32>,
    pub central: RangeInclusive<f32>,
    pub right: RangeInclusive<f32>,
    pub shallow: RangeInclusive<f32>,
    pub deep: RangeInclusive<f32>,

    /// Sign. Depth of the lobes, in radii, and their number.
    pub lobe_depth: f32,
    pub lobes: RangeInclusive<usize>,
    /// Sign. Spikes: number, length in radii, half width at the base in radians.
    pub spikes: RangeInclusive<usize>,
    pub spike_length: RangeInclusive<f32>,
    pub spike_half_width: f32,
    /// Sign. Width of a sharp edge in pixels, and of an indistinct one in radii.
    pub sharp_edge: f32,
    pub indistinct_edge: f32,
    /// Sign. Dots: number, size (sigma), level above the lesion's.
    pub dots: RangeInclusive<usize>,
    pub dot_sigma: f32,
    pub dot_level: f32,
    /// Sign. Septa: distance in radii, thickness (sigma), level above the lesion's.
    pub septum_period: f32,
    pub septum_sigma: f32,
    pub septum_level: f32,
    /// Sign. Bright core of a hollow lesion: radius in radii, level above the lesion's.
    pub core_radius: f32,
    pub core_level: f32,
    /// Level of the lesion itself.
    pub lesion_level: f32,

    /// Nuisance. Difference of dim and of bright gain from medium gain.
    pub gain_step: f32,
    /// Nuisance. Level change behind a shadowing and behind an enhancing lesion.
    pub shadow_level: f32,
    pub enhancement_level: f32,
    /// Nuisance. Speckle strength (1 is fully developed speckle) and its grain, across and down (sigma).
    pub speckle: f32,
    pub speckle_sigma: (f32, f32),
    /// Nuisance. Loss per pixel of depth.
    pub attenuation: RangeInclusive<f32>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            radius_small: 9.5..=11.0,
            radius_large: 13.0..=15.0,
            aspect: 0.72..=0.95,
            tilt: 0.35,
            left: 19.0..=24.0,
            central: 30.0..=34.0,
            right: 40.0..=45.0,
            shallow: 22.0..=26.0,
            deep: 36.0..=41.0,
            lobe_depth: 0.2,
            lobes: 3..=5,
            spikes: 6..=8,
            spike_length: 0.55..=0.85,
            spike_half_width: 0.3,
            sharp_edge: 0.6,
            indistinct_edge: 0.2,
            dots: 6..=8,
            dot_sigma: 0.9,
            dot_level: 26.0,
            septum_period: 0.55,
            septum_sigma: 0.85,
            septum_level: 17.0,
            core_radius: 0.38,
            core_level: 18.0,
            lesion_level: -33.0,
            gain_step: 7.0,
            shadow_level: -12.0,
            enhancement_level: 9.0,
            speckle: 0.75,
            speckle_sigma: (1.05, 0.7),
            attenuation: 0.02..=0.09,
        }
    }
}
