//! The lesions that define the grade.

use super::attributes::Grade;
use super::canvas::{Canvas, Colour};
use super::params::Params;
use crate::phantom::rng::PhantomRng;
use std::f32::consts::TAU;
use std::ops::RangeInclusive;

const BLOOD: Colour = [0.3, 0.03, 0.03];
const NEW_VESSEL: Colour = [0.5, 0.04, 0.07];
const EXUDATE: Colour = [1.0, 0.93, 0.55];
const COTTON_WOOL: Colour = [0.97, 0.85, 0.68];
/// Smallest distance of a lesion from the middle of the disc, pixels. Only new vessels may be nearer.
const DISC_CLEARANCE: f32 = 9.0;
/// Largest distance of a lesion from the middle of the image, pixels.
const LESION_REACH: f32 = 25.0;

/// The places that lesions keep away from or stay close to, pixels.
#[derive(Clone, Copy)]
pub struct Ground {
    pub centre: (f32, f32),
    pub disc: (f32, f32),
}

/// Paints the lesions of a grade.
pub fn paint_lesions(canvas: &mut Canvas, grade: Grade, ground: Ground, params: &Params, rng: &mut PhantomRng) {
    if grade == Grade::Severe {
        for _ in 0..drawn(&params.cotton_wool_spots, rng) {
            let place = ground.place(rng);
            canvas.spot(place, rng.between(2.6, 3.6), 0.7, COTTON_WOOL, 0.6);
        }
        for _ in 0..drawn(&params.exudate_clusters, rng) {
            paint_exudates(canvas, ground.place(rng), rng);
        }
    }
    let haemorrhages = match grade {
        Grade::None | Grade::Mild => 0,
        Grade::Moderate => drawn(&params.haemorrhages[0], rng),
        Grade::Severe => drawn(&params.haemorrhages[1], rng),
        Grade::Proliferative => drawn(&params.haemorrhages[2], rng),
    };
    for _ in 0..haemorrhages {
        paint_haemorrhage(canvas, ground.place(rng), params, rng);
    }
    let microaneurysms = match grade {
        Grade::None => 0,
        Grade::Mild => drawn(&params.microaneurysms[0], rng),
        Grade::Moderate => drawn(&params.microaneurysms[1], rng),
        Grade::Severe | Grade::Proliferative => drawn(&params.microaneurysms[2], rng),
    };
    for _ in 0..microaneurysms {
        let place = ground.place(rng);
        canvas.spot(place, params.microaneurysm_radius, 0.2, BLOOD, params.microaneurysm_strength);
    }
    if grade == Grade::Proliferative {
        paint_new_vessels(canvas, ground.disc, params, rng);
    }
}

impl Ground {
    /// Draws a place on the retina away from the disc.
    fn place(self, rng: &mut PhantomRng) -> (f32, f32) {
        loop {
            let (angle, distance) = (rng.between(0.0, TAU), LESION_REACH * rng.unit().sqrt());
            let place = (self.centre.0 + distance * libm::cosf(angle), self.centre.1 + distance * libm::sinf(angle));
            let (dx, dy) = (place.0 - self.disc.0, place.1 - self.disc.1);
            if dx * dx + dy * dy > DISC_CLEARANCE * DISC_CLEARANCE {
                return place;
            }
        }
    }
}

/// A blot: two or three overlapping spots.
fn paint_haemorrhage(canvas: &mut Canvas, place: (f32, f32), params: &Params, rng: &mut PhantomRng) {
    let radius = rng.between(*params.haemorrhage_radius.start(), *params.haemorrhage_radius.end());
    for _ in 0..rng.count(2, 3) {
        let offset = (rng.between(-0.7, 0.7) * radius, rng.between(-0.7, 0.7) * radius);
        canvas.spot((place.0 + offset.0, place.1 + offset.1), 0.75 * radius, 0.3, BLOOD, params.haemorrhage_strength);
    }
}

/// A cluster of small yellow dots.
fn paint_exudates(canvas: &mut Canvas, place: (f32, f32), rng: &mut PhantomRng) {
    for _ in 0..rng.count(5, 8) {
        let offset = (rng.between(-4.5, 4.5), rng.between(-4.5, 4.5));
        canvas.spot((place.0 + offset.0, place.1 + offset.1), rng.between(0.8, 1.2), 0.2, EXUDATE, 0.8);
    }
}

/// A tuft of thin vessels that wander out of the disc, turn about and fork.
fn paint_new_vessels(canvas: &mut Canvas, disc: (f32, f32), params: &Params, rng: &mut PhantomRng) {
    let count = drawn(&params.new_vessels, rng);
    let start = rng.between(0.0, TAU);
    for index in 0..count {
        let angle = start + TAU * index as f32 / count as f32 + rng.between(-0.4, 0.4);
        let length = rng.between(*params.new_vessel_reach.start(), *params.new_vessel_reach.end());
        let root = (disc.0 + 2.0 * libm::cosf(angle), disc.1 + 2.0 * libm::sinf(angle));
        let stem = wander(root, angle, length, rng);
        canvas.line(&stem, 1.0, 0.8, NEW_VESSEL, params.new_vessel_strength);
        if let Some(&fork) = stem.get(stem.len() / 2) {
            let twig = wander(fork, angle + rng.sign() * rng.between(0.7, 1.3), 0.5 * length, rng);
            canvas.line(&twig, 0.9, 0.7, NEW_VESSEL, params.new_vessel_strength);
        }
    }
}

/// A line of this length that keeps changing its direction.
fn wander(root: (f32, f32), direction: f32, length: f32, rng: &mut PhantomRng) -> Vec<(f32, f32)> {
    const STEP: f32 = 0.4;
    let (mut place, mut angle, mut bend) = (root, direction, rng.sign() * rng.between(0.08, 0.16));
    let mut points = vec![place];
    for step in 0..(length / STEP) as usize {
        // A new bend every two pixels or so.
        if step % 5 == 4 {
            bend = -bend.signum() * rng.between(0.05, 0.24);
        }
        angle += bend;
        place = (place.0 + STEP * libm::cosf(angle), place.1 + STEP * libm::sinf(angle));
        points.push(place);
    }
    points
}

fn drawn(range: &RangeInclusive<usize>, rng: &mut PhantomRng) -> usize {
    rng.count(*range.start(), *range.end())
}
