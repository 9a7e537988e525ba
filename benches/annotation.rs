//! Time until one annotation is on disk, and time and memory for reading a million. Prints one line per figure; `make
//! bench` runs it.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use dissent::annotation::{AnnotationState, Event, EventContext, EventKind, Journal, Taxonomy, read_folder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const ANNOTATIONS: usize = 2000;
const LINES: usize = 500;
const ANNOTATORS: usize = 20;
const EVENTS_EACH: usize = 50_000;
const CASES: usize = 5_000;
const READS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    println!("annotation, journals in {} (file system: {})", folder.path().display(), file_system(folder.path()));
    one_annotation(folder.path());
    one_line(folder.path());
    a_million_events(folder.path());
}

/// Records a category like the explorer.
fn context() -> EventContext {
    EventContext {
        run_fingerprint: Some("0123456789abcdef".into()),
        answers_fingerprint: Some("fedcba9876543210".into()),
        blind: true,
        seconds: Some(12.3),
        pass: 1,
        definitions: Taxonomy::default().definitions_of(&["look-alike".into()]).into(),
    }
}

/// Time of the call, which returns with the event on disk; then of the same lines written without a sync.
fn one_annotation(root: &Path) {
    let mut journal = Journal::open(&root.join("one"), "ada", "box").unwrap();
    let mut times = Vec::new();
    for number in 0..ANNOTATIONS {
        let (case, context) = (format!("us-{:04}", number % CASES), context());
        let begun = Instant::now();
        journal.append(&case, EventKind::annotate("look-alike"), context).unwrap();
        times.push(microseconds(begun));
    }
    report("one annotation, call to durable (with fsync)", times);
    let text = fs::read(journal.path()).unwrap();
    let mut file = OpenOptions::new().create(true).append(true).open(root.join("unsynced")).unwrap();
    let mut times = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let begun = Instant::now();
        file.write_all(line).unwrap();
        times.push(microseconds(begun));
    }
    report("its line written alone, without fsync", times);
}

/// `dissent annotate`: time from the line sent to the line that acknowledges it.
fn one_line(root: &Path) {
    let dataset = root.join("dataset");
    fs::create_dir(&dataset).unwrap();
    let manifest = "name = \"t\"\n[[task]]\nid = \"t\"\nkind = \"closed-vqa\"\nquestion = \"Q?\"\n\
        labels = [{ id = \"Yes\", name = \"yes\" }, { id = \"No\", name = \"no\" }]\n";
    fs::write(dataset.join("dataset.toml"), manifest).unwrap();
    fs::write(
        dataset.join("cases.jsonl"),
        "{\"id\":\"c1\",\"task\":\"t\",\"split\":\"test\",\"image\":\"a.png\",\"answer\":\"Yes\"}\n",
    )
    .unwrap();
    fs::write(dataset.join("corpus.jsonl"), "{\"id\":\"d1\",\"image\":\"b.png\",\"caption\":\"x\"}\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_dissent"))
        .arg("annotate")
        .arg(&dataset)
        .args(["--annotator", "ada"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut times = Vec::new();
    for _ in 0..LINES {
        let begun = Instant::now();
        input.write_all(b"unsure\n").unwrap();
        while !output.next().unwrap().unwrap().starts_with("saved ") {}
        times.push(microseconds(begun));
    }
    report("dissent annotate: line sent to line acknowledged", times);
    drop(input);
    assert!(child.wait().unwrap().success());
}

fn a_million_events(root: &Path) {
    let folder = root.join("million");
    fs::create_dir(&folder).unwrap();
    let begun = Instant::now();
    let mut bytes = 0;
    for annotator in 0..ANNOTATORS {
        bytes += write_journal(&folder, annotator);
    }
    println!(
        "{} events of {ANNOTATORS} annotators on {CASES} cases, {:.0} MB, made in {:.1} s",
        ANNOTATORS * EVENTS_EACH,
        bytes as f64 / 1e6,
        begun.elapsed().as_secs_f64()
    );
    let (mut reading, mut folding, mut both) = (Vec::new(), Vec::new(), Vec::new());
    let (mut read_cpu, mut fold_cpu) = (Vec::new(), Vec::new());
    for _ in 0..READS {
        let cpu = processor_time();
        let begun = Instant::now();
        let (events, problems) = read_folder(&folder).unwrap();
        let read = microseconds(begun);
        read_cpu.push(processor_time() - cpu);
        assert_eq!((events.len(), problems.len()), (ANNOTATORS * EVENTS_EACH, 0));
        let cpu = processor_time();
        let state = AnnotationState::fold(events);
        let all = microseconds(begun);
        fold_cpu.push(processor_time() - cpu);
        assert_eq!(state.annotators().count(), ANNOTATORS);
        reading.push(read);
        folding.push(all - read);
        both.push(all);
    }
    // Each start of the program needs fresh memory from the system, so measure every time as a first one.
    println!("the first time: read in {:.3} s, read and folded in {:.3} s", reading[0] / 1e6, both[0] / 1e6);
    report("a million events read", reading);
    report("a million events folded", folding);
    report("a million events read and folded", both);
    report("processor time of the reading, all cores together", read_cpu);
    report("processor time of the folding, all cores together", fold_cpu);
}

/// Writes one annotator's journal; returns its length in bytes.
fn write_journal(folder: &Path, annotator: usize) -> u64 {
    let path = folder.join(format!("annotator{annotator}@box.jsonl"));
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(annotator as u64);
    let context = context();
    let mut last = Uuid::nil();
    for number in 0..EVENTS_EACH {
        let case = format!("us-{:04}", number % CASES);
        let kind = match random.random_range(0..20) {
            0 => EventKind::Skip,
            1 => EventKind::Undo { undoes: last },
            2 | 3 => EventKind::Note { note: "the margin of the second document is copied".into() },
            4 | 5 => {
                EventKind::Hit { document: "d0012".into(), categories: BTreeSet::from(["look-alike".into()]).into() }
            }
            _ => EventKind::annotate("look-alike"),
        };
        let event = Event {
            v: 2,
            id: Uuid::from_u128(((number as u128) << 64) + annotator as u128),
            ts: OffsetDateTime::UNIX_EPOCH + Duration::days(20_000) + Duration::milliseconds(1234 * number as i64),
            annotator: format!("annotator{annotator}").into(),
            host: "box".into(),
            case: case.into(),
            kind,
            context: context.clone(),
        };
        last = event.id;
        serde_json::to_writer(&mut file, &event).unwrap();
        file.write_all(b"\n").unwrap();
    }
    file.flush().unwrap();
    fs::metadata(path).unwrap().len()
}

/// Microseconds of processor time that this process has used, a figure that stays useful if the machine is busy.
fn processor_time() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // The times are in hundredths of a second.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 1e4
}

fn file_system(folder: &Path) -> String {
    let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(folder).output();
    output.map_or_else(|_| "unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn microseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6
}

/// Prints median, 99th percentile and largest value.
fn report(what: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize] / 1000.0;
    println!(
        "{what:<52} {:>9.3} ms  median, p99 {:.3}, largest {:.3} (n={})",
        at(0.5),
        at(0.99),
        at(1.0),
        values.len()
    );
}
