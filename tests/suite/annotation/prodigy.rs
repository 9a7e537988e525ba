//! Annotations taken over from Prodigy.

use crate::support::annotated_dataset::{annotated_dataset, annotations_of, set};
use crate::support::program;
use crate::support::program::{stderr_of, stdout_of};
use dissent::annotation::{AnnotationState, EventContext, EventKind, Journal, Taxonomy, read_folder};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, SystemTime};

const LINES: &str = r#"{"meta":{"id":"c1"},"accept":["look-alike","other"],"answer":"accept","_annotator_id":"reads-fay","_session_id":"reads-fay","_timestamp":1764061200,"_view_id":"choice"}
{"image":"/srv/pictures/images/c2.png","label":"Misleading look-alike","answer":"accept","_session_id":"reads-fay","_timestamp":1764061201}
{"image":"/srv/pictures/images/c2.png","label":"other","answer":"accept","_session_id":"reads-fay","_timestamp":1764061201}

{"case":"c3","accept":[],"answer":"ignore","_session_id":"reads-fay","_timestamp":1764061203}
{"case":"c4","label":"other","answer":"reject","_session_id":"reads-gus","_timestamp":1764061204.5}
{"case":"c5","accept":["other"],"answer":"accept","user_input":"see the margin","_session_id":"reads-gus","_timestamp":1764061205}
{"case":"c5","accept":["look-alike"],"answer":"accept","_session_id":"reads-gus","_timestamp":1764061206}
"#;

fn import(file: &Path, dataset: &Path, more: &[&str]) -> Output {
    program::dissent().args(["annotations", "import", "prodigy"]).args([file, dataset]).args(more).output().unwrap()
}

fn state_of(dataset: &Path) -> AnnotationState {
    let (events, problems) = read_folder(&annotations_of(dataset)).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    AnnotationState::fold(events)
}

#[test]
fn a_line_that_names_two_cases_or_two_answers_is_an_error() {
    let folder = annotated_dataset();
    let file = folder.path().join("reads.jsonl");
    for (more, expected) in [
        (json!({"meta": {"id": "c2"}}), "reads.jsonl:1: meta.id: found c2, but case says c1; expected one case"),
        (json!({"id": "c2"}), "reads.jsonl:1: id: found c2, but case says c1"),
        (
            json!({"image": "/srv/images/c2.png"}),
            "reads.jsonl:1: image: /srv/images/c2.png is the image of case c2, but case says c1",
        ),
        (json!({"accept": ["other"]}), "reads.jsonl:1: label: found look-alike, but accept says [other]"),
    ] {
        let mut line =
            json!({"case": "c1", "label": "look-alike", "answer": "accept", "_annotator_id": "fay", "_timestamp": 1});
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fs::write(&file, line.to_string()).unwrap();
        let error = stderr_of(&import(&file, folder.path(), &[]));
        assert!(error.contains(expected), "{error}");
    }
    let line = |who: &str, more: &str| {
        format!(
            "{{\"case\":\"c1\",\"answer\":\"accept\",\"label\":\"other\",\"_annotator_id\":\"{who}\",\"_timestamp\":1{more}}}\n"
        )
    };
    // An id of another table, and a heading over the choices, contradict nothing.
    let good = line("fay", ",\"id\":\"row 7\",\"image\":\"/srv/images/c1.png\"")
        + &line("Fay", ",\"accept\":[\"other\"]").replace("\"label\":\"other\"", "\"label\":\"WHY\"");
    fs::write(&file, good).unwrap();
    let output = import(&file, folder.path(), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("annotators \"Fay\" and \"fay\" differ"), "{said}");
}

