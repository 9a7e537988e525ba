//! Word overlap of open answers with the gold answer, in any order: as in SQuAD's evaluation (Rajpurkar et al. 2016),
//! and BLEU of single words (Papineni et al. 2002).

use dissent_core::data::answer_words;

/// Overlap of an answer with the gold answer; each figure is from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WordOverlap {
    /// Share of the gold words that are in the answer.
    pub recall: f64,
    /// Harmonic mean of recall and of the share of the answer's words that are in the gold answer.
    pub f1: f64,
    /// Share of the answer's words that are in the gold answer, times exp(1 − gold words / words) if the answer is
    /// shorter.
    pub bleu_1: f64,
}

impl WordOverlap {
    /// Counts a word as often as both have it; articles, punctuation and case are ignored.
    pub fn of(gold: &str, answer: &str) -> Self {
        let (gold, answer) = (answer_words(gold), answer_words(answer));
        let mut left = gold.clone();
        let mut same = 0;
        for word in &answer {
            if let Some(place) = left.iter().position(|other| other == word) {
                left.swap_remove(place);
                same += 1;
            }
        }
        if same == 0 {
            return Self { recall: 0.0, f1: 0.0, bleu_1: 0.0 };
        }
        let (same, gold, answer) = (f64::from(same), gold.len() as f64, answer.len() as f64);
        let brevity = if answer < gold { (1.0 - gold / answer).exp() } else { 1.0 };
        Self { recall: same / gold, f1: 2.0 * same / (gold + answer), bleu_1: brevity * same / answer }
    }
}
