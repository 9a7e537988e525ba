//! Going to a case by its id.

use super::app::App;
use crate::cases::filter::Filter;
use crate::tui::effect::Effect;
use crate::tui::state::picker::Choice;

/// Most cases that are offered.
const MOST: usize = 50;

impl App {
    /// The cases whose id begins with what was typed, or whose number it is: `12` names `us-test-0012`.
    pub(super) fn cases_named(&self, typed: &str) -> Vec<Choice> {
        if typed.is_empty() {
            return Vec::new();
        }
        let typed = typed.to_lowercase();
        let cases = self.queue.all().iter().filter_map(|case| Some((*case, self.cases.get(*case)?)));
        let mut found: Vec<(usize, Choice)> = Vec::new();
        for (index, case) in cases {
            let Some(rank) = rank(&case.id, &typed) else { continue };
            let detail = format!("go to this case: {} · {}", case.task, case.split);
            found.push((
                rank,
                Choice { name: case.id.clone(), detail, words: "", sign: String::new(), case: Some(index) },
            ));
        }
        // The sort is stable: equal ranks keep the order of the queue.
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().take(MOST).map(|(_, choice)| choice).collect()
    }

    /// Opens the case. A filter that hides it is lifted.
    pub(super) fn go_to_case(&mut self, case: usize) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !self.queue.shows(case) {
            effects = self.set_filter(Filter::default());
            self.say(format!("the filter is lifted, because it hides {}; F puts it back", self.cases.id_of(case)));
        }
        if self.queue.go_to(case) {
            effects.extend(self.open_current());
        }
        effects
    }
}

/// How well the typed text names the id: 0 for the id itself, 1 for its number, 2 for its beginning; `None` if it does
/// not.
fn rank(id: &str, typed: &str) -> Option<usize> {
    let id = id.to_lowercase();
    if id == typed {
        return Some(0);
    }
    let end = id.trim_end_matches(|sign: char| sign.is_ascii_digit());
    let number = |digits: &str| digits.trim_start_matches('0').to_owned();
    let is_number = typed.chars().all(|sign| sign.is_ascii_digit());
    if is_number && end.len() < id.len() && number(&id[end.len()..]) == number(typed) {
        return Some(1);
    }
    id.starts_with(typed).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_named_by_itself_its_number_or_its_beginning() {
        let ranks = |typed: &str| ["us-test-0012", "us-test-0120", "12-a", "Us-12"].map(|id| rank(id, typed));
        assert_eq!(ranks("12"), [Some(1), None, Some(2), Some(1)]);
        assert_eq!(ranks("us-12"), [None, None, None, Some(0)]);
        assert_eq!(ranks("us-test"), [Some(2), Some(2), None, None]);
    }
}
