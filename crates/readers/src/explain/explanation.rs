//! The weights of words and regions in one prediction.

use super::Target;
use super::regions::{Block, GRID, Region};
use dissent_core::data::{LabelIndex, LabelSet};
use serde::Serialize;
use std::ops::Range;

/// How the weights were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Each word left out and each region covered in turn, and the reader asked again.
    #[default]
    Occlusion,
    /// An estimate: integrated gradients, from a few passes of the reader.
    Gradient,
}

/// Why a prediction is what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    pub method: Method,
    pub target: Target,
    /// The label of a set that is explained: the target is then yes (0) or no (1) to the question about this label.
    pub of_label: Option<LabelOfSet>,
    /// The generated answer of an open task, whose log-probability is then explained.
    pub text: Option<String>,
    /// Log-odds between answer and runner-up with everything shown; for an open answer its log-probability.
    pub log_odds: f32,
    /// The log-odds is known only approximately, because the reader gives bounds of some labels.
    pub is_bound: bool,
    /// `None` if no caption was shown, or words were not asked for.
    pub words: Option<WordWeights>,
    /// `None` if no image of a document was shown, or regions were not asked for.
    pub document: Option<RegionWeights>,
    /// `None` if regions were not asked for.
    pub query: Option<RegionWeights>,
}

/// A label of an answer with several labels, where the reader is asked about each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelOfSet {
    pub label: LabelIndex,
    /// The reader's whole answer.
    pub set: LabelSet,
}

/// The weights of the words of a caption.
#[derive(Clone, Debug, PartialEq)]
pub struct WordWeights {
    /// As the reader was shown it.
    pub caption: String,
    /// The words in order; phrases where the caption is long.
    pub parts: Vec<WordWeight>,
}

/// The weight of a word or phrase: what the log-odds lose without it. Positive weights speak for the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct WordWeight {
    /// Bytes of the caption.
    pub range: Range<usize>,
    pub weight: f32,
    /// The weight is known only approximately.
    pub is_bound: bool,
}

/// The weights of the cells of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionWeights {
    /// `weights[row][column]`: what the log-odds lose if the cell is covered.
    pub weights: [[f32; GRID]; GRID],
    /// Was the cell covered alone? Otherwise its weight is an equal share of the weight of the block it was covered with.
    pub is_fine: [[bool; GRID]; GRID],
    /// Some weight is known only approximately.
    pub has_bounds: bool,
}

/// What an explanation costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Questions to the reader.
    pub requests: usize,
    /// Those whose answer is in the cache.
    pub known: usize,
    /// Estimated seconds for the others, from the measured time of earlier ones.
    pub seconds: f64,
}

impl WordWeights {
    /// The parts with the largest absolute weights, strongest first.
    pub fn strongest(&self, count: usize) -> Vec<&WordWeight> {
        let mut parts: Vec<&WordWeight> = self.parts.iter().collect();
        parts.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        parts.truncate(count);
        parts
    }

    /// The text of a part.
    pub fn text(&self, part: &WordWeight) -> &str {
        self.caption.get(part.range.clone()).unwrap_or_default()
    }
}

impl RegionWeights {
    /// Weights that are all zero and not measured yet.
    pub(super) fn none() -> Self {
        Self { weights: [[0.0; GRID]; GRID], is_fine: [[false; GRID]; GRID], has_bounds: false }
    }

    /// Sets the weight of a block.
    pub(super) fn set(&mut self, block: Block, weight: f32, is_bound: bool) {
        let share = weight / (block.side * block.side) as f32;
        for Region { row, column } in block.cells() {
            self.weights[row][column] = share;
            self.is_fine[row][column] = block.side == 1;
        }
        self.has_bounds |= is_bound;
    }

    /// The cell with the largest absolute weight, and that weight.
    pub fn strongest(&self) -> (Region, f32) {
        let mut best = (Region { row: 0, column: 0 }, self.weights[0][0]);
        for (row, weights) in self.weights.iter().enumerate() {
            for (column, weight) in weights.iter().enumerate() {
                if weight.abs() > best.1.abs() {
                    best = (Region { row, column }, *weight);
                }
            }
        }
        best
    }
}
