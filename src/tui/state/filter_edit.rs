//! The filter while it is typed.

use crate::cases::Cases;
use crate::cases::filter::Filter;
use crate::cases::filter::completion::{Completion, before_last_word, completions};
use tui_input::Input;

/// The filter of a line whose names the dataset has.
///
/// # Errors
/// Names what is not understood, or not in the dataset.
pub fn checked(line: &str, cases: &Cases) -> Result<Filter, String> {
    let filter: Filter = line.parse()?;
    filter.check(cases)?;
    Ok(filter)
}

/// The typed line, the number of cases it leaves, and its completions.
#[derive(Clone, Debug)]
pub struct FilterEdit {
    input: Input,
    /// The filter that is counted; empty after an error.
    counted: Filter,
    outcome: Result<usize, String>,
    completions: Vec<Completion>,
    selected: Option<usize>,
}

impl FilterEdit {
    /// Counts the cases of `all` that the line leaves. `may_tell_gold` says whether counts that reveal the gold
    /// answer of single cases may be shown.
    pub fn of(input: Input, cases: &Cases, all: &[usize], may_tell_gold: bool) -> Self {
        let completions = completions(cases, all, may_tell_gold, input.value());
        let mut parsed = checked(input.value(), cases);
        // An incomplete last word is no error: count by the words before it.
        if parsed.is_err() && !completions.is_empty() {
            parsed = checked(&before_last_word(input.value()), cases);
        }
        let counted = parsed.as_ref().cloned().unwrap_or_default();
        let outcome = parsed.map(|filter| all.iter().filter(|case| filter.passes(cases, **case)).count());
        Self { input, counted, outcome, completions, selected: None }
    }

    pub fn input(&self) -> &Input {
        &self.input
    }

    pub fn input_mut(&mut self) -> &mut Input {
        &mut self.input
    }

    /// Number of cases that pass, without the last word if that is incomplete; or the error in the line.
    pub fn outcome(&self) -> Result<usize, &str> {
        self.outcome.as_ref().copied().map_err(String::as_str)
    }

    /// The filter by which [`Self::outcome`] counts.
    pub fn counted(&self) -> &Filter {
        &self.counted
    }

    pub fn set_mistake(&mut self, message: String) {
        self.outcome = Err(message);
    }

    pub fn completions(&self) -> &[Completion] {
        &self.completions
    }

    /// Position of the selected completion; `None` while the line itself is selected.
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// Moves to the next completion, or back to the line.
    pub fn step(&mut self, down: bool) {
        let last = self.completions.len().checked_sub(1);
        self.selected = if down {
            last.map(|last| self.selected.map_or(0, |at| (at + 1).min(last)))
        } else {
            self.selected.and_then(|at| at.checked_sub(1))
        };
    }

    /// The line with the selected completion, or with the first.
    pub fn completed_line(&self) -> Option<String> {
        let mut line = self.completions.get(self.selected.unwrap_or(0))?.line.clone();
        if !line.ends_with(':') {
            line.push(' ');
        }
        Some(line)
    }
}
