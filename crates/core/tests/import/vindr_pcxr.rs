//! VinDr-PCXR: misspelt columns, several readers, contradictions, transfer syntaxes. The files are drawn here; no patient is real.

use crate::support::{opened, rows_as};
use dissent_core::data::import::{ImportOptions, Imported, RowsAs, import_vindr_pcxr};
use dissent_core::data::{Answer, Dataset, LabelSet, OnlyPart, Split};
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: &str = "image_id,rad_ID,No finding,Bronchitis,Brocho-pneumonia,Other disease,Bronchiolitis,Situs inversus,\
Pneumonia,Pleuro-pneumonia,Diagphramatic hernia,Tuberculosis,Congenital emphysema,CPAM,Hyaline membrane disease,\
Mediastinal tumor,Lung tumor";

fn id(number: usize) -> String {
    format!("{number:032x}")
}

/// A row whose columns at `ones` (0 is "No finding") are 1, in numbers as pandas writes them.
fn line(number: usize, reader: &str, ones: &[usize]) -> String {
    let flags: Vec<&str> = (0..15).map(|column| if ones.contains(&column) { "1.0" } else { "0.0" }).collect();
    format!("{},{reader},{}\n", id(number), flags.join(","))
}

fn element(tag: [u8; 4], vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_vec();
    bytes.extend_from_slice(&vr);
    if &vr == b"OB" || &vr == b"OW" {
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
    } else {
        bytes.extend_from_slice(&(value.len() as u16).to_le_bytes());
    }
    bytes.extend_from_slice(value);
    bytes
}

/// A DICOM file of 2 x 2 pixels, uncompressed, that says it has this transfer syntax.
fn dicom(syntax: &str, grey: u8) -> Vec<u8> {
    let mut uid = syntax.as_bytes().to_vec();
    uid.resize(uid.len().next_multiple_of(2), 0);
    let mut bytes = vec![0; 128];
    bytes.extend_from_slice(b"DICM");
    bytes.extend(element([2, 0, 0x10, 0], *b"UI", &uid));
    for (tag, value) in [
        ([0x28, 0, 2, 0], 1),
        ([0x28, 0, 0x10, 0], 2),
        ([0x28, 0, 0x11, 0], 2),
        ([0x28, 0, 0, 1], 8),
        ([0x28, 0, 1, 1], 8),
    ] {
        if tag == [0x28, 0, 0x10, 0] {
            bytes.extend(element([0x28, 0, 4, 0], *b"CS", b"MONOCHROME2 "));
        }
        bytes.extend(element(tag, *b"US", &u16::to_le_bytes(value)));
    }
    bytes.extend(element([0x28, 0, 2, 1], *b"US", &7_u16.to_le_bytes()));
    bytes.extend(element([0x28, 0, 3, 1], *b"US", &0_u16.to_le_bytes()));
    bytes.extend(element([0xE0, 0x7F, 0x10, 0], *b"OW", &[grey, grey, grey, 200]));
    bytes
}

const PLAIN: &str = "1.2.840.10008.1.2.1";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";

/// Writes the tables, and DICOM files for the images of these numbers.
fn release(root: &Path, train: &str, test: &str, images: &[(&str, usize, &str)]) {
    for folder in ["train", "test"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("image_labels_train.csv"), format!("{HEADER}\n{train}")).unwrap();
    fs::write(root.join("image_labels_test.csv"), format!("{HEADER}\n{test}")).unwrap();
    for (folder, number, syntax) in images {
        fs::write(root.join(folder).join(format!("{}.dicom", id(*number))), dicom(syntax, *number as u8)).unwrap();
    }
}

