//! The events that one annotator can undo and redo, computed from their events, so that undo works after a restart.

use super::event::{Event, EventKind};
use compact_str::CompactString;
use uuid::Uuid;

/// An event that can be undone or redone, and its case.
type Entry = (Uuid, CompactString);

/// The events of one annotator that count, and those taken back since the last new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// Oldest first; the last is undone next.
    undoable: Vec<Entry>,
    /// The last is redone next.
    redoable: Vec<Entry>,
}

impl History {
    /// Adds the annotator's next event, in the order of replay.
    pub fn take_in(&mut self, event: &Event) {
        match event.kind {
            EventKind::Undo { undoes } => move_entry(&mut self.undoable, &mut self.redoable, undoes),
            EventKind::Redo { redoes } => move_entry(&mut self.redoable, &mut self.undoable, redoes),
            _ => {
                self.redoable.clear();
                self.undoable.push((event.id, event.case.clone()));
            }
        }
    }

    pub fn next_undo(&self) -> Option<&Entry> {
        self.undoable.last()
    }

    pub fn next_redo(&self) -> Option<&Entry> {
        self.redoable.last()
    }
}

fn move_entry(from: &mut Vec<Entry>, to: &mut Vec<Entry>, id: Uuid) {
    // The event is nearly always the last.
    if let Some(position) = from.iter().rposition(|entry| entry.0 == id) {
        to.push(from.remove(position));
    }
}
