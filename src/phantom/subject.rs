//! A phantom of either kind: its attributes, its picture, its captions.

use super::encode::{Effort, colour_png, grey_png};
use super::rng::PhantomRng;
use super::ultrasound::{Entity, Outcome};
use super::wording::Wording;
use super::{fundus, ultrasound};
use anyhow::Result;

/// The attributes of one phantom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Ultrasound(ultrasound::Attributes),
    Fundus(fundus::Attributes),
}

impl Subject {
    /// Draws all attributes uniformly; the subject is a fundus with probability `fundus_share`.
    pub fn draw(fundus_share: f32, rng: &mut PhantomRng) -> Self {
        if rng.chance(fundus_share) {
            let grade = fundus::Grade::draw(rng);
            return Self::Fundus(fundus::Attributes::draw(grade, rng));
        }
        let entity = Entity::draw(rng);
        Self::Ultrasound(ultrasound::Attributes::draw(entity, rng))
    }

    /// The picture as a PNG file, drawn with the default parameters.
    pub fn png(&self, effort: Effort, rng: &mut PhantomRng) -> Result<Vec<u8>> {
        match self {
            Self::Ultrasound(attributes) => {
                grey_png(&ultrasound::draw(attributes, &ultrasound::Params::default(), rng), effort)
            }
            Self::Fundus(attributes) => colour_png(&fundus::draw(attributes, &fundus::Params::default(), rng), effort),
        }
    }

    /// A caption with all signs and nothing else.
    pub fn sign_caption(&self) -> String {
        match self {
            Self::Ultrasound(attributes) => ultrasound::sign_caption(attributes.entity),
            Self::Fundus(attributes) => fundus::sign_caption(attributes.grade),
        }
    }

    /// A whole caption that knows no site's outcomes. Half of the ultrasound captions end in a random outcome, half
    /// of the fundus captions in the grade.
    pub fn pool_caption(&self, rng: &mut PhantomRng) -> String {
        let concluded = rng.chance(0.5);
        match self {
            Self::Ultrasound(attributes) => {
                let outcome = concluded.then(|| Outcome::draw(rng));
                ultrasound::caption(attributes, &Wording::POOL, outcome, rng)
            }
            Self::Fundus(attributes) => fundus::caption(attributes, &Wording::POOL, concluded, rng),
        }
    }

    /// Value of `source` in a pool's document.
    pub fn source(&self) -> &'static str {
        match self {
            Self::Ultrasound(_) => "ultrasound",
            Self::Fundus(_) => "fundus",
        }
    }
}
