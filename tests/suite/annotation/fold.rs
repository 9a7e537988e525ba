//! The fold over events: order, repetition and the files they came in do not matter, undo and redo do, a torn file never
//! fails.

use dissent::annotation::{
    AnnotationState, CaseAnnotation, CategoryId, Event, EventContext, EventKind, Journal, read_folder,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// An event with a small clock, so that equal times occur.
fn event(id: u128, second: i64, annotator: &str, case: &str, kind: EventKind) -> Event {
    Event {
        v: 2,
        id: Uuid::from_u128(id),
        ts: OffsetDateTime::from_unix_timestamp(second).unwrap(),
        annotator: annotator.into(),
        host: "box".into(),
        case: case.into(),
        kind,
        context: EventContext::default(),
    }
}

fn any_set() -> impl Strategy<Value = BTreeSet<CategoryId>> {
    prop::collection::btree_set("[a-c]".prop_map(CategoryId::from), 0..3)
}

fn any_kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        3 => any_set().prop_map(|categories| EventKind::Annotate { categories: categories.into() }),
        2 => ("d[12]", any_set()).prop_map(|(document, categories)| EventKind::Hit { document, categories: categories.into() }),
        1 => "[a-b]{0,1}".prop_map(|note| EventKind::Note { note }),
        1 => any::<bool>().prop_map(|unsure| EventKind::Unsure { unsure }),
        1 => any::<bool>().prop_map(|flag| EventKind::Flag { flag }),
        1 => Just(EventKind::Skip),
        1 => (any_set(), "[rs]").prop_map(|(categories, reason)| EventKind::Decide { categories: categories.into(), reason, seen: Vec::new() }),
        // They name any event: known or unknown, the annotator's own or not, or an undo.
        3 => (0..24u128).prop_map(|id| EventKind::Undo { undoes: Uuid::from_u128(id) }),
        2 => (0..24u128).prop_map(|id| EventKind::Redo { redoes: Uuid::from_u128(id) }),
    ]
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let parts = (0..6i64, "[xy]", "c[1-3]", any_kind(), 1..3u32, "host[12]");
    prop::collection::vec(parts, 0..24).prop_map(|list| {
        let numbered = list.into_iter().zip(0u128..);
        let event = |((second, annotator, case, kind, pass, host), id): (
            (i64, String, String, EventKind, u32, String),
            u128,
        )| {
            let context = EventContext { pass, seconds: Some(0.5), ..EventContext::default() };
            Event { context, host: host.into(), ..event(id, second, &annotator, &case, kind) }
        };
        numbered.map(event).collect()
    })
}

/// One annotator's word on a case in one pass, written the slow way.
#[derive(Debug, Default, PartialEq)]
struct ByDefinition {
    categories: BTreeSet<CategoryId>,
    hits: BTreeMap<String, BTreeSet<CategoryId>>,
    skipped: bool,
    note: Option<String>,
    unsure: bool,
    flagged: bool,
}

/// The definition: sort, drop what is undone, replay.
fn by_definition(events: &[Event], annotator: &str, case: &str, pass: u32) -> Option<ByDefinition> {
    let mut own: Vec<&Event> =
        events.iter().filter(|event| event.annotator == annotator && event.case == case).collect();
    own.sort_by_key(|event| (event.ts, event.id));
    let is_undone = |id: Uuid| {
        let about = own.iter().rev().find_map(|event| match event.kind {
            EventKind::Undo { undoes } if undoes == id => Some(true),
            EventKind::Redo { redoes } if redoes == id => Some(false),
            _ => None,
        });
        about == Some(true)
    };
    let mut word: Option<ByDefinition> = None;
    for event in own.iter().filter(|event| event.context.pass == pass && !is_undone(event.id)) {
        if matches!(event.kind, EventKind::Undo { .. } | EventKind::Redo { .. } | EventKind::Decide { .. }) {
            continue;
        }
        let word = word.get_or_insert_with(ByDefinition::default);
        match event.kind.clone() {
            EventKind::Annotate { categories } => {
                word.skipped &= categories.is_empty();
                word.categories = Arc::unwrap_or_clone(categories);
            }
            EventKind::Hit { document, categories } if categories.is_empty() => drop(word.hits.remove(&document)),
            EventKind::Hit { document, categories } => {
                word.skipped = false;
                word.hits.insert(document, Arc::unwrap_or_clone(categories));
            }
            EventKind::Skip => {
                word.categories.clear();
                word.hits.clear();
                word.skipped = true;
            }
            EventKind::Note { note } => word.note = Some(note).filter(|note| !note.is_empty()),
            EventKind::Unsure { unsure } => word.unsure = unsure,
            EventKind::Flag { flag } => word.flagged = flag,
            _ => {}
        }
    }
    word
}

