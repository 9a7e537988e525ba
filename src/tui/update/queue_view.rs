//! Which cases are in the queue and in which order: filter, order, saved views, and what is remembered of them.

use super::app::{App, Notice, Overlay};
use crate::tui::effect::Effect;
use crate::tui::state::filter::Filter;
use crate::tui::state::filter::completion::{Completion, before_last_word, completions};
use crate::tui::state::order::Order;
use crate::tui::state::queue_columns::Column;
use crate::tui::state::session_state::{Place, SavedView, SessionState};
use tui_input::Input;

/// The filter as it is being typed.
#[derive(Clone, Debug)]
pub struct FilterEdit {
    pub input: Input,
    /// How many cases pass, by the words before the last where that is only begun; or what is wrong with the line.
    pub outcome: Result<usize, String>,
    pub completions: Vec<Completion>,
    /// Place in the completions; `None` while the line itself is meant.
    pub selected: Option<usize>,
}

impl App {
    pub(super) fn open_filter(&mut self) {
        let mut line = self.filter.to_string();
        if !line.is_empty() {
            line.push(' ');
        }
        let edit = self.filter_edit(Input::new(line));
        self.overlay = Some(Overlay::Filter(edit));
    }

    /// The line with what it would leave and what could follow.
    pub(super) fn filter_edit(&self, input: Input) -> FilterEdit {
        let completions = completions(self, input.value());
        let mut parsed = input.value().parse::<Filter>();
        // A word that is only begun is no mistake yet: the words before it are counted.
        if parsed.is_err() && !completions.is_empty() {
            parsed = before_last_word(input.value()).parse();
        }
        let outcome = parsed.map(|filter| self.queue.all().iter().filter(|case| filter.passes(self, **case)).count());
        FilterEdit { input, outcome, completions, selected: None }
    }

    /// Takes the selected completion, or the first, into the line.
    pub(super) fn complete_filter(&mut self) {
        let Some(Overlay::Filter(edit)) = &self.overlay else { return };
        let Some(completion) = edit.completions.get(edit.selected.unwrap_or(0)) else { return };
        let mut line = completion.line.clone();
        if !line.ends_with(':') {
            line.push(' ');
        }
        let edit = self.filter_edit(Input::new(line));
        self.overlay = Some(Overlay::Filter(edit));
    }

    /// Applies the line; a line that is not understood stays open.
    pub(super) fn accept_filter(&mut self) -> Vec<Effect> {
        let Some(Overlay::Filter(edit)) = &mut self.overlay else { return Vec::new() };
        match edit.input.value().parse::<Filter>() {
            Ok(filter) => {
                self.overlay = None;
                self.set_filter(filter)
            }
            Err(message) => {
                edit.outcome = Err(message);
                Vec::new()
            }
        }
    }

    /// Shows the cases that pass; the list may be empty while cases that could pass are still to be read. A filter that
    /// none can pass changes nothing and says so.
    pub fn set_filter(&mut self, filter: Filter) -> Vec<Effect> {
        let cases: Vec<usize> = self.queue.all().iter().copied().filter(|case| filter.passes(self, *case)).collect();
        if cases.is_empty() && self.still_to_read(&filter) == 0 {
            let read =
                self.queue.all().iter().filter(|case| self.answers_of(**case).is_some_and(|a| a.fused().is_some()));
            self.notice = Some(Notice::Said(format!(
                "no case matches {filter} ({} of {} are answered)",
                read.count(),
                self.queue.all().len()
            )));
            return Vec::new();
        }
        if !filter.is_empty() {
            self.last_filter = filter.clone();
        }
        self.filter = filter;
        self.show(cases)
    }

    /// Cases that are not read yet and could pass this filter once they are; none where nothing is read any more.
    pub fn still_to_read(&self, filter: &Filter) -> usize {
        if self.engine_failure.is_some() {
            return 0;
        }
        self.queue.all().iter().filter(|case| self.is_unread(**case) && filter.may_pass(self, **case)).count()
    }

    /// Narrows the view to the cases behind a cell of the overview.
    pub(super) fn open_cell(&mut self, filter: &str) -> Vec<Effect> {
        let Ok(added) = filter.parse::<Filter>() else { return Vec::new() };
        if added.is_empty() {
            self.notice = Some(Notice::Said("this cell has no cases to open".into()));
            return Vec::new();
        }
        let mut whole = self.filter.clone();
        for term in added.terms {
            if !whole.terms.contains(&term) {
                whole.terms.push(term);
            }
        }
        self.overlay = None;
        self.set_filter(whole)
    }

    /// Lifts the filter, or puts the last one back.
    pub(super) fn toggle_filter(&mut self) -> Vec<Effect> {
        if !self.filter.is_empty() {
            return self.set_filter(Filter::default());
        }
        if self.last_filter.is_empty() {
            self.notice = Some(Notice::Said("no filter yet: press f to type one".into()));
            return Vec::new();
        }
        self.set_filter(self.last_filter.clone())
    }

    /// Adds `verdict:inconsistent` to the filter, or takes it out.
    pub(super) fn toggle_only_inconsistent(&mut self) -> Vec<Effect> {
        let Ok(only) = "verdict:inconsistent".parse::<Filter>() else { return Vec::new() };
        let mut filter = self.filter.clone();
        if filter.terms.contains(&only.terms[0]) {
            filter.terms.retain(|term| *term != only.terms[0]);
        } else {
            filter.terms.extend(only.terms);
        }
        self.set_filter(filter)
    }

