//! `dissent annotate` under fire: kills, a full disk, locks that are refused or lie, files that are taken away. Whatever
//! was acknowledged on standard output is in the fold.

use crate::support::annotated_dataset::dataset_of_text as dataset;
use crate::support::preload;
use crate::support::program::dissent;
use crate::support::small_disk::{self, SmallDisk};
use dissent::annotation::{AnnotationState, Event, EventContext, EventKind, Journal, read_folder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{fs, thread};

/// Kilobytes of the small disk when the processes begin.
const FIRST_SIZE: usize = 256;
/// The body of a `flock` that knows no locks.
const NO_LOCKS: &str = "errno = ENOLCK; return -1;";

/// `dissent annotate`, with no models and no settings of this machine.
pub fn annotate(dataset: &Path, annotator: &str) -> Command {
    let mut command = dissent();
    command.arg("annotate").arg(dataset).args(["--annotator", annotator, "--keep-going"]).env("HOME", dataset);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// The id of the event that a line acknowledges.
fn acknowledged(line: &str) -> Option<String> {
    line.strip_prefix("saved ")?.split(':').next().map(str::to_owned)
}

/// The events that a process reported.
#[derive(Default)]
struct Heard {
    /// Ids of the events that it acknowledged.
    ids: Vec<String>,
    /// Events that it said were not saved.
    refused: usize,
    /// Lives in which it said nothing of an event: it could not even begin.
    silent: usize,
}

/// Talks to the process without end; ends when nobody listens.
fn talk(child: &mut Child, seed: u64) {
    let mut input = child.stdin.take().unwrap();
    thread::spawn(move || {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        loop {
            let line = match random.random_range(0..10) {
                0..3 => "1\n".to_owned(),
                3 => "skip\n".to_owned(),
                4 => "undo\n".to_owned(),
                5 => "redo\n".to_owned(),
                6 => "unsure\n".to_owned(),
                7 => "back\n".to_owned(),
                _ => format!("n {}\n", "the margin is copied ".repeat(random.random_range(1..60))),
            };
            if input.write_all(line.as_bytes()).is_err() {
                return;
            }
        }
    });
}

/// Starts the process over and over, and kills it at a random moment of each life.
fn live_and_die(mut command: Command, lives: usize, seed: u64) -> Heard {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut heard = Heard::default();
    for life in 0..lives {
        let mut child = command.spawn().unwrap();
        talk(&mut child, seed * 1000 + life as u64);
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        let reading = thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // A line that the kill cut short acknowledges nothing that counts.
                let id = acknowledged(&line).filter(|id| id.len() == 36);
                if id.is_some() || line.starts_with("mistake: annotation not saved") {
                    let _ = sender.send(id);
                }
            }
        });
        // The first word on an event says that it lives; the kill comes some time after.
        let mut words = Vec::new();
        match receiver.recv_timeout(Duration::from_secs(60)) {
            Ok(first) => words.push(first),
            Err(RecvTimeoutError::Disconnected) => heard.silent += 1,
            Err(RecvTimeoutError::Timeout) => panic!("no word in a minute"),
        }
        thread::sleep(Duration::from_micros(random.random_range(0..120_000)));
        child.kill().unwrap();
        assert!(words.is_empty() || !child.wait().unwrap().success(), "it ended by itself");
        reading.join().unwrap();
        words.extend(receiver.try_iter());
        heard.refused += words.iter().filter(|id| id.is_none()).count();
        heard.ids.extend(words.into_iter().flatten());
    }
    heard
}

/// Every acknowledged event is read, and every line can be read but for the torn ones of a kill.
fn assert_all_are_there(folder: &Path, acknowledged: &[String]) -> (Vec<Arc<Event>>, usize) {
    let (events, problems) = read_folder(folder).unwrap();
    let there: HashSet<String> = events.iter().map(|event| event.id.to_string()).collect();
    for id in acknowledged {
        assert!(there.contains(id), "{id} was acknowledged and is not there");
    }
    for problem in &problems {
        assert!(problem.message.contains("cut short by an interrupted write"), "{problem}");
    }
    let mut backwards = events.clone();
    backwards.reverse();
    assert_eq!(AnnotationState::fold(events.clone()), AnnotationState::fold(backwards));
    (events, problems.len())
}

/// The folders and disks that the processes use.
#[derive(Default)]
struct Ground<'a> {
    disk: Option<&'a SmallDisk>,
    /// Takes the place of the system's `flock`.
    locks: Option<&'a Path>,
}

