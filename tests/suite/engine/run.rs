//! Runs on disk: written whole, continued after a kill, refused when stale.

use super::support::{CountingReader, FixedHits, dataset};
use dissent::data::{Answer, Dataset};
use dissent::evaluation::SummaryCase;
use dissent::files::fingerprint::Fingerprint;
use dissent::pipeline::Pipeline;
use dissent::run::{
    Ablation, CaptionShown, CaseAnswer, PREDICTIONS_FILE, RetrieverIdentity, Run, RunIdentity, RunWriter,
};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn identity(dataset: &Dataset, reader: &[u8]) -> RunIdentity {
    let retriever = RetrieverIdentity {
        heads_name: None,
        heads: None,
        encoder_name: "fixed".into(),
        encoder: Fingerprint::of_bytes(b"encoder"),
        index: Fingerprint::of_bytes(b"index"),
        fingerprint: Fingerprint::of_bytes(b"fixed"),
        k_image: 2,
        k_caption: 2,
        k_lexical: 0,
    };
    RunIdentity::new(dataset, "counting", &Fingerprint::of_bytes(reader), Some(&retriever))
}

fn answers(root: &Path, dataset: &Arc<Dataset>, cases: &[usize]) -> Vec<CaseAnswer> {
    let source = Some(Box::new(FixedHits::new()) as _);
    let mut pipeline =
        Pipeline::new(dataset.clone(), source, Box::new(CountingReader::new()), &root.join("cache")).unwrap();
    pipeline.answer_all(cases, &|| false).unwrap().into_iter().map(Result::unwrap).collect()
}

#[test]
fn a_run_reads_back_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 3));
    let run_folder = folder.path().join("runs/a");
    let mut writer = RunWriter::open(&run_folder, &identity(&dataset, b"counting")).unwrap();
    let written = answers(folder.path(), &dataset, &[0, 1, 2]);
    writer.append(&dataset, &written).unwrap();
    let run = Run::open(&run_folder).unwrap();
    assert_eq!(run.into_answers(&dataset).unwrap(), written);
    let text = fs::read_to_string(run_folder.join(PREDICTIONS_FILE)).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 12, "three documents and closed-book, three times");
    let line = &lines[5];
    assert_eq!(
        (&line["query"], &line["answers"], &line["generation"]),
        (&json!("Is it grey?"), &json!("Yes"), &json!("No"))
    );
    let passage = json!({ "id": "document-1", "img_path": "images/document-1.png", "text": "caption 1" });
    assert_eq!(line["passages"], json!([passage]));
    assert_eq!((line["heads"].as_array().map(Vec::len), &line["rank"]), (Some(2), &json!(2)));
    assert!((line["score"].as_f64().unwrap() - 0.8).abs() < 1e-6);
    assert_eq!(lines[7]["document"], Value::Null);
}

#[test]
fn a_case_fuses_to_an_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 1));
    let answer = answers(folder.path(), &dataset, &[0]).remove(0);
    let label = |label: usize| Some(Answer::Label(label));
    let case = SummaryCase::of(&answer, &dataset).unwrap();
    let outcome = case.outcome.unwrap();
    assert_eq!((case.gold, case.closed_book), (label(1), Some(label(1))));
    assert_eq!((outcome.answers.as_slice(), outcome.fused), ([label(1), label(0), label(1)].as_slice(), label(1)));
}

#[test]
fn a_run_goes_on_after_a_kill_in_the_middle_of_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 3));
    let identity = identity(&dataset, b"counting");
    let run_folder = folder.path().join("runs/a");
    let predictions = run_folder.join(PREDICTIONS_FILE);
    let all = answers(folder.path(), &dataset, &[0, 1, 2]);
    let mut writer = RunWriter::open(&run_folder, &identity).unwrap();
    writer.append(&dataset, &all[..1]).unwrap();
    let one_case = fs::read(&predictions).unwrap().len();
    writer.append(&dataset, &all[1..]).unwrap();
    drop(writer);
    let whole = fs::read(&predictions).unwrap();

    // Every length that a kill can leave: whole cases stay, nothing else does.
    for length in (0..whole.len()).step_by(97).chain([one_case - 1, one_case, one_case + 1]) {
        fs::write(&predictions, &whole[..length]).unwrap();
        let stored = Run::open(&run_folder).unwrap().into_answers(&dataset).unwrap();
        let mut writer = RunWriter::open(&run_folder, &identity).unwrap();
        let missing: Vec<CaseAnswer> =
            all.iter().filter(|answer| !writer.has(&dataset.cases[answer.case].id)).cloned().collect();
        assert_eq!(missing.len() + stored.len(), 3);
        assert_eq!(stored.is_empty(), length < one_case, "at {length} bytes");
        writer.append(&dataset, &missing).unwrap();
        drop(writer);
        assert_eq!(fs::read(&predictions).unwrap(), whole, "the same bytes as without the kill, cut at {length}");
    }
}

