//! The journal against the file system: acknowledged means on disk, one writer per file, undo across sessions.

use crate::support::small_disk;
use dissent::annotation::{AnnotationState, Event, EventContext, EventKind, Journal, read_folder};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Appends with nothing known of the context.
fn append(journal: &mut Journal, case: &str, kind: EventKind) -> anyhow::Result<Event> {
    journal.append(case, kind, EventContext::default())
}

fn events(folder: &Path) -> Vec<Event> {
    let (events, problems) = read_folder(folder).unwrap();
    assert_eq!(problems, []);
    events.iter().map(|event| Event::clone(event)).collect()
}

#[test]
fn what_was_appended_is_read_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
    let made = EventContext { run_fingerprint: Some("ab12".into()), ..EventContext::default() };
    let first = journal.append("c1", EventKind::annotate("look-alike"), made).unwrap();
    let second = append(&mut journal, "c1", EventKind::Note { note: "two\nlines".into() }).unwrap();
    assert!(second.ts > first.ts);
    assert_eq!(journal.path(), folder.path().join("ada@box.jsonl"));
    assert_eq!(fs::read_to_string(journal.path()).unwrap().lines().count(), 2);
    assert_eq!(events(folder.path()), [first, second]);
}

#[test]
fn undo_goes_back_through_earlier_sessions_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut monday = Journal::open(folder.path(), "ada", "box").unwrap();
    append(&mut monday, "c1", EventKind::annotate("other")).unwrap();
    append(&mut monday, "c1", EventKind::Skip).unwrap();
    drop(monday);
    append(&mut Journal::open(folder.path(), "bob", "box").unwrap(), "c1", EventKind::annotate("other")).unwrap();

    let mut tuesday = Journal::open(folder.path(), "ada", "laptop").unwrap();
    append(&mut tuesday, "c2", EventKind::Skip).unwrap();
    let mut cases = Vec::new();
    while let Some(undo) = tuesday.undo().unwrap() {
        cases.push(undo.case);
    }
    assert_eq!(cases, ["c2", "c1", "c1"]);
    let state = AnnotationState::fold(events(folder.path()));
    let left: Vec<&str> = state.iter().map(|(annotator, _, _)| annotator).collect();
    assert_eq!(left, ["bob"]);
    drop(tuesday);
    assert!(Journal::open(folder.path(), "ada", "box").unwrap().undo().unwrap().is_none());
}

#[test]
fn a_second_writer_gets_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Journal::open(folder.path(), "ada", "box").unwrap();
    let mut second = Journal::open(folder.path(), "ada", "box").unwrap();
    assert_ne!(first.path(), second.path());
    assert!(second.path().file_name().unwrap().to_str().unwrap().starts_with("ada@box-"));
    append(&mut first, "c1", EventKind::Skip).unwrap();
    append(&mut second, "c2", EventKind::Skip).unwrap();
    assert_eq!(events(folder.path()).len(), 2);
    let plain = first.path().to_path_buf();
    drop(first);
    assert_eq!(Journal::open(folder.path(), "ada", "box").unwrap().path(), plain, "free again");
}

#[test]
fn a_torn_tail_is_closed_off_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ada@box.jsonl");
    fs::write(&path, "{\"v\":1,\"id\":\"0193").unwrap();
    let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
    let event = append(&mut journal, "c1", EventKind::Skip).unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with("{\"v\":1,\"id\":\"0193\n{"));
    let (read, problems) = read_folder(folder.path()).unwrap();
    assert_eq!(read, [event.into()]);
    assert_eq!(problems.len(), 1);
    let message = problems[0].to_string();
    assert!(message.contains("ada@box.jsonl:1: the line was cut short"), "{message}");
}

#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn a_full_disk_is_an_error_and_leaves_whole_lines() {
    let disk = small_disk::mount(64);
    let folder = disk.path().join("annotations");
    let mut journal = Journal::open(&folder, "ada", "box").unwrap();
    let note = || EventKind::Note { note: "x".repeat(1500) };
    let mut written = Vec::new();
    let error = loop {
        match append(&mut journal, "c1", note()) {
            Ok(event) => written.push(event),
            Err(error) => break format!("{error:#}"),
        }
        assert!(written.len() < 1000, "the disk is not small");
    };
    assert!(error.contains("annotation not saved") && error.contains("ada@box.jsonl"), "{error}");
    assert!(!written.is_empty());
    assert!(fs::read(journal.path()).unwrap().ends_with(b"\n"), "the part of a line was taken back");
    assert_eq!(events(&folder), written);

    disk.resize(8192);
    written.push(append(&mut journal, "c1", note()).unwrap());
    assert_eq!(events(&folder), written);
}

/// Not a test by itself: the child of the next one. Appends until killed and names each event once it is acknowledged.
#[test]
#[ignore = "run by no_acknowledged_event_is_lost_to_a_kill as a process of its own"]
fn appends_until_killed() {
    let folder = std::env::var_os("DISSENT_TEST_JOURNAL").expect("set by the test that runs this one");
    let mut journal = Journal::open(Path::new(&folder), "ada", "box").unwrap();
    let mut output = std::io::stdout().lock();
    for number in 0..1_000_000 {
        let event = append(&mut journal, &format!("c{number}"), EventKind::Note { note: "x".repeat(900) }).unwrap();
        writeln!(output, "acknowledged {}", event.id).unwrap();
        output.flush().unwrap();
    }
}

#[test]
fn no_acknowledged_event_is_lost_to_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for events_before_kill in [1, 7, 40] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "annotation::journal::appends_until_killed", "--ignored", "--nocapture"])
            .env("DISSENT_TEST_JOURNAL", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let target = acknowledged.len() + events_before_kill;
        while acknowledged.len() < target {
            let line = lines.next().expect("the child ended by itself").unwrap();
            acknowledged.extend(line.split("acknowledged ").nth(1).map(str::to_owned));
        }
        child.kill().unwrap();
        // Events acknowledged before the signal arrived count, too.
        for line in lines {
            acknowledged.extend(line.unwrap().split("acknowledged ").nth(1).map(str::to_owned));
        }
        assert!(!child.wait().unwrap().success());
    }
    let (events, _) = read_folder(folder.path()).unwrap();
    let on_disk: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    for id in &acknowledged {
        assert!(on_disk.contains(id), "{id} was acknowledged and is not on disk");
    }
    assert!(acknowledged.len() >= 48);
    assert!(Journal::open(folder.path(), "ada", "box").unwrap().path().ends_with("ada@box.jsonl"), "the lock is gone");
}
