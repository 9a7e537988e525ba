//! Open answers against the gold one, word by word, whatever their order: as SQuAD's evaluation (Rajpurkar et al. 2016), and
//! BLEU of single words (Papineni et al. 2002).

use dissent_core::data::answer_words;

/// How far an answer has the words of the gold one; each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WordOverlap {
    /// Share of the gold words that are in the answer.
    pub recall: f64,
    /// Harmonic mean of that and of the share of the answer's words that are in the gold one.
    pub f1: f64,
    /// Share of the answer's words that are in the gold one, times exp(1 − gold words / words) where the answer is shorter.
    pub bleu_1: f64,
}

impl WordOverlap {
    /// A word counts as often as both have it. Articles, punctuation and case do not.
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
