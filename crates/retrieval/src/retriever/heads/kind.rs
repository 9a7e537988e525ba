//! The architectures of heads.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Architecture of a trained head. All start as the dual encoder itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// A copy of the whole image tower, as in the paper (docs/method.md, "Heads")
    Tower,
    /// A linear layer on the frozen tower's pooled output, initialised with the projection
    Adapter,
    /// An adapter plus a linear map of the question's text vector
    Question,
}

impl HeadKind {
    /// Prefixes of the base's tensors that initialise a head of this kind.
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
