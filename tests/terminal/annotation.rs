//! The explorer's queue is the assigned one, and what is said in it is kept as the options have it.

use crate::support::annotated_dataset::{annotations, dataset_of_text as dataset};
use crate::support::program::{PROGRAM, stdout_of};
use crate::support::pty::Pty;
use dissent::annotation::{AnnotationState, CaseReview, EventContext, EventKind, Journal, Standing, read_folder};
use std::path::Path;

fn explore(dataset: &Path, annotator: &str, options: &[&str]) -> Pty {
    let home = dataset.to_str().unwrap();
    let arguments =
        [&["explore", home, "--annotator", annotator, "--images", "half", "--theme", "dark"], options].concat();
    let environment = [("HOME", home), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("USER", "ada")];
    Pty::start(Path::new(PROGRAM), &arguments, &environment, (120, 40))
}

fn state(dataset: &Path) -> AnnotationState {
    let (events, problems) = read_folder(&dataset.join(".dissent/annotations")).unwrap();
    assert_eq!(problems, []);
    AnnotationState::fold(events)
}

#[test]
fn the_explorer_shows_ones_own_part_then_what_is_left_then_ones_own_again() {
    let dataset = dataset(12);
    let first_of = |shared: &[&str]| {
        let assigned = stdout_of(&annotations(&[&["assign", "--json"], shared].concat(), dataset.path()));
        let report: serde_json::Value = serde_json::from_str(&assigned).unwrap();
        report["calibration"][0].as_str().unwrap().to_owned()
    };
    let options = |seed| ["--annotators", "cy,ada,bob", "--overlap", "2", "--calibration", "3", "--seed", seed];
    // One whose calibration round does not begin as the dataset does.
    let shared =
        ["1", "2", "3", "4", "5", "6"].map(options).into_iter().find(|shared| first_of(shared) != "c1").unwrap();
    let first = first_of(&shared);
    let mut pty = explore(dataset.path(), "ada", &shared);
    pty.wait_for(" 1/9 ");
    pty.type_keys("1");
    pty.wait_for(&format!("{first}: Misleading look-alike (u takes it back)"));
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0, "{}", pty.screen());
    let mut pty = explore(dataset.path(), "ada", &[&shared[..], &["--only-mine-left"]].concat());
    pty.wait_for(" 1/8 ");
    pty.type_keys("q");
    pty.exit_code();

    let again = ["--review-own", "--after", "0"];
    let mut pty = explore(dataset.path(), "ada", &again);
    pty.wait_for(" 1/1 ");
    pty.type_keys("2");
    pty.wait_for("takes it back");
    pty.type_keys("q");
    pty.exit_code();
    let state = state(dataset.path());
    let passes: Vec<(u32, bool)> = state.passes().map(|(_, _, said)| (said.pass, said.blind)).collect();
    assert_eq!(passes, [(1, true), (2, true)]);
}

#[test]
fn what_others_write_is_seen_without_a_restart() {
    let dataset = dataset(3);
    let mut pty = explore(dataset.path(), "ada", &[]);
    pty.wait_for(" 1/3 ");
    pty.type_keys("1");
    pty.wait_for("takes it back");
    pty.type_keys("k");
    pty.wait_for("1 Misleading look-alike");
    // Bob's event comes after ada's own has been read back, which must not be taken for another session of hers.
    let mut bob = Journal::open(&dataset.path().join(".dissent/annotations"), "bob", "box").unwrap();
    bob.append("c1", EventKind::annotate("other"), EventContext::default()).unwrap();
    pty.wait_for("all: disputed");
    pty.type_keys("2");
    pty.wait_for("Caption against image (u takes it back)");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0, "{}", pty.screen());
    let is_blind = || state(dataset.path()).of("ada", "c1").unwrap().blind;
    assert!(!is_blind(), "she was told that somebody says otherwise");
    let mut pty = explore(dataset.path(), "ada", &[]);
    pty.wait_for(" 2/3 ");
    pty.type_keys("k3");
    pty.wait_for("Right evidence ignored (u takes it back)");
    pty.type_keys("q");
    pty.exit_code();
    assert!(!is_blind(), "nor does she forget it");
}

