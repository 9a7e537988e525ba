//! The casebook with the words and regions that decided, with the sample's reader.

use super::explain::{pipeline, sample, sample_dataset};
use crate::support::program::{dissent, stderr_of, stdout_of};
use dissent::files::fingerprint::Fingerprint;
use dissent::run::{Ablation, CaseAnswer, Head, Hit, Probe, Provenance, RunIdentity, RunWriter};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

const CASE: &str = "us-t0001";
const DOCUMENTS: [&str; 2] = ["us-d0379", "us-d0003"];

/// Writes the run `r` of one case with two hits, answered by the sample's reader, and `other`, which says that another reader
/// made it.
fn write_runs(workspace: &Path) {
    let dataset = sample_dataset();
    let case = dataset.cases.iter().position(|known| known.id == CASE).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let mut pipeline = pipeline(&dataset, cache.path());
    let mut hits = Vec::new();
    let mut predictions = Vec::new();
    for (place, id) in DOCUMENTS.iter().enumerate() {
        let row = dataset.corpus.row_of(id).unwrap();
        let found = Provenance { head: Head::Image, rank: place + 1, score: Some(0.9 - place as f32 / 10.0) };
        hits.push(Hit { row, document: (*id).to_owned(), provenances: vec![found] });
        let probe = Probe { row, ablation: Ablation::default() };
        predictions.push(pipeline.probe(case, probe, &|| false).unwrap().0);
    }
    let answer = CaseAnswer { case, hits, predictions, closed_book: None, recorded_fusion: None };
    let reader = pipeline.reader();
    for (name, fingerprint) in [("r", reader.fingerprint().clone()), ("other", Fingerprint::of_bytes(b"other"))] {
        let identity = RunIdentity::new(&dataset, reader.name(), &fingerprint, None);
        let mut writer = RunWriter::open(&workspace.join("runs").join(name), &identity).unwrap();
        writer.append(&dataset, std::slice::from_ref(&answer)).unwrap();
    }
}

fn run(workspace: &Path, command: &str, arguments: &[&str]) -> Output {
    let mut program = dissent();
    program.args(command.split(' ')).arg(sample().join("dataset")).args(arguments);
    program.args(["--device", "cpu", "--workspace"]).arg(workspace).output().unwrap()
}

#[test]
fn a_casebook_shows_what_was_explained_and_computes_the_rest_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (workspace, page) = (folder.path().join("workspace"), folder.path().join("page.html"));
    write_runs(&workspace);
    let page_name = page.to_str().unwrap();
    let reader = sample().join("models/reader");
    let reader = ["--reader", reader.to_str().unwrap()];
    let export = |run_name: &str, more: &[&str]| {
        run(&workspace, "export casebook", &[&[page_name, "--run", run_name], more].concat())
    };
    let text = || fs::read_to_string(&page).unwrap();

    let said = stdout_of(&export("r", &[]));
    assert!(said.contains("1 case, 3 images, ") && !said.contains("explained"), "{said}");
    assert!(!text().contains("<b>Why"));

    let hit = [&[CASE, "--run", "r", "--hit", "2"], &reader[..]].concat();
    stdout_of(&run(&workspace, "explain", &hit));
    let said = stdout_of(&export("r", &[]));
    assert!(said.contains("1 case, 3 images, 1 of 2 hits explained, "), "{said}");
    let one = text();
    assert_eq!(one.matches("<b>Why ").count(), 1);
    let second = one.split("<li class=").nth(2).unwrap();
    let strong = second.split("class=\"strong\"").nth(1).unwrap();
    assert!(strong.contains(">benign</span>") || strong.contains(">malignant</span>"), "{second}");
    assert!(second.contains("Strongest words: ") && second.contains("Strongest region of the case's image: "));
    // Tints over the hit's image, and over the case's, whose data are on the page once.
    assert_eq!(second.matches("<svg ").count(), 2);
    assert!(second.contains("<use href=\"#query-1\"/><rect ") && second.contains("stroke-width="));
    assert_eq!((one.matches("id=\"query-1\"").count(), one.matches("data:image/").count()), (1, 3));

    let mut asked = export("r", &[&["--explain"], &reader[..]].concat());
    let cost = stderr_of(&asked);
    assert!(cost.contains("explaining 1 hit takes at most ") && cost.contains(" to the model: about "), "{cost}");
    assert!(stdout_of(&asked).contains("2 of 2 hits explained"));
    assert_eq!(text().matches("<b>Why ").count(), 2);
    asked = export("r", &[&["--explain", "--json"], &reader[..]].concat());
    assert!(!stderr_of(&asked).contains("takes at most"), "the second time nothing is asked");
    let report: Value = serde_json::from_str(&stdout_of(&asked)).unwrap();
    assert_eq!((&report["hits"], &report["explained_hits"]), (&2.into(), &2.into()));

    // What one reader said explains nothing that another one answered.
    assert!(!stdout_of(&export("other", &[])).contains("explained"));
    let refused = export("other", &[&["--explain"], &reader[..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr_of(&refused).contains("run other was made by another model"), "{}", stderr_of(&refused));
}