#[test]
fn every_answer_becomes_an_event_in_a_journal_of_its_own() {
    let folder = annotated_dataset();
    let file = folder.path().join("reads.jsonl");
    fs::write(&file, LINES).unwrap();
    let taxonomy = annotations_of(folder.path()).join("taxonomy.toml");
    let one_only = stderr_of(&import(&file, folder.path(), &["--drop-prefix", "reads-"]));
    assert!(one_only.contains("reads.jsonl:1: accept: expected one category, found 2"), "{one_only}");
    assert!(one_only.contains("reads.jsonl:3: label: the case was given look-alike already"), "{one_only}");
    Taxonomy::load(&annotations_of(folder.path())).unwrap();
    let text = fs::read_to_string(&taxonomy).unwrap();
    fs::write(&taxonomy, text.replace("several = false", "several = true")).unwrap();
    let before = state_of(folder.path());
    let text = stdout_of(&import(&file, folder.path(), &["--drop-prefix", "reads-"]));
    assert!(
        text.starts_with(
            "5 accepted, 1 rejected (flagged, without a category), 1 ignored (skipped), by 2 annotators\n"
        ),
        "{text}"
    );
    let state = state_of(folder.path());
    let of = |annotator: &str, case: &str| {
        let annotation = state.of(annotator, case).unwrap();
        (
            annotation.categories.iter().cloned().collect::<Vec<_>>().join("+"),
            annotation.skipped,
            annotation.flagged,
            annotation.note.clone(),
        )
    };
    assert_eq!(of("fay", "c1"), ("look-alike+other".into(), false, false, None));
    assert_eq!(of("fay", "c2"), ("look-alike+other".into(), false, false, None), "labels of one case add up");
    assert_eq!(of("fay", "c3"), (String::new(), true, false, None));
    assert_eq!(of("gus", "c4"), (String::new(), false, true, Some("rejected in Prodigy: other".into())));
    assert_eq!(
        of("gus", "c5"),
        ("look-alike".into(), false, false, Some("see the margin".into())),
        "the last list counts"
    );
    assert_eq!(state.of("gus", "c4").unwrap().ts.unix_timestamp(), 1_764_061_204);
    // Everybody else's word is as it was, and importing again changes nothing.
    assert!(before.iter().all(|(annotator, case, annotation)| state.of(annotator, case) == Some(annotation)));
    let again: Value =
        serde_json::from_str(&stdout_of(&import(&file, folder.path(), &["--drop-prefix", "reads-", "--json"])))
            .unwrap();
    assert_eq!((&again["accepted"], &again["annotators"]), (&json!(5), &json!(["fay", "gus"])));
    assert_eq!(state_of(folder.path()), state);
    // A longer file of the same lines is another journal with the same events.
    fs::write(&file, format!("{LINES}{}", LINES.lines().next().unwrap().replace("c1", "c6"))).unwrap();
    stdout_of(&import(&file, folder.path(), &["--drop-prefix", "reads-"]));
    let longer = state_of(folder.path());
    assert_eq!(longer.iter().count(), state.iter().count() + 1);
    assert_eq!(longer.of("fay", "c2"), state.of("fay", "c2"));
}

#[test]
fn the_later_word_of_a_person_counts_and_that_is_said() {
    let folder = annotated_dataset();
    let file = folder.path().join("reads.jsonl");
    let line = |case: &str, answer: &str, second: u32| {
        format!(
            "{{\"case\":\"{case}\",\"label\":\"other\",\"answer\":\"{answer}\",\"_annotator_id\":7,\"_timestamp\":{second}}}\n"
        )
    };
    // The lines are not in the order of their times.
    let lines = [
        line("c1", "reject", 20),
        line("c1", "accept", 10),
        line("c2", "reject", 10),
        line("c2", "accept", 20),
        line("c3", "accept", 10),
        line("c3", "ignore", 20),
    ];
    fs::write(&file, format!("\u{feff}{}", lines.concat())).unwrap();
    let text = stdout_of(&import(&file, folder.path(), &[]));
    assert!(text.contains("3 annotations replaced by a later annotation of the same case"), "{text}");
    let state = state_of(folder.path());
    let of = |case: &str| {
        let annotation = state.of("7", case).unwrap();
        (annotation.categories.len(), annotation.skipped, annotation.flagged, annotation.note.clone())
    };
    assert_eq!(of("c1"), (0, false, true, Some("rejected in Prodigy: other".into())));
    assert_eq!(of("c2"), (1, false, false, None));
    assert_eq!(of("c3"), (0, true, false, None));
}

#[test]
fn names_that_are_no_file_names_are_mapped_and_contradictions_refused() {
    let folder = annotated_dataset();
    let file = folder.path().join("reads.jsonl");
    let line = r#"{"case":" c1 ","accept":["other"],"answer":"accept","_annotator_id":"reads-Ada L."}"#;
    fs::write(&file, line).unwrap();
    let refused = stderr_of(&import(&file, folder.path(), &["--drop-prefix", "reads-"]));
    assert!(refused.contains("--map-annotator 'Ada L.=NAME'"), "{refused}");
    let flags = ["--drop-prefix", "reads-", "--map-annotator", "Ada L.=ada-l"];
    stdout_of(&import(&file, folder.path(), &flags));
    assert_eq!(state_of(folder.path()).of("ada-l", "c1").unwrap().categories, set(&["other"]));
    fs::write(&file, line.replace("\"answer\"", "\"answer\":\"reject\",\"answer\"")).unwrap();
    let refused = stderr_of(&import(&file, folder.path(), &flags));
    assert!(refused.contains("reads.jsonl:1: the key \"answer\" appears twice with different values"), "{refused}");
}

