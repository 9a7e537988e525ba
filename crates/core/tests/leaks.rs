//! Pictures that a check finds in two places, and what `--drop-leaks` does with them.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use dissent_core::data::{
    Case, DROPPED_FILE, Dataset, DatasetWriter, Document, Existing, Label, Manifest, PromptTemplate, Split, Task,
    TaskKind, check, drop_leaks,
};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageFormat};
use std::fs;
use std::io::Cursor;
use std::path::Path;

fn drawn(number: u32) -> DynamicImage {
    GrayImage::from_fn(96, 96, |x, y| {
        let place = number * 64 + (y / 12) * 8 + x / 12 + 1;
        image::Luma([(place.wrapping_mul(2_654_435_761) >> 24) as u8])
    })
    .into()
}

fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn jpeg(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 60).encode_image(image).unwrap();
    bytes
}

/// A test case, a training case with its picture as JPEG and one of its own; documents with its file, its picture, its group
/// and of their own.
fn leaking(root: &Path) {
    let labels = vec![Label::new("yes", "a mass"), Label::new("no", "no mass")];
    let question = Some("Is there a mass?".into());
    let prompt = PromptTemplate::default();
    let task = Task { id: "mass".into(), kind: TaskKind::ClosedVqa, question, labels, prompt };
    let mut writer = DatasetWriter::create(root, Existing::Refuse).unwrap();
    let case = |id: &str, split, image, group: Option<&str>| Case {
        id: id.into(),
        task: "mass".into(),
        split,
        image,
        question: None,
        answer: "yes".into(),
        group: group.map(str::to_owned),
        unknown: Vec::new(),
    };
    let document = |id: &str, image, group: Option<&str>| Document {
        id: id.into(),
        image,
        caption: "a film".into(),
        source: None,
        group: group.map(str::to_owned),
    };
    let held = writer.image("held.png", &png(&drawn(1))).unwrap();
    let again = writer.image("again.jpg", &jpeg(&drawn(1))).unwrap();
    let copy = writer.image("copy.png", &png(&drawn(1))).unwrap();
    let others: Vec<_> =
        (2..6).map(|number| writer.image(&format!("{number}.png"), &png(&drawn(number))).unwrap()).collect();
    writer.case(&case("t1", Split::Test, held, Some("p1"))).unwrap();
    writer.case(&case("a1", Split::Train, again.clone(), None)).unwrap();
    writer.case(&case("a2", Split::Train, others[0].clone(), Some("p2"))).unwrap();
    writer.document(&document("d1", copy, None)).unwrap();
    writer.document(&document("d2", again, None)).unwrap();
    writer.document(&document("d3", others[1].clone(), Some("p1"))).unwrap();
    writer.document(&document("d4", others[2].clone(), Some("p2"))).unwrap();
    writer.finish(&Manifest::new("leaking", vec![task])).unwrap();
}

#[test]
fn leaks_are_counted_by_what_is_shared_and_dropped_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    leaking(&root);
    let dataset = Dataset::open(&root).unwrap();
    let allowed: Vec<bool> = (0..4).map(|row| dataset.may_retrieve(&dataset.cases[0], row)).collect();
    assert_eq!(allowed, [false, false, false, true]);

    let report = check(&root, &|_, _| {});
    let counts: Vec<_> = report
        .leaks
        .iter()
        .map(|leaks| (leaks.rows.as_str(), leaks.same_file, leaks.near_picture, leaks.same_group))
        .collect();
    assert_eq!(
        counts,
        [("documents, with test or validation cases", 1, 1, 1), ("train cases, with test cases", 0, 1, 0)]
    );
    assert_eq!(drop_leaks(&root, &report).unwrap(), (1, 3));
    let dataset = Dataset::open(&root).unwrap();
    let ids: Vec<&str> = dataset.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!((ids, dataset.corpus.len(), dataset.corpus.document(0).id), (vec!["t1", "a2"], 1, "d4"));
    let dropped = fs::read_to_string(root.join(DROPPED_FILE)).unwrap();
    assert_eq!(dropped.lines().count(), 4);
    for line in dropped.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["line"]["id"].is_string(), "{line}");
    }
    let report = check(&root, &|_, _| {});
    assert!(report.leaks.is_empty() && report.problems.is_empty(), "{:?}", report.problems);
}

#[test]
fn nothing_is_dropped_from_annotated_or_faulty_data() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data");
    leaking(&root);
    let before = fs::read(root.join("cases.jsonl")).unwrap();
    let report = check(&root, &|_, _| {});
    fs::create_dir_all(root.join(".dissent/annotations")).unwrap();
    fs::write(root.join(".dissent/annotations/ada@here.jsonl"), "").unwrap();
    assert!(drop_leaks(&root, &report).unwrap_err().to_string().contains("contains annotations"));
    fs::remove_dir_all(root.join(".dissent")).unwrap();
    fs::remove_file(root.join("images/2.png")).unwrap();
    let report = check(&root, &|_, _| {});
    assert!(drop_leaks(&root, &report).unwrap_err().to_string().contains("without errors"));
    assert_eq!(fs::read(root.join("cases.jsonl")).unwrap(), before);
    assert!(!root.join(DROPPED_FILE).exists());
}