#[test]
fn a_bad_line_before_whole_cases_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 2));
    let run_folder = folder.path().join("runs/a");
    let mut writer = RunWriter::open(&run_folder, &identity(&dataset, b"counting")).unwrap();
    writer.append(&dataset, &answers(folder.path(), &dataset, &[0, 1])).unwrap();
    drop(writer);
    let predictions = run_folder.join(PREDICTIONS_FILE);
    let text = fs::read_to_string(&predictions).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"query\": 5}";
    fs::write(&predictions, lines.join("\n") + "\n").unwrap();
    let message = Run::open(&run_folder).unwrap_err().to_string();
    assert!(message.contains("predictions.jsonl:2: expected a prediction"), "{message}");
}

#[test]
fn a_stale_run_is_refused_with_both_fingerprints() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 2));
    let run_folder = folder.path().join("runs/a");
    let then = identity(&dataset, b"reader of then");
    drop(RunWriter::open(&run_folder, &then).unwrap());
    let now = identity(&dataset, b"reader of now");
    let message = RunWriter::open(&run_folder, &now).unwrap_err().to_string();
    let expected = format!("reader ({} then, {} now)", then.fingerprints.reader, now.fingerprints.reader);
    assert!(message.contains(&expected), "{message}");
    assert!(!message.contains("corpus"), "only what differs: {message}");
    assert_ne!(then.fingerprint(), now.fingerprint());
}

#[test]
fn names_of_labels_count_where_captions_are_swapped_or_words_are_searched() {
    let folder = tempfile::tempdir().unwrap();
    let before = dataset(folder.path(), 2);
    let mut after = before.clone();
    after.tasks[0].labels[0].named_as = vec!["malignant".into()];
    let swapped = Ablation { caption: CaptionShown::Swapped, ..Ablation::default() };
    let run_of = |dataset: &Dataset, ablation: Ablation, k_lexical: usize| {
        let mut identity = identity(dataset, b"reader");
        identity.set_ablation(ablation);
        identity.k_lexical = k_lexical;
        identity
    };
    for (ablation, k_lexical, decide) in
        [(swapped, 0, true), (Ablation::default(), 2, true), (Ablation::default(), 0, false)]
    {
        let (then, now) = (run_of(&before, ablation, k_lexical), run_of(&after, ablation, k_lexical));
        assert_eq!(then.differences(&now).iter().any(|text| text.starts_with("names of labels (")), decide);
        assert_eq!(then.changed_since(&after), if decide { vec!["names of labels"] } else { vec![] });
        assert_eq!(then.changed_since(&before), [""; 0]);
        assert_eq!(then.fingerprint() != now.fingerprint(), decide);
        // A run of before did not record them: it is readable, goes on, and what points at it still does.
        let mut old = then.clone();
        old.fingerprints.label_words = None;
        let path = folder.path().join("run.toml");
        old.write(&path).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("label_words"));
        let old = RunIdentity::read(&path).unwrap();
        assert!(old.differences(&now).is_empty() && old.changed_since(&after).is_empty());
        assert_eq!(then.family(), now.family(), "tables put them side by side as before");
    }
    let folder = folder.path().join("runs/a");
    drop(RunWriter::open(&folder, &run_of(&before, swapped, 0)).unwrap());
    let message = RunWriter::open(&folder, &run_of(&after, swapped, 0)).unwrap_err().to_string();
    assert!(message.contains("names of labels ("), "{message}");
}

#[test]
fn two_programs_cannot_write_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 1));
    let run_folder = folder.path().join("runs/a");
    let identity = identity(&dataset, b"counting");
    let writer = RunWriter::open(&run_folder, &identity).unwrap();
    let message = RunWriter::open(&run_folder, &identity).unwrap_err().to_string();
    assert!(message.contains("another dissent is writing"), "{message}");
    drop(writer);
    RunWriter::open(&run_folder, &identity).unwrap();
}

#[test]
fn a_run_of_another_dataset_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let large = Arc::new(dataset(folder.path(), 2));
    let run_folder = folder.path().join("runs/a");
    let mut writer = RunWriter::open(&run_folder, &identity(&large, b"counting")).unwrap();
    writer.append(&large, &answers(folder.path(), &large, &[1])).unwrap();
    let small = dataset(folder.path(), 1);
    let error = Run::open(&run_folder).unwrap().into_answers(&small).unwrap_err();
    assert!(format!("{error:#}").contains("case case-1 is not in the dataset"), "{error:#}");
}

