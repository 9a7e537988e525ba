//! Draws attributes as pixels: ground, disc, macula, vessels, lesions, then light, blur and a small palette.

use super::attributes::{Attributes, EyeSide, Focus, Illumination, Tint};
use super::canvas::{Canvas, Colour};
use super::lesions::{Ground, paint_lesions};
use super::params::Params;
use super::vessels::paint_vessels;
use crate::phantom::encode::reduce_colours;
use crate::phantom::field::{Field, SIDE, smoothstep};
use crate::phantom::rng::PhantomRng;
use image::{Rgb, RgbImage};

const MIDDLE: f32 = (SIDE as f32 - 1.0) / 2.0;
const DISC: Colour = [1.0, 0.84, 0.5];
const CUP: Colour = [1.0, 0.95, 0.74];
const MACULA: Colour = [0.42, 0.12, 0.05];

/// Draws a fundus phantom, 64x64, at most 32 colours. `rng` decides what the attributes leave open: exact places,
/// course of the vessels, vignetting, pigment.
pub fn draw(attributes: &Attributes, params: &Params, rng: &mut PhantomRng) -> RgbImage {
    let nasal = match attributes.eye {
        EyeSide::Left => -1.0,
        EyeSide::Right => 1.0,
    };
    let disc_offset = rng.between(*params.disc_offset.start(), *params.disc_offset.end());
    let disc = (MIDDLE + nasal * disc_offset, MIDDLE + rng.between(-4.0, 4.0));
    let macula = (disc.0 - nasal * rng.between(20.0, 23.0), disc.1 + rng.between(0.5, 3.0));
    let mut canvas = Canvas::filled(match attributes.tint {
        Tint::Red => [0.8, 0.26, 0.12],
        Tint::Orange => [0.85, 0.42, 0.16],
        Tint::Pale => [0.87, 0.56, 0.32],
    });
    let pigment = Field::blobs(rng, 4.5, 4.5);
    for (pixel, pigment) in canvas.0.iter_mut().zip(&pigment.0) {
        for value in pixel {
            *value *= 1.0 + params.texture * pigment;
        }
    }
    canvas.spot(macula, 5.5, 1.3, MACULA, 0.5);
    canvas.spot(disc, rng.between(4.6, 5.6), 0.35, DISC, 0.9);
    canvas.spot((disc.0 - nasal * 0.6, disc.1), 2.2, 0.5, CUP, 0.8);
    paint_vessels(&mut canvas, disc, macula, nasal, rng);
    paint_lesions(&mut canvas, attributes.grade, Ground { centre: (MIDDLE, MIDDLE), disc }, params, rng);
    blur(
        &mut canvas,
        match attributes.focus {
            Focus::Sharp => params.blur[0],
            Focus::Blurred => params.blur[1],
        },
    );
    let brightness = match attributes.illumination {
        Illumination::Dim => params.brightness[0],
        Illumination::Even => params.brightness[1],
        Illumination::Bright => params.brightness[2],
    } * rng.between(0.95, 1.05);
    expose(&canvas, brightness, params, rng)
}

/// Light from one side, darkening towards the rim, the round mask, then 32 colours.
fn expose(canvas: &Canvas, brightness: f32, params: &Params, rng: &mut PhantomRng) -> RgbImage {
    let vignetting = rng.between(*params.vignetting.start(), *params.vignetting.end());
    let slope = (rng.between(-0.16, 0.16), rng.between(-0.16, 0.16));
    let noise = Field::blobs(rng, 0.6, 0.6);
    let mut image = RgbImage::new(SIDE as u32, SIDE as u32);
    for (index, colour) in canvas.0.iter().enumerate() {
        let (x, y) = ((index % SIDE) as f32 - MIDDLE, (index / SIDE) as f32 - MIDDLE);
        let distance = (x * x + y * y).sqrt() / params.field_radius;
        let inside = 1.0 - smoothstep(1.0 - 1.0 / params.field_radius, 1.0, distance);
        let light = brightness
            * (1.0 - vignetting * distance * distance)
            * (1.0 + (slope.0 * x + slope.1 * y) / params.field_radius)
            * (1.0 + params.noise * noise.0[index])
            * inside;
        image.put_pixel(
            (index % SIDE) as u32,
            (index / SIDE) as u32,
            Rgb(colour.map(|value| (255.0 * (value * light).clamp(0.0, 1.0)).round() as u8)),
        );
    }
    reduce_colours(&mut image);
    image
}

fn blur(canvas: &mut Canvas, sigma: f32) {
    for channel in 0..3 {
        let mut field = Field(canvas.0.iter().map(|colour| colour[channel]).collect());
        field.blur(sigma, sigma);
        for (pixel, value) in canvas.0.iter_mut().zip(field.0) {
            pixel[channel] = value;
        }
    }
}
