//! Evidence of a person's own: documents put in beside the hits, and hits shown to the reader with something withheld.

use super::app::{App, Notice, Shown, Side};
use super::search::Search;
use crate::pipeline::{ImageLike, Probe};
use crate::run::Prediction;
use crate::run::{Ablation, CaptionShown};
use crate::run::{Head, Hit, Provenance};
use crate::tui::effect::Effect;
use crate::tui::state::answers::CaseAnswers;
use crate::worker::Request;

/// Why a document is not read.
const OWN_GROUP: &str = "this image is the case's own or of its group: it is shown, but the model may not use it";
/// Documents that a search for images brings.
const IMAGES: usize = 50;

/// A document after the hits.
#[derive(Clone, Debug)]
pub struct OwnHit {
    pub probe: Probe,
    pub hit: Hit,
    /// `None` until the reader has answered.
    pub outcome: Option<Result<Prediction, String>>,
}

impl OwnHit {
    /// What stands in the place of the head.
    pub fn head(&self) -> &'static str {
        let Ablation { caption, without_image, .. } = self.probe.ablation;
        match (caption, without_image) {
            (CaptionShown::None, _) => "no caption",
            (CaptionShown::Swapped, _) => "other caption",
            (CaptionShown::Own, true) => "no image",
            (CaptionShown::Own, false) => "added by me",
        }
    }

    /// A whole document counts as a hit; one with something withheld is only looked at.
    fn counts(&self) -> bool {
        self.probe.ablation.is_none()
    }

    /// Has the reader answered?
    pub fn is_read(&self) -> bool {
        matches!(self.outcome, Some(Ok(_)))
    }
}

impl CaseAnswers {
    /// The hit in this slot; a person's own stand after those found.
    pub fn hit_at(&self, slot: usize) -> Option<&Hit> {
        let hits = self.hits.as_deref()?;
        hits.get(slot).or_else(|| Some(&self.own.get(slot - hits.len())?.hit))
    }

    /// The reader's answer with the hit in this slot.
    pub fn prediction_at(&self, slot: usize) -> Option<&Prediction> {
        match self.own_at(slot) {
            Some(own) => own.outcome.as_ref()?.as_ref().ok(),
            None => self.predictions.get(slot)?.as_ref(),
        }
    }

    /// The person's own evidence in this slot.
    pub fn own_at(&self, slot: usize) -> Option<&OwnHit> {
        self.own.get(slot.checked_sub(self.hits.as_ref()?.len())?)
    }

    /// The slots in which the reader has answered, with its predictions.
    pub fn read_slots(&self) -> Vec<(usize, &Prediction)> {
        (0..self.slots()).filter_map(|slot| Some((slot, self.prediction_at(slot)?))).collect()
    }

    /// Hits and a person's own.
    pub fn slots(&self) -> usize {
        self.hits.as_ref().map_or(0, Vec::len) + self.own.len()
    }
}

impl App {
    /// Puts a document into the next slot and has the reader answer with it.
    pub(super) fn put_in(&mut self, row: usize) -> Vec<Effect> {
        self.shown = Shown::Row(row);
        self.side = Side::Document;
        let Some((index, case)) = self.current() else { return Vec::new() };
        if !self.dataset.may_retrieve(case, row) {
            self.notice = Some(Notice::Said(OWN_GROUP.into()));
            return Vec::new();
        }
        if self.engine.is_none() {
            self.notice = Some(Notice::Said("no model is loaded: the document is shown without an answer".into()));
            return Vec::new();
        }
        if let Some(place) = self.hits().iter().position(|hit| hit.row == row) {
            self.hit = place;
            self.shown = Shown::Hit;
            self.notice = Some(Notice::Said(format!("this document is already hit {}", place + 1)));
            return Vec::new();
        }
        self.ask(index, Probe { row, ablation: Ablation::default() })
    }

