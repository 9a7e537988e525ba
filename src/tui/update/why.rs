//! Why this answer: the page that explains the prediction with the selected hit.

use super::app::App;
use crate::explain::{Method, Wanted};
use crate::pipeline::OWN_GROUP;
use crate::pipeline::{ExplainRequest, GridChoice};
use crate::run::{Ablation, Probe};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;
use crate::tui::state::selection::Shown;
use crate::tui::state::why::{Why, WhyAnswer};
use crate::worker::Request;

/// Seconds from which a person is asked first.
const COSTLY_SECONDS: f64 = 5.0;

impl App {
    /// Asks why the prediction with the document shown is what it is.
    pub(super) fn open_why(&mut self) -> Vec<Effect> {
        let Some((index, case)) = self.current() else { return Vec::new() };
        let Some(row) = self.shown_row() else {
            self.say("the hits of this case are not retrieved yet: try again in a moment");
            return Vec::new();
        };
        if !self.dataset().may_retrieve_by_name(case, row) {
            self.say(OWN_GROUP);
            return Vec::new();
        }
        if self.worker.models().is_none() {
            self.say("no model is loaded, so no answer can be explained");
            return Vec::new();
        }
        let slot = self.selection.hit();
        let own = self.cases.answers_of(index).and_then(|answers| answers.user_hit_at(slot));
        let own = own.filter(|_| self.selection.shown() == Shown::Hit);
        // A hit is explained as its run showed it; a found document is shown whole.
        let ablation = match self.selection.shown() {
            Shown::Hit => Ablation { random_documents: false, ..self.cases.evidence().ablation() },
            Shown::Row(_) => match self.cases.other_evidence().filter(|_| self.selection.other_hit().is_some()) {
                Some(other) => Ablation { random_documents: false, ..other.ablation() },
                None => Ablation::default(),
            },
        };
        let probe = own.map_or(Probe { row, ablation }, |own| own.probe);
        let document = self.dataset().corpus.get(row).map_or("", |document| document.id);
        let with = match self.selection.shown() {
            Shown::Hit => format!("hit {}, {document}", slot + 1),
            Shown::Row(_) => document.to_owned(),
        };
        let request = ExplainRequest {
            case: index,
            probe: Some(probe),
            label: None,
            wanted: Wanted { words: true, regions: true },
            method: Method::Occlusion,
            grid: GridChoice::Auto,
        };
        let ticket = self.new_ticket();
        self.open(Overlay::Why(Why::awaiting(request, with, ticket)));
        vec![Effect::Worker(Request::Explain { ticket, request, most_seconds: Some(COSTLY_SECONDS) })]
    }

    pub(super) fn update_why(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Cancel => {
                self.overlay = None;
                return vec![Effect::Worker(Request::StopExplaining)];
            }
            Action::NextHit | Action::PreviousHit => {
                self.step_hit(if action == Action::NextHit { 1 } else { -1 });
                return self.open_why();
            }
            Action::Accept => {}
            _ => return Vec::new(),
        }
        let ticket = self.new_ticket();
        let Some(Overlay::Why(why)) = &mut self.overlay else { return Vec::new() };
        if !matches!(why.answer(), WhyAnswer::Costly(_)) {
            return Vec::new();
        }
        why.await_again(ticket);
        vec![Effect::Worker(Request::Explain { ticket, request: *why.request(), most_seconds: None })]
    }
}
