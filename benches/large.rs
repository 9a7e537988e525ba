//! The explorer on a generated workspace of 20,000 cases and 200,000 documents with a stored run of four hits a case, in a
//! pseudo-terminal of 120x40. Prints one line per figure; `make bench` runs it.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[path = "../tests/support/pty.rs"]
mod terminal;

use dissent::data::{Case, Dataset, Document, Label, Manifest, PromptTemplate, Split, Task, TaskKind};
use dissent::files::fingerprint::Fingerprint;
use dissent::run::{CaseAnswer, Head, Hit, LabelScores, Provenance, RetrieverIdentity, RunIdentity, RunWriter};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use terminal::Pty;

const SIZE: (u16, u16) = (120, 40);
const CASES: usize = 20_000;
const DOCUMENTS: usize = 200_000;
/// Image files that the cases and documents share.
const IMAGES: usize = 64;
const STARTS: usize = 5;
const KEYS: usize = 200;
const FILTERS: usize = 10;
const OVERVIEWS: usize = 10;
const ORDERS: usize = 10;
const IDLE: Duration = Duration::from_secs(5);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    generate(folder.path());
    println!(
        "{CASES} cases, {DOCUMENTS} documents, made in {:.1} s; {}x{}",
        begun.elapsed().as_secs_f64(),
        SIZE.0,
        SIZE.1
    );
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let mut pty = start(folder.path());
        pty.wait_for("c00000 · test");
        times.push(milliseconds(begun));
        pty.type_keys("q");
        pty.exit_code();
    }
    report("start to first frame", times);
    let mut pty = start(folder.path());
    pty.wait_for("c00000 · test");
    keys("key to frame", 1, &mut pty);
    let mut load = ReaderAtWork::start(folder.path());
    keys("key to frame, a reader on every core", KEYS + 1, &mut pty);
    load.stop();
    pty.type_keys("\x1b[H");
    pty.wait_for("c00000 · test");
    what_ifs(&mut pty);
    filters(&mut pty);
    letters(&mut pty);
    orders(&mut pty);
    overviews(&mut pty);
    std::thread::sleep(Duration::from_secs(1));
    let (bytes, ticks) = (pty.byte_count(), pty.cpu_ticks());
    std::thread::sleep(IDLE);
    println!(
        "{:<46} {:>8} B and {:.2} % CPU in {} s",
        "idle",
        pty.byte_count() - bytes,
        (pty.cpu_ticks() - ticks) / IDLE.as_secs_f64(),
        IDLE.as_secs()
    );
    println!("{:<46} {:>8.0} MB  (n=1)", "peak memory after all this", pty.peak_memory());
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
}

fn start(root: &Path) -> Pty {
    let home = root.to_str().unwrap();
    let environment = [("HOME", home), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("USER", "bench")];
    let dataset = root.join("dataset");
    let arguments = ["explore", dataset.to_str().unwrap(), "--run", "made", "--images", "half", "--theme", "dark"];
    Pty::start(Path::new(env!("CARGO_BIN_EXE_dissent")), &arguments, &environment, SIZE)
}

/// The sample's reader at full load, in a separate process: it predicts the sample's cases with 40 hits each.
struct ReaderAtWork(Child);

