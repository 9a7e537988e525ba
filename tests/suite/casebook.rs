//! `dissent export casebook`: the page of a stored run, and what must not be on it.

use crate::support::annotated_dataset::{annotations_of, set};
use crate::support::explorer::{self, CAPTIONS, hits, scores};
use crate::support::program::{dissent, stderr_of, stdout_of};
use dissent::annotation::{AnnotationEdit, AnnotationSession, EventContext, EventKind, Journal, Taxonomy};
use dissent::files::fingerprint::Fingerprint;
use dissent::run::{Ablation, CaseAnswer, RunIdentity, RunWriter};
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

const MISCHIEF: &str = "</p><script src=\"http://example.org/x.js\">";

/// Three cases with gold Yes, No, Yes. In the run `r` all hits answer Yes to the first, two of four to the second; the third
/// is not in it. Ada and bob annotated the first, eve decided it; bob's note and a caption try to be HTML.
fn world() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    explorer::write_dataset(root, 3);
    let corpus = fs::read_to_string(root.join("corpus.jsonl")).unwrap();
    let escaped = MISCHIEF.replace('"', "\\\"");
    fs::write(root.join("corpus.jsonl"), corpus.replace("Hypoechoic mass, indistinct margin", &escaped)).unwrap();
    write_run(root, "r", Ablation::default());
    let annotations = annotations_of(root);
    let mut ada = Journal::open(&annotations, "ada", "box").unwrap();
    ada.append("us-test-0001", EventKind::annotate("look-alike"), EventContext::default()).unwrap();
    let mut bob = Journal::open(&annotations, "bob", "box").unwrap();
    bob.append("us-test-0001", EventKind::annotate("other"), EventContext::default()).unwrap();
    bob.append("us-test-0001", EventKind::Note { note: MISCHIEF.into() }, EventContext::default()).unwrap();
    let (mut eve, _) = AnnotationSession::open(&annotations, "eve", "box", Taxonomy::default()).unwrap();
    let (case, categories, reason) = ("us-test-0001".into(), set(&["look-alike"]), "the margin is copied".into());
    eve.apply(&AnnotationEdit::Decide { case, categories, reason }).unwrap();
    folder
}

/// A run of the first two cases.
fn write_run(root: &Path, name: &str, ablation: Ablation) {
    let dataset = dataset_of(root);
    let mut identity = RunIdentity::new(&dataset, "small", &Fingerprint::of_bytes(b"small"), None);
    identity.set_ablation(ablation);
    let answer = |case: usize, yes: [f32; 4]| CaseAnswer {
        case,
        hits: hits(),
        predictions: yes.iter().map(|yes| scores(*yes).into()).collect(),
        closed_book: Some(scores(0.39).into()),
        recorded_fusion: None,
    };
    let mut writer = RunWriter::open(&root.join(".dissent/runs").join(name), &identity).unwrap();
    writer.append(&dataset, &[answer(0, [0.9, 0.8, 0.7, 0.6]), answer(1, [0.9, 0.2, 0.9, 0.2])]).unwrap();
}

/// The dataset as its files have it now.
fn dataset_of(root: &Path) -> dissent::data::Dataset {
    dissent::data::Dataset::open(root).unwrap()
}

fn export(root: &Path, arguments: &[&str]) -> Output {
    export_run(root, "r", arguments)
}

fn export_run(root: &Path, run: &str, arguments: &[&str]) -> Output {
    let mut command = dissent();
    command.args(["export", "casebook"]).arg(root).arg(root.join("page.html")).args(["--run", run]).args(arguments);
    command.output().unwrap()
}

fn page(root: &Path) -> String {
    fs::read_to_string(root.join("page.html")).unwrap()
}

#[test]
fn the_page_has_question_images_hits_predictions_annotations_and_decision() {
    let world = world();
    let said = stdout_of(&export(world.path(), &[]));
    assert!(said.contains("page.html: 2 cases, 10 images, "), "{said}");
    let page = page(world.path());
    assert_eq!(page.matches("<article ").count(), 2, "the case that is not in the run is left out");
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 10);
    for part in [
        explorer::QUESTION,
        CAPTIONS[0],
        "us-doc-003 · source north · image search, rank 2, score 0.893 · caption search, rank 2, score 0.398",
        "4 of 4 hits lead to the fused answer",
        "2 of 4 hits lead to the fused answer",
        "Hit 2: No, 80 % (differs)",
        "<b>ada</b>: Misleading look-alike",
        "<b>decided by eve</b>: Misleading look-alike",
        "the margin is copied",
        "synthetic: the two sites differ on purpose",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
}

