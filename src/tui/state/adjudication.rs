//! Deciding a case: a choice and a reason.

use crate::annotation::CategoryId;
use std::collections::BTreeSet;
use tui_input::Input;

/// The case being decided.
#[derive(Clone, Debug, Default)]
pub struct Adjudication {
    /// Position in the dataset.
    pub case: usize,
    /// What others said is on the screen; once asked for it is for the next cases, too.
    pub is_revealed: bool,
    /// Place among the voices.
    pub selected: usize,
    /// The categories decided on; `None` until something is chosen.
    pub chosen: Option<BTreeSet<CategoryId>>,
    pub reason: String,
    /// The reason while it is being typed.
    pub typing: Option<Input>,
}

impl Adjudication {
    /// As for annotations: where a case may have several categories one is put in or taken out, else it takes the place
    /// of the other.
    pub fn choose(&mut self, category: CategoryId, several: bool) {
        if !several {
            self.chosen = Some(BTreeSet::from([category]));
            return;
        }
        let chosen = self.chosen.get_or_insert_default();
        if !chosen.remove(&category) {
            chosen.insert(category);
        }
    }
}
