//! The fold over events: order and repetition do not matter, undo does, a torn file never fails.

use dissent::annotation::{AnnotationState, Event, EventKind, Journal, read_folder};
use proptest::prelude::*;
use std::fs;
use time::OffsetDateTime;
use uuid::Uuid;

/// An event with a small clock, so that equal times occur.
fn event(id: u128, second: i64, annotator: &str, case: &str, kind: EventKind) -> Event {
    Event {
        v: 1,
        id: Uuid::from_u128(id),
        ts: OffsetDateTime::from_unix_timestamp(second).unwrap(),
        annotator: annotator.into(),
        host: "box".into(),
        case: case.into(),
        kind,
        run_fingerprint: None,
    }
}

fn any_kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        "[a-c]".prop_map(|category| EventKind::Annotate { category }),
        "[a-b]{0,1}".prop_map(|note| EventKind::Note { note }),
        Just(EventKind::Skip),
        // Of any event, known or not, one's own or not, an undo included.
        (0..24u128).prop_map(|id| EventKind::Undo { undoes: Uuid::from_u128(id) }),
    ]
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let parts = (0..6i64, "[xy]", "c[1-3]", any_kind());
    prop::collection::vec(parts, 0..24).prop_map(|list| {
        let numbered = list.into_iter().zip(0u128..);
        numbered.map(|((second, annotator, case, kind), id)| event(id, second, &annotator, &case, kind)).collect()
    })
}

/// The definition, written the slow way: sort, drop the undone, replay.
fn category_by_definition(events: &[Event], annotator: &str, case: &str) -> Option<String> {
    let mut own: Vec<&Event> = events.iter().filter(|event| event.annotator == annotator).collect();
    own.sort_by_key(|event| (event.ts, event.id));
    let is_undone = |id: Uuid| own.iter().any(|event| matches!(event.kind, EventKind::Undo { undoes } if undoes == id));
    let mut category = None;
    for event in own.iter().filter(|event| event.case == case && !is_undone(event.id)) {
        match &event.kind {
            EventKind::Annotate { category: named } => category = Some(named.clone()),
            EventKind::Skip => category = None,
            EventKind::Note { .. } | EventKind::Undo { .. } => {}
        }
    }
    category
}

proptest! {
    // Each case of the second property syncs a file several times.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_and_repetition_folds_to_the_same(
        (events, shuffled) in any_events().prop_flat_map(|events| {
            let mut twice = events.clone();
            twice.extend(events.clone());
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        let state = AnnotationState::fold(&events);
        prop_assert_eq!(&state, &AnnotationState::fold(&shuffled));
        for annotator in ["x", "y"] {
            for case in ["c1", "c2", "c3"] {
                let folded = state.of(annotator, case).and_then(|annotation| annotation.category.clone());
                prop_assert_eq!(folded, category_by_definition(&events, annotator, case));
            }
        }
    }

    #[test]
    fn any_prefix_of_a_file_reads_and_is_appended_to(cut in 0usize..2000) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        for number in 0..5 {
            journal.append("c1", EventKind::Note { note: format!("n°{number} “übel”") }, None).unwrap();
        }
        let path = journal.path().to_path_buf();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let prefix = &whole[..cut.min(whole.len())];
        fs::write(&path, prefix).unwrap();
        let lines = prefix.split(|byte| *byte == b'\n').count() - 1;
        let (events, problems) = read_folder(folder.path()).unwrap();
        // A line that lacks nothing but its newline is an event, too.
        prop_assert!(events.len() == lines || events.len() == lines + 1);
        prop_assert!(problems.is_empty());

        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        let added = journal.append("c2", EventKind::Skip, None).unwrap();
        let (after, problems) = read_folder(folder.path()).unwrap();
        prop_assert_eq!(after.last(), Some(&added));
        prop_assert_eq!(after.len(), events.len() + 1);
        prop_assert!(problems.len() <= 1);
        prop_assert!(fs::read(&path).unwrap().starts_with(prefix), "nothing written before is lost");
    }
}

#[test]
fn the_last_decision_counts_and_the_note_stays() {
    let annotate =
        |id, second, category: &str| event(id, second, "ada", "c1", EventKind::Annotate { category: category.into() });
    let mut state = AnnotationState::fold(&[
        annotate(2, 20, "other"),
        annotate(1, 10, "look-alike"),
        event(3, 30, "ada", "c1", EventKind::Note { note: "see margin".into() }),
    ]);
    let annotation = state.of("ada", "c1").unwrap();
    assert_eq!(annotation.category.as_deref(), Some("other"));
    assert_eq!(annotation.note.as_deref(), Some("see margin"));
    assert_eq!(annotation.event_ids.len(), 3);
    assert!(state.of("bob", "c1").is_none());

    state.apply(&event(4, 40, "ada", "c1", EventKind::Skip));
    let annotation = state.of("ada", "c1").unwrap();
    assert!(annotation.skipped && annotation.category.is_none() && annotation.note.is_some());

    state.apply(&event(5, 50, "ada", "c1", EventKind::Undo { undoes: Uuid::from_u128(4) }));
    assert_eq!(state.of("ada", "c1").unwrap().category.as_deref(), Some("other"));
    state.apply(&event(6, 60, "bob", "c1", EventKind::Undo { undoes: Uuid::from_u128(2) }));
    assert_eq!(state.of("ada", "c1").unwrap().category.as_deref(), Some("other"), "only one's own is undone");
}