impl ReaderAtWork {
    fn start(root: &Path) -> Self {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
        let (encoder, reader) = (sample.join("models/encoder"), sample.join("models/reader"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dissent"));
        command.arg("predict").arg(sample.join("dataset")).args(["--run", "load", "-k", "20", "--workspace"]);
        command.arg(root.join("load")).arg("--encoder").arg(encoder).arg("--reader").arg(reader);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Loading and the index come first, so wait for the first prediction.
        std::thread::sleep(Duration::from_secs(3));
        Self(child)
    }

    /// Checks that the reader is still at work; otherwise nothing was measured.
    fn stop(&mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "the reader was done too soon");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn keys(what: &str, first: usize, pty: &mut Pty) {
    let mut times = Vec::new();
    for press in first..first + KEYS {
        std::thread::sleep(Duration::from_millis(11 + (press % 5) as u64));
        let begun = Instant::now();
        pty.type_keys("j");
        pty.wait_for(&format!("c{press:05} · test"));
        times.push(milliseconds(begun));
    }
    report(what, times);
}

/// A hit is dropped and taken back: time from the key to the changed weights on the screen.
fn what_ifs(pty: &mut Pty) {
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        pty.type_keys(" ");
        pty.wait_until("the answer without it", |pty| {
            pty.screen().contains("what if ") && pty.screen().contains(" out ")
        });
        times.push(milliseconds(begun));
        pty.type_keys(" ");
        pty.wait_until("the hit again", |pty| !pty.screen().contains("what if "));
        std::thread::sleep(Duration::from_millis(13));
    }
    report("hit dropped to new answer", times);
}

/// A filter is typed: time from Enter to the list, and from a letter to the new count.
fn filters(pty: &mut Pty) {
    let (mut counted, mut shown) = (Vec::new(), Vec::new());
    for round in 0..FILTERS {
        pty.type_keys("f");
        pty.wait_for("of 20000 cases");
        pty.type_keys("\x15verdict:inconsistent fused:wron");
        pty.wait_for("fused:wron");
        std::thread::sleep(Duration::from_millis(200));
        let before = count_line(&pty.screen());
        let begun = Instant::now();
        pty.type_keys("g");
        pty.wait_until("another count", |pty| count_line(&pty.screen()) != before);
        counted.push(milliseconds(begun));
        std::thread::sleep(Duration::from_millis(50 + round as u64));
        let begun = Instant::now();
        pty.type_keys("\r");
        pty.wait_for("of 20000 ·");
        shown.push(milliseconds(begun));
        pty.type_keys("F");
        pty.wait_until("all cases", |pty| !pty.screen().contains(" of 20000 ·"));
    }
    report("letter of a filter to its count", counted);
    report("filter typed to list shown", shown);
}

/// The line with the number of cases that pass.
fn count_line(screen: &str) -> Option<String> {
    screen.lines().find(|line| line.contains(" of 20000 cases")).map(str::to_owned)
}

/// Time to offer a field's values at its colon, and to count at the last letter of a value and of a text.
fn letters(pty: &mut Pty) {
    let lines = [
        ("source: to its completions", "source", ":", "source:source-0"),
        ("letter of a source to its count", "source:source-", "1", "f source:source-1"),
        ("letter of a text to its count", "text:1999", "9", "f text:19999"),
    ];
    for (what, typed, letter, shown) in lines {
        let mut times = Vec::new();
        for round in 0..FILTERS {
            pty.type_keys("f");
            pty.wait_for("of 20000 cases");
            pty.type_keys(&format!("\x15{typed}"));
            pty.wait_for(&format!("f {typed}"));
            std::thread::sleep(Duration::from_millis(200 + round as u64));
            let begun = Instant::now();
            pty.type_keys(letter);
            pty.wait_for(shown);
            times.push(milliseconds(begun));
            pty.type_keys("\x15\r");
            pty.wait_until("the line gone", |pty| !pty.screen().contains("of 20000 cases"));
        }
        report(what, times);
    }
}

/// The whole queue is sorted anew: time from Enter to the list.
fn orders(pty: &mut Pty) {
    let mut times = Vec::new();
    for round in 0..ORDERS {
        pty.type_keys("oentropy");
        pty.wait_for("entropy");
        std::thread::sleep(Duration::from_millis(100 + round as u64));
        let begun = Instant::now();
        pty.type_keys("\r");
        pty.wait_for("↓entropy");
        times.push(milliseconds(begun));
        pty.type_keys("odataset");
        std::thread::sleep(Duration::from_millis(100));
        pty.type_keys("\r");
        pty.wait_until("the dataset's order", |pty| !pty.screen().contains("↓entropy"));
    }
    report("order chosen to list sorted", times);
}

fn overviews(pty: &mut Pty) {
    let mut times = Vec::new();
    for round in 0..OVERVIEWS {
        std::thread::sleep(Duration::from_millis(50 + round as u64));
        let begun = Instant::now();
        pty.type_keys("O");
        pty.wait_for("of 20000 cases answered");
        times.push(milliseconds(begun));
        pty.type_keys("q");
        pty.wait_until("the overview gone", |pty| !pty.screen().contains("cases answered"));
    }
    report("overview key to frame", times);
}

/// Writes the dataset, and a run with numbers drawn from a seed.
fn generate(root: &Path) {
    let dataset_root = root.join("dataset");
    std::fs::create_dir_all(dataset_root.join("images")).unwrap();
    for image in 0..IMAGES {
        let picture = image::GrayImage::from_fn(128, 128, |x, y| {
            image::Luma([((x * 3 + y * 5 + image as u32 * 17) % 256) as u8])
        });
        picture.save(dataset_root.join(image_name(image))).unwrap();
    }
    let manifest = Manifest {
        name: "generated".into(),
        licence: None,
        note: None,
        only: None,
        tasks: vec![Task {
            id: "sign".into(),
            kind: TaskKind::ClosedVqa,
            question: Some("Is there a sign?".into()),
            labels: vec![Label::new("No", "No"), Label::new("Yes", "Yes")],
            prompt: PromptTemplate::default(),
        }],
    };
    let cases: Vec<Case> = (0..CASES)
        .map(|case| Case {
            id: format!("c{case:05}"),
            task: "sign".into(),
            split: Split::Test,
            image: image_name(case % IMAGES).into(),
            question: None,
            answer: if case % 2 == 0 { "Yes" } else { "No" }.into(),
            unknown: Vec::new(),
            group: None,
        })
        .collect();
    let corpus: Vec<Document> = (0..DOCUMENTS)
        .map(|row| Document {
            id: format!("d{row:06}"),
            image: image_name(row % IMAGES).into(),
            caption: format!("Finding {} in region {}, series {row}.", row % 97, row % 31),
            source: Some(format!("source-{}", row % 3)),
            group: None,
        })
        .collect();
    let lines = |values: Vec<String>| values.join("\n") + "\n";
    std::fs::write(dataset_root.join("dataset.toml"), manifest.to_toml().unwrap()).unwrap();
    let text = cases.iter().map(|case| serde_json::to_string(case).unwrap()).collect();
    std::fs::write(dataset_root.join("cases.jsonl"), lines(text)).unwrap();
    let text = corpus.iter().map(|document| serde_json::to_string(document).unwrap()).collect();
    std::fs::write(dataset_root.join("corpus.jsonl"), lines(text)).unwrap();
    let dataset = Dataset::new(&dataset_root, manifest, cases, corpus);
    let retriever = RetrieverIdentity {
        heads_name: None,
        heads: None,
        encoder_name: "made".into(),
        encoder: Fingerprint::of_bytes(b"made"),
        index: Fingerprint::of_bytes(b"made"),
        fingerprint: Fingerprint::of_bytes(b"made"),
        k_image: 2,
        k_caption: 2,
        k_lexical: 0,
    };
    let identity = RunIdentity::new(&dataset, "made", &Fingerprint::of_bytes(b"made"), Some(&retriever));
    let mut writer = RunWriter::open(&dataset_root.join(".dissent/runs/made"), &identity).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let answers: Vec<CaseAnswer> = (0..CASES).map(|case| answer(&dataset, case, &mut random)).collect();
    for part in answers.chunks(1000) {
        writer.append(&dataset, part).unwrap();
    }
}

fn answer(dataset: &Dataset, case: usize, random: &mut ChaCha8Rng) -> CaseAnswer {
    let mut scores = || {
        let yes: f32 = random.random_range(0.02..0.98);
        LabelScores::exact(vec![(1.0 - yes).ln(), yes.ln()])
    };
    let predictions = (0..4).map(|_| scores().into()).collect();
    let closed_book = Some(scores().into());
    let hits = (0..4)
        .map(|place| {
            let row = (case * 10 + place) % DOCUMENTS;
            let head = if place < 2 { Head::Image } else { Head::Caption };
            let provenance = Provenance { head, rank: place % 2 + 1, score: Some(0.9 - 0.05 * place as f32) };
            Hit { row, document: dataset.corpus.document(row).id.to_owned(), provenances: vec![provenance] }
        })
        .collect();
    CaseAnswer { case, hits, predictions, closed_book, recorded_fusion: None }
}

fn image_name(image: usize) -> String {
    format!("images/{image:02}.png")
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

/// Prints median, 99th percentile and largest value.
fn report(what: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    println!(
        "{what:<46} {:>8.1} ms  median, p99 {:.1}, largest {:.1} (n={})",
        at(0.5),
        at(0.99),
        at(1.0),
        values.len()
    );
}
