//! The NIH ChestX-ray8 importer on small folders made here in the real layout, and on real images where they are there.

use super::support::{Done, done, error_text, shared_data};
use crate::support::pictures::grey_png;
use crate::support::program;
use dissent::data::import::{FORMATS, ImportOptions, import_nih_cxr};
use dissent::data::{Dataset, Split, TaskKind, check};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use tempfile::TempDir;

/// A JPEG that no other number has.
fn jpeg(number: u32) -> Vec<u8> {
    let pixels = GrayImage::from_fn(16, 8, |x, y| Luma([if number >> (x / 2) & 1 == 1 { 200 } else { y as u8 }]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(pixels).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// Patients 1 to 30 with one or two images in the first folder, 21 to 50 with one in each of the others.
fn source_folder(first: &str, others: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    let mut write = |label: &str, patient: u32, image: usize| {
        number += 1;
        let path = folder.path().join(label).join(format!("{patient:08}_{image:03}.jpg"));
        fs::write(path, jpeg(number)).unwrap();
    };
    fs::create_dir(folder.path().join(first)).unwrap();
    for patient in 1..=30 {
        for image in 0..=(patient % 2) as usize {
            write(first, patient, image);
        }
    }
    for (position, label) in others.iter().enumerate() {
        fs::create_dir(folder.path().join(label)).unwrap();
        for patient in 21..=50 {
            write(label, patient, 2 + position);
        }
    }
    folder
}

fn pneumonia_folder() -> TempDir {
    source_folder("No_findings", &["Pneumonia"])
}

fn import(source: &Path) -> anyhow::Result<Done> {
    let target = source.join(".out");
    done(import_nih_cxr(source, &target, &ImportOptions::default(), &|_, _| {}), &target)
}

fn splits_of_patients(dataset: &Dataset) -> BTreeMap<&str, BTreeSet<Split>> {
    let mut splits: BTreeMap<&str, BTreeSet<Split>> = BTreeMap::new();
    for case in &dataset.cases {
        splits.entry(case.group.as_deref().unwrap()).or_default().insert(case.split);
    }
    splits
}

#[test]
fn one_finding_against_none_is_a_yes_or_no_question() {
    let source = pneumonia_folder();
    let told = RefCell::new(Vec::new());
    let target = source.path().join(".out");
    let report = |done, all| told.borrow_mut().push((done, all));
    let dataset =
        done(import_nih_cxr(source.path(), &target, &ImportOptions::default(), &report), &target).unwrap().dataset;
    assert_eq!(told.into_inner(), (1..=75).map(|done| (done, 75)).collect::<Vec<_>>());

    let [task] = &dataset.tasks[..] else { panic!("expected one task") };
    assert_eq!((task.id.as_str(), task.kind), ("nih-cxr", TaskKind::ClosedVqa));
    assert_eq!(task.question.as_deref(), Some("Does this chest X-ray show signs of pneumonia?"));
    let labels: Vec<_> = task.labels.iter().map(|label| (label.id.as_str(), label.name.as_str())).collect();
    assert_eq!(labels, [("No", "no findings"), ("Yes", "pneumonia")]);
    assert_eq!(dataset.licence.as_deref(), Some("no restriction on use"));
    assert!(dataset.note.as_deref().unwrap().contains("Wang et al., CVPR 2017; images provided by the NIH Clinical"));

    assert_eq!(dataset.cases.len(), 75);
    for case in &dataset.cases {
        let (label, finding) =
            if case.answer == "Yes" { ("Pneumonia", "pneumonia") } else { ("No_findings", "no findings") };
        let given = fs::read(source.path().join(label).join(format!("{}.jpg", case.id))).unwrap();
        assert!(fs::read(dataset.image_path(&case.image)).unwrap() == given, "{} is not byte for byte", case.id);
        let path = case.image.to_str().unwrap();
        assert_eq!(path, format!("images/{}/{}.jpg", case.split, case.id), "the path does not tell the answer");
        let documents: Vec<_> = dataset.corpus.iter().filter(|document| document.id == case.id).collect();
        assert_eq!(documents.len(), usize::from(case.split == Split::Train));
        for document in documents {
            assert_eq!(document.caption, format!("frontal chest X-ray: {finding}"));
            assert_eq!(document.source, Some("nih-cxr"));
            assert_eq!((document.image, document.group), (case.image.as_path(), case.group.as_deref()));
        }
    }
    // No patient and no picture in two splits, so not even a warning.
    let problems = check(&dataset.root, &|_, _| {}).problems;
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn a_patient_stays_in_one_split_and_never_finds_itself() {
    let source = pneumonia_folder();
    let dataset = import(source.path()).unwrap().dataset;
    let splits = splits_of_patients(&dataset);
    assert_eq!(splits.len(), 50);
    assert!(splits.values().all(|splits| splits.len() == 1), "{splits:?}");
    let mut kept_apart = 0;
    for case in &dataset.cases {
        for (row, document) in dataset.corpus.iter().enumerate() {
            let same_patient = case.group.as_deref() == document.group;
            assert_eq!(dataset.may_retrieve(case, row), !same_patient, "{} and {}", case.id, document.id);
            kept_apart += usize::from(same_patient && case.id != document.id);
        }
    }
    assert!(kept_apart > 0, "some training patients have several images");
}

#[test]
fn the_split_is_drawn_by_the_number_alone() {
    let source = tempfile::tempdir().unwrap();
    for label in ["No_findings", "Pneumonia"] {
        fs::create_dir(source.path().join(label)).unwrap();
    }
    let bytes = jpeg(1);
    for patient in 1..=1000 {
        fs::write(source.path().join(format!("No_findings/{patient:08}_000.jpg")), &bytes).unwrap();
    }
    // The same patients, differently written.
    for patient in 1..=20 {
        fs::write(source.path().join(format!("Pneumonia/{patient}_001.jpg")), &bytes).unwrap();
    }
    let dataset = import(source.path()).unwrap().dataset;
    let splits = splits_of_patients(&dataset);
    assert_eq!(splits.len(), 1000);
    let count = |split| splits.values().filter(|splits| **splits == BTreeSet::from([split])).count();
    let counts = [Split::Train, Split::Validation, Split::Test].map(count);
    assert_eq!(counts.iter().sum::<usize>(), 1000, "every patient in one split");
    for (count, expected) in counts.into_iter().zip([500_usize, 150, 350]) {
        assert!(count.abs_diff(expected) < 50, "{counts:?}");
    }
    // Written down, so that no change moves a patient from training to test.
    let split = |patient: &str| splits[patient].first().unwrap().to_string();
    let drawn = ["1", "2", "3", "4", "5", "6", "7", "8"].map(split);
    assert_eq!(drawn.join(" "), "train train test test validation validation train validation");
}

#[test]
fn other_folders_are_a_choice_by_number() {
    let source = source_folder("Pleural_Thickening", &["No Finding", "effusion"]);
    let dataset = import(source.path()).unwrap().dataset;
    let task = &dataset.tasks[0];
    assert_eq!(task.kind, TaskKind::Classification);
    let labels: Vec<_> = task.labels.iter().map(|label| (label.id.as_str(), label.name.as_str())).collect();
    assert_eq!(labels, [("0", "no finding"), ("1", "effusion"), ("2", "pleural thickening")]);
    assert!(task.prompt.closed_book.contains("\n2 - 'pleural thickening'\n{question}"), "{}", task.prompt.closed_book);
    let case = dataset.cases.iter().find(|case| case.id == "00000021_000").unwrap();
    assert_eq!(case.answer, "2");
    assert_eq!(dataset.question_of(case), "Which finding does this chest X-ray show?");

    let source = source_folder("Effusion", &["Pneumonia"]);
    let task = import(source.path()).unwrap().dataset.tasks.remove(0);
    assert_eq!((task.kind, task.labels[0].id.as_str()), (TaskKind::Classification, "0"), "two findings, none without");
}

#[test]
fn remarks_say_what_came_of_it_and_whom_to_credit() {
    let source = pneumonia_folder();
    fs::write(source.path().join("Data_Entry.csv"), "a table").unwrap();
    fs::write(source.path().join(".DS_Store"), "hidden").unwrap();
    fs::write(source.path().join("Pneumonia/._00000021_000.jpg"), "hidden").unwrap();
    fs::write(source.path().join("Pneumonia/00000050_009.png"), grey_png(4, 4, 7)).unwrap();
    let Done { dataset, remarks } = import(source.path()).unwrap();
    let png = dataset.cases.iter().find(|case| case.id == "00000050_009").unwrap();
    assert!(fs::read(dataset.image_path(&png.image)).unwrap() == grey_png(4, 4, 7));
    let splits = splits_of_patients(&dataset);
    let counts = [Split::Train, Split::Validation, Split::Test].map(|split| {
        let images = dataset.cases.iter().filter(|case| case.split == split).count();
        let patients = splits.values().filter(|splits| splits.contains(&split)).count();
        format!("{split} {images} images ({patients} patients)")
    });
    let expected = [
        format!("76 images of 50 patients; split by patient: {}", counts.join(", ")),
        "labels were mined from reports and are noisy".into(),
        "credit: Wang et al., CVPR 2017; images provided by the NIH Clinical Center".into(),
        "\".DS_Store\" and 1 more are skipped: hidden, or made by the operating system".into(),
        "1 files beside the folders have no label and are skipped".into(),
    ];
    assert_eq!(remarks, expected);
}

#[test]
fn a_wrong_file_is_named() {
    let name = "expected a name that starts with a patient's number and _, such as 00001280_004.jpg, found";
    for (file, bytes, expected) in [
        (
            "Pneumonia/00000050_008.jpg",
            b"a text".to_vec(),
            "expected a PNG, JPEG, GIF, BMP, TIFF, WebP or DICOM image, found other content (a text",
        ),
        (
            "Pneumonia/00000050_008.jpg",
            Vec::new(),
            "expected a PNG, JPEG, GIF, BMP, TIFF, WebP or DICOM image, found an empty file",
        ),
        ("Pneumonia/00000050_008.jpg", jpeg(3)[..80].to_vec(), "the JPEG file is cut short"),
        ("Pneumonia/README.txt", b"a text".to_vec(), &format!("{name} \"README.txt\"")),
        ("Pneumonia/00000050.jpg", jpeg(3), &format!("{name} \"00000050.jpg\"")),
        ("Pneumonia/_004.jpg", jpeg(3), &format!("{name} \"_004.jpg\"")),
        ("Pneumonia/+5_004.jpg", jpeg(3), &format!("{name} \"+5_004.jpg\"")),
        ("Pneumonia/00000001_000.jpg", jpeg(3), "expected each image once, with one finding, found "),
    ] {
        let source = pneumonia_folder();
        let path = source.path().join(file);
        fs::write(&path, bytes).unwrap();
        let error = error_text(import(source.path()));
        assert!(error.contains(&format!("{}: ", path.display())) && error.contains(expected), "{expected}\n{error}");
        assert_eq!(fs::read_dir(source.path()).unwrap().count(), 2, "nothing is left behind");
    }
}

#[test]
fn wrong_folders_are_named() {
    let refused = |folders: &[&str]| {
        let source = tempfile::tempdir().unwrap();
        for folder in folders {
            fs::create_dir_all(source.path().join(folder)).unwrap();
        }
        error_text(import(source.path()))
    };
    let two = "expected a folder for each of two findings or more, found";
    assert!(refused(&[]).ends_with(&format!("{two} none")));
    let error = refused(&["Pneumonia", ".hidden"]);
    assert!(error.contains(&format!("{two} only ")) && error.ends_with("Pneumonia"), "{error}");
    let error = refused(&["No_findings", "Pneumonia"]);
    assert!(error.ends_with("No_findings: expected images, found none"), "{error}");
    let error = refused(&["Hernia", "hernia"]);
    assert!(error.contains("hernia: expected one folder per finding, found "), "{error}");
    assert!(refused(&["_", "Hernia"]).contains("expected a folder named by a finding, such as Pneumonia, found \"_\""));
    let error = refused(&["No_findings/more", "Pneumonia"]);
    assert!(error.ends_with("more: expected an image, found a folder or device"), "{error}");

    let source = tempfile::tempdir().unwrap();
    let error = error_text(import(&source.path().join("gone")));
    assert!(error.contains("gone: expected a folder"), "{error}");
}

#[test]
fn without_a_training_patient_there_is_no_corpus() {
    let whole = pneumonia_folder();
    let dataset = import(whole.path()).unwrap().dataset;
    let source = tempfile::tempdir().unwrap();
    for (label, answer) in [("No_findings", "No"), ("Pneumonia", "Yes")] {
        let test = dataset.cases.iter().find(|case| case.split == Split::Test && case.answer == answer).unwrap();
        fs::create_dir(source.path().join(label)).unwrap();
        fs::write(source.path().join(label).join(format!("{}.jpg", test.id)), jpeg(1)).unwrap();
    }
    let error = error_text(import(source.path()));
    assert!(error.contains("expected more patients; none was drawn for the training split"), "{error}");
}

#[test]
fn the_command_imports_and_replaces_only_if_asked() {
    assert_eq!(FORMATS.iter().filter(|format| format.name == "nih-cxr").count(), 1);
    let source = pneumonia_folder();
    let target = source.path().join(".out");
    let dissent = |more: &[&str]| {
        let mut command = program::dissent();
        command.args(["import", "nih-cxr"]).arg(source.path()).arg(&target).args(more).output().unwrap()
    };
    let output = dissent(&["--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["summary"]["images"], 75);

    let output = dissent(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("exists and is not empty"));
    fs::remove_file(source.path().join("Pneumonia/00000050_002.jpg")).unwrap();
    assert!(dissent(&["--replace"]).status.success());
    assert_eq!(Dataset::open(&target).unwrap().cases.len(), 74);
}

#[test]
fn the_real_images_are_split_by_patient() {
    let Some(source) = shared_data("nih-cxr-224") else { return };
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("set");
    let dataset =
        done(import_nih_cxr(&source, &target, &ImportOptions::default(), &|_, _| {}), &target).unwrap().dataset;
    let answers = |answer: &str| dataset.cases.iter().filter(|case| case.answer == answer).count();
    assert_eq!((answers("No"), answers("Yes")), (500, 500));
    let splits = splits_of_patients(&dataset);
    assert!(splits.len() > 600 && splits.values().all(|splits| splits.len() == 1));
    let training = dataset.cases.iter().filter(|case| case.split == Split::Train).count();
    assert!(dataset.corpus.len() == training && training.abs_diff(500) < 75, "{training}");
    let problems = check(&dataset.root, &|_, _| {}).problems;
    assert!(problems.is_empty(), "{problems:?}");
}
