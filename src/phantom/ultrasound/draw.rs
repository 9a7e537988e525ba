//! Draws attributes as pixels: a map of echo levels in decibel, then gain, speckle and 16 grey levels.

use super::attributes::{Attributes, Gain, Posterior};
use super::lesion::Lesion;
use super::params::Params;
use super::probe::{BeamPoint, beam_point};
use super::tissue::Layers;
use crate::phantom::encode::{GREY_LEVELS, GREY_STEP};
use crate::phantom::field::{Field, SIDE, smoothstep};
use crate::phantom::rng::PhantomRng;
use image::{GrayImage, Luma};

/// Decibels from black to white.
const DYNAMIC_RANGE: f32 = 46.0;

/// Draws an ultrasound phantom, 64x64, with grey levels that are multiples of 17. `rng` decides what the attributes
/// leave open: exact place, size and form, tissue waves, speckle.
pub fn draw(attributes: &Attributes, params: &Params, rng: &mut PhantomRng) -> GrayImage {
    let lesion = Lesion::draw(attributes, params, rng);
    let layers = Layers::draw(attributes.tissue, rng);
    let speckle = speckle(params, rng);
    let attenuation = rng.between(*params.attenuation.start(), *params.attenuation.end());
    let gain = match attributes.gain {
        Gain::Dim => -params.gain_step,
        Gain::Medium => 0.0,
        Gain::Bright => params.gain_step,
    } + rng.between(-1.0, 1.0);
    let behind = match attributes.posterior {
        Posterior::Clear => 0.0,
        Posterior::Shadowing => params.shadow_level,
        Posterior::Enhancing => params.enhancement_level,
    };
    let centre = beam_point(attributes.probe, lesion.centre.0, lesion.centre.1);
    let mut image = GrayImage::new(SIDE as u32, SIDE as u32);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let point = beam_point(attributes.probe, x as f32, y as f32);
            if !point.visible {
                continue;
            }
            let (cover, lesion_level) = lesion.at(x as f32, y as f32);
            let tissue = layers.level(x, y, point.depth);
            let mut level = tissue + cover * (lesion_level - tissue);
            level += behind * (1.0 - cover) * share_behind(&point, &centre, &lesion);
            level += gain - attenuation * point.depth + speckle.0[y * SIDE + x];
            image.put_pixel(x as u32, y as u32, Luma([grey(level)]));
        }
    }
    image
}

/// Share of each pixel that the lesion covers, row by row, in the image that [`draw`] makes with the same randomness.
pub fn lesion_cover(attributes: &Attributes, params: &Params, rng: &mut PhantomRng) -> Vec<f32> {
    let lesion = Lesion::draw(attributes, params, rng);
    let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x as f32, y as f32)));
    places.map(|(x, y)| lesion.at(x, y).0).collect()
}

/// Degree to which a pixel lies behind the lesion along the beam: 0 beside or before it, 1 right behind it.
fn share_behind(point: &BeamPoint, centre: &BeamPoint, lesion: &Lesion) -> f32 {
    let aside = libm::fabsf(point.beam - centre.beam) * centre.spread / lesion.radius;
    let below = (point.depth - centre.depth) / (lesion.radius * lesion.aspect);
    if below < 0.0 {
        return 0.0;
    }
    (1.0 - smoothstep(0.6, 0.95, aside)) * smoothstep(0.5, 1.1, below)
}

/// Fully developed speckle in decibel: the magnitude of blurred complex noise.
fn speckle(params: &Params, rng: &mut PhantomRng) -> Field {
    let real = Field::blobs(rng, params.speckle_sigma.0, params.speckle_sigma.1);
    let imaginary = Field::blobs(rng, params.speckle_sigma.0, params.speckle_sigma.1);
    let levels = real.0.iter().zip(&imaginary.0).map(|(a, b)| {
        let power = 0.5 * (a * a + b * b);
        // 10 log10 of the power; the clip keeps rare black holes from looking like structure.
        params.speckle * (4.342_944_8 * libm::logf(power.max(1e-6))).clamp(-14.0, 7.0)
    });
    Field(levels.collect())
}

/// Level in decibel (0 is white) to one of 16 grey values.
fn grey(level: f32) -> u8 {
    let unit = ((level + DYNAMIC_RANGE) / DYNAMIC_RANGE).clamp(0.0, 1.0);
    (unit * f32::from(GREY_LEVELS - 1)).round() as u8 * GREY_STEP
}