/// Result of the torture.
struct Outcome {
    heard: Heard,
    events: usize,
    torn: usize,
}

impl Outcome {
    fn say(&self, kills: usize) {
        let Self { heard, events, torn } = self;
        println!(
            "{kills} kills, {} events acknowledged, {} refused, {} lives without a word, {events} in the fold, {torn} torn \
            lines, none lost",
            heard.ids.len(),
            heard.refused,
            heard.silent
        );
    }
}

/// Runs this many annotators at once and kills each this many times. The last one has a second process under the same
/// name. A small disk grows while they write, and is soon full again.
fn torture(annotators: usize, lives: usize, ground: &Ground<'_>) -> Outcome {
    let dataset = dataset(50);
    let workspace = ground.disk.map_or_else(|| dataset.path().join(".dissent"), |disk| disk.path().join("w"));
    let threads: Vec<_> = (0..=annotators)
        .map(|number| {
            let name = format!("annotator{}", number.min(annotators - 1));
            let mut command = annotate(dataset.path(), &name);
            command.arg("--workspace").arg(&workspace);
            command.envs(ground.locks.map(|library| ("LD_PRELOAD", library)));
            thread::spawn(move || live_and_die(command, lives, number as u64 + 1))
        })
        .collect();
    let mut size = FIRST_SIZE;
    while threads.iter().any(|thread| !thread.is_finished()) {
        thread::sleep(Duration::from_millis(100));
        if let Some(disk) = ground.disk {
            size += 64;
            disk.resize(size);
        }
    }
    let mut heard = Heard::default();
    for thread in threads {
        let of_one = thread.join().unwrap();
        heard.ids.extend(of_one.ids);
        heard.refused += of_one.refused;
        heard.silent += of_one.silent;
    }
    let (events, torn) = assert_all_are_there(&workspace.join("annotations"), &heard.ids);
    let people: HashSet<&str> = events.iter().map(|event| event.annotator.as_str()).collect();
    assert!(people.len() == annotators || heard.silent > 0, "{people:?}");
    Outcome { heard, events: events.len(), torn }
}

#[test]
fn no_acknowledged_event_is_lost_to_kills_of_several_processes() {
    let outcome = torture(3, 3, &Ground::default());
    assert!(outcome.heard.ids.len() >= 12 && outcome.heard.silent == 0);
}

#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn no_acknowledged_event_is_lost_to_kills_on_a_full_disk() {
    let disk = small_disk::mount(FIRST_SIZE);
    let outcome = torture(3, 3, &Ground { disk: Some(&disk), ..Ground::default() });
    assert!(outcome.heard.refused > 0, "the disk was never full");
}

/// The whole of it: `cargo test --test suite -- --ignored --nocapture twenty`.
#[test]
#[ignore = "takes minutes: 21 processes of 20 annotators, each killed 200 times"]
fn twenty_annotators_killed_two_hundred_times_each() {
    torture(20, 200, &Ground::default()).say(4200);
}

#[test]
#[ignore = "takes minutes, as above"]
fn twenty_annotators_on_a_full_disk() {
    let disk = small_disk::mount(FIRST_SIZE);
    let outcome = torture(20, 200, &Ground { disk: Some(&disk), ..Ground::default() });
    assert!(outcome.heard.refused > 0, "the disk was never full");
    outcome.say(4200);
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "takes minutes, as above"]
fn twenty_annotators_where_locks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let library = other_locks(folder.path(), NO_LOCKS);
    torture(20, 200, &Ground { locks: Some(&library), ..Ground::default() }).say(4200);
}

#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn a_full_disk_is_said_and_what_was_saved_is_there() {
    let disk = small_disk::mount(192);
    let dataset = dataset(5);
    let workspace = disk.path().join("w");
    let mut child = annotate(dataset.path(), "ada").arg("--workspace").arg(&workspace).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut say = |line: &str| {
        input.write_all(line.as_bytes()).unwrap();
        loop {
            let answer = output.next().unwrap().unwrap();
            if answer.starts_with("saved ") || answer.starts_with("mistake: ") {
                return answer;
            }
        }
    };
    let note = format!("n {}\n", "x".repeat(3000));
    let mut ids = Vec::new();
    let refusal = loop {
        let answer = say(&note);
        match acknowledged(&answer) {
            Some(id) => ids.push(id),
            None => break answer,
        }
        assert!(ids.len() < 1000, "the disk is not small");
    };
    assert!(refusal.contains("annotation not saved") && refusal.contains("No space left"), "{refusal}");
    assert_all_are_there(&workspace.join("annotations"), &ids);
    disk.resize(8192);
    ids.extend(acknowledged(&say(&note)));
    drop(input);
    assert!(child.wait().unwrap().success(), "it was saved in the end");
    let (events, torn) = assert_all_are_there(&workspace.join("annotations"), &ids);
    assert_eq!((events.len(), torn), (ids.len(), 0));
}

