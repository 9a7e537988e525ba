//! A colour picture that is painted in layers: tint over the ground, lines and spots.

use crate::phantom::field::SIDE;

/// Linear colour, red, green and blue, 1 is full.
pub type Colour = [f32; 3];

/// Colours of all pixels, row by row.
pub struct Canvas(pub Vec<Colour>);

impl Canvas {
    /// One colour everywhere.
    pub fn filled(colour: Colour) -> Self {
        Self(vec![colour; SIDE * SIDE])
    }

    /// Moves a pixel towards a colour by a share from 0 to 1; pixels outside the canvas are ignored.
    pub fn blend(&mut self, x: i32, y: i32, colour: Colour, share: f32) {
        let side = SIDE as i32;
        if !(0..side).contains(&x) || !(0..side).contains(&y) {
            return;
        }
        let pixel = &mut self.0[(y * side + x) as usize];
        for (value, target) in pixel.iter_mut().zip(colour) {
            *value += share.clamp(0.0, 1.0) * (target - *value);
        }
    }

    /// A round spot of full strength in the middle and half of it at `radius`; its rim fades over about `softness`
    /// pixels to either side.
    pub fn spot(&mut self, centre: (f32, f32), radius: f32, softness: f32, colour: Colour, strength: f32) {
        let reach = radius + 4.0 * softness;
        let (left, right) = ((centre.0 - reach) as i32, (centre.0 + reach) as i32 + 1);
        let (top, bottom) = ((centre.1 - reach) as i32, (centre.1 + reach) as i32 + 1);
        for y in top..=bottom {
            for x in left..=right {
                let (dx, dy) = (x as f32 - centre.0, y as f32 - centre.1);
                let outside = ((dx * dx + dy * dy).sqrt() - radius) / softness;
                self.blend(x, y, colour, strength / (1.0 + libm::expf(outside)));
            }
        }
    }

    /// A line along points, `width` pixels wide at its start and `end_width` at its end. Each pixel is painted once,
    /// with the nearest point of the line, so that a line is as dark as `strength` says and no darker.
    pub fn line(&mut self, points: &[(f32, f32)], width: f32, end_width: f32, colour: Colour, strength: f32) {
        let mut shares = vec![0.0_f32; SIDE * SIDE];
        let last = points.len().saturating_sub(1).max(1) as f32;
        for (index, &(px, py)) in points.iter().enumerate() {
            let half = 0.5 * (width + (end_width - width) * index as f32 / last);
            let reach = half + 1.5;
            for y in (py - reach) as i32..=(py + reach) as i32 + 1 {
                for x in (px - reach) as i32..=(px + reach) as i32 + 1 {
                    let side = SIDE as i32;
                    if !(0..side).contains(&x) || !(0..side).contains(&y) {
                        continue;
                    }
                    let (dx, dy) = (x as f32 - px, y as f32 - py);
                    let outside = (dx * dx + dy * dy).sqrt() - half;
                    // A line thinner than a pixel covers part of it.
                    let share = (0.5 - outside).clamp(0.0, 1.0).min(2.0 * half);
                    let cell = &mut shares[(y * side + x) as usize];
                    *cell = cell.max(share);
                }
            }
        }
        for (pixel, share) in self.0.iter_mut().zip(shares) {
            for (value, target) in pixel.iter_mut().zip(colour) {
                *value += share * strength * (target - *value);
            }
        }
    }
}

/// Points of a cubic Bezier curve, close enough for a line without gaps.
pub fn bezier(a: (f32, f32), b: (f32, f32), c: (f32, f32), d: (f32, f32)) -> Vec<(f32, f32)> {
    const STEPS: usize = 72;
    (0..=STEPS)
        .map(|step| {
            let t = step as f32 / STEPS as f32;
            let s = 1.0 - t;
            let (wa, wb, wc, wd) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
            (wa * a.0 + wb * b.0 + wc * c.0 + wd * d.0, wa * a.1 + wb * b.1 + wc * c.1 + wd * d.1)
        })
        .collect()
}