fn word_of(annotation: &CaseAnnotation) -> ByDefinition {
    ByDefinition {
        categories: annotation.categories.clone(),
        hits: annotation.hits.clone(),
        skipped: annotation.skipped,
        note: annotation.note.clone(),
        unsure: annotation.unsure,
        flagged: annotation.flagged,
    }
}

/// Writes events into files of any names, some twice, each line whole but perhaps the last.
fn write_files(folder: &std::path::Path, pieces: &[(u8, Vec<Event>)], torn: &str) {
    for (name, events) in pieces {
        let path = folder.join(format!("copy-{name}.jsonl"));
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        for event in events {
            text += &serde_json::to_string(event).unwrap();
            text.push('\n');
        }
        fs::write(&path, text).unwrap();
    }
    if let Some((name, _)) = pieces.last() {
        let path = folder.join(format!("copy-{name}.jsonl"));
        fs::write(&path, fs::read_to_string(&path).unwrap() + torn).unwrap();
    }
}

proptest! {
    // Each case of the later properties writes several files.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_and_repetition_folds_to_the_same(
        (events, shuffled) in any_events().prop_flat_map(|events| {
            let mut twice = events.clone();
            twice.extend(events.clone());
            (Just(events), Just(twice).prop_shuffle())
        })
    ) {
        let state = AnnotationState::fold(events.clone());
        prop_assert_eq!(&state, &AnnotationState::fold(shuffled.clone()));
        let mut one_by_one = AnnotationState::default();
        for event in &shuffled {
            one_by_one.apply(event);
        }
        prop_assert_eq!(&state, &one_by_one);
        for annotator in ["x", "y"] {
            for case in ["c1", "c2", "c3"] {
                for pass in [1, 2] {
                    let folded = state.of_pass(annotator, case, pass).map(|annotation| word_of(annotation));
                    prop_assert_eq!(folded, by_definition(&events, annotator, case, pass));
                }
            }
        }
    }

    /// Two events that claim one id, which no program writes, fold to the same whichever comes first.
    #[test]
    fn forged_ids_fold_to_the_same_in_any_order(
        (events, shuffled) in any_events().prop_flat_map(|mut events| {
            for event in &mut events {
                event.id = Uuid::from_u128(event.id.as_u128() % 5);
            }
            (Just(events.clone()), Just(events).prop_shuffle())
        })
    ) {
        prop_assert_eq!(AnnotationState::fold(events), AnnotationState::fold(shuffled));
    }

    #[test]
    fn files_merge_whatever_their_names_order_overlap_and_torn_tails(
        (events, pieces) in any_events().prop_flat_map(|events| {
            let piece = (0..4u8, prop::sample::subsequence(events.clone(), 0..=events.len()).prop_shuffle());
            (Just(events), prop::collection::vec(piece, 1..5))
        }),
        cut in 0usize..60,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let torn = r#"{"v":2,"id":"00000000-0000-0000-0000-000000000063","ts":"1970-01-01T0"#;
        write_files(folder.path(), &pieces, &torn[..cut]);
        let (read, problems) = read_folder(folder.path()).unwrap();
        prop_assert!(problems.is_empty(), "{:?}", problems);
        let there: BTreeSet<Uuid> = pieces.iter().flat_map(|(_, events)| events).map(|event| event.id).collect();
        let expected: Vec<Event> = events.into_iter().filter(|event| there.contains(&event.id)).collect();
        prop_assert_eq!(read.len(), expected.len());
        prop_assert_eq!(AnnotationState::fold(read), AnnotationState::fold(expected));
    }

    #[test]
    fn any_prefix_of_a_file_reads_and_is_appended_to(cut in 0usize..2000) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        for number in 0..5 {
            let note = EventKind::Note { note: format!("n°{number} “übel”") };
            journal.append("c1", note, EventContext::default()).unwrap();
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
        let added = journal.append("c2", EventKind::Skip, EventContext::default()).unwrap();
        let (after, problems) = read_folder(folder.path()).unwrap();
        prop_assert_eq!(after.last().map(AsRef::as_ref), Some(&added));
        prop_assert_eq!(after.len(), events.len() + 1);
        prop_assert!(problems.len() <= 1);
        prop_assert!(fs::read(&path).unwrap().starts_with(prefix), "nothing written before is lost");
    }

    /// Against an editor's two stacks: recording (0), undoing (1), redoing (2), leaving and coming back (3).
    #[test]
    fn undo_and_redo_are_an_editors_over_any_number_of_sessions(steps in prop::collection::vec(0..4u8, 0..40)) {
        let folder = tempfile::tempdir().unwrap();
        let host = |session: usize| format!("host{}", session % 2);
        let mut session = 0;
        let mut journal = Journal::open(folder.path(), "ada", &host(session)).unwrap();
        let (mut done, mut undone): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                0 => {
                    let note = number.to_string();
                    journal.append("c1", EventKind::Note { note: note.clone() }, EventContext::default()).unwrap();
                    done.push(note);
                    undone.clear();
                }
                1 => {
                    prop_assert_eq!(journal.undo().unwrap().is_some(), !done.is_empty());
                    undone.extend(done.pop());
                }
                2 => {
                    prop_assert_eq!(journal.redo().unwrap().is_some(), !undone.is_empty());
                    done.extend(undone.pop());
                }
                _ => {
                    drop(journal);
                    session += 1;
                    journal = Journal::open(folder.path(), "ada", &host(session)).unwrap();
                }
            }
            let state = AnnotationState::fold(read_folder(folder.path()).unwrap().0);
            let note = state.of("ada", "c1").and_then(|annotation| annotation.note.clone());
            prop_assert_eq!(note.as_ref(), done.last());
        }
    }
}

