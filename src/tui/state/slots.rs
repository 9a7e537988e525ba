//! The slots of a case: its hits, then what a person has put in.

use super::answers::CaseAnswers;
use super::user_evidence::OwnHit;
use crate::run::{Hit, Prediction};

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
