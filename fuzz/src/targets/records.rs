//! Records of the program: journals of annotation, runs.

use super::check_message;
use super::folder::{folder, write};
use dissent::annotation::{AnnotationState, read_folder};
use dissent::data::{Case, Dataset, Document, Label, Manifest, PromptTemplate, Split, Task, TaskKind};
use dissent::run::{PREDICTIONS_FILE, RUN_FILE, Run};

/// A journal; the state must not depend on the order of its events.
pub fn journal(bytes: &[u8]) {
    let folder = folder().join("annotations");
    std::fs::create_dir_all(&folder).expect("a folder");
    write(&folder.join("eve@vm.jsonl"), bytes);
    match read_folder(&folder) {
        Err(error) => check_message(&error),
        Ok((events, problems)) => {
            problems.iter().for_each(check_message);
            let mut backwards = events.clone();
            backwards.reverse();
            assert_eq!(AnnotationState::fold(events), AnnotationState::fold(backwards), "the order of events");
        }
    }
}

const RUN: &str = include_str!("../../seeds/run.toml");

/// The lines of a run; `run.toml` may come before a line "===".
pub fn run(bytes: &[u8]) {
    let folder = folder();
    let separator = b"\n===\n";
    let place = bytes.windows(separator.len()).position(|window| window == separator);
    let (identity, lines) = match place {
        Some(place) => (&bytes[..place], &bytes[place + separator.len()..]),
        None => (RUN.as_bytes(), bytes),
    };
    write(&folder.join(RUN_FILE), identity);
    write(&folder.join(PREDICTIONS_FILE), lines);
    match Run::open(&folder) {
        Err(error) => check_message(&error),
        Ok(run) => {
            let cases = run.len();
            match run.into_answers(&dataset()) {
                Err(error) => check_message(&error),
                Ok(answers) => assert_eq!(answers.len(), cases, "an answer for each case"),
            }
        }
    }
}

fn dataset() -> Dataset {
    let task = Task {
        id: "malignancy".into(),
        kind: TaskKind::ClosedVqa,
        question: Some("Malignant?".into()),
        labels: vec![Label::new("No", "No"), Label::new("Yes", "Yes")],
        prompt: PromptTemplate::default(),
    };
    let manifest = Manifest::new("fuzz", vec![task]);
    let case = Case {
        id: "us-test-0001".into(),
        task: "malignancy".into(),
        split: Split::Test,
        image: "q.png".into(),
        question: None,
        answer: "Yes".into(),
        unknown: Vec::new(),
        group: None,
    };
    let document = |number: usize| Document {
        id: format!("d{number}"),
        image: "d.png".into(),
        caption: "a mass".into(),
        source: None,
        group: None,
    };
    Dataset::new("/nowhere".as_ref(), manifest, vec![case], vec![document(1), document(2)])
}
