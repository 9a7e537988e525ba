//! `dissent annotate` as a script and a screen reader use it.

use super::torture::annotate;
use crate::support::annotated_dataset::dataset_of_text as dataset;
use crate::support::program;
use dissent::annotation::{AnnotationState, CaseAnnotation, EventContext, EventKind, Journal, read_folder};
use dissent::data::Dataset;
use dissent::files::fingerprint::Fingerprint;
use dissent::run::{CaseAnswer, Head, Hit, LabelScores, Prediction, Provenance, RunIdentity, RunWriter};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs it on these lines; standard output, standard error and exit code.
fn run(mut command: Command, lines: &str) -> (String, String, i32) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn said(dataset: &Path, lines: &str) -> String {
    let (output, errors, code) = run(annotate(dataset, "ada"), lines);
    assert_eq!(code, 0, "{errors}");
    output
}

fn annotation(dataset: &Path, annotator: &str, case: &str) -> Option<CaseAnnotation> {
    let (events, problems) = read_folder(&dataset.join(".dissent/annotations")).unwrap();
    assert_eq!(problems, []);
    AnnotationState::fold(events).of(annotator, case).cloned()
}

fn categories(dataset: &Path, case: &str) -> String {
    annotation(dataset, "ada", case)
        .map(|annotation| annotation.categories.into_iter().collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

/// A script that ends it asks for the code; a person sees that nothing is lost.
#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_a_line_and_130() {
    // Under `nohup`, the closed terminal ends nothing.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(|mask| mask.trim().to_owned());
    let hears_hangup = ignored.is_some_and(|mask| u64::from_str_radix(&mask, 16).unwrap() & 1 == 0);
    for signal in ["-TERM", "-INT", "-HUP"].into_iter().filter(|signal| *signal != "-HUP" || hears_hangup) {
        let dataset = dataset(2);
        let mut child = annotate(dataset.path(), "ada").stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"1\n").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(output.any(|line| line.unwrap().starts_with("saved ")));
        program::send(signal, &child);
        let ended = child.wait_with_output().unwrap();
        drop(input);
        let errors = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(130), "{signal}: {errors}");
        assert_eq!(errors.lines().last(), Some("interrupted; every event that was confirmed is in the journal"));
        assert_eq!(categories(dataset.path(), "c1"), "look-alike");
    }
}

#[test]
fn a_case_a_line_and_each_is_acknowledged() {
    let dataset = dataset(3);
    let output = said(dataset.path(), "n the margin is copied\n1\nunsure\n2\nskip\n1\nquit\n");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "case 1 of 3: c1 (test, task lesion)");
    assert_eq!(lines[1], "question: Malignant?");
    assert_eq!(lines[2], "labels: Yes (malignant), No (benign)");
    assert!(!output.contains("gold"), "the gold answer is not shown unasked: {output}");
    assert!(output.contains("no answers: no models are loaded"), "{output}");
    let saved: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with("saved ")).collect();
    assert_eq!(saved.len(), 5, "{output}");
    assert!(saved[1].ends_with(": c1: look-alike; note: the margin is copied"), "{}", saved[1]);
    assert!(saved[2].ends_with(": c2: unsure"), "{}", saved[2]);
    assert!(output.contains("mistake: no case is left in this queue"), "{output}");
    assert_eq!(categories(dataset.path(), "c1"), "look-alike");
    let second = annotation(dataset.path(), "ada", "c2").unwrap();
    assert!(second.unsure && second.blind && second.seconds.is_some() && !second.definitions.is_empty());
    assert!(annotation(dataset.path(), "ada", "c3").unwrap().skipped);
}

