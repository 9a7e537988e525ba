//! The engine's threads: what arrives, in which order, and what happens when something else is wanted or goes wrong.

use super::support::{CountingReader, FixedHits, dataset};
use crate::support::patience::PATIENCE;
use dissent::files::fingerprint::Fingerprint;
use dissent::index::CaptionResult;
use dissent::pipeline::{Event, ModelDescription, Pipeline};
use dissent::reader::ReadRequest;
use dissent::run::{Ablation, CaptionShown, CaseAnswer, LabelScores, Probe};
use dissent::worker::{LoadedPipeline, Request, SearchCaptions, WorkerHandle};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

struct Shouting;

impl SearchCaptions for Shouting {
    fn search(&mut self, query: &str, limit: usize) -> anyhow::Result<Vec<CaptionResult>> {
        anyhow::ensure!(query != "(", "the query ( is not closed");
        Ok((0..limit).map(|row| CaptionResult { row, score: 1.0, highlights: Vec::new() }).collect())
    }
}

fn description() -> ModelDescription {
    ModelDescription {
        heads: "fixed".into(),
        retriever: "fixed".into(),
        reader: "counting".into(),
        device: "cpu".into(),
        index: "Flat, 4 documents".into(),
        run_fingerprint: "none".into(),
        reader_fingerprint: Fingerprint::of_bytes(b"counting"),
        hosted: None,
        is_sampled: false,
    }
}

fn start(root: &Path, cases: usize, reader: CountingReader, stored: Vec<CaseAnswer>) -> WorkerHandle {
    let dataset = Arc::new(dataset(root, cases));
    let cache = root.join("cache");
    let load = move |_: &dyn Fn(String), _: &dyn Fn() -> bool| {
        let pipeline = Pipeline::new(dataset, Some(Box::new(FixedHits::new())), Box::new(reader), &cache)?;
        Ok(LoadedPipeline { pipeline, description: description() })
    };
    WorkerHandle::start(stored, Box::new(load), Box::new(|| Ok(Box::new(Shouting)))).unwrap()
}

fn next(engine: &WorkerHandle) -> Event {
    engine.events.recv_timeout(PATIENCE).unwrap()
}

/// Events until the closed-book answer of this case, which is the last of it.
fn until_answered(engine: &WorkerHandle, wanted: usize) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = next(engine);
        let is_last = matches!(&event, Event::ClosedBook { case, .. } if *case == wanted);
        events.push(event);
        if is_last {
            return events;
        }
    }
}

/// The message when the first case fails.
fn failure_of_the_first_case(engine: &WorkerHandle) -> String {
    loop {
        if let Event::Failed { case: Some(0), message } = next(engine) {
            return message;
        }
    }
}

/// A reader that stands still in its first batch about `caption 0` until told to go on.
fn held_reader() -> (CountingReader, crossbeam_channel::Receiver<()>, crossbeam_channel::Sender<()>) {
    let (entered, when_entered) = crossbeam_channel::unbounded();
    let (go_on, when_to_go_on) = crossbeam_channel::unbounded::<()>();
    let mut reader = CountingReader::new();
    let mut is_first = true;
    reader.before_batch = Some(Box::new(move |_: &[ReadRequest]| {
        if std::mem::take(&mut is_first) {
            entered.send(()).unwrap();
            when_to_go_on.recv_timeout(PATIENCE).unwrap();
        }
    }));
    (reader, when_entered, go_on)
}

#[test]
fn a_case_is_answered_first_hit_alone_then_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let reader = CountingReader::new();
    let batches = reader.batches.clone();
    let engine = start(folder.path(), 1, reader, Vec::new());
    assert_eq!(next(&engine), Event::Ready(description()));
    engine.send(Request::Open { case: 0 });
    let events = until_answered(&engine, 0);
    let Event::Hits { case: 0, hits } = &events[0] else { panic!("{events:?}") };
    assert_eq!(hits.len(), 3);
    let answers: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            Event::Prediction { prediction, .. } => prediction.label(),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [1, 0, 1]);
    assert_eq!(*batches.lock().unwrap(), [1, 3]);
}

#[test]
fn a_caption_that_nothing_contradicts_is_not_read_as_if_it_were_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let reader = CountingReader::new();
    let asked = reader.asked.clone();
    let engine = start(folder.path(), 1, reader, Vec::new());
    assert_eq!(next(&engine), Event::Ready(description()));
    let ablation = Ablation { caption: CaptionShown::Swapped, ..Ablation::default() };
    // No caption names a label.
    engine.send(Request::Probe { case: 0, probe: Probe { row: 0, ablation } });
    let Event::Probed { outcome: Err(message), .. } = next(&engine) else { panic!("it was read") };
    assert!(message.starts_with("no caption contradicts that of document-0"), "{message}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn opening_another_case_cancels_the_one_in_work() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, when_entered, go_on) = held_reader();
    let batches = reader.batches.clone();
    let engine = start(folder.path(), 4, reader, Vec::new());
    engine.send(Request::Open { case: 0 });
    when_entered.recv_timeout(PATIENCE).unwrap();
    for case in 1..4 {
        engine.send(Request::Open { case });
    }
    go_on.send(()).unwrap();
    let events = until_answered(&engine, 3);
    let opened: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            Event::Hits { case, .. } => Some(*case),
            _ => None,
        })
        .collect();
    assert_eq!(opened, [0, 3], "cases 1 and 2 were overtaken before they began");
    assert_eq!(*batches.lock().unwrap(), [1, 1, 3], "case 0 stopped after its first batch");
}

