//! What a head is made of.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Kind of a trained head. All begin as the dual encoder itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// A copy of the whole image tower, as in the paper (docs/method.md, "Heads")
    Tower,
    /// A linear layer on the frozen tower's pooled output, beginning as the projection
    Adapter,
    /// An adapter to whose output a linear map of the question's text vector is added
    Question,
}

impl HeadKind {
    /// Names of the base's tensors that a head of this kind begins with.
    pub fn taken_from_base(self) -> &'static [&'static str] {
        match self {
            Self::Tower => &["vision_model.", "visual_projection."],
            Self::Adapter | Self::Question => &["visual_projection."],
        }
    }
}

impl fmt::Display for HeadKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tower => "tower",
            Self::Adapter => "adapter",
            Self::Question => "question",
        })
    }
}
