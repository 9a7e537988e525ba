//! The view of the queue: filter, order, saved views.

use super::app::App;
use crate::cases::filter::Filter;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::filter_edit::{FilterEdit, checked};
use crate::tui::state::order::Order;
use crate::tui::state::overlay::{Notice, Overlay};
use crate::tui::state::session_state::SavedView;
use tui_input::Input;

impl App {
    pub(super) fn open_filter(&mut self) {
        let mut line = self.view.filter().to_string();
        if !line.is_empty() {
            line.push(' ');
        }
        self.set_filter_edit(Input::new(line));
    }

    /// Opens the filter line with its count and completions.
    pub(super) fn set_filter_edit(&mut self, input: Input) {
        let edit = FilterEdit::of(input, &self.cases, self.queue.all(), self.gold.is_kept());
        self.open(Overlay::Filter(edit));
    }

    pub(super) fn update_filter(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Filter(edit)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => edit.step(true),
            Action::Up => edit.step(false),
            Action::Accept if edit.selected().is_none() => return self.accept_filter(),
            Action::Complete | Action::Accept => {
                if let Some(line) = edit.completed_line() {
                    self.set_filter_edit(Input::new(line));
                }
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }

    /// Applies the line; a line with an error stays open.
    fn accept_filter(&mut self) -> Vec<Effect> {
        let Some(Overlay::Filter(edit)) = &mut self.overlay else { return Vec::new() };
        match checked(edit.input().value(), &self.cases) {
            Ok(filter) => {
                let reason = self.without_match(&filter);
                if let (Some(reason), Some(Overlay::Filter(edit))) = (reason, &mut self.overlay) {
                    edit.set_mistake(format!("{reason}; the list stays as it is"));
                    return Vec::new();
                }
                self.overlay = None;
                self.set_filter(filter)
            }
            Err(message) => {
                edit.set_mistake(message);
                Vec::new()
            }
        }
    }

    /// Shows the cases that pass. The list may be empty while cases that could pass are still to be read. A filter
    /// that no case can pass changes nothing and gives an error.
    pub fn set_filter(&mut self, filter: Filter) -> Vec<Effect> {
        if let Some(reason) = self.without_match(&filter) {
            self.say(reason);
            return Vec::new();
        }
        let all = self.queue.all();
        let cases: Vec<usize> = all.iter().copied().filter(|case| filter.passes(&self.cases, *case)).collect();
        self.view.set_filter(filter);
        self.show(cases)
    }

    /// A sentence if no case passes this filter and none can still come to pass it.
    fn without_match(&self, filter: &Filter) -> Option<String> {
        let all = self.queue.all();
        if all.iter().any(|case| filter.passes(&self.cases, *case)) || self.still_to_read(filter) > 0 {
            return None;
        }
        let is_read = |case: &&usize| self.cases.answers_of(**case).is_some_and(|answers| answers.fused().is_some());
        let read = all.iter().filter(is_read).count();
        Some(format!("no case matches {filter} ({read} of {} are answered)", all.len()))
    }

    /// Number of cases that are not read yet and could pass this filter once they are; 0 if nothing is read any more.
    pub fn still_to_read(&self, filter: &Filter) -> usize {
        if self.worker.failure().is_some() {
            return 0;
        }
        let could = |case: &&usize| self.cases.is_unread(**case) && filter.may_pass(&self.cases, **case);
        self.queue.all().iter().filter(could).count()
    }

    /// Removes the filter, or restores the last one.
    pub(super) fn toggle_filter(&mut self) -> Vec<Effect> {
        if !self.view.filter().is_empty() {
            return self.set_filter(Filter::default());
        }
        if self.view.last_filter().is_empty() {
            self.say("no filter yet: press f to type one");
            return Vec::new();
        }
        self.set_filter(self.view.last_filter().clone())
    }

    /// Whether the filter has `verdict:inconsistent`.
    pub fn shows_only_inconsistent(&self) -> bool {
        let only = "verdict:inconsistent".parse::<Filter>();
        only.is_ok_and(|only| self.view.filter().terms.contains(&only.terms[0]))
    }

    /// Adds `verdict:inconsistent` to the filter, or removes it.
    pub(super) fn toggle_only_inconsistent(&mut self) -> Vec<Effect> {
        let Ok(only) = "verdict:inconsistent".parse::<Filter>() else { return Vec::new() };
        let mut filter = self.view.filter().clone();
        if filter.terms.contains(&only.terms[0]) {
            filter.terms.retain(|term| *term != only.terms[0]);
        } else {
            filter.terms.extend(only.terms);
        }
        self.set_filter(filter)
    }

    /// Goes to the next or previous listed case that passes the last filter; with the filter on, to the next or
    /// previous one.
    pub(super) fn go_to_match(&mut self, forward: bool) -> Vec<Effect> {
        if self.view.last_filter().is_empty() {
            self.say("no filter yet: press f to type one");
            return Vec::new();
        }
        let here = self.queue.place();
        let cases = self.queue.shown();
        let passes = |place: &usize| self.view.last_filter().passes(&self.cases, cases[*place]);
        let found = if forward { (here + 1..cases.len()).find(passes) } else { (0..here).rev().find(passes) };
        let Some(place) = found else {
            let unread = self.unread_for(self.view.last_filter());
            let of_those = if unread == 0 { String::new() } else { format!("; {unread} are not answered yet") };
            self.say(format!("no further case matches {}{of_those}", self.view.last_filter()));
            return Vec::new();
        };
        let steps = isize::try_from(place).unwrap_or(0) - isize::try_from(here).unwrap_or(0);
        self.queue.step(steps);
        self.open_current()
    }

    pub(super) fn set_order(&mut self, order: Order) -> Vec<Effect> {
        self.view.set_order(order);
        let cases = self.queue.shown().to_vec();
        self.show(cases)
    }

    fn show(&mut self, mut cases: Vec<usize>) -> Vec<Effect> {
        self.view.sort(&self.cases, &self.queue, &mut cases);
        let before = self.queue.current();
        self.queue.show(cases);
        if self.queue.current() == before { self.work_ahead() } else { self.open_current() }
    }

    /// Adds a case that has been read to the list if it passes, without moving what is on the screen. The first case
    /// of an empty list is opened.
    pub(super) fn admit(&mut self, case: usize) -> Vec<Effect> {
        if self.view.filter().is_empty() || !self.view.filter().passes(&self.cases, case) {
            return Vec::new();
        }
        let was_empty = self.queue.shown().is_empty();
        if self.view.order() == Order::Dataset {
            self.queue.admit(case);
        } else {
            self.queue.admit_last(case);
        }
        if was_empty { self.open_current() } else { Vec::new() }
    }

    pub(super) fn update_name(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Name(input)) = &self.overlay else { return Vec::new() };
        let name = input.value().trim().to_owned();
        match action {
            Action::Accept if name.is_empty() => return Vec::new(),
            Action::Accept | Action::Cancel => self.overlay = None,
            _ => return Vec::new(),
        }
        if action == Action::Accept { self.save_view(&name) } else { Vec::new() }
    }

    /// Saves filter and order under a name and replaces an older view with that name.
    fn save_view(&mut self, name: &str) -> Vec<Effect> {
        self.view.save(name);
        self.say(format!("view {name} saved: v opens it"));
        vec![Effect::Remember]
    }

    pub(super) fn open_view(&mut self, view: &SavedView) -> Vec<Effect> {
        match view.filter.parse::<Filter>() {
            Ok(filter) => {
                self.view.set_order(Order::named(&view.order).unwrap_or_default());
                self.set_filter(filter)
            }
            Err(message) => {
                self.notify(Notice::Error(format!("view {}: {message}", view.name)));
                Vec::new()
            }
        }
    }
}
