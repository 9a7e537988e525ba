//! One line of a journal: what a person did to a case, and when.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Version of the line format; a line with another version is reported, not guessed at.
pub const EVENT_VERSION: u32 = 1;

/// One event. Its JSON has the fields of [`EventKind`] beside the others:
/// `{"v":1,"id":…,"ts":…,"annotator":…,"host":…,"case":…,"kind":"annotate","category":…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub v: u32,
    /// UUIDv7: names the event for an undo and makes reading the same event twice harmless.
    pub id: Uuid,
    /// RFC 3339, UTC. Strictly increasing within one journal, whatever the clock does.
    #[serde(with = "time::serde::rfc3339")]
    pub ts: OffsetDateTime,
    pub annotator: String,
    pub host: String,
    /// Id of the case; of an undo, the case of the event undone.
    pub case: String,
    #[serde(flatten)]
    pub kind: EventKind,
    /// Of the run on the screen when the event was made, so that a verdict on other predictions can be told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_fingerprint: Option<String>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum EventKind {
    /// The case was given this category of the taxonomy; takes the place of an earlier category or skip.
    Annotate { category: String },
    /// The case's note became this text; an empty one removes it.
    Note { note: String },
    /// The case was passed over on purpose; takes the place of an earlier category.
    Skip,
    /// The same annotator's event `undoes` no longer counts.
    Undo { undoes: Uuid },
}

impl Event {
    /// Events are replayed in this order.
    pub(super) fn order(&self) -> (OffsetDateTime, Uuid) {
        (self.ts, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_documented() {
        let line = r#"{"v":1,"id":"019364d2-5b1c-7a90-8a3e-0123456789ab","ts":"2026-01-02T03:04:05.678Z","annotator":"ada","host":"box","case":"us-0007","kind":"annotate","category":"look-alike","run_fingerprint":"ab12"}"#;
        let event: Event = serde_json::from_str(line).unwrap();
        assert_eq!(event.kind, EventKind::Annotate { category: "look-alike".into() });
        assert_eq!(event.run_fingerprint.as_deref(), Some("ab12"));
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }

    #[test]
    fn a_line_without_its_category_is_refused() {
        let line = r#"{"v":1,"id":"019364d2-5b1c-7a90-8a3e-0123456789ab","ts":"2026-01-02T03:04:05Z","annotator":"ada","host":"box","case":"us-0007","kind":"annotate"}"#;
        let error = serde_json::from_str::<Event>(line).unwrap_err().to_string();
        assert!(error.contains("category"), "{error}");
    }
}
