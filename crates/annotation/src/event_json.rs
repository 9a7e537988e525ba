//! The JSON of an event: `{"v":2,"id":…,"ts":…,"annotator":…,"host":…,"case":…,"kind":"annotate","categories":[…]}`.
//! The fields of each kind stand beside the common ones.

use super::category_id::{CategoryId, GivenDefinitions, MOST_CATEGORIES};
use super::event::{Event, EventContext, EventKind};
use compact_str::CompactString;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// All fields that an event can have, in one flat struct, because a million events may be read at start.
#[derive(Serialize, Deserialize)]
struct Line {
    v: u32,
    id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    ts: OffsetDateTime,
    annotator: CompactString,
    host: CompactString,
    case: CompactString,
    kind: Kind,
    /// Version 1 had one category.
    #[serde(default, skip_serializing)]
    category: Option<CategoryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    categories: Option<BTreeSet<CategoryId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsure: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flag: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Events of the annotations that the adjudicator had seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Vec<Uuid>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undoes: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    redoes: Option<Uuid>,
    /// Absent on a first pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pass: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blind: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "GivenDefinitions::is_empty")]
    definitions: GivenDefinitions,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_fingerprint: Option<CompactString>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answers_fingerprint: Option<CompactString>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Annotate,
    Hit,
    Note,
    Unsure,
    Flag,
    Skip,
    Decide,
    Undo,
    Redo,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Line::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Line::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl TryFrom<Line> for Event {
    type Error = String;

    fn try_from(line: Line) -> Result<Self, String> {
        let missing = |field: &str| format!("missing field `{field}`");
        let given = line.categories.as_ref().map_or(0, BTreeSet::len).max(line.definitions.len());
        if given > MOST_CATEGORIES {
            return Err(format!("field categories: expected at most {MOST_CATEGORIES}, found {given}"));
        }
        let categories = line.categories.or_else(|| line.category.map(|category| BTreeSet::from([category])));
        let categories = || categories.map(Arc::new).ok_or_else(|| missing("categories"));
        let kind = match line.kind {
            Kind::Annotate => EventKind::Annotate { categories: categories()? },
            Kind::Hit => EventKind::Hit {
                document: line.document.ok_or_else(|| missing("document"))?,
                categories: categories()?,
            },
            Kind::Note => EventKind::Note { note: line.note.ok_or_else(|| missing("note"))? },
            Kind::Unsure => EventKind::Unsure { unsure: line.unsure.ok_or_else(|| missing("unsure"))? },
            Kind::Flag => EventKind::Flag { flag: line.flag.ok_or_else(|| missing("flag"))? },
            Kind::Skip => EventKind::Skip,
            Kind::Decide => EventKind::Decide {
                categories: categories()?,
                reason: line.reason.unwrap_or_default(),
                seen: line.seen.unwrap_or_default(),
            },
            Kind::Undo => EventKind::Undo { undoes: line.undoes.ok_or_else(|| missing("undoes"))? },
            Kind::Redo => EventKind::Redo { redoes: line.redoes.ok_or_else(|| missing("redoes"))? },
        };
        Ok(Self {
            v: line.v,
            id: line.id,
            ts: line.ts,
            annotator: line.annotator,
            host: line.host,
            case: line.case,
            kind,
            context: EventContext {
                run_fingerprint: line.run_fingerprint,
                answers_fingerprint: line.answers_fingerprint,
                blind: line.blind.unwrap_or(false),
                seconds: line.seconds,
                pass: line.pass.unwrap_or(1),
                definitions: Arc::new(line.definitions),
            },
        })
    }
}

impl From<Event> for Line {
    fn from(event: Event) -> Self {
        let made = event.context;
        let mut line = Self {
            v: event.v,
            id: event.id,
            ts: event.ts,
            annotator: event.annotator,
            host: event.host,
            case: event.case,
            kind: Kind::Skip,
            category: None,
            categories: None,
            document: None,
            note: None,
            unsure: None,
            flag: None,
            reason: None,
            seen: None,
            undoes: None,
            redoes: None,
            pass: Some(made.pass).filter(|pass| *pass != 1),
            blind: made.blind.then_some(true),
            seconds: made.seconds,
            definitions: Arc::unwrap_or_clone(made.definitions),
            run_fingerprint: made.run_fingerprint,
            answers_fingerprint: made.answers_fingerprint,
        };
        match event.kind {
            EventKind::Annotate { categories } => {
                line.kind = Kind::Annotate;
                line.categories = Some(Arc::unwrap_or_clone(categories));
            }
            EventKind::Hit { document, categories } => {
                line.kind = Kind::Hit;
                line.document = Some(document);
                line.categories = Some(Arc::unwrap_or_clone(categories));
            }
            EventKind::Note { note } => {
                line.kind = Kind::Note;
                line.note = Some(note);
            }
            EventKind::Unsure { unsure } => {
                line.kind = Kind::Unsure;
                line.unsure = Some(unsure);
            }
            EventKind::Flag { flag } => {
                line.kind = Kind::Flag;
                line.flag = Some(flag);
            }
            EventKind::Skip => {}
            EventKind::Decide { categories, reason, seen } => {
                line.kind = Kind::Decide;
                line.categories = Some(Arc::unwrap_or_clone(categories));
                line.reason = Some(reason).filter(|reason| !reason.is_empty());
                line.seen = Some(seen).filter(|seen| !seen.is_empty());
            }
            EventKind::Undo { undoes } => {
                line.kind = Kind::Undo;
                line.undoes = Some(undoes);
            }
            EventKind::Redo { redoes } => {
                line.kind = Kind::Redo;
                line.redoes = Some(redoes);
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"v":1,"id":"019364d2-5b1c-7a90-8a3e-0123456789ab","ts":"2026-01-02T03:04:05.678Z","annotator":"ada","host":"box","case":"us-0007""#;

    fn read(rest: &str) -> Event {
        serde_json::from_str(&format!("{FIRST},{rest}}}")).unwrap()
    }

    #[test]
    fn lines_of_version_1_mean_what_they_meant() {
        let event = read(r#""kind":"annotate","category":"look-alike","run_fingerprint":"ab12""#);
        assert_eq!(event.kind, EventKind::annotate("look-alike"));
        assert_eq!(event.context.run_fingerprint.as_deref(), Some("ab12"));
        assert_eq!((event.context.blind, event.context.pass), (false, 1));
        assert_eq!(read(r#""kind":"note","note":"x""#).kind, EventKind::Note { note: "x".into() });
        assert_eq!(read(r#""kind":"skip""#).kind, EventKind::Skip);
        let undoes = Uuid::from_u128(7);
        assert_eq!(read(&format!(r#""kind":"undo","undoes":"{undoes}""#)).kind, EventKind::Undo { undoes });
    }

    #[test]
    fn a_line_is_written_as_documented() {
        let line = FIRST.replace("\"v\":1", "\"v\":2")
            + r#","kind":"hit","categories":["look-alike","other"],"document":"d7","pass":2,"blind":true,"seconds":12.3,"definitions":{"look-alike":"0123456789abcdef"},"run_fingerprint":"ab12","answers_fingerprint":"cd34"}"#;
        let event: Event = serde_json::from_str(&line).unwrap();
        assert_eq!(event.context.seconds, Some(12.3));
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }

    #[test]
    fn every_kind_survives_the_way_through_json() {
        let categories = Arc::new(BTreeSet::from(["a".into(), "b".into()]));
        let id = Uuid::from_u128(9);
        for kind in [
            EventKind::Annotate { categories: Arc::default() },
            EventKind::Hit { document: "d1".into(), categories: categories.clone() },
            EventKind::Note { note: String::new() },
            EventKind::Unsure { unsure: false },
            EventKind::Flag { flag: true },
            EventKind::Skip,
            EventKind::Decide { categories, reason: "margin".into(), seen: vec![id] },
            EventKind::Undo { undoes: id },
            EventKind::Redo { redoes: id },
        ] {
            let event = Event { kind, v: 2, ..read(r#""kind":"skip""#) };
            let line = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event, "{line}");
        }
    }

    #[test]
    fn a_line_that_lacks_a_field_of_its_kind_is_refused() {
        for (kind, field) in [("annotate", "categories"), ("hit", "document"), ("redo", "redoes"), ("flag", "flag")] {
            let line = format!("{FIRST},\"kind\":\"{kind}\"}}");
            let error = serde_json::from_str::<Event>(&line).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }
}