/// An annotator who reads a case again sees nothing of the annotation of the day before.
#[test]
fn a_second_reading_does_not_show_the_first() {
    let dataset = dataset(1);
    let mut ada = Journal::open(&dataset.path().join(".dissent/annotations"), "ada", "box").unwrap();
    ada.append("c1", EventKind::annotate("caption-over-image"), EventContext::default()).unwrap();
    drop(ada);
    let mut pty = explore(dataset.path(), "ada", &["--review-own", "--after", "0"]);
    pty.wait_for(" 1/1 ");
    pty.type_keys("A");
    pty.wait_for("annotated this case (hidden");
    assert!(!pty.screen().contains("ada (you)"), "{}", pty.screen());
    pty.type_keys("s");
    pty.wait_for("ada (you)");
    pty.type_keys("q");
    pty.wait_until("the words are gone", |pty| !pty.screen().contains("ada (you)"));
    pty.type_keys("q");
    pty.exit_code();
}

/// Three people annotate their parts blind, two of them disagree on a case, a fourth decides it.
#[test]
fn from_assignment_to_the_final_set() {
    let folder = dataset(6);
    let dataset = folder.path();
    let shared = ["--annotators", "ada,bob,cy", "--overlap", "2", "--seed", "7"];
    let assigned = stdout_of(&annotations(&[&["assign"], &shared[..]].concat(), dataset));
    assert!(assigned.contains("ada") && assigned.contains("cy"), "{assigned}");
    // Bob doubts what he says of his first case.
    for (annotator, keys) in [("ada", "1111"), ("bob", "d2111"), ("cy", "1111")] {
        let mut pty = explore(dataset, annotator, &shared);
        pty.wait_for(" 1/4 ");
        pty.type_keys(keys);
        pty.wait_for(" 4 labelled");
        pty.type_keys("q");
        assert_eq!(pty.exit_code(), 0, "{}", pty.screen());
    }
    let told = state(dataset);
    assert_eq!(told.iter().count(), 12);
    assert!(told.iter().all(|(.., said)| said.blind && said.seconds.is_some()));
    let disputed: Vec<CaseReview> =
        told.reviews().into_iter().filter(|review| review.standing().is_to_be_decided()).collect();
    let [disputed] = &disputed[..] else { panic!("{disputed:?}") };
    let agreement = stdout_of(&annotations(&["agreement", "--resamples", "100"], dataset));
    assert!(agreement.contains("by two or more: 6") && agreement.contains("Confusion"), "{agreement}");

    let mut pty = explore(dataset, "eve", &[]);
    pty.wait_for(" 1/6 ");
    pty.type_keys("G");
    pty.wait_for("Agreement, lesion");
    pty.wait_for("percentile bootstrap, 10000");
    pty.type_keys("qfpeople:disputed\r");
    pty.wait_for(" 1/1 of 6");
    pty.type_keys("A");
    pty.wait_for("annotated this case (hidden");
    pty.type_keys("s");
    pty.wait_for("unsure");
    pty.type_keys("2nthe caption says so\r\r");
    pty.wait_for("decided: ");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0, "{}", pty.screen());
    let told = state(dataset);
    assert_eq!(told.review(&disputed.case).standing(), Standing::Decided { is_outdated: false });
    let rows = stdout_of(&annotations(&["export", "--final"], dataset));
    let decided: Vec<&str> = rows.lines().filter(|row| row.contains("\"standing\":\"decided\"")).collect();
    assert_eq!((rows.lines().count(), decided.len()), (6, 1), "{rows}");
    for part in [disputed.case.as_str(), "\"caption-over-image\"", "\"adjudicator\":\"eve\"", "the caption says so"] {
        assert!(decided[0].contains(part), "{part} is missing in {}", decided[0]);
    }
}