#[test]
fn the_last_decision_counts_and_the_note_stays() {
    let annotate = |id, second, category: &str| event(id, second, "ada", "c1", EventKind::annotate(category));
    let mut state = AnnotationState::fold(vec![
        annotate(2, 20, "other"),
        annotate(1, 10, "look-alike"),
        event(3, 30, "ada", "c1", EventKind::Note { note: "see margin".into() }),
    ]);
    let other = BTreeSet::from(["other".into()]);
    let annotation = state.of("ada", "c1").unwrap();
    assert_eq!(annotation.categories, other);
    assert_eq!(annotation.note.as_deref(), Some("see margin"));
    assert_eq!(annotation.event_ids.len(), 3);
    assert!(state.of("bob", "c1").is_none());

    state.apply(&event(4, 40, "ada", "c1", EventKind::Skip));
    let annotation = state.of("ada", "c1").unwrap();
    assert!(annotation.skipped && annotation.categories.is_empty() && annotation.note.is_some());

    state.apply(&event(5, 50, "ada", "c1", EventKind::Undo { undoes: Uuid::from_u128(4) }));
    assert_eq!(state.of("ada", "c1").unwrap().categories, other);
    state.apply(&event(6, 60, "bob", "c1", EventKind::Undo { undoes: Uuid::from_u128(2) }));
    assert_eq!(state.of("ada", "c1").unwrap().categories, other, "only one's own is undone");
    state.apply(&event(7, 70, "ada", "c1", EventKind::Redo { redoes: Uuid::from_u128(4) }));
    assert!(state.of("ada", "c1").unwrap().skipped);
}

#[test]
fn a_second_pass_stands_beside_the_first() {
    let on_pass = |event: Event, pass| Event { context: EventContext { pass, ..event.context }, ..event };
    let first = event(1, 10, "ada", "c1", EventKind::annotate("other"));
    let second = on_pass(event(2, 20, "ada", "c1", EventKind::annotate("look-alike")), 2);
    let third = on_pass(event(3, 30, "ada", "c1", EventKind::Note { note: "again".into() }), 3);
    let state = AnnotationState::fold(vec![third, second, first]);
    let category = |pass| state.of_pass("ada", "c1", pass).unwrap().categories.first().cloned();
    assert_eq!(category(1).as_deref(), Some("other"));
    assert_eq!(category(2).as_deref(), Some("look-alike"));
    assert_eq!(state.of("ada", "c1").unwrap().pass, 2, "a pass with nothing but a note decides nothing");
    assert_eq!(state.passes().count(), 3);
}
