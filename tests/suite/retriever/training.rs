//! `dissent train retriever` as its user sees it: killed, interrupted, resumed, refused.

use crate::support::patience::wait_until;
use crate::support::world::{Outcome, World};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

const SMALL: [&str; 12] =
    ["--steps", "6", "--validate-every", "2", "--batch", "5", "--candidates", "6", "--snapshot-every", "3", "-k", "2"];

fn arguments<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "retriever", "DATASET", "--out", out], &SMALL[..], more].concat()
}

fn train(world: &World, out: &Path, more: &[&str]) -> Outcome {
    world.dissent(&arguments(out.to_str().unwrap(), more))
}

/// The losses and validations of both heads, as numbers written to the last bit.
fn losses(out: &Path) -> Vec<(String, u64, u64)> {
    let mut found = Vec::new();
    for stage in [".caption.training", ".training"] {
        let log = format!("{}{stage}/train.jsonl", out.display());
        for line in fs::read_to_string(&log).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let bits = |field: &str| line[field].as_f64().unwrap().to_bits();
            found.push((line["stage"].as_str().unwrap().to_owned(), bits("loss"), bits("validation")));
        }
    }
    found
}

#[test]
fn every_kind_learns_and_predict_uses_what_it_learned() {
    let world = World::trainable();
    for kind in ["adapter", "question", "tower"] {
        let out = world.path(kind);
        let outcome = train(&world, &out, &["--kind", kind]);
        outcome.succeeds();
        let said = &outcome.stdout;
        assert!(said.contains("standard → trained") && said.contains("fused accuracy"), "{outcome:#?}");
        assert_eq!(losses(&out).len(), 6, "three rounds of each head");
        assert!(world.path(&format!("{kind}.training/last/model.safetensors")).is_file());
        let heads = out.to_str().unwrap();
        let predict = ["predict", "DATASET", "--run", kind, "--device", "cpu", "--retriever", heads];
        world.dissent(&predict).succeeds();
        let record = fs::read_to_string(world.path(&format!(".dissent/runs/{kind}/run.toml"))).unwrap();
        assert!(record.contains(&format!("heads_name = \"{kind}\"")), "{record}");
    }
    world.dissent(&["predict", "DATASET", "--run", "plain", "--device", "cpu"]).succeeds();
    world.dissent(&["predict", "DATASET", "--run", "closed", "--device", "cpu", "--closed-book"]).succeeds();
    let closed = world.dissent(&["evaluate", "DATASET", "--runs", "plain,closed"]);
    assert!(closed.succeeds().stdout.contains("differ in index"), "{closed:#?}");
    let compared = world.dissent(&["evaluate", "DATASET", "--runs", "plain,adapter"]);
    let said = &compared.succeeds().stdout;
    assert!(said.contains("Against plain") && said.contains("plain and adapter differ in trained heads"), "{said}");
}

/// The truth as the teacher: what every case of label Yes should fetch is the documents of entity Yes. Heads that do not
/// move, or are not asked, fail here.
#[test]
fn heads_learn_to_fetch_what_they_are_taught() {
    let world = World::trainable();
    let mut entities = "id,entity\n".to_owned();
    for number in 1..=20 {
        // Every image of an odd case is the document of the same number: neighbours are two apart.
        entities += &format!("c{number},{0}\nt{number},{0}\n", number % 2);
    }
    fs::write(world.path("entities.csv"), entities).unwrap();
    let teacher = world.path("entities.csv");
    let taught = ["--signal", teacher.to_str().unwrap(), "--alpha", "1", "--steps", "60", "--validate-every", "60"];
    let out = world.path("out");
    let arguments =
        ["train", "retriever", "DATASET", "--batch", "16", "--candidates", "20", "--out", out.to_str().unwrap()];
    world.dissent(&[&arguments[..], &taught].concat()).succeeds();
    let last = world.path("out.training/last");
    let same = |run: &str, heads: &str| {
        let predict = ["predict", "DATASET", "--split", "train", "--device", "cpu", "--run", run, "--retriever", heads];
        world.dissent(&predict).succeeds();
        let lines = fs::read_to_string(world.path(&format!(".dissent/runs/{run}/predictions.jsonl"))).unwrap();
        let number = |id: &Value| id.as_str().and_then(|id| id.get(1..)?.parse::<usize>().ok());
        let mut same = 0;
        for line in lines.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let is_taught = line["document"].as_str().is_some_and(|id| id.starts_with('t'));
            let pair = number(&line["case"]).zip(number(&line["document"]));
            same += usize::from(is_taught && pair.is_some_and(|(case, document)| case % 2 == document % 2));
        }
        same
    };
    let (before, after) = (same("before", "standard"), same("after", last.to_str().unwrap()));
    assert!(after > before, "{after} hits of the right entity after training, {before} before");
}

