//! The user's changes to the fusion, such as other weights, and their effect.

use crate::evaluation::{Fuser, PartialCaseAnswer, Reweighing, UserHit};
use crate::run::{Head, Hit};
use std::collections::HashMap;

/// Temperatures of the score softmax; 1 is the paper's.
const TEMPERATURES: [f32; 9] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
const USUAL_TEMPERATURE: usize = 5;
/// Factors for a hit's weight, in the order of + and -.
const FACTORS: [f32; 9] = [0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 10.0];

/// The user's change to the weight of one hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HitWeight {
    pub dropped: bool,
    /// Multiplies the weight that the fuser gives.
    pub factor: f32,
}

impl Default for HitWeight {
    fn default() -> Self {
        Self { dropped: false, factor: 1.0 }
    }
}

/// The changes. Fuser, temperature and head apply to every case; dropped hits and factors apply to one case.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// Position in [`Fuser::UNTRAINED`]. Learned weights need a validation split, so only `dissent evaluate` has them.
    fuser: usize,
    temperature: usize,
    /// The head whose hits alone count, if one is chosen.
    head: Option<Head>,
    /// By case, then by hit.
    hits: HashMap<usize, HashMap<usize, HitWeight>>,
}

impl Default for WhatIf {
    fn default() -> Self {
        Self { fuser: 0, temperature: USUAL_TEMPERATURE, head: None, hits: HashMap::new() }
    }
}

impl WhatIf {
    /// The user's change to the weight of this hit.
    pub fn hit(&self, case: usize, slot: usize) -> HitWeight {
        self.hits.get(&case).and_then(|hits| hits.get(&slot)).copied().unwrap_or_default()
    }

    /// Whether this hit counts.
    pub fn counts(&self, case: usize, slot: usize, hit: &Hit) -> bool {
        let of_head = |head| hit.provenances.iter().any(|found| found.head == head || found.head == Head::Person);
        !self.hit(case, slot).dropped && self.head.is_none_or(of_head)
    }

    /// Whether any change affects the answer to this case. The user's own evidence does once it is counted in and read.
    pub fn changes(&self, case: usize, answers: &PartialCaseAnswer) -> bool {
        let is_change = |(slot, weight): (&usize, &HitWeight)| match answers.user_hit_at(*slot) {
            Some(own) => own.is_read() && !weight.dropped,
            None => *weight != HitWeight::default(),
        };
        let by_hand = self.hits.get(&case).is_some_and(|hits| hits.iter().any(is_change));
        by_hand || self.fuser != 0 || self.temperature != USUAL_TEMPERATURE || self.head.is_some()
    }

    /// The method that fuses the answers.
    pub fn fuser(&self) -> &Fuser {
        &Fuser::UNTRAINED[self.fuser]
    }

    /// Whether the fuser uses the temperature.
    pub fn has_temperature(&self) -> bool {
        self.fuser().has_temperature()
    }

    /// The changes in words, such as "majority, without hits 2, 4, hit 1 ×1.5". `own_name` names the user's own evidence.
    pub fn words(&self, case: usize, answers: &PartialCaseAnswer, own_name: &dyn Fn(&UserHit) -> String) -> String {
        let hits = answers.hit_count();
        let mut words = Vec::new();
        if self.fuser != 0 {
            words.push(self.fuser().name().to_owned());
        }
        if self.temperature != USUAL_TEMPERATURE && self.has_temperature() {
            words.push(format!("temperature {}", TEMPERATURES[self.temperature]));
        }
        if let Some(head) = self.head {
            words.push(format!("{head} head only"));
        }
        let dropped: Vec<String> =
            (0..hits).filter(|slot| self.hit(case, *slot).dropped).map(|slot| (slot + 1).to_string()).collect();
        if !dropped.is_empty() {
            let hits = if dropped.len() == 1 { "hit" } else { "hits" };
            words.push(format!("without {hits} {}", dropped.join(", ")));
        }
        for (place, own) in answers.user_hits.iter().enumerate() {
            if own.is_read() && !self.hit(case, hits + place).dropped {
                words.push(format!("with {} as hit {}", own_name(own), hits + place + 1));
            }
        }
        for slot in 0..answers.slots() {
            let weight = self.hit(case, slot);
            let is_read = answers.user_hit_at(slot).is_none_or(UserHit::is_read);
            if is_read && !weight.dropped && weight.factor != 1.0 {
                words.push(format!("hit {} ×{}", slot + 1, weight.factor));
            }
        }
        words.join(", ")
    }

