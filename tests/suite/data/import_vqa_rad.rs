//! The VQA-RAD importer on a cut of the format with texts of our own, and on the real release where it is there.

use super::support::{Done, done, error_text, shared_data};
use dissent::data::import::{ImportOptions, VqaRadOptions, import_vqa_rad};
use dissent::data::{Case, Dataset, Split, TaskKind, check};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use std::collections::HashSet;
use std::fs;
use std::io::Cursor;
use std::path::Path;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vqa-rad-cut/questions.json");

/// A source folder in the shape of the release: the JSON text and an image for every name in the fixture.
fn source_folder(json: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Questions Public.json"), json).unwrap();
    let images = folder.path().join("Image Folder");
    fs::create_dir(&images).unwrap();
    for number in [1_u8, 2, 3, 5, 6] {
        let image = DynamicImage::ImageLuma8(GrayImage::from_pixel(8, 8, Luma([number * 30])));
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        fs::write(images.join(format!("made{number:02}.jpg")), bytes.into_inner()).unwrap();
    }
    folder
}

fn import(folder: &Path, options: VqaRadOptions) -> anyhow::Result<Done> {
    let target = folder.join("out");
    done(import_vqa_rad(folder, &target, options, &ImportOptions::default(), &|_, _| {}), &target)
}

fn fixture() -> String {
    fs::read_to_string(FIXTURE).unwrap()
}

fn case<'a>(dataset: &'a Dataset, id: &str) -> Option<&'a Case> {
    dataset.cases.iter().find(|case| case.id == id)
}

#[test]
fn closed_questions_become_cases_with_the_official_test_split() {
    let folder = source_folder(&fixture());
    let imported = import(folder.path(), VqaRadOptions::default()).unwrap();
    let dataset = imported.dataset;
    let ids = |split| -> Vec<&str> {
        dataset.cases.iter().filter(|case| case.split == split).map(|case| case.id.as_str()).collect()
    };
    // q2 and q3 are open, q6 is closed but neither yes nor no, q10 is open.
    assert_eq!(ids(Split::Train), ["q0", "q1", "q4", "q5", "q9", "q12"]);
    assert_eq!(ids(Split::Validation), ["q11"]);
    assert_eq!(ids(Split::Test), ["q7", "q8"]);
    assert_eq!(case(&dataset, "q5").unwrap().answer, "yes");
    assert_eq!(dataset.question_of(case(&dataset, "q7").unwrap()), "Is there an imaginary stone?");
    assert!(imported.remarks[0].starts_with("3 open questions and 1 closed"), "{:?}", imported.remarks);
    assert!(imported.remarks[1].starts_with("1 training questions are about images"), "{:?}", imported.remarks);
    assert!(dataset.note.as_deref().unwrap().contains("kept, as in the official split"));
    assert_eq!(check(&dataset.root, &|_, _| {}).errors(), 0);
}

#[test]
fn the_corpus_is_made_of_training_images_only() {
    let folder = source_folder(&fixture());
    let dataset = import(folder.path(), VqaRadOptions::default()).unwrap().dataset;
    let documents: Vec<(&str, &str)> = dataset.corpus.iter().map(|document| (document.id, document.caption)).collect();
    assert_eq!(
        documents,
        [
            ("made01", "Chest, x-ray. Made-up effusion. How many ribs are invented? 2."),
            ("made02", "Head, axial. No invented lesions. Is the lesion bigger or smaller? Smaller."),
            ("made05", "Abdomen. Sketched cyst."),
        ]
    );
    // made05 is of the same MedPix case as the test image made03.
    let test = case(&dataset, "q7").unwrap();
    assert_eq!((0..3).map(|row| dataset.may_retrieve(test, row)).collect::<Vec<_>>(), [true, true, false]);
    assert!(!dataset.may_retrieve(case(&dataset, "q0").unwrap(), 0));
}

#[test]
fn questions_about_shared_images_can_be_left_out() {
    let folder = source_folder(&fixture());
    let imported =
        import(folder.path(), VqaRadOptions { drop_shared_images: true, ..VqaRadOptions::default() }).unwrap();
    assert!(case(&imported.dataset, "q9").is_none());
    assert!(case(&imported.dataset, "q7").is_some());
    assert!(imported.remarks[1].ends_with("skipped"));
}

#[test]
fn open_questions_become_cases_of_a_task_of_their_own_where_asked_for() {
    let folder = source_folder(&fixture());
    let options = VqaRadOptions { open_questions: true, ..VqaRadOptions::default() };
    let imported = import(folder.path(), options).unwrap();
    let dataset = &imported.dataset;
    let open: Vec<(&str, Split, &str)> = (dataset.cases.iter())
        .filter(|case| case.task == "vqa-rad-open")
        .map(|case| (case.id.as_str(), case.split, case.answer.as_str()))
        .collect();
    assert_eq!(open, [("q2", Split::Train, "X-ray"), ("q3", Split::Train, "2"), ("q10", Split::Test, "nowhere")]);
    assert_eq!(dataset.cases.len(), 12, "the closed ones are as before");
    assert!(imported.remarks[0].contains("3 open questions are cases"), "{:?}", imported.remarks);
    let report = check(&dataset.root, &|_, _| {});
    assert_eq!(report.errors(), 0);
    assert_eq!(dataset.task("vqa-rad-open").unwrap().kind, TaskKind::OpenVqa);
}

