//! Attributes of an ultrasound phantom.

use crate::phantom::attribute::attribute;
use crate::phantom::rng::PhantomRng;

attribute!(
    /// First sign: the outline of the lesion.
    Margin { Smooth = "smooth", Lobulated = "lobulated", Spiculated = "spiculated", Indistinct = "indistinct" }
);
attribute!(
    /// Second sign: what is inside the lesion.
    Interior { Homogeneous = "homogeneous", Dotted = "dotted", Septated = "septated", Hollow = "hollow" }
);
attribute!(
    /// Nuisance: field of view.
    ProbeShape { Linear = "linear", Curved = "curvilinear" }
);
attribute!(
    /// Nuisance: overall brightness.
    Gain { Dim = "dim", Medium = "medium", Bright = "bright" }
);
attribute!(
    /// Nuisance: thickness of the layers, their echo level and grain.
    Tissue { Fatty = "fatty", Dense = "dense" }
);
attribute!(
    /// Nuisance: horizontal place of the lesion.
    Side { Left = "left", Central = "central", Right = "right" }
);
attribute!(
    /// Nuisance: depth of the lesion below the skin.
    Depth { Shallow = "shallow", Deep = "deep" }
);
attribute!(
    /// Nuisance: the lesion's radius.
    Size { Small = "small", Large = "large" }
);
attribute!(
    /// Nuisance: echo behind the lesion.
    Posterior { Clear = "clear", Shadowing = "shadowing", Enhancing = "enhancing" }
);
attribute!(
    /// Result of the biopsy; a site's table derives it from the entity, no picture shows it.
    Outcome { Benign = "benign", Malignant = "malignant" }
);

/// One of 16 lesions: margin and interior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity {
    pub margin: Margin,
    pub interior: Interior,
}

impl Entity {
    /// Number of entities.
    pub const COUNT: usize = 16;

    /// All entities, by number.
    pub fn all() -> Vec<Self> {
        let mut entities = Vec::with_capacity(Self::COUNT);
        for &margin in Margin::ALL {
            for &interior in Interior::ALL {
                entities.push(Self { margin, interior });
            }
        }
        entities
    }

    /// 4 x margin + interior.
    pub fn number(self) -> usize {
        self.margin as usize * Interior::ALL.len() + self.interior as usize
    }

    /// An entity drawn uniformly.
    pub fn draw(rng: &mut PhantomRng) -> Self {
        Self { margin: Margin::draw(rng), interior: Interior::draw(rng) }
    }
}

/// The attributes that a caption can mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    pub entity: Entity,
    pub probe: ProbeShape,
    pub gain: Gain,
    pub tissue: Tissue,
    pub side: Side,
    pub depth: Depth,
    pub size: Size,
    pub posterior: Posterior,
}

impl Attributes {
    /// Draws the nuisances uniformly and independently for the given entity.
    pub fn draw(entity: Entity, rng: &mut PhantomRng) -> Self {
        Self {
            entity,
            probe: ProbeShape::draw(rng),
            gain: Gain::draw(rng),
            tissue: Tissue::draw(rng),
            side: Side::draw(rng),
            depth: Depth::draw(rng),
            size: Size::draw(rng),
            posterior: Posterior::draw(rng),
        }
    }
}