fn import(source: &Path, target: PathBuf, options: &ImportOptions) -> anyhow::Result<(Imported, Dataset)> {
    let imported = import_vindr_pcxr(source, &target, options, &|_, _| {})?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

fn left_out(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(ToString::to_string).collect()
}

#[test]
fn every_trap_of_the_tables_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let train = [
        line(1, "R1", &[0]),
        line(2, "R2", &[2, 14]),
        line(3, "R1", &[1, 3]),
        line(3, "R2", &[3]),
        line(4, "R1", &[0, 1]),
        line(5, "R1", &[]),
        line(6, "R1", &[0]),
        line(7, "R1", &[0]),
        line(7, "R3", &[0]),
        line(8, "R1", &[0]).replace("1.0", "yes"),
        "../../etc/passwd,R1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n".into(),
    ]
    .concat();
    let test = [line(20, "R1", &[6]), line(1, "R1", &[0])].concat();
    let images = [
        ("train", 1, PLAIN),
        ("train", 2, JPEG_2000),
        ("train", 3, JPEG_2000),
        ("train", 4, PLAIN),
        ("train", 5, PLAIN),
        ("train", 7, PLAIN),
        ("train", 8, PLAIN),
        ("test", 20, PLAIN),
        ("test", 1, PLAIN),
    ];
    release(folder.path(), &train, &test, &images);
    let (imported, dataset) = import(folder.path(), folder.path().join("out"), &ImportOptions::default()).unwrap();
    let answers: Vec<&str> = dataset.cases.iter().map(|case| case.answer.as_str()).collect();
    assert_eq!(answers, ["[]", "Brocho-pneumonia, Lung tumor", "Other disease", "[]", "Pneumonia"]);
    let task = &dataset.tasks[0];
    assert_eq!(task.labels.len(), 14, "No finding is the empty set and no label");
    assert_eq!(task.gold_of(&dataset.cases[0]), Some(Answer::Set(LabelSet::default())));
    assert_eq!(dataset.cases[2].unknown, ["Bronchitis"], "readers disagree");
    assert_eq!(task.gold_of(&dataset.cases[2]), None);
    assert_eq!(dataset.cases[0].group, Some(id(1)));
    assert_eq!(dataset.cases[4].split, Split::Test);
    assert_eq!(dataset.cases[4].image, folder.path().join(format!("test/{}.dicom", id(20))));
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: No finding and a diagnosis in one row (image_labels_train.csv:6)".to_owned(),
            "1 left out: neither No finding nor a diagnosis (image_labels_train.csv:7)".into(),
            format!("1 left out: no image file (image_labels_train.csv:8, train/{}.dicom)", id(6)),
            "1 left out: No finding: expected 0 or 1 (image_labels_train.csv:11, found \"yes\")".into(),
            "1 left out: image_id: expected letters and digits (image_labels_train.csv:12, found \"../../etc/passwd\")"
                .into(),
            "1 left out: in the table of the other split too (image_labels_test.csv:3)".into(),
        ]
    );
    let remarks = imported.remarks.join("\n");
    for expected in [
        "2 images have rows of several readers (rad_ID); in 1 of them the readers disagree",
        "3 images are uncompressed (1.2.840.10008.1.2.1)",
        "2 images are JPEG 2000 lossless (1.2.840.10008.1.2.4.90)",
        "no validation split",
        "does not name patients",
    ] {
        assert!(remarks.contains(expected), "{expected}\n{remarks}");
    }
    let picture = dataset.picture(&dataset.cases[4].image).unwrap();
    assert_eq!((picture.width(), picture.height()), (2, 2));
}

#[test]
fn both_layouts_and_a_test_table_without_absent_classes() {
    let folder = tempfile::tempdir().unwrap();
    let train: String = (0..60).map(|number| line(number, "R1", &[0])).collect();
    let images: Vec<(&str, usize, &str)> =
        (0..60).map(|number| ("train", number, PLAIN)).chain([("test", 70, PLAIN)]).collect();
    let title = "vindr-pcxr-an-open-large-scale-pediatric-chest-x-ray-dataset-for-interpretation-of-common-thoracic-diseases-1.0.0";
    for nested in ["physionet.org/files/vindr-pcxr/1.0.0", title] {
        let source = folder.path().join(nested.len().to_string());
        let root = source.join(nested);
        fs::create_dir_all(&root).unwrap();
        release(&root, &train, "", &images);
        let table = "image_id,rad_ID,No finding,Bronchitis,Brocho-pneumonia,Other disease,Bronchiolitis,Situs inversus,\
                     Pneumonia,Tuberculosis,CPAM,Hyaline membrane disease,Mediastinal tumor\n";
        let row = format!("{},R1,0,0,0,0,0,0,1,0,0,0,0\n", id(70));
        fs::write(root.join("image_labels_test.csv"), format!("{table}{row}")).unwrap();
        let (imported, dataset) = import(&source, source.join("out"), &ImportOptions::default()).unwrap();
        let count = |split| dataset.cases.iter().filter(|case| case.split == split).count();
        let (training, validation) = (count(Split::Train), count(Split::Validation));
        assert_eq!((training + validation, count(Split::Test)), (60, 1));
        assert!((1..=20).contains(&validation), "{validation}");
        assert_eq!(dataset.corpus.len(), training, "no validation image is a document");
        assert_eq!(dataset.corpus.document(0).caption, "chest x-ray of a child, findings: none");
        let absent =
            "image_labels_test.csv: no column Pleuro-pneumonia, Diagphramatic hernia, Congenital emphysema, Lung tumor";
        assert!(imported.remarks.join("\n").contains(absent), "{:?}", imported.remarks);
        let (_, corpus) = import(&source, source.join("corpus"), &rows_as(RowsAs::Corpus)).unwrap();
        assert_eq!((corpus.only, corpus.corpus.len()), (Some(OnlyPart::Corpus), training));
    }
}

#[test]
fn other_tables_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = || {
        let error = import(folder.path(), folder.path().join("out"), &ImportOptions::default()).unwrap_err();
        assert!(!folder.path().join("out").exists());
        format!("{error:#}")
    };
    assert!(refusal().contains("expected image_labels_train.csv"));
    release(folder.path(), "", "", &[]);
    assert!(refusal().contains("expected rows that become cases or documents, found none"));
    fs::write(folder.path().join("image_labels_train.csv"), HEADER.replace("Brocho", "Broncho")).unwrap();
    let error = refusal();
    assert!(error.contains("image_labels_train.csv: expected the columns Brocho-pneumonia; found"), "{error}");
    fs::create_dir(folder.path().join("annotations")).unwrap();
    fs::rename(folder.path().join("image_labels_train.csv"), folder.path().join("annotations/image_labels_train.csv"))
        .unwrap();
    assert!(refusal().contains("as VinDr-CXR has them"));
}
