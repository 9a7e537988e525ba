//! Documents that a person puts in beside the hits, and hits read once more with something withheld.

use crate::evaluation::OwnHit;
use crate::run::{Ablation, CaptionShown};

/// What stands in the column of the head.
pub fn head_column(own: &OwnHit) -> &'static str {
    let Ablation { caption, without_image, .. } = own.probe.ablation;
    match (caption, without_image) {
        (CaptionShown::None, _) => "no caption",
        (CaptionShown::Swapped, _) => "other caption",
        (CaptionShown::Own, true) => "no image",
        (CaptionShown::Own, false) => "added by me",
    }
}
