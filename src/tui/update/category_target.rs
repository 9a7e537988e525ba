//! What the key of a category does in the current context. Footer and updates both use it, so they cannot differ.

use super::app::App;
use crate::annotation::Category;
use crate::tui::action::Context;
use crate::tui::state::selection::{Focus, Shown};

/// What the key of a category acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CategoryTarget {
    /// The current case; `goes_on` if the next case follows, because a case has one category.
    Case { goes_on: bool },
    /// The document of the selected hit.
    Hit { slot: usize, document: String },
    /// The decision about a case, or the category of many; nothing is recorded before it is confirmed.
    Choice,
}

impl App {
    /// The target of this category's key now; `None` if the key does nothing here.
    pub fn category_target(&self, category: &Category) -> Option<CategoryTarget> {
        match self.context() {
            Context::Explore | Context::Image | Context::Definitions => self.label_target(category),
            Context::Adjudication | Context::LabelMany => category.level.is_of_case().then_some(CategoryTarget::Choice),
            _ => None,
        }
    }

    /// The case or hit that gets this category as a label.
    pub(super) fn label_target(&self, category: &Category) -> Option<CategoryTarget> {
        self.current()?;
        if self.selects_own_evidence() {
            return None;
        }
        let place = &self.selection;
        let is_on_hit = place.focus() == Focus::Hits && category.level.is_of_hit();
        if let Some(hit) = self.hits().get(place.hit()).filter(|_| is_on_hit) {
            return Some(CategoryTarget::Hit { slot: place.hit(), document: hit.document.clone() });
        }
        let goes_on = !self.cases.takes_several_categories();
        category.level.is_of_case().then_some(CategoryTarget::Case { goes_on })
    }

    /// Whether the hits have the focus while a document is selected that is no hit: one read again with a part withheld or
    /// swapped, one added, or one found by search. Annotations of hits are about what the run retrieved, and a digit must
    /// not label the case while another document is looked at.
    pub(super) fn selects_own_evidence(&self) -> bool {
        let is_hit = self.selection.shown() == Shown::Hit && self.selection.hit() < self.hits().len().max(1);
        self.selection.focus() == Focus::Hits && !is_hit
    }
}
