//! One answer from K predictions: the paper's late fusion (reference.md §3.3).

use crate::reader::LabelScores;
use crate::retriever::Provenance;

/// The fused answer of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused {
    /// Weighted sum of label log-probabilities, one per label.
    pub scores: LabelScores,
    /// λ, one per prediction; they sum to 1.
    pub weights: Vec<f32>,
    /// Position of the largest fused score.
    pub answer: usize,
}

/// Fuses K predictions, each with how its document was found, the deciding head first; a document that several heads found
/// counts once, with the first one's score. Each score is divided by its head's largest when several heads are present, λ is the softmax of
/// those over all predictions, and the fused score of a label is Σ λ · log p. With weights that sum to 1, label
/// log-probabilities give the same fused distribution as logits. `None` where there is nothing to fuse.
pub fn fuse(predictions: &[(&[Provenance], &LabelScores)]) -> Option<Fused> {
    let (_, first) = predictions.first()?;
    let scores = normalised_scores(predictions)?;
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    let weights: Vec<f32> = exponentials.iter().map(|value| value / sum).collect();
    let mut fused = vec![0.0_f32; first.0.len()];
    for ((_, prediction), weight) in predictions.iter().zip(&weights) {
        for (total, value) in fused.iter_mut().zip(&prediction.0) {
            *total += weight * value;
        }
    }
    let scores = LabelScores(fused);
    let answer = scores.arg_max();
    Some(Fused { scores, weights, answer })
}

/// Scores of one head are used as they are; with several heads each is divided by its head's largest, be that the score
/// of a document that another head decides.
fn normalised_scores(predictions: &[(&[Provenance], &LabelScores)]) -> Option<Vec<f32>> {
    let all: Vec<&Provenance> = predictions.iter().flat_map(|(provenances, _)| provenances.iter()).collect();
    let first_head = all.first()?.head;
    let several_heads = all.iter().any(|provenance| provenance.head != first_head);
    let mut scores = Vec::with_capacity(predictions.len());
    for (provenances, _) in predictions {
        let Provenance { head, score, .. } = **provenances.first().as_ref()?;
        let of_head = all.iter().filter(|provenance| provenance.head == head);
        let largest = of_head.map(|provenance| provenance.score).fold(f32::NEG_INFINITY, f32::max);
        // A head whose best score is not positive cannot be scaled by it without turning its order round.
        scores.push(if several_heads && largest > 0.0 { score / largest } else { score });
    }
    Some(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retriever::Head;

    fn close(actual: &[f32], expected: &[f32]) {
        for (a, b) in actual.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{actual:?} is not {expected:?}");
        }
    }

    /// The vectors of reference.md §4.6.
    #[test]
    fn fusion_of_two_heads_matches_the_reference() {
        let logits = [[2.0, 0.5], [1.0, 1.2], [-0.5, 3.0], [0.1, 0.4]].map(|row| LabelScores(row.to_vec()));
        let heads = [Head::Image, Head::Image, Head::Caption, Head::Caption];
        let scores = [0.8, 0.72, 0.32, 0.28];
        let found: Vec<_> =
            (0..4).map(|i| [Provenance { head: heads[i], rank: i % 2 + 1, score: scores[i] }]).collect();
        let predictions: Vec<(&[Provenance], &LabelScores)> =
            found.iter().zip(&logits).map(|(found, logits)| (found.as_slice(), logits)).collect();
        let fused = fuse(&predictions).unwrap();
        close(&fused.weights, &[0.264_038, 0.238_911, 0.264_038, 0.233_013]);
        close(&fused.scores.0, &[0.658_270, 1.304_032]);
        assert_eq!(fused.answer, 1);
    }

    #[test]
    fn nothing_fuses_to_nothing() {
        assert_eq!(fuse(&[]), None);
    }

    #[test]
    fn one_head_uses_raw_scores() {
        let labels = LabelScores(vec![0.0, 1.0]);
        let at = |rank, score| [Provenance { head: Head::Image, rank, score }];
        let fused = fuse(&[(&at(1, 1.0), &labels), (&at(2, 0.0), &labels)]).unwrap();
        close(&fused.weights, &[0.731_059, 0.268_941]);
    }

    #[test]
    fn a_head_is_scaled_by_its_best_score_even_where_another_head_decides() {
        let labels = LabelScores(vec![0.0, 1.0]);
        let of = |head, rank, score| Provenance { head, rank, score };
        // The caption head's best document was found by the image head, too.
        let shared = [of(Head::Image, 1, 0.9), of(Head::Caption, 1, 0.5)];
        let second = [of(Head::Caption, 2, 0.4)];
        let fused = fuse(&[(&shared, &labels), (&second, &labels)]).unwrap();
        // Softmax of 1 and 0.4 / 0.5.
        close(&fused.weights, &[0.549_834, 0.450_166]);
    }
}
