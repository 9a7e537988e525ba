//! The paper's late fusion of K predictions (docs/method.md, "Fusion").

use dissent_core::data::Answer;
use dissent_core::run::{CaseAnswer, Head, LabelOdds, LabelSamples, LabelScores, Prediction, Provenance};

/// The fused answer of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Fused {
    /// The label, and the weighted sum of label log-probabilities.
    pub prediction: Prediction,
    /// λ, one per prediction; they sum to 1.
    pub weights: Vec<f32>,
}

/// How a document was found, the deciding head first, and the reader's prediction with it.
pub type ScoredHit<'a> = (&'a [Provenance], &'a Prediction);

/// Hits and predictions of a case, as input of fusers.
pub fn scored_hits(answer: &CaseAnswer) -> Vec<ScoredHit<'_>> {
    answer.hits.iter().map(|hit| hit.provenances.as_slice()).zip(&answer.predictions).collect()
}

/// Fuses K predictions. A document found by several heads counts once, with the first one's score. If several heads
/// are present, each score is divided by its head's largest. λ is the softmax of the scores over all predictions, and
/// the fused score of a label is Σ λ · log p. As the weights sum to 1, label log-probabilities give the same fused
/// distribution as logits. For a set of labels, yes and no of each label are fused in this way. Shares of sampled answers are
/// fused as Σ λ · share. If a prediction has neither, λ weighs votes instead; if a document has no
/// score, all weights are equal. A document added by the user weighs as much as the best of the others. Returns
/// `None` if there is nothing to fuse.
pub fn fuse(found: &[ScoredHit]) -> Option<Fused> {
    let weights = softmax(&normalised_scores(found)?);
    let prediction = weighted_answer(found, &weights);
    Some(Fused { prediction, weights })
}

/// The answer by log-probabilities, else by shares of samples, else by votes.
pub(super) fn weighted_answer(found: &[ScoredHit], weights: &[f32]) -> Prediction {
    let summed = weighted_sum(found, weights).or_else(|| weighted_share(found, weights));
    summed.unwrap_or_else(|| weighted_vote(found, weights))
}

/// Σ w · share of each outcome, that no label is named among them; `None` if a prediction with a weight other than 0 was not
/// sampled.
fn weighted_share(found: &[ScoredHit], weights: &[f32]) -> Option<Prediction> {
    let counted = found.iter().zip(weights).filter(|(_, weight)| **weight != 0.0);
    let samples = counted.map(|((_, prediction), weight)| Some((prediction.samples.as_ref()?, *weight)));
    Some(LabelSamples::weighted_mean(samples.collect::<Option<Vec<_>>>()?)?.into())
}

/// Σ w · log p and its largest label, or of a set of labels Σ w · log-odds of each label; `None` if a prediction with a weight
/// other than 0 has neither.
pub(super) fn weighted_sum(found: &[ScoredHit], weights: &[f32]) -> Option<Prediction> {
    let counted = || found.iter().zip(weights).filter(|(_, weight)| **weight != 0.0);
    let ((_, first), _) = counted().next()?;
    if first.odds.is_some() {
        let odds = counted().map(|((_, prediction), weight)| Some((prediction.odds.as_ref()?, *weight)));
        return Some(LabelOdds::weighted_sum(odds.collect::<Option<Vec<_>>>()?)?.into());
    }
    let mut sums = vec![0.0_f32; first.scores.as_ref()?.log_probabilities().len()];
    let mut bounds = Vec::new();
    for ((_, prediction), weight) in counted() {
        let scores = prediction.scores.as_ref()?;
        for (label, (sum, value)) in sums.iter_mut().zip(scores.log_probabilities()).enumerate() {
            *sum += weight * value;
            // A sum that contains a bound is a bound, too.
            if scores.is_bound(label) && !bounds.contains(&label) {
                bounds.push(label);
            }
        }
    }
    Some(Prediction::from(LabelScores::bounded(sums, bounds)))
}

