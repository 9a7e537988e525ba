//! Figures, orders and filters stand on the cases that are answered: how many those are, and having the rest answered.

use super::app::App;
use crate::cases::filter::Filter;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;
use crate::tui::state::reading_rest::ReadingRest;
use std::time::Duration;

/// A view of more cases than this is not counted anew for every answer, but at intervals.
const MANY: usize = 2000;
const INTERVAL: Duration = Duration::from_millis(500);

/// How many of the cases that bear on the view are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    pub answered: usize,
    pub of: usize,
}

impl App {
    /// How much of the view is answered; `None` where all of it is. Where a filter is on, the view is every case that passes
    /// it or could pass it once it is answered.
    pub fn coverage(&self) -> Option<Coverage> {
        let filter = self.view.filter();
        let of = self.queue.all().iter().filter(|case| filter.may_pass(&self.cases, **case)).count();
        let unread = self.unread_in_view().count();
        (unread > 0).then_some(Coverage { answered: of - unread, of })
    }

    /// Does the order or the filter of the queue depend on answers?
    pub fn view_depends_on_answers(&self) -> bool {
        self.view.order().depends_on_answers() || self.view.filter().depends_on_answers()
    }

    /// Can further cases be answered?
    pub fn can_read_rest(&self) -> bool {
        self.worker.failure().is_none()
    }

    /// The reading of all cases that the view lacks, while it goes on.
    pub fn reading_rest(&self) -> Option<&ReadingRest> {
        self.reading_rest.as_ref()
    }

    /// The time since the start of the session; the state has no clock of its own.
    pub fn set_clock(&mut self, now: Duration) {
        self.clock = now;
    }

    /// Number of cases that would pass this filter if the models answered them so; 0 for a filter that no answer decides.
    pub fn unread_for(&self, filter: &Filter) -> usize {
        if !filter.depends_on_answers() {
            return 0;
        }
        let unread = |case: &&usize| self.cases.is_unread(**case) && filter.may_pass(&self.cases, **case);
        self.queue.all().iter().filter(unread).count()
    }

    fn unread_in_view(&self) -> impl Iterator<Item = usize> {
        let filter = self.view.filter();
        let unread = move |case: &usize| self.cases.is_unread(*case) && filter.may_pass(&self.cases, *case);
        self.queue.all().iter().copied().filter(unread)
    }

    /// Has every case answered that the view lacks.
    pub(super) fn read_rest(&mut self) -> Vec<Effect> {
        if !self.can_read_rest() {
            self.say("no model is loaded, so no further case can be answered");
            return Vec::new();
        }
        let unread: Vec<usize> = self.unread_in_view().collect();
        if self.asks_before(unread.iter().copied()) {
            return Vec::new();
        }
        self.reading_rest = ReadingRest::of(unread, self.clock);
        if self.reading_rest.is_none() {
            self.say("every case of this view is answered");
            return Vec::new();
        }
        self.work_ahead()
    }

    /// Stops [`App::read_rest`]; `None` if it is not going on.
    pub(super) fn stop_reading_rest(&mut self) -> Option<Vec<Effect>> {
        self.reading_rest.take()?;
        self.say("stopped: the cases answered so far stay answered");
        Some(self.work_ahead())
    }

    /// A case is answered.
    pub(super) fn one_more_is_answered(&mut self, case: usize) {
        if let Some(reading) = &mut self.reading_rest {
            reading.answered(case, self.clock);
            if reading.is_done() {
                self.reading_rest = None;
                self.say("every case of this view is answered");
            }
        }
        self.refresh_overview();
    }

    /// Counts the overview anew, if it is on the screen.
    fn refresh_overview(&mut self) {
        let Some(Overlay::Overview(overview)) = &mut self.overlay else { return };
        let is_due = self.reading_rest.is_none() || self.clock.saturating_sub(self.overview_counted) >= INTERVAL;
        if self.queue.shown().len() <= MANY || is_due {
            overview.count_again(&self.cases, self.queue.shown());
            self.overview_counted = self.clock;
        }
    }
}
