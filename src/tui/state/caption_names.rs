//! Caches where captions name labels. The search reads the whole caption, and each frame needs its result twice for each
//! row of a table, so it runs once per caption of the current case.

use crate::data::{DocumentView, Task};
use crate::text::printable::one_line;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

/// A caption on one line, and the bytes of it that name a label of the task.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedCaption {
    pub text: String,
    pub names: Vec<Range<usize>>,
}

/// The captions of the current case, by document id.
#[derive(Default)]
pub struct CaptionNames(RefCell<OfCase>);

#[derive(Default)]
struct OfCase {
    /// Position of the case in the dataset.
    case: Option<usize>,
    captions: FxHashMap<String, Arc<NamedCaption>>,
}

impl CaptionNames {
    /// The document's caption with the names of this case's task.
    pub fn of(&self, case: usize, task: &Task, document: DocumentView) -> Arc<NamedCaption> {
        let mut known = self.0.borrow_mut();
        if known.case != Some(case) {
            *known = OfCase { case: Some(case), captions: FxHashMap::default() };
        }
        if let Some(named) = known.captions.get(document.id) {
            return Arc::clone(named);
        }
        let text = one_line(document.caption);
        let named = Arc::new(NamedCaption { names: task.names_in(&text), text });
        known.captions.insert(document.id.to_owned(), Arc::clone(&named));
        named
    }
}
