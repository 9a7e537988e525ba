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
        let place = &self.selection;
        let is_on_hit = place.focus() == Focus::Hits && place.shown() == Shown::Hit;
        let hit = self.hits().get(place.hit()).filter(|_| is_on_hit && category.level.is_of_hit());
        if let Some(hit) = hit {
            return Some(CategoryTarget::Hit { slot: place.hit(), document: hit.document.clone() });
        }
        let goes_on = !self.cases.takes_several_categories();
        category.level.is_of_case().then_some(CategoryTarget::Case { goes_on })
    }
}