#[test]
fn a_wrong_row_is_named() {
    for (from, to, expected) in [
        ("\"CLOSED \"", "\"MAYBE\"", "row 1 (from 0): answer_type: expected CLOSED or OPEN, found \"MAYBE\""),
        ("\"test_para\"", "\"test_paraphrase\"", "row 8 (from 0): phrase_type: expected freeform"),
        ("\"qid\": 4,", "", "row 4 (from 0): qid: the field is missing"),
        ("\"qid\": 4,", "\"qid\": 3,", "row 4 (from 0): qid: 3 is used twice"),
        ("\"How was this image taken?\"", "\" \"", "row 2 (from 0): question: expected a text, found an empty one"),
        ("\"made06.jpg\"", "\"../made06.jpg\"", "row 11 (from 0): image_name: expected a plain file name"),
        ("\"made06.jpg\"", "\"made07.jpg\"", "image of question 11: cannot read"),
        ("\"qid\": \"0\"", "\"qid\" \"0\"", "expected a JSON list of objects"),
    ] {
        let changed = fixture().replacen(from, to, 1);
        assert_ne!(changed, fixture(), "{from}");
        let folder = source_folder(&changed);
        let error = error_text(import(folder.path(), VqaRadOptions::default()));
        assert!(error.contains(expected), "{expected}\n{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }
}

#[test]
fn a_truncated_image_is_named_with_its_question() {
    let folder = source_folder(&fixture());
    let path = folder.path().join("Image Folder/made02.jpg");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = error_text(import(folder.path(), VqaRadOptions::default()));
    assert!(error.contains("image of question 4: ") && error.contains("cut short"), "{error}");
}

#[test]
fn a_byte_order_mark_and_the_litter_of_systems_are_passed_over() {
    let folder = source_folder(&format!("\u{feff}{}", fixture()));
    fs::write(folder.path().join("._Questions Public.json"), b"\0\x05\x16\x07").unwrap();
    fs::create_dir(folder.path().join("__MACOSX")).unwrap();
    let remarks = import(folder.path(), VqaRadOptions::default()).unwrap().remarks.join("\n");
    assert!(remarks.contains("and 1 more are skipped: hidden, or made by the operating system"), "{remarks}");
}

#[test]
fn two_images_of_one_stem_are_two_documents_and_two_groups() {
    let json = fixture().replace("made02.jpg", "made01.png");
    let folder = source_folder(&json);
    let images = folder.path().join("Image Folder");
    fs::rename(images.join("made02.jpg"), images.join("made01.png")).unwrap();
    let dataset = import(folder.path(), VqaRadOptions::default()).unwrap().dataset;
    let ids: HashSet<&str> = dataset.corpus.iter().map(|document| document.id).collect();
    assert_eq!(ids.len(), dataset.corpus.len());
    assert!(ids.iter().all(|id| *id != "made01"), "{ids:?}");
    let groups: HashSet<_> = dataset
        .cases
        .iter()
        .filter(|case| case.image.starts_with("images") && case.image.to_string_lossy().contains("made01"))
        .map(|case| (case.image.clone(), case.group.clone()))
        .collect();
    let different: HashSet<_> = groups.iter().map(|(_, group)| group).collect();
    assert_eq!(different.len(), groups.len(), "{groups:?}");
}

#[test]
fn a_key_that_contradicts_itself_is_named_with_its_row() {
    let json = fixture().replacen("\"answer\"", "\"answer\": \"maybe\", \"answer\"", 1);
    let error = error_text(import(source_folder(&json).path(), VqaRadOptions::default()));
    assert!(error.contains("row 0 (from 0): answer: the field appears twice"), "{error}");
}

#[test]
fn another_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = error_text(import(folder.path(), VqaRadOptions::default()));
    assert!(error.contains("expected one JSON file and one image folder, found 0 JSON files and 0 folders"), "{error}");
    let error = error_text(import(&folder.path().join("gone"), VqaRadOptions::default()));
    assert!(error.contains("expected the folder of VQA-RAD"), "{error}");
}

#[test]
fn the_real_release_is_imported_without_leaks_into_the_corpus() {
    let Some(source) = shared_data("vqa-rad") else { return };
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("set");
    let options = VqaRadOptions::default();
    let dataset = done(import_vqa_rad(&source, &target, options, &ImportOptions::default(), &|_, _| {}), &target)
        .unwrap()
        .dataset;
    let images = |split| -> HashSet<&Path> {
        dataset.cases.iter().filter(|case| case.split == split).map(|case| case.image.as_path()).collect()
    };
    assert_eq!(dataset.cases.iter().filter(|case| case.split == Split::Test).count(), 251);
    let (validation, test) = (images(Split::Validation), images(Split::Test));
    assert!(validation.len() > 10 && validation.is_disjoint(&test) && validation.is_disjoint(&images(Split::Train)));
    assert!(dataset.corpus.len() > 80);
    for document in &dataset.corpus {
        assert!(!test.contains(document.image) && !validation.contains(document.image));
    }
}