#[test]
fn mistakes_are_named_and_the_case_is_asked_for_again() {
    let dataset = dataset(2);
    let mut lines = b"9\n1 2\nhit 1 1\n\nskip it\n\xff\n".to_vec();
    lines.extend(vec![b'x'; 100_000]);
    lines.extend(b"\n2");
    let mut child = annotate(dataset.path(), "ada").spawn().unwrap();
    child.stdin.take().unwrap().write_all(&lines).unwrap();
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let mistakes: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix("mistake: ")).collect();
    let expected = ["\"9\" is no category", "expected one category", "no documents", "skip alone", "UTF-8", "65536"];
    assert_eq!(mistakes.len(), expected.len(), "{output}");
    for (mistake, part) in mistakes.iter().zip(expected) {
        assert!(mistake.contains(part), "{mistake} should say {part}");
    }
    assert_eq!(categories(dataset.path(), "c1"), "caption-over-image", "a last line needs no newline");
}

#[test]
fn undo_and_redo_reach_back_into_earlier_sessions() {
    let dataset = dataset(3);
    said(dataset.path(), "1\n2\n3\n");
    let output = said(dataset.path(), "undo\nundo\nundo\nundo\nredo\n");
    assert!(output.contains("mistake: nothing to undo"), "{output}");
    assert!(output.contains("c1: taken back, now nothing said"), "{output}");
    assert_eq!(
        (categories(dataset.path(), "c1"), categories(dataset.path(), "c2")),
        ("look-alike".into(), String::new())
    );
    let output = said(dataset.path(), "redo\nredo\nredo\n");
    assert!(output.contains("c3: brought back, now evidence-ignored"), "{output}");
    assert!(output.contains("mistake: nothing to redo"), "{output}");
    said(dataset.path(), "undo\ngo c1\nclear\n");
    assert!(said(dataset.path(), "redo\n").contains("mistake: nothing to redo"), "something new was recorded since");
    assert_eq!(categories(dataset.path(), "c1"), "");
}

#[test]
fn gold_is_shown_on_request_and_ends_blindness() {
    let dataset = dataset(2);
    let output = said(dataset.path(), "gold\nagain\n1\n1\n? look-alike\n?\n");
    assert_eq!(output.matches("gold: Yes").count(), 2, "{output}");
    assert!(!annotation(dataset.path(), "ada", "c1").unwrap().blind);
    assert!(annotation(dataset.path(), "ada", "c2").unwrap().blind);
    assert!(output.contains("definition: A retrieved image resembles the query"), "{output}");
    assert!(output.contains("n TEXT: write a note"), "{output}");
}

#[test]
fn a_case_is_decided_once_everybodys_words_are_shown() {
    let dataset = dataset(2);
    said(dataset.path(), "1\nn the margin is copied\n");
    run(annotate(dataset.path(), "bob"), "8\n");
    let (output, errors, code) =
        run(annotate(dataset.path(), "eve"), "decide 1: seen\npeople\ndecide 1: a copied: margin\n");
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("mistake: nothing decided: enter people first"), "{output}");
    assert!(output.contains("ada said: look-alike\nbob said: other\nthe case is disputed\n"), "{output}");
    assert!(output.contains(": c1: decided: eve decided look-alike: a copied: margin\n"), "{output}");
    assert!(output.contains("case 2 of 2: c2"), "{output}");
    let list = |more: &[&str]| {
        let output = program::dissent()
            .args(["annotations", "list", "--final"])
            .args(more)
            .arg(dataset.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = list(&[]);
    let row = table.lines().find(|line| line.starts_with("c1")).unwrap();
    let words: Vec<&str> = row.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    assert_eq!(words, ["c1", "lesion", "test", "Yes", "decided", "look-alike", "eve decided: a copied: margin"]);
    let rows: Value = serde_json::from_str(&list(&["--json"])).unwrap();
    assert_eq!((&rows[0]["adjudicator"], &rows[0]["outdated"]), (&json!("eve"), &json!(false)));

    let mut again = annotate(dataset.path(), "eve");
    again.arg("--json");
    let (output, ..) = run(again, "people\nundo\n2\n");
    let objects: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&objects[1]["type"], &objects[1]["standing"]), (&json!("people"), &json!("decided")));
    assert_eq!(objects[1]["decision"]["categories"], json!(["look-alike"]));
    assert_eq!(objects[1]["voices"][1]["annotation"]["categories"], json!(["other"]));
    assert!(!annotation(dataset.path(), "eve", "c1").unwrap().blind, "others' words were shown");
    assert!(list(&[]).contains("disputed"), "the decision was taken back");
}

