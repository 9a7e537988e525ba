//! Captions of fundus phantoms: terse reports, one fixed phrase per finding.

use super::attributes::{Attributes, Grade};
use crate::phantom::rng::PhantomRng;
use crate::phantom::wording::Wording;

/// A report such as `left eye, dim, orange, sharp, many haemorrhages and exudates; grade 3`. Each finding is
/// mentioned with the probability of its kind. If `graded`, the grade is always mentioned.
pub fn caption(attributes: &Attributes, wording: &Wording, graded: bool, rng: &mut PhantomRng) -> String {
    let mut mention = |probability: f32, word: &str| rng.chance(probability).then(|| word.to_owned());
    let phrases = [
        Some(mention(wording.nuisance, attributes.eye.word()).unwrap_or_else(|| "eye".to_owned())),
        mention(wording.nuisance, attributes.illumination.word()),
        mention(wording.nuisance, attributes.tint.word()),
        mention(wording.nuisance, attributes.focus.word()),
        mention(wording.sign, attributes.grade.findings()),
    ];
    let findings = phrases.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if graded { format!("{findings}; grade {}", attributes.grade.word()) } else { findings }
}

/// The lesions and nothing else, such as `few microaneurysms`.
pub fn sign_caption(grade: Grade) -> String {
    format!("eye, {}", grade.findings())
}
