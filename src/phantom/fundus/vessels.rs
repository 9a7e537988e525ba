//! The vessels: four arcades from the optic disc, an artery and a vein each, with a few branches.

use super::canvas::{Canvas, Colour, bezier};
use crate::phantom::rng::PhantomRng;
use std::f32::consts::TAU;

const VEIN: Colour = [0.42, 0.08, 0.06];
const ARTERY: Colour = [0.62, 0.17, 0.08];

/// Paints the vessels. `nasal` is +1 if the disc lies right of the macula, -1 if it lies left.
pub fn paint_vessels(canvas: &mut Canvas, disc: (f32, f32), macula: (f32, f32), nasal: f32, rng: &mut PhantomRng) {
    for vertical in [-1.0, 1.0] {
        let bow = rng.between(15.0, 19.0);
        for (colour, width, aside) in [(VEIN, 2.1, 0.0), (ARTERY, 1.4, rng.between(2.2, 3.4))] {
            let reach = bow - aside;
            let temporal = bezier(
                disc,
                (disc.0 + nasal * rng.between(0.0, 3.0), disc.1 + vertical * (reach + rng.between(-2.0, 2.0))),
                (macula.0 + nasal * rng.between(2.0, 7.0), macula.1 + vertical * (reach + rng.between(1.0, 4.0))),
                (macula.0 - nasal * rng.between(15.0, 21.0), macula.1 + vertical * rng.between(7.0, 13.0)),
            );
            let temporal = wound(&temporal, 1.0, rng);
            canvas.line(&temporal, width, 0.8, colour, 0.8);
            branch(canvas, &temporal, vertical, colour, rng);
            branch(canvas, &temporal, -vertical, colour, rng);
            let nasal_end = (disc.0 + nasal * rng.between(9.0, 15.0), disc.1 + vertical * rng.between(12.0, 22.0));
            let nasal_vessel = bezier(
                disc,
                (disc.0 + nasal * rng.between(1.0, 4.0), disc.1 + vertical * rng.between(3.0, 7.0)),
                (nasal_end.0 - nasal * 3.0, nasal_end.1 - vertical * rng.between(3.0, 7.0)),
                nasal_end,
            );
            canvas.line(&wound(&nasal_vessel, 0.8, rng), 0.75 * width, 0.6, colour, 0.7);
        }
    }
}

/// A thinner vessel that leaves an arcade upwards or downwards.
fn branch(canvas: &mut Canvas, arcade: &[(f32, f32)], vertical: f32, colour: Colour, rng: &mut PhantomRng) {
    let at = rng.count(18, 55);
    let (Some(&start), Some(&next)) = (arcade.get(at), arcade.get(at + 6)) else { return };
    // A branch leaves along the arcade and turns away slowly.
    let along = (2.0 * (next.0 - start.0), 2.0 * (next.1 - start.1));
    let first = (start.0 + 0.5 * along.0, start.1 + 0.5 * along.1 + vertical);
    let end = (start.0 + 1.4 * along.0 + rng.between(-3.0, 3.0), start.1 + vertical * rng.between(6.0, 12.0));
    let second = (start.0 + along.0, start.1 + vertical * 3.0);
    canvas.line(&wound(&bezier(start, first, second, end), 0.6, rng), 1.0, 0.5, colour, 0.6);
}

/// The same line, winding gently by `height` pixels; its start stays in place.
fn wound(points: &[(f32, f32)], height: f32, rng: &mut PhantomRng) -> Vec<(f32, f32)> {
    let (turns, phase) = (rng.between(5.0, 11.0), rng.between(0.0, TAU));
    let count = points.len().max(1) as f32;
    let mut result = Vec::with_capacity(points.len());
    for (index, &(x, y)) in points.iter().enumerate() {
        let before = points[index.saturating_sub(1)];
        let after = points[(index + 1).min(points.len() - 1)];
        let (dx, dy) = (after.0 - before.0, after.1 - before.1);
        let length = (dx * dx + dy * dy).sqrt().max(1e-6);
        let share = index as f32 / count;
        let aside = height * (libm::sinf(turns * share + phase) - libm::sinf(phase) * (1.0 - share));
        result.push((x - dy / length * aside, y + dx / length * aside));
    }
    result
}
