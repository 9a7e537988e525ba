//! Splits for a source that has none, drawn by the name of the group.

use crate::data::Split;
use crate::files::fingerprint::Fingerprint;

/// Assigns about 50 % of the groups to training, 15 % to validation and 35 % to test, by the group's name alone: the result is
/// the same on every machine and for every selection of rows.
pub(super) fn drawn_split(group: &str) -> Split {
    match Fingerprint::of_parts(["split", group]).number() % 100 {
        0..50 => Split::Train,
        50..65 => Split::Validation,
        _ => Split::Test,
    }
}

/// What an import says about splits that it drew; `groups` names the kind of group ("patient").
#[cfg(feature = "import")]
pub(super) fn drawn_split_remark(groups: &str) -> String {
    format!("the source has no splits; drawn by {groups}: about 50 % train, 15 % validation, 35 % test")
}
