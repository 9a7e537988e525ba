//! The lesions that make the grade.

use super::attributes::Grade;
use super::canvas::{Canvas, Colour};
use super::knobs::Knobs;
use crate::phantom::dice::Dice;
use std::f32::consts::TAU;
use std::ops::RangeInclusive;

const BLOOD: Colour = [0.3, 0.03, 0.03];
const NEW_VESSEL: Colour = [0.5, 0.04, 0.07];
const EXUDATE: Colour = [1.0, 0.93, 0.55];
const COTTON_WOOL: Colour = [0.97, 0.85, 0.68];
/// No lesion nearer to the middle of the disc than this, pixels: new vessels stay the only thing there.
const DISC_CLEARANCE: f32 = 9.0;
/// No lesion farther from the middle of the image than this, pixels.
const LESION_REACH: f32 = 25.0;

/// Where lesions may lie.
#[derive(Clone, Copy)]
pub struct Ground {
    pub centre: (f32, f32),
    pub disc: (f32, f32),
}

/// Paints what belongs to the grade.
pub fn paint_lesions(canvas: &mut Canvas, grade: Grade, ground: Ground, knobs: &Knobs, dice: &mut Dice) {
    if grade == Grade::Severe {
        for _ in 0..drawn(&knobs.cotton_wool_spots, dice) {
            let place = ground.place(dice);
            canvas.spot(place, dice.between(2.6, 3.6), 0.7, COTTON_WOOL, 0.6);
        }
        for _ in 0..drawn(&knobs.exudate_clusters, dice) {
            paint_exudates(canvas, ground.place(dice), dice);
        }
    }
    let haemorrhages = match grade {
        Grade::None | Grade::Mild => 0,
        Grade::Moderate => drawn(&knobs.haemorrhages[0], dice),
        Grade::Severe => drawn(&knobs.haemorrhages[1], dice),
        Grade::Proliferative => drawn(&knobs.haemorrhages[2], dice),
    };
    for _ in 0..haemorrhages {
        paint_haemorrhage(canvas, ground.place(dice), knobs, dice);
    }
    let microaneurysms = match grade {
        Grade::None => 0,
        Grade::Mild => drawn(&knobs.microaneurysms[0], dice),
        Grade::Moderate => drawn(&knobs.microaneurysms[1], dice),
        Grade::Severe | Grade::Proliferative => drawn(&knobs.microaneurysms[2], dice),
    };
    for _ in 0..microaneurysms {
        let place = ground.place(dice);
        canvas.spot(place, knobs.microaneurysm_radius, 0.2, BLOOD, knobs.microaneurysm_strength);
    }
    if grade == Grade::Proliferative {
        paint_new_vessels(canvas, ground.disc, knobs, dice);
    }
}

impl Ground {
    /// A place on the retina, off the disc.
    fn place(self, dice: &mut Dice) -> (f32, f32) {
        loop {
            let (angle, distance) = (dice.between(0.0, TAU), LESION_REACH * dice.unit().sqrt());
            let place = (self.centre.0 + distance * libm::cosf(angle), self.centre.1 + distance * libm::sinf(angle));
            let (dx, dy) = (place.0 - self.disc.0, place.1 - self.disc.1);
            if dx * dx + dy * dy > DISC_CLEARANCE * DISC_CLEARANCE {
                return place;
            }
        }
    }
}

/// A blot: two or three overlapping spots.
fn paint_haemorrhage(canvas: &mut Canvas, place: (f32, f32), knobs: &Knobs, dice: &mut Dice) {
    let radius = dice.between(*knobs.haemorrhage_radius.start(), *knobs.haemorrhage_radius.end());
    for _ in 0..dice.count(2, 3) {
        let offset = (dice.between(-0.7, 0.7) * radius, dice.between(-0.7, 0.7) * radius);
        canvas.spot((place.0 + offset.0, place.1 + offset.1), 0.75 * radius, 0.3, BLOOD, knobs.haemorrhage_strength);
    }
}

/// A cluster of small yellow dots.
fn paint_exudates(canvas: &mut Canvas, place: (f32, f32), dice: &mut Dice) {
    for _ in 0..dice.count(5, 8) {
        let offset = (dice.between(-4.5, 4.5), dice.between(-4.5, 4.5));
        canvas.spot((place.0 + offset.0, place.1 + offset.1), dice.between(0.8, 1.2), 0.2, EXUDATE, 0.8);
    }
}

/// A tuft of thin vessels that wander out of the disc, turn about and fork.
fn paint_new_vessels(canvas: &mut Canvas, disc: (f32, f32), knobs: &Knobs, dice: &mut Dice) {
    let count = drawn(&knobs.new_vessels, dice);
    let start = dice.between(0.0, TAU);
    for index in 0..count {
        let angle = start + TAU * index as f32 / count as f32 + dice.between(-0.4, 0.4);
        let length = dice.between(*knobs.new_vessel_reach.start(), *knobs.new_vessel_reach.end());
        let root = (disc.0 + 2.0 * libm::cosf(angle), disc.1 + 2.0 * libm::sinf(angle));
        let stem = wander(root, angle, length, dice);
        canvas.line(&stem, 1.0, 0.8, NEW_VESSEL, knobs.new_vessel_strength);
        if let Some(&fork) = stem.get(stem.len() / 2) {
            let twig = wander(fork, angle + dice.sign() * dice.between(0.7, 1.3), 0.5 * length, dice);
            canvas.line(&twig, 0.9, 0.7, NEW_VESSEL, knobs.new_vessel_strength);
        }
    }
}

/// A line of this length that keeps changing its direction.
fn wander(root: (f32, f32), direction: f32, length: f32, dice: &mut Dice) -> Vec<(f32, f32)> {
    const STEP: f32 = 0.4;
    let (mut place, mut angle, mut bend) = (root, direction, dice.sign() * dice.between(0.08, 0.16));
    let mut points = vec![place];
    for step in 0..(length / STEP) as usize {
        // A new bend every two pixels or so.
        if step % 5 == 4 {
            bend = -bend.signum() * dice.between(0.05, 0.24);
        }
        angle += bend;
        place = (place.0 + STEP * libm::cosf(angle), place.1 + STEP * libm::sinf(angle));
        points.push(place);
    }
    points
}

fn drawn(range: &RangeInclusive<usize>, dice: &mut Dice) -> usize {
    dice.count(*range.start(), *range.end())
}