/// Validation stops a training that gets no better.
#[test]
fn patience_ends_a_training_also_one_that_goes_on_later() {
    let world = World::trainable();
    let out = world.path("out");
    // The weights do not move, so no later round is better than the first.
    let still = ["--learning-rate", "1e-30", "--patience", "1"];
    train(&world, &out, &still).succeeds();
    assert_eq!(losses(&out).len(), 4, "two rounds of each head");
    let record: Value = serde_json::from_str(&fs::read_to_string(out.join("config.json")).unwrap()).unwrap();
    assert_eq!((&record["image"]["steps"], &record["caption"]["steps"]), (&2.into(), &2.into()));
    train(&world, &out, &still).succeeds();
    assert_eq!(losses(&out).len(), 4, "it is over");
}

#[test]
fn changed_answers_are_another_training() {
    let world = World::trainable();
    let out = world.path("out");
    train(&world, &out, &[]).succeeds();
    world.replace_line("cases.jsonl", 1, &changed_answer(&world, 1, "No"));
    train(&world, &out, &[]).fails_with(&["another run", "--restart"]);
    train(&world, &out, &["--restart"]).succeeds();
    let slash = format!("{}/", out.display());
    train(&world, Path::new(&slash), &[]).succeeds();
    assert!(world.path("out.caption").is_dir(), "a slash at the end changes nothing");
}

#[test]
fn the_reader_is_asked_once_for_each_case_and_document() {
    let world = World::trainable();
    let calls = |outcome: &Outcome| {
        let value: Value = serde_json::from_str(&outcome.succeeds().stdout).unwrap();
        (value["reader_calls"].as_u64().unwrap(), value["reader_answers_wanted"].as_u64().unwrap())
    };
    let (asked, wanted) = calls(&train(&world, &world.path("first"), &["--json"]));
    assert!(asked > 0 && asked < wanted, "{asked} of {wanted}");
    // Another training in the same workspace, with the same seed, finds all answers there.
    assert_eq!(calls(&train(&world, &world.path("second"), &["--json"])), (0, wanted));
}

/// Waits until the file holds so many lines.
fn wait_for_lines(file: &str, lines: usize, child: &mut Child) {
    wait_until(&format!("{file} has {lines} lines"), || {
        assert!(child.try_wait().unwrap().is_none(), "the training ended before it could be killed");
        fs::read_to_string(file).unwrap_or_default().lines().count() >= lines
    });
}

