//! The lesion: an ellipse with two signs, its outline and its interior.

use super::attributes::{Attributes, Depth, Interior, Margin, Side, Size};
use super::params::Params;
use crate::phantom::rng::PhantomRng;
use std::f32::consts::{PI, TAU};
use std::ops::RangeInclusive;

/// A lesion with fixed place and form.
pub struct Lesion {
    pub centre: (f32, f32),
    /// Half of the width, pixels.
    pub radius: f32,
    /// Height over width.
    pub aspect: f32,
    tilt: (f32, f32),
    outline: Outline,
    /// Width of the edge, pixels.
    edge: f32,
    inside: Inside,
    level: f32,
}

enum Outline {
    Round,
    Lobes { count: f32, depth: f32, phase: f32 },
    Spikes { directions: Vec<(f32, f32)>, half_width: f32 },
}

enum Inside {
    Even,
    Dots { places: Vec<(f32, f32)>, sigma: f32, level: f32 },
    Septa { direction: (f32, f32), phase: f32, period: f32, sigma: f32, level: f32 },
    Core { radius: f32, level: f32 },
}

fn within(range: &RangeInclusive<f32>, rng: &mut PhantomRng) -> f32 {
    rng.between(*range.start(), *range.end())
}

impl Lesion {
    /// Draws place, size and form of the lesion.
    pub fn draw(attributes: &Attributes, params: &Params, rng: &mut PhantomRng) -> Self {
        let radius = match attributes.size {
            Size::Small => within(&params.radius_small, rng),
            Size::Large => within(&params.radius_large, rng),
        };
        let across = match attributes.side {
            Side::Left => within(&params.left, rng),
            Side::Central => within(&params.central, rng),
            Side::Right => within(&params.right, rng),
        };
        let down = match attributes.depth {
            Depth::Shallow => within(&params.shallow, rng),
            Depth::Deep => within(&params.deep, rng),
        };
        let tilt = rng.between(-params.tilt, params.tilt);
        let edge = match attributes.entity.margin {
            Margin::Indistinct => params.indistinct_edge * radius,
            Margin::Smooth | Margin::Lobulated | Margin::Spiculated => params.sharp_edge,
        };
        Self {
            centre: (across, down),
            radius,
            aspect: within(&params.aspect, rng),
            tilt: (libm::cosf(tilt), libm::sinf(tilt)),
            outline: Outline::draw(attributes.entity.margin, params, rng),
            edge,
            inside: Inside::draw(attributes.entity.interior, params, radius, rng),
            level: params.lesion_level,
        }
    }

    /// Share of the pixel that the lesion covers (0 to 1) and the lesion's level there.
    pub fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        // In units of the radius, with the ellipse turned and stretched to a circle.
        let across = (dx * self.tilt.0 + dy * self.tilt.1) / self.radius;
        let down = (dy * self.tilt.0 - dx * self.tilt.1) / (self.radius * self.aspect);
        let distance = (across * across + down * down).sqrt();
        if distance > 2.2 {
            return (0.0, self.level);
        }
        let outside = (distance - self.outline.radius_towards(libm::atan2f(down, across))) * self.radius;
        let cover = 1.0 / (1.0 + libm::expf(outside / (0.5 * self.edge)));
        (cover, self.level + self.inside.level_at(across * self.radius, down * self.radius, self.radius))
    }
}

impl Outline {
    fn draw(margin: Margin, params: &Params, rng: &mut PhantomRng) -> Self {
        match margin {
            Margin::Smooth | Margin::Indistinct => Self::Round,
            Margin::Lobulated => Self::Lobes {
                count: rng.count(*params.lobes.start(), *params.lobes.end()) as f32,
                depth: params.lobe_depth,
                phase: rng.between(0.0, TAU),
            },
            Margin::Spiculated => {
                let count = rng.count(*params.spikes.start(), *params.spikes.end());
                let (start, spacing) = (rng.between(0.0, TAU), TAU / count as f32);
                let directions = (0..count)
                    .map(|index| {
                        let jitter = rng.between(-0.18, 0.18);
                        (start + spacing * (index as f32 + jitter), within(&params.spike_length, rng))
                    })
                    .collect();
                Self::Spikes { directions, half_width: params.spike_half_width }
            }
        }
    }

