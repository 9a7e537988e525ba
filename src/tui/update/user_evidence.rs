//! The user's own evidence: documents added to the hits, and hits shown to the reader with a part withheld.

use super::app::App;
use crate::evaluation::{PartialCaseAnswer, UserHit};
use crate::pipeline::OWN_GROUP;
use crate::run::{Ablation, CaptionShown, Given, Head, Hit, Prediction, Probe, Provenance, Shown};
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Notice;
use crate::worker::Request;

impl App {
    /// Adds a document in the next slot and has the reader answer with it.
    pub(super) fn put_in(&mut self, row: usize) -> Vec<Effect> {
        self.selection.show_row(row);
        let Some((index, case)) = self.current() else { return Vec::new() };
        if !self.dataset().may_retrieve_by_name(case, row) {
            self.say(OWN_GROUP);
            return Vec::new();
        }
        if self.worker.models().is_none() {
            self.say("no model is loaded: the document is shown without an answer");
            return Vec::new();
        }
        if let Some(place) = self.hits().iter().position(|hit| hit.row == row) {
            self.selection.stand_on_hit(place);
            self.say(format!("this document is already hit {}", place + 1));
            return Vec::new();
        }
        self.ask(index, Probe { row, ablation: Ablation::default() })
    }

    /// Reads the shown document again with its caption or image withheld, or with its caption replaced by a
    /// contradicting one.
    pub(super) fn withhold(&mut self, caption: CaptionShown, without_image: bool) -> Vec<Effect> {
        let Some((index, case)) = self.current() else { return Vec::new() };
        let Some(row) = self.shown_row() else { return Vec::new() };
        if !self.dataset().may_retrieve_by_name(case, row) {
            self.say(OWN_GROUP);
            return Vec::new();
        }
        if self.worker.models().is_none() {
            self.say("no model is loaded, so there can be no new answers");
            return Vec::new();
        }
        self.ask(index, Probe { row, ablation: Ablation { caption, without_image, random_documents: false } })
    }

    fn ask(&mut self, case: usize, probe: Probe) -> Vec<Effect> {
        let Some(document) = self.dataset().corpus.get(probe.row) else { return Vec::new() };
        let document = document.id.to_owned();
        let answers = self.cases.answers_mut(case);
        let Some(found) = answers.hits().map(<[_]>::len) else {
            self.say("the hits of this case are not retrieved yet: try again in a moment");
            return Vec::new();
        };
        // If this was asked before, select it, and ask again if the reader failed.
        if let Some(place) = answers.user_hits.iter().position(|own| own.probe == probe) {
            let failed = answers.user_hits[place].outcome.take_if(|outcome| outcome.is_err()).is_some();
            self.selection.stand_on_hit(found + place);
            return if failed { vec![Effect::Worker(Request::Probe { case, probe })] } else { Vec::new() };
        }
        // No search found it, so it has no score; the fuser treats it as equal to the best hit.
        let provenance = Provenance { head: Head::Person, rank: answers.user_hits.len() + 1, score: None };
        let hit = Hit { row: probe.row, document, provenances: vec![provenance] };
        let slot = found + answers.user_hits.len();
        answers.user_hits.push(UserHit { probe, hit, caption_row: None, outcome: None });
        self.what_if.leave_out(case, slot);
        self.selection.look_at_hit(slot);
        vec![Effect::Worker(Request::Probe { case, probe })]
    }

    /// Takes the reader's answer to a probe. `shown` is what the reader was given, or `None` if that was the document's own.
    pub(super) fn probed(
        &mut self,
        case: usize,
        probe: Probe,
        shown: Option<&Shown>,
        outcome: Result<Prediction, String>,
    ) {
        if let Err(message) = &outcome {
            self.notify(Notice::Error(message.clone()));
        }
        let caption_row = match shown.map(|shown| &shown.caption) {
            None => Some(probe.row),
            Some(Given::Withheld) => None,
            Some(Given::Document(id)) => self.dataset().corpus.row_of(id),
        };
        let own = self.cases.user_evidence_mut(case).and_then(|own| own.iter_mut().find(|own| own.probe == probe));
        if let Some(own) = own {
            own.caption_row = caption_row;
            own.outcome = Some(outcome);
        }
    }

    /// Removes the user's own evidence from a case.
    pub(super) fn remove_own(&mut self, case: usize) {
        if let Some(own) = self.cases.user_evidence_mut(case) {
            own.clear();
        }
        self.selection.keep_within(self.cases.answers_of(case).map_or(0, PartialCaseAnswer::slots));
    }
}