#[test]
fn a_killed_training_goes_on_to_the_very_same_numbers() {
    let whole = World::trainable();
    train(&whole, &whole.path("out"), &["--kind", "tower"]).succeeds();

    let world = World::trainable();
    let out = world.path("out");
    // Killed in the caption head, then in the image head.
    for (stage, lines) in [(".caption.training", 1), (".training", 2)] {
        let mut command = world.command(&arguments(out.to_str().unwrap(), &["--kind", "tower"]));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for_lines(&format!("{}{stage}/train.jsonl", out.display()), lines, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    train(&world, &out, &["--kind", "tower"]).succeeds();
    assert_eq!(losses(&out), losses(&whole.path("out")));
    let weights = |world: &World| fs::read(world.path("out/model.safetensors")).unwrap();
    assert!(weights(&world) == weights(&whole), "the weights differ");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_steps_taken() {
    let whole = World::trainable();
    train(&whole, &whole.path("out"), &["--kind", "tower"]).succeeds();

    let world = World::trainable();
    let out = world.path("out");
    let mut command = world.command(&arguments(out.to_str().unwrap(), &["--kind", "tower"]));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_lines(&format!("{}.caption.training/train.jsonl", out.display()), 1, &mut child);
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("run the same command (without --restart) to continue"), "{said}");
    train(&world, &out, &["--kind", "tower"]).succeeds();
    assert_eq!(losses(&out), losses(&whole.path("out")));
}

#[test]
fn another_setting_in_the_same_folder_is_refused() {
    let world = World::trainable();
    let out = world.path("out");
    train(&world, &out, &[]).succeeds();
    train(&world, &out, &["--alpha", "0.3"]).fails_with(&["another run", "--restart"]);
    train(&world, &out, &["--alpha", "0.3", "--restart"]).succeeds();
}

#[test]
fn settings_that_teach_nothing_are_refused() {
    let world = World::trainable();
    let out = world.path("out");
    for (flag, value) in [
        ("--alpha", "1.5"),
        ("--alpha", "nan"),
        ("--temperature", "0"),
        ("--reader-temperature", "0"),
        ("--candidates", "1"),
        ("--steps", "0"),
        ("--patience", "0"),
        ("-k", "0"),
        ("--device", "cuda"),
        ("--validate-every", "0"),
        ("--snapshot-every", "0"),
        ("--batch", "0"),
        ("--part", "3/2"),
        ("--signal", "nonsense"),
    ] {
        let outcome = world.dissent(&["train", "retriever", "DATASET", "--out", out.to_str().unwrap(), flag, value]);
        assert!(matches!(outcome.code, 1 | 2), "{flag} {value}: {outcome:#?}");
        let named = flag.trim_start_matches('-').replace('-', " ");
        let said = outcome.stderr.replace('-', " ");
        assert!(said.contains("error: ") && said.contains(&named), "{flag} {value}: {outcome:#?}");
        assert!(!out.exists(), "{flag} {value}");
    }
}

#[test]
fn a_learning_rate_that_breaks_everything_names_the_batch() {
    let world = World::trainable();
    let outcome = train(&world, &world.path("out"), &["--kind", "tower", "--learning-rate", "1e30", "--warm-up", "1"]);
    outcome.fails_with(&["step ", " on the cases c", "finite loss", "--learning-rate"]);
}

#[cfg(target_os = "linux")]
#[test]
fn running_out_of_memory_names_what_to_lower() {
    let world = World::trainable();
    let out = world.path("out");
    let arguments = ["train", "retriever", "DATASET", "--out", out.to_str().unwrap(), "--kind", "tower"];
    // Two hundred thousand images in one step, in 4 GB of addresses.
    let huge = ["--candidates", "6", "--batch", "200000", "--validate-every", "1", "--steps", "1"];
    let command = world.command(&[&arguments[..], &huge].concat());
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -v 4000000; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let output = limited.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("out of memory") && said.contains("lower --batch"), "{said}");
}

#[test]
fn a_dataset_without_validation_cases_is_refused() {
    let world = World::new();
    let outcome = train(&world, &world.path("out"), &[]);
    outcome.fails_with(&["split validation"]);
}

/// Open answers and several labels at once teach through the likelihood of the gold text (docs/method.md, "Loss").
#[test]
fn answers_in_words_and_several_labels_teach_too() {
    let world = World::trainable();
    let mut manifest = fs::read_to_string(world.path("dataset.toml")).unwrap();
    manifest += r#"
[[task]]
id = "where"
kind = "open-vqa"
question = "Where is it?"
[[task]]
id = "findings"
kind = "multi-label"
question = "What is seen?"
labels = [{ id = "0", name = "mass" }, { id = "1", name = "cyst" }, { id = "2", name = "noise" }]
"#;
    fs::write(world.path("dataset.toml"), manifest).unwrap();
    let cases = fs::read_to_string(world.path("cases.jsonl")).unwrap();
    let mut changed = String::new();
    for (number, line) in (1..).zip(cases.lines()) {
        let mut case: Value = serde_json::from_str(line).unwrap();
        let (task, answer) = match number {
            5..=10 | 19 => ("where", "a dark mass"),
            11..=16 | 20 => ("findings", "2,0"),
            _ => ("lesion", "Yes"),
        };
        case["task"] = task.into();
        case["answer"] = answer.into();
        changed += &format!("{case}\n");
    }
    fs::write(world.path("cases.jsonl"), changed).unwrap();
    let outcome = train(&world, &world.path("out"), &[]);
    outcome.succeeds();
    // Two validation cases, both with answers in words: there is nothing to be right about.
    assert!(outcome.stderr.contains("standard RAG on 2 validation cases"), "{outcome:#?}");
    let first = losses(&world.path("out"))[0].clone();
    assert!(f64::from_bits(first.1) > 0.0 && f64::from_bits(first.2) < 0.0, "{first:?}");
    // Only the cases with labels to choose from are predicted.
    let predicted = world.dissent(&["predict", "DATASET", "--run", "r", "--device", "cpu", "--json"]);
    assert!(predicted.succeeds().stdout.contains("\"lesion\""), "{predicted:#?}");
    world.replace_line("cases.jsonl", 11, &changed_answer(&world, 11, "2, 7"));
    world.dissent(&["check", "DATASET"]).fails_with(&["cases.jsonl:11", "unknown label \"7\" of task findings"]);
}

fn changed_answer(world: &World, line: usize, answer: &str) -> String {
    let cases = fs::read_to_string(world.path("cases.jsonl")).unwrap();
    let mut case: Value = serde_json::from_str(cases.lines().nth(line - 1).unwrap()).unwrap();
    case["answer"] = answer.into();
    case.to_string()
}