    /// Leaves the person's own evidence in this slot out until it is put in.
    pub fn leave_out(&mut self, case: usize, slot: usize) {
        *self.hit_mut(case, slot) = HitWeight { dropped: true, ..HitWeight::default() };
    }

    pub fn toggle_drop(&mut self, case: usize, slot: usize) {
        let hit = self.hit_mut(case, slot);
        hit.dropped = !hit.dropped;
    }

    /// Takes the next larger or smaller factor; a dropped hit counts again.
    pub fn weigh(&mut self, case: usize, slot: usize, up: bool) {
        let hit = self.hit_mut(case, slot);
        hit.dropped = false;
        let at = FACTORS.iter().position(|factor| *factor == hit.factor).unwrap_or(0);
        hit.factor = FACTORS[stepped(at, up, FACTORS.len())];
    }

    pub fn next_fuser(&mut self) {
        self.fuser = (self.fuser + 1) % Fuser::UNTRAINED.len();
    }

    pub fn change_temperature(&mut self, up: bool) {
        self.temperature = stepped(self.temperature, up, TEMPERATURES.len());
    }

    /// Steps from all heads to each head of these hits alone.
    pub fn next_head(&mut self, hits: &[Hit]) {
        let mut heads: Vec<Head> = hits.iter().flat_map(|hit| hit.provenances.iter().map(|found| found.head)).collect();
        heads.sort_unstable();
        heads.dedup();
        let next = match self.head {
            None => 0,
            Some(head) => heads.iter().position(|other| *other == head).map_or(heads.len(), |at| at + 1),
        };
        self.head = heads.get(next).copied();
    }

    /// Undoes all changes for this case.
    pub fn reset(&mut self, case: usize) {
        self.hits.remove(&case);
        *self = Self { hits: std::mem::take(&mut self.hits), ..Self::default() };
    }

    /// The changed fusion for this case.
    pub fn reweighing(&self, case: usize, answers: &PartialCaseAnswer) -> Reweighing {
        let factor = |slot: usize| match (answers.hit_at(slot), answers.prediction_at(slot)) {
            (Some(hit), Some(_)) if self.counts(case, slot, hit) => self.hit(case, slot).factor,
            _ => 0.0,
        };
        Reweighing {
            fuser: self.fuser().clone(),
            temperature: TEMPERATURES[self.temperature],
            factors: (0..answers.slots()).map(factor).collect(),
        }
    }

    fn hit_mut(&mut self, case: usize, slot: usize) -> &mut HitWeight {
        self.hits.entry(case).or_default().entry(slot).or_default()
    }
}

/// One step up or down, within the ends.
fn stepped(at: usize, up: bool, count: usize) -> usize {
    if up { (at + 1).min(count - 1) } else { at.saturating_sub(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit() -> Hit {
        Hit { row: 0, document: "d".into(), provenances: Vec::new() }
    }

    #[test]
    fn factors_step_and_a_heavier_hit_is_no_longer_dropped() {
        let mut answers = PartialCaseAnswer::default();
        answers.set_hits(vec![hit(); 4]);
        let mut what_if = WhatIf::default();
        let words = |what_if: &WhatIf| what_if.words(7, &answers, &|own| own.hit.document.clone());
        what_if.toggle_drop(7, 1);
        assert_eq!(words(&what_if), "without hit 2");
        what_if.weigh(7, 1, true);
        what_if.next_fuser();
        assert_eq!(words(&what_if), "mean log-probability, hit 2 ×1.5");
        assert!(what_if.changes(8, &answers), "the fuser is changed everywhere");
        what_if.change_temperature(false);
        assert_eq!(words(&what_if), "mean log-probability, hit 2 ×1.5", "no temperature counts there");
        what_if.reset(7);
        assert!(!what_if.changes(7, &answers) && !what_if.changes(8, &answers));
    }
}
