//! What a served reader is asked for: log-probabilities of labels, or sampled answers.

use std::str::FromStr;

/// How labels are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReaderMode {
    /// Log-probabilities if the server gives them with token ids, else sampled answers.
    #[default]
    Auto,
    /// Log-probabilities; a server without them is refused.
    Exact,
    /// Sampled answers.
    Answers,
}

impl FromStr for ReaderMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "exact" => Ok(Self::Exact),
            "answers" => Ok(Self::Answers),
            other => Err(format!("expected auto, exact or answers, found {other}")),
        }
    }
}

/// The settings of the mode `answers`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleSettings {
    pub mode: ReaderMode,
    /// Answers per question.
    pub samples: u32,
    pub temperature: f32,
}

impl SampleSettings {
    /// Answers per question if the user says nothing. Their shares are coarse (0.2 apart, intervals of ±0.4), but as each costs
    /// a request or an answer, more must be asked for.
    pub const SAMPLES: u32 = 5;

    /// `samples` answers at this temperature. Without one, several answers are sampled at 1, where shares estimate
    /// probabilities, and a single one at 0, where it is the likeliest.
    pub fn new(mode: ReaderMode, samples: u32, temperature: Option<f32>) -> Self {
        Self { mode, samples, temperature: temperature.unwrap_or(if samples == 1 { 0.0 } else { 1.0 }) }
    }
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self::new(ReaderMode::Auto, Self::SAMPLES, None)
    }
}
