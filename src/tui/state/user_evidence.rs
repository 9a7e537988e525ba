//! Documents that a person puts in beside the hits, and hits read once more with something withheld.

use crate::pipeline::Probe;
use crate::run::{Ablation, CaptionShown, Hit, Prediction};

/// A document after the hits.
#[derive(Clone, Debug)]
pub struct OwnHit {
    pub probe: Probe,
    pub hit: Hit,
    /// `None` until the reader has answered.
    pub outcome: Option<Result<Prediction, String>>,
}

impl OwnHit {
    /// What stands in the place of the head.
    pub fn head(&self) -> &'static str {
        let Ablation { caption, without_image, .. } = self.probe.ablation;
        match (caption, without_image) {
            (CaptionShown::None, _) => "no caption",
            (CaptionShown::Swapped, _) => "other caption",
            (CaptionShown::Own, true) => "no image",
            (CaptionShown::Own, false) => "added by me",
        }
    }

    /// A whole document counts as a hit; one with something withheld is only looked at.
    pub fn counts(&self) -> bool {
        self.probe.ablation.is_none()
    }

    /// Has the reader answered?
    pub fn is_read(&self) -> bool {
        matches!(self.outcome, Some(Ok(_)))
    }
}
