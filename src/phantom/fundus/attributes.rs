//! Attributes of a fundus phantom.

use crate::phantom::attribute::attribute;
use crate::phantom::rng::PhantomRng;

attribute!(
    /// The sign: grade of the made-up retinopathy; its word is the label.
    Grade {
        /// No lesions.
        None = "0",
        /// A few microaneurysms.
        Mild = "1",
        /// More of them and small haemorrhages.
        Moderate = "2",
        /// Many haemorrhages, hard exudates, cotton-wool spots.
        Severe = "3",
        /// New vessels at the optic disc, beside some of the above.
        Proliferative = "4",
    }
);
attribute!(
    /// Nuisance: which eye; the optic disc lies on that side of the image.
    EyeSide { Left = "left eye", Right = "right eye" }
);
attribute!(
    /// Nuisance: brightness of the flash.
    Illumination { Dim = "dim", Even = "even", Bright = "bright" }
);
attribute!(
    /// Nuisance: colour of the light and of the pigment.
    Tint { Red = "red", Orange = "orange", Pale = "pale" }
);
attribute!(
    /// Nuisance: focus of the camera.
    Focus { Sharp = "sharp", Blurred = "blurred" }
);

impl Grade {
    /// Findings that a report names for this grade.
    pub fn findings(self) -> &'static str {
        match self {
            Self::None => "no lesions",
            Self::Mild => "few microaneurysms",
            Self::Moderate => "several small haemorrhages",
            Self::Severe => "many haemorrhages and exudates",
            Self::Proliferative => "new vessels at disc",
        }
    }
}

/// The attributes that a caption can mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub grade: Grade,
    pub eye: EyeSide,
    pub illumination: Illumination,
    pub tint: Tint,
    pub focus: Focus,
}

impl Attributes {
    /// Draws the nuisances uniformly and independently for the given grade.
    pub fn draw(grade: Grade, rng: &mut PhantomRng) -> Self {
        Self {
            grade,
            eye: EyeSide::draw(rng),
            illumination: Illumination::draw(rng),
            tint: Tint::draw(rng),
            focus: Focus::draw(rng),
        }
    }
}
