//! What the explorer may ask a server that may cost money: the rule of the commands, with the question on the screen.

use super::app::App;
use crate::pipeline::{HostedReader, MANY_REQUESTS, PlannedRequests, ServerUsage};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;
use crate::tui::state::spend::SpendQuestion;

impl App {
    /// The reader, if its server may cost money.
    pub(super) fn hosted(&self) -> Option<&HostedReader> {
        self.worker.models()?.hosted.as_ref()
    }

    /// What answering these cases takes; `None` if it costs nothing.
    fn planned_for(&self, cases: impl IntoIterator<Item = usize>) -> Option<PlannedRequests> {
        Some(self.hosted()?.answering(self.dataset(), cases))
    }

    /// Whether these cases may be answered without a question: together with those that were answered before, they are few,
    /// or the person has agreed.
    fn may_spend(&self, planned: &PlannedRequests) -> bool {
        self.has_agreed_to_spend || self.requests_asked().saturating_add(planned.requests) <= MANY_REQUESTS
    }

    /// Opens the question before many requests for these cases; false if none is needed.
    pub(super) fn asks_before(&mut self, cases: impl IntoIterator<Item = usize>) -> bool {
        let Some(planned) = self.planned_for(cases).filter(|planned| !self.may_spend(planned)) else { return false };
        let under = self.overlay.take().map(Box::new);
        self.open(Overlay::Spend(SpendQuestion { planned, under }));
        true
    }

    /// The cases that may be answered before anybody looks at them. At the limit they are none, and that is said once.
    pub(super) fn affordable(&mut self, cases: Vec<usize>) -> Vec<usize> {
        let planned = self.planned_for(cases.iter().copied()).filter(|planned| !self.may_spend(planned));
        let Some(planned) = planned else { return cases };
        if !self.has_said_limit {
            self.has_said_limit = true;
            let (more, asked) = (planned.requests, self.requests_asked());
            self.say(format!("{more} more requests to {} ({asked} so far) wait for R, which asks", planned.server));
        }
        Vec::new()
    }

    /// What servers were asked in this session; `None` before the first answer of one.
    pub fn server_usage(&self) -> Option<ServerUsage> {
        self.server_usage
    }

    /// Requests to the reader's server in this session.
    fn requests_asked(&self) -> usize {
        let usage = self.server_usage.and_then(|usage| usage.reader);
        usage.map_or(0, |usage| usize::try_from(usage.requests).unwrap_or(usize::MAX))
    }

    pub(super) fn update_spend(&mut self, action: Action) -> Vec<Effect> {
        if !matches!(action, Action::Accept | Action::Cancel) {
            return Vec::new();
        }
        let Some(Overlay::Spend(question)) = self.overlay.take() else { return Vec::new() };
        self.overlay = question.under.map(|under| *under);
        if action == Action::Cancel {
            self.say("nothing was asked");
            return Vec::new();
        }
        self.has_agreed_to_spend = true;
        self.read_rest()
    }
}
