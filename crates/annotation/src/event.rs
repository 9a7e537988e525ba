//! One event: what a person did to a case, when, and what was on the screen. Its JSON is in `event_json.rs`.

use super::category_id::{CategoryId, GivenDefinitions};
use compact_str::CompactString;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// Version of the line format that is written. Lines of version 1 are read with their old meaning; a line of a later
/// version is reported as a problem.
pub const EVENT_VERSION: u32 = 2;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Version of the line it was read from.
    pub v: u32,
    /// UUIDv7. An undo names the event by it, and an event that is read twice is recognised.
    pub id: Uuid,
    /// UTC. Later than every event of the annotator that the writer knew, even if the clock went back.
    pub ts: OffsetDateTime,
    pub annotator: CompactString,
    pub host: CompactString,
    /// Id of the case. An undo or redo has the case of the event that it names.
    pub case: CompactString,
    pub kind: EventKind,
    pub context: EventContext,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The case has these categories and no others; they replace earlier ones and a skip. An empty set removes them.
    Annotate { categories: Arc<BTreeSet<CategoryId>> },
    /// One retrieved document has these categories and no others ("this is the look-alike").
    Hit { document: String, categories: Arc<BTreeSet<CategoryId>> },
    /// The case has this note; an empty text removes it.
    Note { note: String },
    /// The annotator is unsure about the case, or no longer.
    Unsure { unsure: bool },
    /// Somebody should look at this case, or need not any more.
    Flag { flag: bool },
    /// The case was passed over on purpose; this replaces earlier categories, those of hits included.
    Skip,
    /// An adjudicator's decision: the case has these categories, whatever annotators say. `seen` names events of the
    /// annotations that the adjudicator had seen
    /// ([`CaseReview::seen_by_a_decision`](super::CaseReview::seen_by_a_decision)).
    Decide { categories: Arc<BTreeSet<CategoryId>>, reason: String, seen: Vec<Uuid> },
    /// The event `undoes`, by the same annotator on the same case, no longer counts.
    Undo { undoes: Uuid },
    /// The event `redoes` counts again.
    Redo { redoes: Uuid },
}

/// The state of the screen and the annotator's knowledge at the event, as far as the writer knew them.
#[derive(Clone, Debug, PartialEq)]
pub struct EventContext {
    /// Fingerprint of the run on the screen: annotations made on other predictions can be recognised.
    pub run_fingerprint: Option<CompactString>,
    /// Fingerprint of the case's documents and answers on the screen
    /// ([`answers_fingerprint`](super::answers_fingerprint)).
    pub answers_fingerprint: Option<CompactString>,
    /// The annotator had seen neither the gold answer nor any earlier annotation of the case.
    pub blind: bool,
    /// Seconds spent on the case since it was opened, or since its latest event; rounded to tenths.
    pub seconds: Option<f64>,
    /// Number of the reading of the case, from 1: a second reading is kept beside the first and compared with it.
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
    /// Gives the case this one category.
    pub fn annotate(category: &str) -> Self {
        Self::Annotate { categories: BTreeSet::from([category.into()]).into() }
    }

    /// The categories that it gives to the case or to a document.
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
    /// Sort key of the replay.
    pub(super) fn order(&self) -> (OffsetDateTime, Uuid) {
        (self.ts, self.id)
    }

    /// Whether this of two different events with the same id is kept; the choice is the same on every machine.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        let text = |event: &Self| serde_json::to_string(event).unwrap_or_default();
        (self.order(), text(self)) < (other.order(), text(other))
    }
}