#[test]
fn shared_questions_are_asked_once_and_a_broken_case_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 3));
    // Case 2 has the picture of case 0 under another name.
    fs::copy(folder.path().join("images/case-0.png"), folder.path().join("images/case-2.png")).unwrap();
    fs::write(folder.path().join("images/case-1.png"), b"no image").unwrap();
    let reader = CountingReader::new();
    let asked = reader.asked.clone();
    let source = Some(Box::new(FixedHits::new()) as _);
    let mut pipeline = Pipeline::new(dataset.clone(), source, Box::new(reader), &folder.path().join("cache")).unwrap();
    let answers = pipeline.answer_all(&[0, 1, 2], &|| false).unwrap();
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 4);
    let (first, third) = (answers[0].as_ref().unwrap(), answers[2].as_ref().unwrap());
    assert_eq!(first.predictions, third.predictions);
    let error = format!("{:#}", answers[1].as_ref().unwrap_err());
    assert!(error.contains("case-1.png"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn a_full_disk_costs_the_case_in_work_and_no_other() {
    let disk = crate::support::small_disk::mount(64);
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 40));
    let identity = identity(&dataset, b"counting");
    let run_folder = disk.path().join("run");
    let all = answers(folder.path(), &dataset, &(0..40).collect::<Vec<_>>());
    let mut writer = RunWriter::open(&run_folder, &identity).unwrap();
    let mut kept = 0;
    let error = loop {
        match writer.append(&dataset, &all[kept..=kept]) {
            Ok(()) => kept += 1,
            Err(error) => break format!("{error:#}"),
        }
    };
    assert!(error.contains("is the disk full?") && error.contains(&format!("{kept} whole cases are kept")), "{error}");
    assert_eq!(Run::open(&run_folder).unwrap().into_answers(&dataset).unwrap(), all[..kept]);
    disk.resize(8192);
    writer.append(&dataset, &all[kept..]).unwrap();
    assert_eq!(Run::open(&run_folder).unwrap().into_answers(&dataset).unwrap(), all);
}

#[test]
fn every_kind_of_damage_is_named_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(dataset(folder.path(), 3));
    let run_folder = folder.path().join("runs/a");
    let mut writer = RunWriter::open(&run_folder, &identity(&dataset, b"counting")).unwrap();
    writer.append(&dataset, &answers(folder.path(), &dataset, &[0, 1, 2])).unwrap();
    drop(writer);
    let predictions = run_folder.join(PREDICTIONS_FILE);
    let text = fs::read_to_string(&predictions).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let message_for = |lines: &[String]| {
        fs::write(&predictions, lines.join("\n") + "\n").unwrap();
        match Run::open(&run_folder) {
            Err(error) => format!("{error:#}"),
            Ok(run) => format!("{:#}", run.into_answers(&dataset).unwrap_err()),
        }
    };
    let edited = |line: usize, from: &str, to: &str| {
        let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert!(lines[line].contains(from), "{}", lines[line]);
        lines[line] = lines[line].replace(from, to);
        lines
    };
    // A number changed by hand, in the second case's first line; its other lines are not reported again.
    let message = message_for(&edited(4, "-2.0", "-2.5"));
    assert!(message.contains("predictions.jsonl:5: the checksum is") && message.lines().count() == 1, "{message}");
    // A line taken out.
    let without: Vec<String> =
        lines.iter().enumerate().filter(|(at, _)| *at != 5).map(|(_, line)| (*line).into()).collect();
    let message = message_for(&without);
    assert!(message.contains("predictions.jsonl:6:") && message.contains("was removed"), "{message}");
    // A line of another run.
    let reader = Fingerprint::of_bytes(b"counting").to_string();
    let message = message_for(&edited(8, &reader, "0123456789abcdef"));
    assert!(
        message.contains("predictions.jsonl:9: a prediction of another run: its reader is 0123456789abcdef"),
        "{message}"
    );
    // A whole case twice.
    let twice: Vec<String> = lines.iter().chain(&lines[4..8]).map(ToString::to_string).collect();
    let message = message_for(&twice);
    assert!(
        message.contains("predictions.jsonl:13: case case-1 is there twice: its predictions stand from line 5"),
        "{message}"
    );
    // Without checksums (other software wrote it) the content is still compared with itself.
    let bare = |line: &str| line[..line.rfind(",\"checksum\"").unwrap()].to_string() + "}";
    let mut other: Vec<String> = lines.iter().map(|line| bare(line)).collect();
    other[5] = other[5]
        .replace("\"prediction\":\"No\"", "\"prediction\":\"Yes\"")
        .replace("\"generation\":\"No\"", "\"generation\":\"Yes\"");
    let message = message_for(&other);
    assert!(
        message.contains("predictions.jsonl:6: the prediction is Yes, but the largest log-probability is that of No"),
        "{message}"
    );
    // Cut off in the middle: the whole cases are read and the rest is named.
    fs::write(&predictions, &text[..text.len() - 40]).unwrap();
    let run = Run::open(&run_folder).unwrap();
    assert_eq!((run.len(), run.torn_at), (2, Some(9)));
    assert!(run.remark().unwrap().contains("predictions.jsonl:9: the last case is not whole"));
}