/// The answer with the largest sum of weights, in the words of its first prediction; in a tie, the answer that comes
/// first.
pub(super) fn weighted_vote(found: &[ScoredHit], weights: &[f32]) -> Prediction {
    let mut votes: Vec<(Option<Answer>, f32)> = Vec::new();
    for ((_, prediction), weight) in found.iter().zip(weights) {
        match votes.iter_mut().find(|(answer, _)| *answer == prediction.answer) {
            Some((_, sum)) => *sum += weight,
            None => votes.push((prediction.answer, *weight)),
        }
    }
    let mut best: Option<(Option<Answer>, f32)> = None;
    for (answer, sum) in votes {
        // Sums that differ only by rounding are a tie.
        if best.is_none_or(|(_, largest)| sum > largest + 1e-6) {
            best = Some((answer, sum));
        }
    }
    let answer = best.and_then(|(answer, _)| answer);
    let text = found.iter().find(|(_, prediction)| prediction.answer == answer);
    Prediction {
        answer,
        scores: None,
        odds: None,
        samples: None,
        text: text.and_then(|(_, prediction)| prediction.text.clone()),
    }
}

pub(super) fn softmax(values: &[f32]) -> Vec<f32> {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = values.iter().map(|value| (value - largest).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.iter().map(|value| value / sum).collect()
}

/// Scores of a single head are unchanged. With several heads, each score is divided by its head's largest, even if
/// that is the score of a document decided by another head. All are 0 if any score is unknown. Documents added by the
/// user change no other score and get the best of them.
pub(super) fn normalised_scores(found: &[ScoredHit]) -> Option<Vec<f32>> {
    let by_heads = found.iter().flat_map(|(provenances, _)| provenances.iter());
    let all: Vec<&Provenance> = by_heads.filter(|provenance| provenance.head != Head::Person).collect();
    if found.is_empty() {
        return None;
    }
    let Some(first_head) = all.first().map(|provenance| provenance.head) else { return Some(vec![0.0; found.len()]) };
    if all.iter().any(|provenance| provenance.score.is_none()) {
        return Some(vec![0.0; found.len()]);
    }
    let several_heads = all.iter().any(|provenance| provenance.head != first_head);
    let mut scores = Vec::with_capacity(found.len());
    for (provenances, _) in found {
        let Provenance { head, score, .. } = **provenances.first().as_ref()?;
        if head == Head::Person {
            scores.push(None);
            continue;
        }
        let of_head = all.iter().filter(|provenance| provenance.head == head);
        let largest = of_head.filter_map(|provenance| provenance.score).fold(f32::NEG_INFINITY, f32::max);
        let score = score?;
        // Dividing by a best score that is not positive would reverse the head's order.
        scores.push(Some(if several_heads && largest > 0.0 { score / largest } else { score }));
    }
    let best = scores.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max);
    Some(scores.into_iter().map(|score| score.unwrap_or(best)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: &[f32], expected: &[f32]) {
        for (a, b) in actual.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{actual:?} is not {expected:?}");
        }
    }

    /// The vectors of docs/method.md, "Loss".
    #[test]
    fn fusion_of_two_heads_matches_the_reference() {
        let logits = [[2.0, 0.5], [1.0, 1.2], [-0.5, 3.0], [0.1, 0.4]]
            .map(|row| Prediction::from(LabelScores::exact(row.to_vec())));
        let heads = [Head::Image, Head::Image, Head::Caption, Head::Caption];
        let scores = [0.8, 0.72, 0.32, 0.28];
        let found: Vec<_> =
            (0..4).map(|i| [Provenance { head: heads[i], rank: i % 2 + 1, score: Some(scores[i]) }]).collect();
        let predictions: Vec<ScoredHit> =
            found.iter().zip(&logits).map(|(found, logits)| (found.as_slice(), logits)).collect();
        let fused = fuse(&predictions).unwrap();
        close(&fused.weights, &[0.264_038, 0.238_911, 0.264_038, 0.233_013]);
        close(fused.prediction.scores.as_ref().unwrap().log_probabilities(), &[0.658_270, 1.304_032]);
        assert_eq!(fused.prediction.label(), Some(1));
    }

    #[test]
    fn shares_of_samples_are_fused_as_shares_and_never_with_log_probabilities() {
        let at = |rank| [Provenance { head: Head::Image, rank, score: None }];
        let of = |counts: [u32; 2], unnamed| Prediction::from(LabelSamples::of_counts(&counts, unnamed));
        // By votes, label 1 would win.
        let (first, second, third) = (of([5, 0], 0), of([2, 3], 0), of([2, 3], 0));
        let fused = fuse(&[(&at(1), &first), (&at(2), &second), (&at(3), &third)]).unwrap().prediction;
        assert_eq!(fused.label(), Some(0));
        close(&[fused.probability().unwrap()], &[0.6]);
        assert!(fused.scores.is_none() && fused.is_sampled());
        let unnamed = fuse(&[(&at(1), &of([1, 0], 4)), (&at(2), &of([2, 0], 3))]).unwrap().prediction;
        assert_eq!((unnamed.answer, unnamed.probability_sign()), (None, "≈"));
        let exact = Prediction::from(LabelScores::exact(vec![-0.1, -2.4]));
        let mixed = fuse(&[(&at(1), &first), (&at(2), &exact)]).unwrap().prediction;
        assert!(mixed.scores.is_none() && mixed.samples.is_none(), "only votes can be counted together");
    }

    #[test]
    fn nothing_fuses_to_nothing() {
        assert_eq!(fuse(&[]), None);
    }

    #[test]
    fn one_head_uses_raw_scores() {
        let labels = Prediction::from(LabelScores::exact(vec![0.0, 1.0]));
        let at = |rank, score| [Provenance { head: Head::Image, rank, score: Some(score) }];
        let fused = fuse(&[(&at(1, 1.0), &labels), (&at(2, 0.0), &labels)]).unwrap();
        close(&fused.weights, &[0.731_059, 0.268_941]);
    }

    #[test]
    fn a_head_is_scaled_by_its_best_score_even_where_another_head_decides() {
        let labels = Prediction::from(LabelScores::exact(vec![0.0, 1.0]));
        let of = |head, rank, score| Provenance { head, rank, score: Some(score) };
        // The image head found the caption head's best document, too.
        let shared = [of(Head::Image, 1, 0.9), of(Head::Caption, 1, 0.5)];
        let second = [of(Head::Caption, 2, 0.4)];
        let fused = fuse(&[(&shared, &labels), (&second, &labels)]).unwrap();
        // Softmax of 1 and 0.4 / 0.5.
        close(&fused.weights, &[0.549_834, 0.450_166]);
    }

    #[test]
    fn a_document_put_in_weighs_as_the_best_and_leaves_the_others_their_proportions() {
        let labels = Prediction::from(LabelScores::exact(vec![0.0, 1.0]));
        let of = |head, rank, score| [Provenance { head, rank, score }];
        let person = of(Head::Person, 1, None);
        let one_head = [of(Head::Lexical, 1, Some(3.0)), of(Head::Lexical, 2, Some(1.0))];
        let two_heads = [of(Head::Image, 1, Some(0.9)), of(Head::Caption, 1, Some(0.4))];
        for places in [&one_head, &two_heads] {
            let mut found: Vec<ScoredHit> = places.iter().map(|place| (place.as_slice(), &labels)).collect();
            let before = fuse(&found).unwrap().weights;
            found.push((&person, &labels));
            let after = fuse(&found).unwrap().weights;
            close(&[after[1] / after[0]], &[before[1] / before[0]]);
            close(&[after[2]], &[after[0]]);
        }
        close(&fuse(&[(&person, &labels)]).unwrap().weights, &[1.0]);
        let unknown = of(Head::Image, 1, None);
        close(&fuse(&[(&unknown, &labels), (&person, &labels)]).unwrap().weights, &[0.5, 0.5]);
    }

    #[test]
    fn without_log_probabilities_and_scores_the_majority_wins_and_naming_no_label_is_an_answer() {
        let said = |answer| Prediction { answer, scores: None, odds: None, samples: None, text: Some("text".into()) };
        let at = |rank| [Provenance { head: Head::Image, rank, score: None }];
        let (none, two) = (said(None), said(Some(Answer::Label(2))));
        let fused = fuse(&[(&at(1), &two), (&at(2), &none), (&at(3), &none)]).unwrap();
        assert_eq!(fused.prediction.answer, None);
        let tied = fuse(&[(&at(1), &two), (&at(2), &none)]).unwrap();
        assert_eq!((tied.prediction.label(), tied.weights), (Some(2), vec![0.5, 0.5]));
    }
}
