//! Why this answer: which words of a caption and which regions of an image decided a prediction.
//!
//! Occlusion leaves out one word, or covers one region, and asks the reader again. What the log-odds between the answer and
//! the runner-up lose is the weight of that word or region (docs/reference/explain.md).
//!
//! | file | what is in it |
//! |---|---|
//! | `words` | a caption in words, or in phrases where it is long |
//! | `regions` | an 8 × 8 grid over an image, and images with a block of it covered |
//! | `target` | the answer that is explained, and its log-odds |
//! | `occlusion` | the questions that are asked and the weights that follow |
//! | `gradient` | an estimate from a few backward passes |
//! | `explanation` | the result |

mod explanation;
mod gradient;
mod occlusion;
mod regions;
mod target;
mod words;

pub use explanation::{Cost, Explanation, LabelOfSet, Method, RegionWeights, WordWeight, WordWeights};
pub use gradient::from_contributions;
pub use occlusion::{Ask, Occlusion, Wanted};
pub use regions::{Block, GRID, Region, RegionImage, covered_picture, mean_colour};
pub use target::Target;
pub use words::{MOST_PARTS, parts_of, without};
