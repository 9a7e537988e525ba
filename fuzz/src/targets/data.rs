//! Datasets, and files that are imported into one.

use super::check_message;
use super::folder::{folder, write};
use dissent::annotation::{ProdigyOptions, Taxonomy, read_prodigy};
use dissent::data::import::{ImportOptions, MedmnistOptions, Target, VqaRadOptions, import_medmnist, import_vqa_rad};
use dissent::data::{CASES_FILE, CORPUS_FILE, Case, Dataset, Existing, MANIFEST_FILE, Manifest, Problem, Split};
use dissent::run_import::{ReferenceRunOptions, import_reference_run};
use std::io::{Cursor, Write};
use std::path::Path;
use time::OffsetDateTime;
use zip::write::SimpleFileOptions;

const MANIFEST: &str = r#"
name = "fuzz"
[[task]]
id = "malignancy"
kind = "closed-vqa"
question = "Malignant?"
labels = [{ id = "Yes", name = "Yes" }, { id = "No", name = "No" }]
[[task]]
id = "several"
kind = "multi-label"
labels = [{ id = "a", name = "A" }, { id = "b", name = "B" }]
[[task]]
id = "open"
kind = "open-vqa"
"#;

fn read_lines(root: &Path, cases: &[u8], corpus: &[u8]) -> (Option<Dataset>, Vec<Problem>) {
    write(&root.join(CASES_FILE), cases);
    write(&root.join(CORPUS_FILE), corpus);
    let read = Dataset::open_lenient(root);
    (read.dataset, read.problems)
}

fn as_lines<T: serde::Serialize>(items: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for item in items {
        bytes.extend(serde_json::to_vec(item).expect("JSON"));
        bytes.push(b'\n');
    }
    bytes
}

/// The same bytes as `cases.jsonl` and as `corpus.jsonl`. Valid lines must be unchanged after writing and reading
/// them.
pub fn lines(bytes: &[u8]) {
    let root = folder();
    write(&root.join(MANIFEST_FILE), MANIFEST.as_bytes());
    let (dataset, problems) = read_lines(&root, bytes, bytes);
    problems.iter().for_each(check_message);
    let Some(dataset) = dataset else { return };
    for case in &dataset.cases {
        let _ = (dataset.gold_of(case), dataset.question_of(case).len(), dataset.may_retrieve(case, 0));
    }
    let (again, _) = read_lines(&root, &as_lines(&dataset.cases), &as_lines(&dataset.corpus.to_documents()));
    let again = again.expect("what was written is read");
    assert_eq!(again.cases, dataset.cases, "cases written and read");
    assert_eq!(again.corpus, dataset.corpus, "documents written and read");
}

/// `dataset.toml`; a valid one must be unchanged after writing and reading it.
pub fn manifest(bytes: &[u8]) {
    let path = folder().join(MANIFEST_FILE);
    write(&path, bytes);
    match Manifest::read(&path) {
        Err(problem) => check_message(&problem),
        Ok((manifest, problems)) => {
            problems.iter().for_each(check_message);
            write(&path, manifest.to_toml().expect("TOML").as_bytes());
            assert_eq!(Manifest::read(&path).expect("what was written is read").0, manifest);
        }
    }
}

/// An npz file as it is or, if it is no zip, six arrays separated by "|||" (checksums would reject every change of a
/// zip).
pub fn npz(bytes: &[u8]) {
    let root = folder();
    let (source, target) = (root.join("fuzz.npz"), root.join("out"));
    let file = if bytes.starts_with(b"PK") { bytes.to_vec() } else { zip_of_arrays(bytes) };
    write(&source, &file);
    let options = MedmnistOptions {
        labels: vec!["a".into(), "b".into()],
        question: Some("Which?".into()),
        modality: Some("image".into()),
        slices: None,
    };
    // A file of this size holds few images; larger claims are rejected before.
    match import_medmnist(&source, &target, &options, &replacing(), &|_, _| {}) {
        Ok(imported) => {
            assert!(imported.summary.images <= bytes.len() * 1100, "more images than the file can hold");
        }
        Err(error) => check_message(&error),
    }
    let _ = std::fs::remove_dir_all(&target);
}

fn zip_of_arrays(bytes: &[u8]) -> Vec<u8> {
    let text = bytes.windows(3).enumerate().filter(|(_, window)| window == b"|||").map(|(place, _)| place);
    let mut ends: Vec<usize> = text.take(5).collect();
    ends.push(bytes.len());
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut start = 0;
    let names = ["train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"];
    for (name, end) in names.into_iter().zip(ends) {
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(format!("{name}.npy"), stored).expect("a zip entry");
        zip.write_all(bytes.get(start..end).unwrap_or_default()).expect("memory");
        start = end + 3;
    }
    zip.finish().expect("a zip").into_inner()
}

/// The JSON file of VQA-RAD; every image is missing.
pub fn vqa_rad(bytes: &[u8]) {
    let root = folder();
    let (source, target) = (root.join("in"), root.join("out"));
    std::fs::create_dir_all(source.join("images")).expect("a folder");
    write(&source.join("VQA_RAD.json"), bytes);
    let options = VqaRadOptions { drop_shared_images: false, open_questions: true };
    if let Err(error) = import_vqa_rad(&source, &target, options, &replacing(), &|_, _| {}) {
        check_message(&error);
    }
    let _ = std::fs::remove_dir_all(&target);
}

/// A file of JOMED's predictions; every image is missing.
pub fn predictions(bytes: &[u8]) {
    let root = folder();
    let (source, target) = (root.join("image-step-1.jsonl"), root.join("out"));
    write(&source, bytes);
    let options = ReferenceRunOptions {
        fused: None,
        closed_book: None,
        images: None,
        labels: Vec::new(),
        task: "answer".into(),
        split: Split::Test,
        run: "imported".into(),
        heads: None,
    };
    if let Err(error) = import_reference_run(&source, &target, &options, Existing::Replace, None, &|_, _| {}) {
        check_message(&error);
    }
    let _ = std::fs::remove_dir_all(&target);
}

/// Lines of Prodigy's `db-out`.
pub fn prodigy(bytes: &[u8]) {
    let case = |id: &str| Case {
        id: id.into(),
        task: "malignancy".into(),
        split: Split::Test,
        image: format!("images/{id}.png").into(),
        question: None,
        answer: "Yes".into(),
        unknown: Vec::new(),
        group: None,
    };
    let options = ProdigyOptions {
        annotator: Some("ada".into()),
        drop_prefix: "set-".into(),
        otherwise_at: OffsetDateTime::UNIX_EPOCH,
        map: std::collections::BTreeMap::new(),
    };
    let cases = [case("a"), case("1")];
    let file = read_prodigy(Path::new("prodigy.jsonl"), bytes, &cases, &Taxonomy::default(), &options);
    file.problems.iter().for_each(check_message);
}

fn replacing() -> ImportOptions {
    ImportOptions { target: Target::New(Existing::Replace), ..ImportOptions::default() }
}