    /// The next case in the list, or the one before, that passes the last filter; with the filter on, simply the next.
    pub(super) fn go_to_match(&mut self, forward: bool) -> Vec<Effect> {
        if self.last_filter.is_empty() {
            self.notice = Some(Notice::Said("no filter yet: press f to type one".into()));
            return Vec::new();
        }
        let here = self.queue.place();
        let cases = self.queue.shown();
        let passes = |place: &usize| self.last_filter.passes(self, cases[*place]);
        let found = if forward { (here + 1..cases.len()).find(passes) } else { (0..here).rev().find(passes) };
        let Some(place) = found else {
            self.notice = Some(Notice::Said(format!("no further case matches {}", self.last_filter)));
            return Vec::new();
        };
        let steps = isize::try_from(place).unwrap_or(0) - isize::try_from(here).unwrap_or(0);
        self.queue.step(steps);
        self.open_current()
    }

    pub(super) fn set_order(&mut self, order: Order) -> Vec<Effect> {
        self.order = order;
        let cases = self.queue.shown().to_vec();
        self.show(cases)
    }

    fn show(&mut self, mut cases: Vec<usize>) -> Vec<Effect> {
        self.order.sort(self, &mut cases);
        self.unsorted.clear();
        let before = self.queue.current();
        self.queue.show(cases);
        if self.queue.current() == before { self.work_ahead() } else { self.open_current() }
    }

    /// A case is read: it joins the list where it passes, without moving what is on the screen; the first in an empty list
    /// is opened.
    pub(super) fn admit(&mut self, case: usize) -> Vec<Effect> {
        if self.filter.is_empty() || !self.filter.passes(self, case) {
            return Vec::new();
        }
        let was_empty = self.queue.shown().is_empty();
        if self.order == Order::Dataset {
            self.queue.admit(case);
        } else {
            self.queue.admit_last(case);
        }
        if was_empty { self.open_current() } else { Vec::new() }
    }

    /// Keeps filter and order under a name; an old view of that name is replaced.
    pub(super) fn save_view(&mut self, name: &str) -> Vec<Effect> {
        let view =
            SavedView { name: name.to_owned(), filter: self.filter.to_string(), order: self.order.name().to_owned() };
        self.saved_views.retain(|other| other.name != name);
        self.saved_views.push(view);
        self.saved_views.sort_by(|one, other| one.name.cmp(&other.name));
        self.notice = Some(Notice::Said(format!("view {name} saved: v opens it")));
        vec![Effect::Remember]
    }

    pub(super) fn open_view(&mut self, view: &SavedView) -> Vec<Effect> {
        match view.filter.parse::<Filter>() {
            Ok(filter) => {
                self.order = Order::named(&view.order).unwrap_or_default();
                self.set_filter(filter)
            }
            Err(message) => {
                self.notice = Some(Notice::Error(format!("view {}: {message}", view.name)));
                Vec::new()
            }
        }
    }

    /// What the next start should find again.
    pub fn memory(&self) -> SessionState {
        let id = |case: &usize| self.dataset.cases.get(*case).map(|case| case.id.clone());
        let mut seen: Vec<String> = self.seen.iter().filter_map(id).collect();
        seen.sort_unstable();
        SessionState {
            place: Some(Place {
                case: self.queue.current().as_ref().and_then(id),
                hit: self.hit,
                filter: self.filter.to_string(),
                order: self.order.name().to_owned(),
                columns: self.columns.iter().map(|column| column.name().to_owned()).collect(),
            }),
            view: self.saved_views.clone(),
            seen,
        }
    }

    /// Stands where the last session ended while only the cases are read: a filter would look at answers that are not
    /// there yet.
    pub fn recall_place(&mut self, memory: &SessionState) {
        let Some(place) = &memory.place else { return };
        self.columns = self.columns_named(&place.columns);
        let case = self.dataset.cases.iter().position(|case| Some(&case.id) == place.case.as_ref());
        if let Some(case) = case {
            self.queue.go_to(case);
        }
    }

    /// Goes back to where the last session ended, as far as that is still there. The answers of a
    /// stored run must be in: filters look at them.
    pub fn recall(&mut self, memory: SessionState) {
        let ids: std::collections::HashMap<&str, usize> =
            self.dataset.cases.iter().enumerate().map(|(index, case)| (case.id.as_str(), index)).collect();
        self.seen = memory.seen.iter().filter_map(|id| ids.get(id.as_str()).copied()).collect();
        self.saved_views = memory.view;
        let Some(place) = memory.place else { return };
        let case = place.case.as_deref().and_then(|id| ids.get(id).copied());
        self.columns = self.columns_named(&place.columns);
        self.order = Order::named(&place.order)
            .filter(|order| *order != Order::Flips || self.compares_runs())
            .unwrap_or_default();
        let filter = place.filter.parse::<Filter>().unwrap_or_default();
        self.last_filter = filter.clone();
        let is_there = case.is_some_and(|case| self.queue.go_to(case));
        // What this asks of the engine is asked again by `start`. A list that is empty so far begins with the case.
        drop(self.set_filter(filter));
        self.hit = if is_there && self.queue.current() == case { place.hit } else { 0 };
        self.ahead.clear();
    }

    /// The columns of these names that have something to show here.
    fn columns_named(&self, names: &[String]) -> Vec<Column> {
        let columns = names.iter().filter_map(|name| Column::named(name));
        columns.filter(|column| *column != Column::Against || self.compares_runs()).collect()
    }
}