    /// Distance of the outline from the centre in this direction, in radii.
    fn radius_towards(&self, angle: f32) -> f32 {
        match self {
            Self::Round => 1.0,
            // Rounded lobes with sharper notches between them.
            Self::Lobes { count, depth, phase } => {
                let wave = libm::fabsf(libm::cosf(0.5 * count * angle + phase));
                1.0 + depth * (1.7 * wave - 1.1)
            }
            Self::Spikes { directions, half_width } => {
                let mut radius: f32 = 0.8;
                for &(direction, length) in directions {
                    let away = libm::fabsf(wrapped(angle - direction)) / half_width;
                    if away < 1.0 {
                        radius = radius.max(0.8 + length * (1.0 - away) * (1.0 - away));
                    }
                }
                radius
            }
        }
    }
}

impl Inside {
    fn draw(interior: Interior, params: &Params, radius: f32, rng: &mut PhantomRng) -> Self {
        match interior {
            Interior::Homogeneous => Self::Even,
            Interior::Dotted => Self::Dots {
                places: scattered(rng.count(*params.dots.start(), *params.dots.end()), radius, rng),
                sigma: params.dot_sigma,
                level: params.dot_level,
            },
            Interior::Septated => {
                let angle = rng.between(0.0, PI);
                Self::Septa {
                    direction: (libm::cosf(angle), libm::sinf(angle)),
                    phase: rng.between(0.0, 1.0),
                    period: params.septum_period * radius,
                    sigma: params.septum_sigma,
                    level: params.septum_level,
                }
            }
            Interior::Hollow => Self::Core { radius: params.core_radius * radius, level: params.core_level },
        }
    }

    /// Level over the lesion's own, at a place in pixels from the centre.
    fn level_at(&self, across: f32, down: f32, radius: f32) -> f32 {
        match self {
            Self::Even => 0.0,
            Self::Dots { places, sigma, level } => {
                let mut brightest: f32 = 0.0;
                for &(x, y) in places {
                    let squared = (across - x) * (across - x) + (down - y) * (down - y);
                    if squared < 16.0 * sigma * sigma {
                        brightest = brightest.max(libm::expf(-0.5 * squared / (sigma * sigma)));
                    }
                }
                level * brightest
            }
            Self::Septa { direction, phase, period, sigma, level } => {
                let along = (across * direction.0 + down * direction.1) / period + phase;
                let distance = (along - along.round()) * period;
                // Septa end at the rim, even if a spike or a lobe reaches further.
                let inside = (across * across + down * down).sqrt() < 0.95 * radius;
                if inside { level * libm::expf(-0.5 * distance * distance / (sigma * sigma)) } else { 0.0 }
            }
            Self::Core { radius: core, level } => {
                let distance = (across * across + down * down).sqrt();
                level / (1.0 + libm::expf((distance - core) / 0.5))
            }
        }
    }
}

/// Places inside the lesion, pixels from its centre, spread evenly where there is room.
fn scattered(count: usize, radius: f32, rng: &mut PhantomRng) -> Vec<(f32, f32)> {
    let mut places: Vec<(f32, f32)> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut best = (0.0, 0.0);
        let mut best_distance = -1.0;
        // Taking the farthest of a few candidates spreads dots evenly without a pattern.
        for _ in 0..6 {
            let (angle, reach) = (rng.between(0.0, TAU), 0.7 * radius * rng.unit().sqrt());
            let candidate = (reach * libm::cosf(angle), reach * libm::sinf(angle));
            let distance = places
                .iter()
                .map(|place| {
                    (place.0 - candidate.0) * (place.0 - candidate.0)
                        + (place.1 - candidate.1) * (place.1 - candidate.1)
                })
                .fold(f32::MAX, f32::min);
            if distance > best_distance {
                (best, best_distance) = (candidate, distance);
            }
        }
        places.push(best);
    }
    places
}

/// The angle in [-pi, pi].
fn wrapped(angle: f32) -> f32 {
    angle - TAU * (angle / TAU).round()
}
