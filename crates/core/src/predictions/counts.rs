//! Counts of what was done to answers, and the remarks about it.

use super::given_answer::GivenAnswer;
use super::parse::{HowRead, ParsedAnswer};
use crate::data::HowNamed;

/// A number of answers, and the first one in words.
#[derive(Debug, Default)]
struct Counted {
    count: usize,
    first: String,
}

impl Counted {
    fn add(&mut self, first: &dyn Fn() -> String) {
        if self.count == 0 {
            self.first = first();
        }
        self.count += 1;
    }
}

/// How the answers were read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    texts: usize,
    nothing: Counted,
    failed: Counted,
    whole_word: Counted,
    within_word: Counted,
    lost_scores: usize,
    contradicts_scores: Counted,
    other_gold: Counted,
}

impl Counts {
    pub fn add(&mut self, answer: &GivenAnswer, parsed: &ParsedAnswer) {
        let text = answer.content.text.as_deref().unwrap_or_default();
        let shown = || format!("{}: {text:.60?}", answer.place);
        self.texts += usize::from(parsed.how != HowRead::Given);
        match parsed.how {
            HowRead::Nothing => self.nothing.add(&shown),
            HowRead::Failed => self.failed.add(&shown),
            HowRead::Text(HowNamed::WholeWord) => self.whole_word.add(&shown),
            HowRead::Text(HowNamed::WithinWord) => self.within_word.add(&shown),
            HowRead::Text(HowNamed::Equal) | HowRead::Words | HowRead::Given => {}
        }
        self.lost_scores += usize::from(parsed.lost_scores);
        if parsed.contradicts_scores {
            self.contradicts_scores.add(&shown);
        }
    }

    /// Counts an answer whose file has another gold answer than the dataset.
    pub fn add_other_gold(&mut self, answer: &GivenAnswer, gold: &str, case: &str, own: &str) {
        self.other_gold.add(&|| format!("{}: {gold:.40?}, case {case} has {own:.40?}", answer.place));
    }

    /// A sentence for everything that a person should know.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let mut say = |counted: &Counted, what: &str| {
            if counted.count > 0 {
                remarks
                    .push(format!("{} of {} texts {what} (the first is {})", counted.count, self.texts, counted.first));
            }
        };
        say(&self.nothing, "name no label; that is an answer of its own, which is never right");
        say(&self.failed, "say that the other program's call failed; they count as answers that name no label");
        say(&self.whole_word, "name a label among other words; the first label of the task that occurs counts");
        say(
            &self.within_word,
            "name a label only inside of longer words, such as no in cannot, which the reference counts; --whole-words does not",
        );
        if self.lost_scores > 0 {
            remarks.push(format!(
                "the scores of {} answers are no probabilities: the largest one is the answer, without probabilities",
                self.lost_scores
            ));
        }
        if self.contradicts_scores.count > 0 {
            remarks.push(format!(
                "{} answers are another one than that with the largest score (the first is {}); the answer counts",
                self.contradicts_scores.count, self.contradicts_scores.first
            ));
        }
        if self.other_gold.count > 0 {
            remarks.push(format!(
                "{} answers have another gold answer in the file than in the dataset, which counts (the first is {})",
                self.other_gold.count, self.other_gold.first
            ));
        }
        remarks
    }
}
