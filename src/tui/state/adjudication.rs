//! Deciding a case: a choice and a reason.

use crate::annotation::CategoryId;
use std::collections::BTreeSet;
use tui_input::Input;

/// The case being decided.
#[derive(Clone, Debug, Default)]
pub struct Adjudication {
    /// Position in the dataset.
    pub case: usize,
    /// The annotations of others are on the screen. Once asked for, they are shown for the next cases, too.
    pub is_revealed: bool,
    /// Position of the selected annotator.
    pub selected: usize,
    /// The categories decided on; `None` until something is chosen.
    pub chosen: Option<BTreeSet<CategoryId>>,
    pub reason: String,
    /// The reason while it is being typed.
    pub typing: Option<Input>,
}

impl Adjudication {
    /// Chooses a category. If a case may have several, the category is added or removed, else it replaces the other.
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
