//! Beam coordinates of a pixel: depth below the probe and place across it.

use super::attributes::ProbeShape;
use crate::phantom::field::SIDE;

/// Column of the probe's axis.
const AXIS: f32 = (SIDE as f32 - 1.0) / 2.0;
/// The beams of a curved probe meet this far above the top row.
const APEX_HEIGHT: f32 = 20.0;
/// Distance from that point to the probe's face.
const FACE_RADIUS: f32 = 22.0;
/// Tangent of half the opening angle.
const HALF_OPENING: f32 = 0.82;
/// Blank columns left and right of a linear probe's image.
const LINEAR_BORDER: f32 = 1.0;

/// A pixel in beam coordinates.
#[derive(Clone, Copy, Debug)]
pub struct BeamPoint {
    /// Pixels below the probe's face.
    pub depth: f32,
    /// Beam: the column for a linear probe, the angle in radians for a curved one.
    pub beam: f32,
    /// Width of one unit of `beam` at this depth, pixels.
    pub spread: f32,
    /// Whether the probe sees the pixel.
    pub visible: bool,
}

/// Beam coordinates of the pixel (x, y).
pub fn beam_point(probe: ProbeShape, x: f32, y: f32) -> BeamPoint {
    match probe {
        ProbeShape::Linear => {
            let visible = (LINEAR_BORDER..=SIDE as f32 - 1.0 - LINEAR_BORDER).contains(&x);
            BeamPoint { depth: y, beam: x, spread: 1.0, visible }
        }
        ProbeShape::Curved => {
            let (across, down) = (x - AXIS, y + APEX_HEIGHT);
            let radius = (across * across + down * down).sqrt();
            let visible = radius >= FACE_RADIUS
                && radius <= APEX_HEIGHT + SIDE as f32 - 1.0
                && across.abs() <= HALF_OPENING * down;
            BeamPoint { depth: radius - FACE_RADIUS, beam: libm::atan2f(across, down), spread: radius, visible }
        }
    }
}