#[test]
fn work_ahead_gives_way_and_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, when_entered, go_on) = held_reader();
    let engine = start(folder.path(), 3, reader, Vec::new());
    engine.send(Request::Ahead { cases: vec![1, 2] });
    when_entered.recv_timeout(PATIENCE).unwrap();
    engine.send(Request::Open { case: 0 });
    go_on.send(()).unwrap();
    let closed_books: Vec<usize> = std::iter::from_fn(|| Some(next(&engine)))
        .filter_map(|event| match event {
            Event::ClosedBook { case, .. } => Some(case),
            _ => None,
        })
        .take(3)
        .collect();
    assert_eq!(closed_books, [0, 1, 2]);
}

#[test]
fn nobody_asks_the_reader_twice_not_even_in_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let reader = CountingReader::new();
    let asked = reader.asked.clone();
    let engine = start(folder.path(), 1, reader, Vec::new());
    for _ in 0..2 {
        engine.send(Request::Open { case: 0 });
        until_answered(&engine, 0);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    drop(engine);

    let reader = CountingReader::new();
    let asked = reader.asked.clone();
    let engine = start(folder.path(), 1, reader, Vec::new());
    engine.send(Request::Open { case: 0 });
    assert_eq!(until_answered(&engine, 0).len(), 6, "ready, hits, three predictions, closed-book");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn stored_answers_come_first_and_are_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let closed_book = Some(LabelScores::exact(vec![-1.0, -2.0]).into());
    let stored = CaseAnswer { case: 0, hits: Vec::new(), predictions: Vec::new(), closed_book, recorded_fusion: None };
    let reader = CountingReader::new();
    let asked = reader.asked.clone();
    let engine = start(folder.path(), 2, reader, vec![stored.clone()]);
    assert_eq!(next(&engine), Event::Stored(stored));
    engine.send(Request::Open { case: 0 });
    engine.send(Request::Ahead { cases: vec![0, 1] });
    until_answered(&engine, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 4, "only case 1 is read");
}

#[test]
fn numbers_that_are_none_are_an_error_that_names_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = CountingReader::new();
    reader.is_broken = true;
    let engine = start(folder.path(), 1, reader, Vec::new());
    engine.send(Request::Open { case: 0 });
    let message = failure_of_the_first_case(&engine);
    assert!(message.contains("reader counting gave NaN") && message.contains("label No"), "{message}");
    let cache = std::fs::read_to_string(folder.path().join("cache/predictions.jsonl")).unwrap();
    assert_eq!(cache, "", "a broken answer is never kept");
}

#[test]
fn a_panic_is_an_event_and_the_next_case_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = CountingReader::new();
    let mut is_first = true;
    reader.before_batch = Some(Box::new(move |_: &[ReadRequest]| {
        assert!(!std::mem::take(&mut is_first), "the first batch breaks");
    }));
    let engine = start(folder.path(), 2, reader, Vec::new());
    engine.send(Request::Open { case: 0 });
    let message = failure_of_the_first_case(&engine);
    assert!(message.contains("the first batch breaks"), "{message}");
    engine.send(Request::Open { case: 1 });
    until_answered(&engine, 1);
}

#[test]
fn a_missing_document_image_fails_that_hit_alone() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), 1, CountingReader::new(), Vec::new());
    next(&engine);
    std::fs::remove_file(folder.path().join("images/document-1.png")).unwrap();
    engine.send(Request::Open { case: 0 });
    let events = until_answered(&engine, 0);
    assert!(!events.iter().any(|event| matches!(event, Event::Failed { .. })), "a later answer would hide it");
    let Event::Failed { case: Some(0), message } = next(&engine) else { panic!("the image is missing") };
    assert!(message.contains("document-1.png"), "{message}");
    let slots: Vec<usize> = events
        .iter()
        .filter_map(|event| match event {
            Event::Prediction { slot, .. } => Some(*slot),
            _ => None,
        })
        .collect();
    assert_eq!(slots, [0, 2]);
}

#[test]
fn searches_do_not_wait_for_the_reader() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, when_entered, go_on) = held_reader();
    let engine = start(folder.path(), 1, reader, Vec::new());
    engine.send(Request::Open { case: 0 });
    when_entered.recv_timeout(PATIENCE).unwrap();
    engine.send(Request::SearchCaptions { ticket: 5, query: "mass".into(), limit: 2 });
    let count = std::iter::from_fn(|| Some(next(&engine)))
        .find_map(|event| match event {
            Event::SearchResults { ticket: 5, results } => Some(results.len()),
            _ => None,
        })
        .unwrap();
    assert_eq!(count, 2);
    go_on.send(()).unwrap();
    until_answered(&engine, 0);
    engine.send(Request::SearchCaptions { ticket: 6, query: "(".into(), limit: 2 });
    assert!(matches!(next(&engine), Event::Failed { case: None, .. }));
}

#[test]
fn without_models_each_opened_case_says_so() {
    let folder = tempfile::tempdir().unwrap();
    dataset(folder.path(), 1);
    let load = |_: &dyn Fn(String), _: &dyn Fn() -> bool| anyhow::bail!("no config.json in models/reader");
    let engine = WorkerHandle::start(Vec::new(), Box::new(load), Box::new(|| Ok(Box::new(Shouting)))).unwrap();
    let Event::Failed { case: None, message } = next(&engine) else { panic!("loading should fail") };
    assert_eq!(message, "no config.json in models/reader");
    engine.send(Request::Open { case: 0 });
    assert!(matches!(next(&engine), Event::Failed { case: Some(0), .. }));
}

#[test]
fn dropping_the_handle_ends_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start(folder.path(), 1, CountingReader::new(), Vec::new());
    next(&engine);
    let events = engine.events.clone();
    drop(engine);
    // Both threads held a sender; the channel is closed once they are gone.
    assert_eq!(events.recv_timeout(PATIENCE), Err(crossbeam_channel::RecvTimeoutError::Disconnected));
}