#[test]
fn lines_without_a_time_stay_before_what_was_said_after_them() {
    let folder = annotated_dataset();
    let file = folder.path().join("reads.jsonl");
    fs::write(&file, "{\"case\":\"c1\",\"accept\":[\"other\"],\"answer\":\"accept\",\"_session_id\":\"fay\"}\n")
        .unwrap();
    let told = || state_of(folder.path()).of("fay", "c1").unwrap().categories.clone();
    stdout_of(&import(&file, folder.path(), &[]));
    assert_eq!(told(), set(&["other"]));
    let mut fay = Journal::open(&annotations_of(folder.path()), "fay", "box").unwrap();
    fay.append("c1", EventKind::annotate("look-alike"), EventContext::default()).unwrap();
    fs::File::options()
        .append(true)
        .open(&file)
        .unwrap()
        .set_modified(SystemTime::now() + Duration::from_secs(60))
        .unwrap();
    let before = state_of(folder.path());
    stdout_of(&import(&file, folder.path(), &[]));
    assert_eq!(told(), set(&["look-alike"]), "the same file again says nothing new");
    assert_eq!(state_of(folder.path()), before);
}

#[test]
fn bad_lines_are_named_by_line_and_field_and_nothing_is_imported() {
    let folder = annotated_dataset();
    let file = folder.path().join("bad.jsonl");
    let bad = [
        (r#"{"case":"c1""#, "bad.jsonl:1: not valid JSON: the text ends within a value"),
        ("[1]", "bad.jsonl:2: expected a JSON object"),
        (
            r#"{"case":"c1","accept":["other"],"_session_id":"fay"}"#,
            "bad.jsonl:3: answer: expected accept, reject or ignore, found null",
        ),
        (
            r#"{"case":"c1","accept":["other"],"answer":"accept"}"#,
            "bad.jsonl:4: _annotator_id: expected the annotator's name",
        ),
        (
            r#"{"case":"c1","accept":["other"],"answer":"accept","_session_id":"fay ray"}"#,
            "bad.jsonl:5: _session_id: annotator",
        ),
        (
            r#"{"case":"c9","accept":["other"],"answer":"accept","_session_id":"fay"}"#,
            "bad.jsonl:6: case: expected the id of a case",
        ),
        (
            r#"{"image":"c9.png","accept":["other"],"answer":"accept","_session_id":"fay"}"#,
            "bad.jsonl:7: image: c9.png is the image of no case",
        ),
        (
            r#"{"case":"c1","answer":"accept","_session_id":"fay"}"#,
            "bad.jsonl:8: accept: expected a list of categories",
        ),
        (
            r#"{"case":"c1","accept":["cat"],"answer":"accept","_session_id":"fay"}"#,
            "bad.jsonl:9: accept: \"cat\" is no category; expected look-alike,",
        ),
        (
            r#"{"case":"c1","label":7,"answer":"accept","_session_id":"fay"}"#,
            "bad.jsonl:10: label: \"7\" is no category",
        ),
        (
            r#"{"case":"c1","accept":["other"],"answer":"accept","_session_id":"fay","_timestamp":"now"}"#,
            "bad.jsonl:11: _timestamp: expected seconds",
        ),
    ];
    let good = r#"{"case":"c6","accept":["other"],"answer":"accept","_session_id":"fay"}"#;
    let lines: Vec<&str> = bad.iter().map(|(line, _)| *line).chain([good]).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    let before = state_of(folder.path());
    let output = import(&file, folder.path(), &[]);
    let message = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1));
    for (_, expected) in bad {
        assert!(message.contains(expected), "{expected:?} is missing in:\n{message}");
    }
    assert!(message.contains("11 lines cannot be imported, so nothing was"), "{message}");
    assert_eq!(state_of(folder.path()), before);
    assert!(stdout_of(&import(&file, folder.path(), &["--partial"])).starts_with("1 accepted"));
    assert!(state_of(folder.path()).of("fay", "c6").unwrap().categories.contains("other"));
    // The annotator may be given on the command line.
    fs::write(&file, r#"{"case":"c6","accept":["other"],"answer":"accept"}"#).unwrap();
    stdout_of(&import(&file, folder.path(), &["--annotator", "hal"]));
    assert!(state_of(folder.path()).of("hal", "c6").is_some());
}