/// The page of a run that withheld or swapped something shows what the reader was given, not the documents' own.
#[test]
fn a_hit_stands_as_the_reader_was_given_it() {
    let world = world();
    let root = world.path();
    // By these words us-doc-001 and us-doc-003, of the same source, contradict each other; the other hits name no label.
    let manifest = fs::read_to_string(root.join("dataset.toml")).unwrap();
    let named = manifest
        .replace("name = \"No\"", "name = \"No\"\nnamed_as = [\"calcifications\"]")
        .replace("name = \"Yes\"", "name = \"Yes\"\nnamed_as = [\"spiculated\"]");
    fs::write(root.join("dataset.toml"), named).unwrap();
    // The cases' own images are two, those of their hits eight.
    for (ablation, images, captions_withheld, images_withheld) in [
        ("no-caption", 10, 8, 0),
        ("no-image", 2, 0, 8),
        ("no-caption, no-image", 2, 8, 8),
        ("swapped-captions", 10, 0, 0),
    ] {
        let run = ablation.replace(", ", "+");
        write_run(root, &run, ablation.parse().unwrap());
        let said = stdout_of(&export_run(root, &run, &[]));
        assert!(said.contains(&format!("2 cases, {images} images")), "{said}");
        let page = page(root);
        let count = |words: &str| page.matches(words).count();
        assert_eq!(count("src=\"data:image/png;base64,"), images, "{ablation}");
        assert_eq!(count("<p class=\"given\">caption withheld</p>"), captions_withheld, "{ablation}");
        assert_eq!(count("<p class=\"given\">image withheld</p>"), images_withheld, "{ablation}");
        assert_eq!(count(CAPTIONS[0]), if captions_withheld == 0 { 2 } else { 0 }, "{ablation}");
        assert!(page.contains(&format!("The run is an ablation ({ablation}).")), "{page}");
        let swapped =
            |other: &str, caption: &str| format!("<p class=\"given\">caption of {other}:</p>\n<p>{caption}</p>");
        let is_swapped = ablation == "swapped-captions";
        let hits: Vec<&str> = page.split("<p class=\"answer\">").collect();
        assert_eq!(hits[1].contains(&swapped("us-doc-003", CAPTIONS[2])), is_swapped, "{}", hits[1]);
        assert_eq!(hits[2].contains(&swapped("us-doc-001", CAPTIONS[0])), is_swapped, "{}", hits[2]);
        assert_eq!(count("<p class=\"given\">caption of"), if is_swapped { 4 } else { 0 }, "{ablation}");
    }
}

#[test]
fn gold_is_there_only_if_it_is_asked_for() {
    let world = world();
    stdout_of(&export(world.path(), &[]));
    let without = page(world.path());
    for word in ["gold answer<", "— right", "— wrong"] {
        assert!(!without.contains(word), "{word}");
    }
    stdout_of(&export(world.path(), &["--gold"]));
    let with = page(world.path());
    assert!(
        with.contains("<dt>gold answer</dt><dd><b>Yes</b></dd>") && with.contains("Hit 1: Yes, 90 % — right"),
        "{with}"
    );
}

#[test]
fn text_of_others_is_text_and_the_page_asks_nothing_of_the_network() {
    let world = world();
    stdout_of(&export(world.path(), &["--gold"]));
    let page = page(world.path());
    assert!(!page.contains("<script") && page.matches("&lt;script src=&quot;").count() >= 3, "two captions and a note");
    assert!(page.contains("default-src 'none'"));
    for place in ["src=\"http", "href=\"http", "url(", "@import"] {
        assert!(!page.contains(place), "{place}");
    }
}

#[test]
fn the_filter_takes_the_words_of_the_explorer() {
    let world = world();
    let ids = |arguments: &[&str]| {
        stdout_of(&export(world.path(), arguments));
        let page = page(world.path());
        let headings = page.split("<article ").skip(1).map(|part| part.split("<h2>").nth(1).unwrap());
        headings.map(|part| part.split('<').next().unwrap().to_owned()).collect::<Vec<String>>()
    };
    assert_eq!(ids(&["--filter", "verdict:inconsistent"]), ["us-test-0002"]);
    assert_eq!(ids(&["--filter", "-verdict:inconsistent"]), ["us-test-0001"]);
    assert_eq!(ids(&["--filter", "mine:any", "--annotator", "bob"]), ["us-test-0001"]);
    assert_eq!(ids(&["--filter", "people:decided id:0001"]), ["us-test-0001"]);
    let output = export(world.path(), &["--filter", "label:No"]);
    assert!(stderr_of(&output).contains("tells of their gold answers"), "{output:?}");
}

#[test]
fn what_cannot_be_written_is_named_and_no_file_appears() {
    let world = world();
    for (arguments, expected) in [
        (["--filter", "verdct:x"], "--filter: verdct: no such field"),
        (["--filter", "\"open"], "--filter: a quotation mark is not closed"),
        (["--filter", "confidence:>0.99"], "none of the 2 cases of run r passes --filter 'confidence:>0.99'"),
        (["--split", "train"], "has no case of this split"),
        (["--filter", "label:malignant"], "--filter: label:malignant: expected No, Yes"),
        (["--against", "s"], "there is no run s in "),
        (["--against", "s"], "/runs: it has r"),
    ] {
        let output = export(world.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(stderr_of(&output).contains(expected), "{expected}: {output:?}");
    }
    assert!(!world.path().join("page.html").exists());
}

#[test]
fn an_image_that_cannot_be_read_is_named_in_its_place() {
    let world = world();
    fs::write(world.path().join("images/q1.png"), b"no picture").unwrap();
    let said = stdout_of(&export(world.path(), &[]));
    assert!(said.contains("10 images (1 of them cannot be read)"), "{said}");
    assert!(page(world.path()).contains("class=\"broken\">image of case us-test-0002: "));
}

#[test]
fn a_run_on_another_corpus_is_named() {
    let world = world();
    let root = world.path();
    let warns = |other: &str| stderr_of(&export(root, &["--against", other])).contains("was made on another corpus");
    write_run(root, "same", Ablation::default());
    assert!(!warns("same"));
    let corpus = fs::read_to_string(root.join("corpus.jsonl")).unwrap();
    fs::write(root.join("corpus.jsonl"), corpus.replace("Oval", "Round")).unwrap();
    write_run(root, "other", Ablation::default());
    assert!(warns("other"));
}