#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn what_cannot_be_saved_to_the_end_is_an_error() {
    let disk = small_disk::mount(192);
    let dataset = dataset(5);
    let workspace = disk.path().join("w");
    let mut child = annotate(dataset.path(), "ada").arg("--workspace").arg(&workspace).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // Beside the reading, which is more than a pipe holds.
    thread::spawn(move || input.write_all(format!("n {}\n", "x".repeat(3000)).repeat(100).as_bytes()));
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
}

/// A library that takes the place of the system's `flock`.
fn other_locks(folder: &Path, body: &str) -> PathBuf {
    preload::library(folder, "locks", &format!("#include <errno.h>\nint flock(int file, int how) {{ {body} }}\n"))
}

#[test]
#[cfg(target_os = "linux")]
fn locks_that_are_refused_or_lie_lose_nothing() {
    for (body, files_at_least) in [(NO_LOCKS, 4), ("return 0;", 2)] {
        let dataset = dataset(20);
        let library = other_locks(dataset.path(), body);
        let folder = dataset.path().join(".dissent/annotations");
        // All of one name on one host: without locks nothing but the journal itself keeps them apart.
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let mut command = annotate(dataset.path(), "ada");
                command.env("LD_PRELOAD", &library);
                thread::spawn(move || live_and_die(command, 2, 50 + number))
            })
            .collect();
        let ids: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().unwrap().ids).collect();
        assert_all_are_there(&folder, &ids);
        let files = fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .filter(|file| file.path().extension().is_some_and(|ending| ending == "jsonl"));
        assert!(files.count() >= files_at_least, "{body}");
    }
}

fn note(journal: &mut Journal, text: &str) -> Arc<Event> {
    journal.append("c1", EventKind::Note { note: text.into() }, EventContext::default()).unwrap().into()
}

/// A power cut leaves any prefix of the last line.
#[test]
fn a_cut_at_every_byte_of_the_last_event_costs_that_event_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
    let first = note(&mut journal, "first");
    let path = journal.path().to_path_buf();
    let before = fs::metadata(&path).unwrap().len() as usize;
    let last = note(&mut journal, "the last one, “cut”");
    drop(journal);
    let whole = fs::read(&path).unwrap();
    for cut in before..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let (events, problems) = read_folder(folder.path()).unwrap();
        assert_eq!(problems, []);
        let is_whole = cut >= whole.len() - 1;
        let expected = if is_whole { vec![first.clone(), last.clone()] } else { vec![first.clone()] };
        assert_eq!(events, expected, "cut at {cut}");
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        let next = note(&mut journal, "next");
        let (events, _) = read_folder(folder.path()).unwrap();
        assert_eq!(events, [expected, vec![next]].concat(), "cut at {cut}");
    }
}

#[test]
fn a_journal_that_is_replaced_or_removed_goes_on_elsewhere_with_all_it_wrote() {
    for remove in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
        let first = note(&mut journal, "first");
        let path = journal.path().to_path_buf();
        if remove {
            fs::remove_file(&path).unwrap();
        } else {
            // `git checkout` and rsync rename an older copy over the file.
            fs::write(folder.path().join("old"), "").unwrap();
            fs::rename(folder.path().join("old"), &path).unwrap();
        }
        let second = note(&mut journal, "second");
        assert_ne!(journal.path(), path);
        assert_eq!(read_folder(folder.path()).unwrap(), (vec![first, second], vec![]));
    }
}

#[test]
fn a_stranger_who_writes_to_the_journal_has_it_to_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
    let first = note(&mut journal, "first");
    let path = journal.path().to_path_buf();
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"half").unwrap();
    let second = note(&mut journal, "second");
    assert_ne!(journal.path(), path);
    assert_eq!(read_folder(folder.path()).unwrap(), (vec![first, second], vec![]));
}
