//! Captions of ultrasound phantoms: terse reports, one fixed word per finding, at most 14 words.

use super::attributes::{Attributes, Entity, Outcome};
use crate::phantom::rng::PhantomRng;
use crate::phantom::wording::Wording;

/// A report such as `large spiculated septated mass, deep left, curvilinear, bright gain, shadowing; biopsy
/// malignant`. Each finding is mentioned with the probability of its kind. The outcome, if given, is always
/// mentioned.
pub fn caption(attributes: &Attributes, wording: &Wording, outcome: Option<Outcome>, rng: &mut PhantomRng) -> String {
    let mut mention = |probability: f32, word: &str| rng.chance(probability).then(|| word.to_owned());
    let nuisance = wording.nuisance;
    let mass = [
        mention(nuisance, attributes.size.word()),
        mention(wording.sign, attributes.entity.margin.word()),
        mention(wording.sign, attributes.entity.interior.word()),
        Some("mass".to_owned()),
    ];
    let place = [mention(nuisance, attributes.depth.word()), mention(nuisance, attributes.side.word())];
    let phrases = [
        Some(mass.into_iter().flatten().collect::<Vec<_>>().join(" ")),
        Some(place.into_iter().flatten().collect::<Vec<_>>().join(" ")).filter(|place| !place.is_empty()),
        mention(nuisance, &format!("{} tissue", attributes.tissue.word())),
        mention(nuisance, attributes.probe.word()),
        mention(nuisance, &format!("{} gain", attributes.gain.word())),
        mention(nuisance, attributes.posterior.word()),
    ];
    let findings = phrases.into_iter().flatten().collect::<Vec<_>>().join(", ");
    match outcome {
        Some(outcome) => format!("{findings}; biopsy {}", outcome.word()),
        None => findings,
    }
}

/// The signs and nothing else, such as `spiculated septated mass`.
pub fn sign_caption(entity: Entity) -> String {
    format!("{} {} mass", entity.margin.word(), entity.interior.word())
}