    /// Reads the shown document once more with its caption or image withheld, or its caption swapped for one that
    /// contradicts it.
    pub(super) fn withhold(&mut self, caption: CaptionShown, without_image: bool) -> Vec<Effect> {
        let Some((index, case)) = self.current() else { return Vec::new() };
        let Some(row) = self.shown_row() else { return Vec::new() };
        if !self.dataset.may_retrieve(case, row) {
            self.notice = Some(Notice::Said(OWN_GROUP.into()));
            return Vec::new();
        }
        if self.engine.is_none() {
            self.notice = Some(Notice::Said("no model is loaded, so there can be no new answers".into()));
            return Vec::new();
        }
        self.ask(index, Probe { row, ablation: Ablation { caption, without_image, random_documents: false } })
    }

    fn ask(&mut self, case: usize, probe: Probe) -> Vec<Effect> {
        let Some(document) = self.dataset.corpus.get(probe.row) else { return Vec::new() };
        let document = document.id.clone();
        let answers = self.answers.entry(case).or_default();
        let Some(found) = answers.hits.as_ref().map(Vec::len) else {
            self.notice =
                Some(Notice::Said("the hits of this case are not retrieved yet: try again in a moment".into()));
            return Vec::new();
        };
        // Asked before: stand on it, and ask again where the reader could not answer.
        if let Some(place) = answers.own.iter().position(|own| own.probe == probe) {
            let failed = answers.own[place].outcome.take_if(|outcome| outcome.is_err()).is_some();
            self.hit = found + place;
            self.shown = Shown::Hit;
            return if failed { vec![Effect::Engine(Request::Probe { case, probe })] } else { Vec::new() };
        }
        // Nobody has searched for it, so it has no score; the fuser takes it for as good as the best.
        let provenance = Provenance { head: Head::Person, rank: answers.own.len() + 1, score: None };
        let hit = Hit { row: probe.row, document, provenances: vec![provenance] };
        let own = OwnHit { probe, hit, outcome: None };
        let slot = found + answers.own.len();
        if !own.counts() {
            self.what_if.toggle_drop(case, slot);
        }
        answers.own.push(own);
        self.hit = slot;
        self.shown = Shown::Hit;
        self.side = Side::Document;
        vec![Effect::Engine(Request::Probe { case, probe })]
    }

    /// The reader has answered a probe.
    pub(super) fn probed(&mut self, case: usize, probe: Probe, outcome: Result<Prediction, String>) {
        if let Err(message) = &outcome {
            self.notice = Some(Notice::Error(message.clone()));
        }
        let own = self.answers.get_mut(&case).and_then(|answers| answers.own.iter_mut().find(|own| own.probe == probe));
        if let Some(own) = own {
            own.outcome = Some(outcome);
        }
    }

    /// Takes a person's own evidence out of a case again.
    pub(super) fn remove_own(&mut self, case: usize) {
        if let Some(answers) = self.answers.get_mut(&case) {
            answers.own.clear();
        }
        let last = self.answers_of(case).map_or(0, CaseAnswers::slots).saturating_sub(1);
        self.hit = self.hit.min(last);
    }

    /// Looks for images like the one that has the focus, or like a file once its path is typed.
    pub(super) fn search_images(&mut self) -> Vec<Effect> {
        let mut search = Search { images: true, ..Search::default() };
        let effects = self.send_image_search(&mut search, self.image_in_focus());
        self.overlay = Some(super::app::Overlay::Search(search));
        effects
    }

    pub(super) fn image_in_focus(&self) -> ImageLike {
        match (self.side, self.shown_row()) {
            (Side::Document, Some(row)) => ImageLike::Document(row),
            _ => ImageLike::Case,
        }
    }

    pub(super) fn send_image_search(&mut self, search: &mut Search, like: ImageLike) -> Vec<Effect> {
        let Some(case) = self.queue.current() else { return Vec::new() };
        self.last_ticket += 1;
        search.ticket = self.last_ticket;
        search.awaits_results();
        vec![Effect::Engine(Request::SearchImages { ticket: search.ticket, case, like, limit: IMAGES })]
    }
}
