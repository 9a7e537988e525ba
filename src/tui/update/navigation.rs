//! Moves among cases and hits, and the requests to the worker that follow.

use super::app::App;
use crate::tui::effect::Effect;
use crate::tui::state::selection::Focus;
use crate::worker::Request;
use rustc_hash::FxHashSet;

/// Number of cases that the worker reads in advance.
const AHEAD: usize = 10;

impl App {
    /// The requests to the worker before the first frame.
    pub fn start(&mut self) -> Vec<Effect> {
        let hit = self.selection.hit();
        let effects = self.open_current();
        // Keep the hit where the last session ended; if the hits are still to come, they correct it.
        let are_known =
            self.queue.current().and_then(|case| self.cases.answers_of(case)).is_some_and(|it| it.hits().is_some());
        self.selection.set_hit(if are_known { hit.min(self.slots().saturating_sub(1)) } else { hit });
        effects
    }

    pub(super) fn step(&mut self, steps: isize) -> Vec<Effect> {
        if self.selection.focus() == Focus::Hits {
            self.step_hit(steps);
            return Vec::new();
        }
        self.step_case(steps)
    }

    pub(super) fn step_case(&mut self, steps: isize) -> Vec<Effect> {
        if self.queue.step(steps) { self.open_current() } else { Vec::new() }
    }

    pub(super) fn step_hit(&mut self, steps: isize) {
        if self.step_aligned(steps) {
            return;
        }
        let slots = self.slots();
        self.selection.step_hit(steps, slots);
    }

    /// Opens the new current case at its first hit and asks the worker for it.
    pub(super) fn open_current(&mut self) -> Vec<Effect> {
        self.selection.open_case();
        self.images.open_case();
        let Some(case) = self.queue.current() else { return self.work_ahead() };
        self.cases.set_seen(case);
        self.gold.open_case(case);
        let mut effects = Vec::new();
        // A settled case needs no answer, but opening it still cancels work on the previous case.
        effects.push(Effect::Worker(Request::Open { case }));
        effects.extend(self.work_ahead());
        effects
    }

    /// Asks the worker to read the next cases in advance. With a filter on, these are the next cases that are not
    /// read and could pass, wrapping around at the end, so that the list grows. All cases that the view lacks follow if the
    /// user has asked for them.
    pub(super) fn work_ahead(&mut self) -> Vec<Effect> {
        let filter = self.view.filter();
        let filtered = !filter.is_empty();
        let source = if filtered { self.queue.all() } else { self.queue.shown() };
        let here = self.queue.here().and_then(|case| source.iter().position(|other| *other == case)).unwrap_or(0);
        let (before, after) = source.split_at(here);
        // The current case is requested by itself; without one, `here` is the case at which the list became empty.
        let after = if self.queue.current().is_some() { after.get(1..).unwrap_or_default() } else { after };
        let before = if filtered { before } else { &[] };
        let mut cases: Vec<usize> = after
            .iter()
            .chain(before)
            .copied()
            .filter(|case| self.cases.is_unread(*case) && filter.may_pass(&self.cases, *case))
            .take(AHEAD)
            .collect();
        cases = self.affordable(cases);
        if let Some(reading) = &self.reading_rest {
            let near: FxHashSet<usize> = cases.iter().copied().chain(self.queue.current()).collect();
            let all = self.queue.all().iter().copied();
            cases.extend(all.filter(|case| reading.wants(*case) && !near.contains(case)));
        }
        if cases == self.ahead {
            return Vec::new();
        }
        self.ahead.clone_from(&cases);
        vec![Effect::Worker(Request::Ahead { cases })]
    }
}
