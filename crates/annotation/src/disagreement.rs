//! Cases for an adjudicator, sorted by disagreement.

use super::agreement::masi_distance;
use super::category_id::CategoryId;
use super::{AnnotationState, CaseReview};

/// The cases that an adjudicator should decide, by falling [`CaseReview::disagreement`], then by id.
pub fn disagreements(state: &AnnotationState) -> Vec<CaseReview> {
    let mut found: Vec<(f64, CaseReview)> = Vec::new();
    for review in state.reviews() {
        if review.standing().is_to_be_decided() {
            found.push((review.disagreement(), review));
        }
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.case.cmp(&other.1.case)));
    found.into_iter().map(|(_, review)| review).collect()
}

impl CaseReview {
    /// Mean MASI distance of the pairs of annotators who gave the case categories: 1 if no two have a category in
    /// common, 0 if all gave the same ones or fewer than two gave any.
    pub fn disagreement(&self) -> f64 {
        let sets: Vec<Vec<&CategoryId>> =
            self.votes().map(|vote| vote.annotation.categories.iter().collect()).collect();
        let (mut pairs, mut sum) = (0, 0.0);
        for (place, one) in sets.iter().enumerate() {
            for other in &sets[..place] {
                sum += masi_distance(one, other);
                pairs += 1;
            }
        }
        if pairs == 0 { 0.0 } else { sum / f64::from(pairs) }
    }
}
