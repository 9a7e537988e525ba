//! Documents that the user adds to the hits, and hits read again with a part withheld.

use crate::evaluation::UserHit;
use crate::run::{Ablation, CaptionShown};

/// Text in the head column.
pub fn head_column(own: &UserHit) -> &'static str {
    let Ablation { caption, without_image, .. } = own.probe.ablation;
    match (caption, without_image) {
        (CaptionShown::None, _) => "no caption",
        (CaptionShown::Swapped, _) => "other caption",
        (CaptionShown::Own, true) => "no image",
        (CaptionShown::Own, false) => "added by me",
    }
}