/// Events that others write while one looks at another case do not count as seen.
#[test]
fn a_decision_is_not_made_on_words_that_were_not_shown() {
    let dataset = dataset(2);
    said(dataset.path(), "1\n");
    let mut bob = Journal::open(&dataset.path().join(".dissent/annotations"), "bob", "box").unwrap();
    let mut other = || bob.append("c1", EventKind::annotate("other"), EventContext::default()).unwrap();
    other();
    let mut child = annotate(dataset.path(), "eve").spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut say = |line: &str, answer: &str| {
        input.write_all(line.as_bytes()).unwrap();
        loop {
            let line = output.next().unwrap().unwrap();
            if line.starts_with(answer) {
                return line;
            }
        }
    };
    say("people\n", "the case is disputed");
    other();
    say("next\npeople\n", "the case is open");
    let refused = say("back\ndecide 1\n", "mistake: ");
    assert!(refused.contains("there are new annotations of the case"), "{refused}");
    say("people\ndecide 1\n", "saved ");
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_was_given_under_an_earlier_definition_is_shown_in_its_words() {
    let dataset = dataset(1);
    said(dataset.path(), "8\n");
    let taxonomy = dataset.path().join(".dissent/annotations/taxonomy.toml");
    let before = fs::read_to_string(&taxonomy).unwrap();
    fs::write(&taxonomy, before.replace("None of the above", "Nothing else fits")).unwrap();
    let output = said(dataset.path(), "");
    assert!(output.contains("you said: other; earlier definition of Other: None of the above"), "{output}");
}

#[test]
fn a_script_ends_at_its_first_mistake() {
    let dataset = dataset(3);
    let command = || {
        let mut command = program::dissent();
        command.arg("annotate").arg(dataset.path()).args(["--annotator", "ada"]).env("HOME", dataset.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    };
    let (output, errors, code) = run(command(), "1\n\nlook-alik\n8\n");
    assert_eq!(code, 1, "{errors}");
    assert!(output.contains("mistake: ") && output.ends_with('\n'), "{output}");
    assert!(errors.contains("line 3 of the input is a mistake") && errors.contains("--keep-going"), "{errors}");
    assert!(errors.contains("1 annotation event written before it"), "{errors}");
    assert_eq!(
        (categories(dataset.path(), "c1").as_str(), categories(dataset.path(), "c2").as_str()),
        ("look-alike", "")
    );
    let mut going_on = command();
    going_on.arg("--keep-going");
    let (output, errors, code) = run(going_on, "next\nlook-alik\n8\n");
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("mistake: "), "{output}");
    assert_eq!(categories(dataset.path(), "c2"), "other");
}

#[test]
fn json_for_scripts() {
    let dataset = dataset(2);
    fs::create_dir_all(dataset.path().join(".dissent/annotations")).unwrap();
    let text = "several = true\n[[category]]\nkey = \"a\"\nid = \"x\"\nname = \"X\"\ndefinition = \"When x.\"\n\
        [[category]]\nkey = \"b\"\nid = \"y\"\nname = \"Y\"\ndefinition = \"When y.\"\n";
    fs::write(dataset.path().join(".dissent/annotations/taxonomy.toml"), text).unwrap();
    let mut command = annotate(dataset.path(), "ada");
    command.args(["--json", "--cases", "c2,c1"]);
    let (output, _, code) = run(command, "a b\nz\nflag\nskip\n");
    assert_eq!(code, 0);
    let objects: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<&str> = objects.iter().map(|object| object["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["case", "saved", "case", "mistake", "saved", "saved", "end-of-queue"]);
    assert_eq!((&objects[0]["case"], &objects[0]["gold"]), (&json!("c2"), &Value::Null));
    assert_eq!(objects[1]["event"]["categories"], json!(["x", "y"]));
    assert_eq!(objects[1]["annotation"]["categories"], json!(["x", "y"]));
    assert_eq!(objects[4]["event"]["kind"], "flag");
}

#[test]
fn the_queue_is_the_assigned_one() {
    let dataset = dataset(12);
    let shared = ["--annotators", "ada,bob,cy", "--overlap", "2", "--seed", "7", "--calibration", "3"];
    let queue_of = |name: &str, more: &[&str]| {
        let mut command = annotate(dataset.path(), name);
        command.args(shared).args(more).arg("--json");
        let (output, errors, code) = run(command, &"next\n".repeat(12));
        assert_eq!(code, 0, "{errors}");
        let objects = output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let cases = objects.filter(|object| object["type"] == "case");
        cases.map(|object| object["case"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let assigned = program::dissent()
        .args(["annotations", "assign"])
        .arg(dataset.path())
        .args(shared)
        .arg("--json")
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&assigned.stdout).unwrap();
    let calibration: Vec<&str> =
        report["calibration"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    for name in ["ada", "bob", "cy"] {
        let queue = queue_of(name, &[]);
        assert_eq!(
            (queue.len(), &queue[..3]),
            (9, &calibration.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..])
        );
        for case in report["cases"].as_array().unwrap() {
            let is_theirs = case["annotators"].as_array().unwrap().contains(&json!(name));
            assert_eq!(queue.contains(&case["case"].as_str().unwrap().to_owned()), is_theirs);
        }
    }
    let mut command = annotate(dataset.path(), "ada");
    command.args(shared);
    run(command, "1\n1\n1\n1\n");
    assert_eq!(queue_of("ada", &["--only-mine-left"]).len(), 5);
    let second = queue_of("bob", &["--second-pass"]);
    assert_eq!(&second[..3], &calibration[..]);
    assert_eq!(queue_of("ada", &["--review-own", "--after", "0"]).len(), 4);

    let mut command = annotate(dataset.path(), "ada");
    command.args(shared).arg("--review-own");
    let (output, errors, code) = run(command, "1\n");
    assert_eq!((output.as_str(), code), ("", 0));
    assert!(errors.contains("ada annotated none of the 12 cases 24 hours or more ago"), "{errors}");
    let mut command = annotate(dataset.path(), "eve");
    command.args(shared);
    let (_, errors, code) = run(command, "");
    assert!(code == 1 && errors.contains("eve is not among the annotators of the plan: ada, bob, cy"), "{errors}");
}

#[test]
fn a_review_of_ones_own_is_a_second_pass_that_hides_the_first() {
    let dataset = dataset(2);
    said(dataset.path(), "1\n1\n");
    let mut command = annotate(dataset.path(), "ada");
    command.args(["--review-own", "--after", "0"]);
    let (output, ..) = run(command, "2\n");
    assert!(!output.contains("you said"), "{output}");
    let (events, _) = read_folder(&dataset.path().join(".dissent/annotations")).unwrap();
    let state = AnnotationState::fold(events);
    assert!(state.of_pass("ada", "c1", 1).unwrap().categories.contains("look-alike"));
    let second = state.of("ada", "c1").unwrap();
    assert!(second.pass == 2 && second.blind && second.categories.contains("caption-over-image"));
}

#[test]
fn what_cannot_be_is_refused() {
    let dataset = dataset(1);
    let mut command = annotate(dataset.path(), "ada");
    command.args(["--cases", "c9"]);
    let (_, errors, code) = run(command, "");
    assert!(code == 1 && errors.contains("no case 'c9'"), "{errors}");
    let (_, errors, code) = run(annotate(dataset.path(), "../ada"), "");
    assert!(code == 1 && errors.contains("not usable as a file name"), "{errors}");
    let mut command = annotate(dataset.path(), "ada");
    command.arg("--hard-first");
    assert_eq!(run(command, "").2, 2, "--hard-first asks for --run");
}

/// A stored run of two documents a case: whether the second answer to each case differs from the first.
fn store_run(root: &Path, name: &str, differ: &[bool]) {
    let dataset = Dataset::open(root).unwrap();
    let identity = RunIdentity::new(&dataset, "made", &Fingerprint::of_bytes(name.as_bytes()), None);
    let mut writer = RunWriter::open(&root.join(".dissent/runs").join(name), &identity).unwrap();
    let yes = || Prediction::from(LabelScores::exact(vec![-0.1, -2.4]));
    let no = || Prediction::from(LabelScores::exact(vec![-2.4, -0.1]));
    let hit = |row: usize| Hit {
        row,
        document: dataset.corpus.document(row).id.to_owned(),
        provenances: vec![Provenance { head: Head::Image, rank: row + 1, score: Some(0.9) }],
    };
    let answers: Vec<CaseAnswer> = differ
        .iter()
        .enumerate()
        .map(|(case, differs)| CaseAnswer {
            case,
            hits: vec![hit(0), hit(1)],
            predictions: vec![yes(), if *differs { no() } else { yes() }],
            closed_book: Some(no()),
            recorded_fusion: None,
        })
        .collect();
    writer.append(&dataset, &answers).unwrap();
}

#[test]
fn a_stored_run_is_read_out_its_documents_are_marked_and_its_changes_are_noticed() {
    let dataset = dataset(3);
    let corpus = dataset.path().join("corpus.jsonl");
    let second = "{\"id\":\"d2\",\"image\":\"images/b.png\",\"caption\":\"a smooth margin\"}\n";
    fs::write(&corpus, fs::read_to_string(&corpus).unwrap() + second).unwrap();
    store_run(dataset.path(), "one", &[false, true, true]);
    store_run(dataset.path(), "two", &[false, false, true]);
    let with_run = |name: &str, more: &[&str], lines: &str| {
        let mut command = annotate(dataset.path(), "ada");
        command.args(["--run", name]).args(more);
        let (output, errors, code) = run(command, lines);
        assert_eq!(code, 0, "{errors}");
        output
    };
    let output = with_run("one", &["--hard-first"], "hit 2 1\nhit 3 1\n8\n8\n8\n");
    let firsts: Vec<&str> = output.lines().filter(|line| line.starts_with("case ")).collect();
    assert!(firsts[0].starts_with("case 1 of 3: c2") && firsts[2].starts_with("case 3 of 3: c1"), "{output}");
    assert!(output.contains("hit 2: d2 (image head, rank 2, score 0.900): No (benign), probability 0.91"), "{output}");
    assert!(output.contains("hit 2 caption: a smooth margin"), "{output}");
    assert!(output.contains("without a document: No (benign)"), "{output}");
    assert!(output.contains("the answers differ") && output.contains("the answers agree"), "{output}");
    assert!(output.contains("mistake: expected a document from 1 to 2, found 3"), "{output}");
    let marked = annotation(dataset.path(), "ada", "c2").unwrap();
    assert_eq!(marked.hits["d2"].iter().collect::<Vec<_>>(), ["look-alike"]);
    assert!(marked.run_fingerprint.is_some() && marked.answers_fingerprint.is_some());

    assert!(!with_run("one", &[], "next\nnext\n").contains("changed:"));
    let output = with_run("two", &[], "next\nnext\n");
    assert_eq!(output.matches("changed: the documents or the answers have changed").count(), 1, "{output}");
    let (_, rest) = output.split_once("c2 (test").unwrap();
    assert!(rest.split("case 3").next().unwrap().contains("changed:"), "the answers to c2 alone changed: {output}");
}
