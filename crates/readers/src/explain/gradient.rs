//! An estimate of the weights from a few backward passes: integrated gradients.

use super::explanation::{Explanation, Method, RegionWeights, WordWeight, WordWeights};
use super::regions::GRID;
use super::words::{MOST_PARTS, parts_of};
use super::{Target, Wanted};
use crate::reader::{InputContributions, PatchContributions, ReadRequest};
use dissent_core::run::LabelScores;
use std::ops::Range;

/// The explanation that these contributions give of the reader's answer `scores`.
pub fn from_contributions(
    request: &ReadRequest,
    scores: &LabelScores,
    contributions: &InputContributions,
    wanted: Wanted,
) -> Explanation {
    let target = Target::of(scores);
    let caption = request.evidence.as_ref().and_then(|evidence| evidence.caption.clone());
    let words = caption.filter(|_| wanted.words).map(|caption| {
        let weight = |range: Range<usize>| WordWeight {
            weight: contributions.caption.iter().map(|(token, value)| value * share(token, &range)).sum(),
            range,
            is_bound: false,
        };
        let parts = parts_of(&caption, MOST_PARTS).into_iter().map(weight).collect();
        WordWeights { caption, parts }
    });
    let regions = |patches: &Option<PatchContributions>| patches.as_ref().filter(|_| wanted.regions).map(on_grid);
    Explanation {
        method: Method::Gradient,
        target,
        of_label: None,
        text: None,
        log_odds: target.log_odds(scores),
        is_bound: target.is_bound(scores),
        words: words.filter(|words| !words.parts.is_empty()),
        document: regions(&contributions.document),
        query: regions(&contributions.query),
    }
}

/// The share of the token that lies in the word: a token may reach over the space before it.
fn share(token: &Range<usize>, word: &Range<usize>) -> f32 {
    let common = token.end.min(word.end).saturating_sub(token.start.max(word.start));
    common as f32 / token.len().max(1) as f32
}

/// Patches on the 8 × 8 grid; a patch that lies in several cells gives each its share.
fn on_grid(patches: &PatchContributions) -> RegionWeights {
    let mut regions = RegionWeights::none();
    for row in 0..GRID {
        for column in 0..GRID {
            let mut weight = 0.0;
            for (number, value) in patches.values.iter().enumerate() {
                let down = overlap(number / patches.columns, patches.rows, row);
                let across = overlap(number % patches.columns, patches.columns, column);
                weight += value * down * across;
            }
            regions.weights[row][column] = weight;
            regions.is_fine[row][column] = true;
        }
    }
    regions
}

/// Share of patch `patch` of `count` that lies in cell `cell` of the grid, along one side.
fn overlap(patch: usize, count: usize, cell: usize) -> f32 {
    // Both in units of 1 / (count * GRID) of the side.
    let (start, end) = ((patch * GRID).max(cell * count), ((patch + 1) * GRID).min((cell + 1) * count));
    end.saturating_sub(start) as f32 / GRID as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_keep_their_sum_on_the_grid() {
        for (rows, columns) in [(8, 8), (4, 4), (16, 8), (5, 13), (1, 1)] {
            let values: Vec<f32> = (0..rows * columns).map(|number| number as f32 - 3.0).collect();
            let sum: f32 = values.iter().sum();
            let regions = on_grid(&PatchContributions { rows, columns, values: values.clone() });
            let found: f32 = regions.weights.iter().flatten().sum();
            assert!((found - sum).abs() < 1e-3 * sum.abs().max(1.0), "{rows} x {columns}: {found}, not {sum}");
            if (rows, columns) == (8, 8) {
                assert_eq!(regions.weights.iter().flatten().copied().collect::<Vec<_>>(), values);
            }
        }
    }

    #[test]
    fn a_token_over_a_space_counts_for_the_word_by_its_letters() {
        assert_eq!(share(&(0..4), &(0..4)), 1.0);
        assert_eq!(share(&(4..8), &(5..10)), 0.75);
        assert_eq!(share(&(4..8), &(9..10)), 0.0);
    }
}
