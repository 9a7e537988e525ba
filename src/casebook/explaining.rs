//! Which words and regions decided the answers of a page: asking for it hit by hit, and keeping what belongs to the answer
//! that stands on the page.

use super::Casebook;
use super::case_page::{CasePage, HitEntry};
use crate::cases::answer_names::{NO_LABEL, joined_names};
use crate::explain::Explanation;
use crate::run::{Ablation, Probe};

impl Casebook {
    /// Asks `explain` about every hit with an answer that is not explained yet: the case's position in the dataset, and the
    /// document as the reader was given it. `on_hits` is told how many hits are done.
    pub fn explain_hits(
        &mut self,
        explain: &mut dyn FnMut(usize, Probe) -> Option<Explanation>,
        on_hits: &mut dyn FnMut(usize),
    ) {
        let ablation = Ablation { random_documents: false, ..self.ablation };
        let mut done = 0;
        for case in &mut self.cases {
            let CasePage { position, labels, hits, .. } = case;
            for hit in hits.iter_mut().filter(|hit| hit.is_unexplained()) {
                let explanation = explain(*position, Probe { row: hit.row, ablation });
                hit.explanation = explanation.filter(|explanation| is_about(explanation, hit, labels));
                done += 1;
                on_hits(done);
            }
        }
    }

    /// Number of hits with an answer, and of those that are explained.
    pub fn explained_hits(&self) -> (usize, usize) {
        let hits = || self.cases.iter().flat_map(|case| &case.hits);
        (hits().filter(|hit| hit.answer.is_some()).count(), hits().filter(|hit| hit.explanation.is_some()).count())
    }
}

impl HitEntry {
    /// Whether there is an answer that nobody has explained.
    fn is_unexplained(&self) -> bool {
        self.answer.is_some() && self.explanation.is_none()
    }
}

/// Whether the explanation is of the answer on the page. A dataset that changed since the run gives other answers under the
/// same ids, and their explanation would be wrong here.
fn is_about(explanation: &Explanation, hit: &HitEntry, labels: &[String]) -> bool {
    let Some(answer) = &hit.answer else { return false };
    let explained = match &explanation.text {
        Some(text) => Some(text.clone()),
        None => match explanation.of_label {
            None => labels.get(explanation.target.answer).cloned(),
            Some(of) => {
                let names: Vec<&String> = of.set.labels().filter_map(|label| labels.get(label)).collect();
                Some(if names.is_empty() { NO_LABEL.to_owned() } else { joined_names(&names) })
            }
        },
    };
    let caption = explanation.words.as_ref().map(|words| &words.caption);
    let same_caption = caption.is_none_or(|caption| hit.caption.as_ref() == Some(caption));
    explained.is_some_and(|explained| explained == answer.name) && same_caption
}
