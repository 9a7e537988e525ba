//! One event: what a person did to a case, when, and with what before them. Its JSON line is in `event_json.rs`.

use super::category_id::CategoryId;
use super::event_json::Line;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// Version of the line format that is written. Lines of version 1 are read and mean what they meant; a line of a later
/// version is reported, not guessed at.
pub const EVENT_VERSION: u32 = 2;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Line", try_from = "Line")]
pub struct Event {
    /// Version of the line it was read from.
    pub v: u32,
    /// UUIDv7: names the event for an undo and makes reading the same event twice harmless.
    pub id: Uuid,
    /// UTC. Larger than that of every event of the annotator that the writer knew, whatever the clock does.
    pub ts: OffsetDateTime,
    pub annotator: CompactString,
    pub host: CompactString,
    /// Id of the case; of an undo or redo, the case of the event that it is about.
    pub case: CompactString,
    pub kind: EventKind,
    pub context: EventContext,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// These categories (ids of the taxonomy) and no others are the case's; they take the place of earlier ones and of a
    /// skip. An empty set removes them.
    Annotate { categories: Arc<BTreeSet<CategoryId>> },
    /// These categories and no others are those of one retrieved document ("this is the look-alike").
    Hit { document: String, categories: Arc<BTreeSet<CategoryId>> },
    /// The case's note became this text; an empty one removes it.
    Note { note: String },
    /// The annotator doubts what they say about the case, or no longer does.
    Unsure { unsure: bool },
    /// Somebody should look at this case, or need not any more.
    Flag { flag: bool },
    /// The case was passed over on purpose; takes the place of earlier categories, those of hits included.
    Skip,
    /// An adjudicator's decision: these are the case's categories, whoever said what. `seen` names events of the annotations
    /// that it was made on ([`AnnotationState::seen_by_a_decision`](super::AnnotationState::seen_by_a_decision)).
    Decide { categories: Arc<BTreeSet<CategoryId>>, reason: String, seen: Vec<Uuid> },
    /// The same annotator's event `undoes` on the same case no longer counts.
    Undo { undoes: Uuid },
    /// It counts again.
    Redo { redoes: Uuid },
}

/// By category id: the fingerprint of the definition it was given under.
pub type GivenDefinitions = BTreeMap<CategoryId, CompactString>;

/// What the annotator had before them, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct EventContext {
    /// Of the run on the screen, so that a verdict on other predictions can be told apart.
    pub run_fingerprint: Option<CompactString>,
    /// Of the case's documents and answers on the screen ([`answers_fingerprint`](super::answers_fingerprint)).
    pub answers_fingerprint: Option<CompactString>,
    /// Neither the gold answer nor anybody's earlier annotation of the case was shown.
    pub blind: bool,
    /// Time spent on the case since it was opened, or since its last event; tenths of a second are kept.
    pub seconds: Option<f64>,
    /// Which reading of the case this is, from 1: a second one is kept beside the first, to be compared with it.
    pub pass: u32,
    pub definitions: Arc<GivenDefinitions>,
}

impl Default for EventContext {
    fn default() -> Self {
        Self {
            run_fingerprint: None,
            answers_fingerprint: None,
            blind: false,
            seconds: None,
            pass: 1,
            definitions: Arc::default(),
        }
    }
}

impl EventKind {
    /// One category for the case.
    pub fn annotate(category: &str) -> Self {
        Self::Annotate { categories: BTreeSet::from([category.into()]).into() }
    }

    /// The categories it gives, to the case or to a document.
    pub fn categories(&self) -> Option<&BTreeSet<CategoryId>> {
        match self {
            Self::Annotate { categories } | Self::Hit { categories, .. } | Self::Decide { categories, .. } => {
                Some(categories)
            }
            _ => None,
        }
    }
}

impl Event {
    /// Events are replayed in this order.
    pub(super) fn order(&self) -> (OffsetDateTime, Uuid) {
        (self.ts, self.id)
    }

    /// Decides between two events that claim one id, the same way wherever it is done.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        let text = |event: &Self| serde_json::to_string(event).unwrap_or_default();
        (self.order(), text(self)) < (other.order(), text(other))
    }
}
