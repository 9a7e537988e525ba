//! `import mimic-cxr` on trees that this test draws in the layout of the release; there is no patient in them.

use crate::made_files::{failure, write, write_gz, zip_of};
use crate::support::{grey_png, opened, rows_as};
use dissent_core::data::import::{ImportOptions, Imported, MimicCxrOptions, RowsAs, import_mimic_cxr};
use dissent_core::data::{Case, Dataset, OnlyPart, Split};
use std::fs;
use std::path::Path;

/// Images as dicom_id, subject, study, view and split.
const IMAGES: [(&str, &str, &str, &str, &str); 6] = [
    ("aaaaaaaa-0001", "10000001", "50000001", "PA", "train"),
    ("aaaaaaaa-0002", "10000001", "50000001", "LATERAL", "train"),
    ("aaaaaaaa-0003", "10000001", "50000002", "AP", "train"),
    ("bbbbbbbb-0001", "11000002", "50000003", "AP", "validate"),
    ("bbbbbbbb-0002", "11000002", "50000003", "", "validate"),
    ("cccccccc-0001", "12000003", "50000004", "PA", "test"),
];
const LABELS: &str =
    "subject_id,study_id,Support Devices,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,\
Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax
10000001,50000001,1.0,0.0,-1.0,,,,,,,,,,,
11000002,50000003,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0
12000003,50000004,,-1.0,,,,,,,,,,,,
";

fn report(text: &str) -> String {
    format!("                                 FINAL REPORT\n EXAMINATION:  CHEST\n \n{text}")
}

fn study_path(root: &Path, subject: &str, study: &str) -> std::path::PathBuf {
    root.join("files").join(format!("p{}", &subject[..2])).join(format!("p{subject}")).join(format!("s{study}"))
}

/// MIMIC-CXR-JPG with the reports of three of the four studies in a zip file.
fn release() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut metadata =
        String::from("dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows\n");
    let mut splits = String::from("dicom_id,study_id,subject_id,split\n");
    for (number, (dicom, subject, study, view, split)) in IMAGES.into_iter().enumerate() {
        metadata.push_str(&format!("{dicom},{subject},{study},\"CHEST (PA, LAT)\",{view},3056\n"));
        splits.push_str(&format!("{dicom},{study},{subject},{split}\n"));
        let folder = study_path(root.path(), subject, study);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{dicom}.jpg")), grey_png(number as u8)).unwrap();
    }
    write_gz(&root.path().join("mimic-cxr-2.0.0-metadata.csv.gz"), &metadata);
    write_gz(&root.path().join("mimic-cxr-2.0.0-split.csv.gz"), &splits);
    write(&root.path().join("mimic-cxr-2.0.0-chexpert.csv"), LABELS);
    let texts = [
        ("files/p10/p10000001/s50000001.txt", report(" FINDINGS:  Clear\n lungs.\n \n IMPRESSION:  Normal.\n")),
        ("files/p10/p10000001/s50000002.txt", report(" HISTORY:  ___\n \n Wires as before.\n")),
        ("files/p11/p11000002/s50000003.txt", report(" HISTORY:  ___\n")),
    ];
    let members: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    zip_of(&root.path().join("mimic-cxr-reports.zip"), &members);
    root
}

fn import(root: &Path, options: &MimicCxrOptions, choices: &ImportOptions) -> anyhow::Result<(Imported, Dataset)> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let imported = import_mimic_cxr(root, &target, options, choices, &|_, _| ())?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

fn corpus(root: &Path, options: &MimicCxrOptions) -> anyhow::Result<(Imported, Dataset)> {
    import(root, options, &ImportOptions::default())
}

fn rows(dataset: &Dataset) -> Vec<(&str, &str, Option<&str>)> {
    dataset.corpus.iter().map(|document| (document.id, document.caption, document.group)).collect()
}

fn left_out(imported: &Imported) -> Vec<(usize, &str)> {
    imported.left_out.iter().map(|rows| (rows.count, rows.reason.as_str())).collect()
}

#[test]
fn frontal_images_are_documents_with_the_text_of_their_reports() {
    let root = release();
    let (imported, dataset) = corpus(root.path(), &MimicCxrOptions::default()).unwrap();
    assert_eq!(
        rows(&dataset),
        [
            ("aaaaaaaa-0001", "Clear lungs. Normal.", Some("10000001")),
            ("aaaaaaaa-0003", "Wires as before.", Some("10000001")),
        ]
    );
    assert_eq!(dataset.only, Some(OnlyPart::Corpus));
    assert_eq!(
        dataset.corpus.document(0).image,
        study_path(root.path(), "10000001", "50000001").join("aaaaaaaa-0001.jpg")
    );
    assert_eq!(
        left_out(&imported),
        [
            (1, "the view is neither PA nor AP (--all-views takes it)"),
            (1, "the view is not known (--all-views takes it)"),
            (1, "no document: the report has neither findings nor impression nor a last paragraph"),
            (1, "no document: its study has no report"),
        ]
    );
    assert_eq!(imported.left_out[0].first, ["mimic-cxr-2.0.0-metadata.csv.gz:3"]);
    let remarks = imported.remarks.join("\n");
    assert!(remarks.contains("views of all images: AP 2, LATERAL 1, PA 2, not known 1"), "{remarks}");
    assert!(remarks.contains("1 studies have no report"), "{remarks}");

    let all = MimicCxrOptions { all_views: true, ..MimicCxrOptions::default() };
    assert_eq!(corpus(root.path(), &all).unwrap().1.corpus.len(), 3);
}

#[test]
fn uncertain_and_unmentioned_findings_are_neither_present_nor_absent() {
    let root = release();
    let (imported, dataset) = import(root.path(), &MimicCxrOptions::default(), &rows_as(RowsAs::Cases)).unwrap();
    let [first, second] = &dataset.cases[..] else { panic!("{:?}", dataset.cases) };
    assert_eq!((first.split, first.answer.as_str()), (Split::Train, "Support Devices"));
    assert_eq!(first.unknown.len(), 12);
    assert!(!first.unknown.contains(&"Atelectasis".to_owned()) && first.unknown.contains(&"Cardiomegaly".to_owned()));
    assert!(dataset.gold_of(first).is_none(), "no set is known to be right");
    let expected =
        Case { unknown: Vec::new(), answer: "No Finding".into(), split: Split::Validation, ..second.clone() };
    assert_eq!((second, second.group.as_deref()), (&expected, Some("11000002")));
    assert_eq!(
        left_out(&imported)[2..],
        [
            (1, "no case: its study has no row of labels"),
            (1, "no case: all labels of its study are uncertain or not mentioned")
        ]
    );

    let options = MimicCxrOptions { unmentioned_is_no: true, ..MimicCxrOptions::default() };
    let (imported, dataset) = import(root.path(), &options, &rows_as(RowsAs::Both)).unwrap();
    let unknown: Vec<&[String]> = dataset.cases.iter().map(|case| case.unknown.as_slice()).collect();
    assert_eq!(unknown, [&["Cardiomegaly".to_owned()][..], &[], &["Atelectasis".to_owned()]]);
    assert_eq!(dataset.cases[2].answer, "[]");
    // Only training images are documents beside cases.
    assert_eq!(rows(&dataset).len(), 2);
    assert!(!left_out(&imported).iter().any(|(_, reason)| reason.contains("report")), "{:?}", imported.left_out);
}

/// The table of version 2.1.0: no patients, another name for one finding, values with and without a point.
const RADIOLOGIST: &str =
    "study_id,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Lesion,Airspace Opacity,Edema,\
Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices
50000004,,,1,,1.0,-1,,,0,,,,,
50000001,,,1,,,,,,,,,,,
";

#[test]
fn a_radiologist_labels_studies_of_the_test_split_and_no_others() {
    let root = release();
    write(&root.path().join("mimic-cxr-2.1.0-test-set-labeled.csv"), RADIOLOGIST);
    let (imported, dataset) = import(root.path(), &MimicCxrOptions::default(), &rows_as(RowsAs::Cases)).unwrap();
    let answers: Vec<(&str, Split, &str)> =
        dataset.cases.iter().map(|case| (case.id.as_str(), case.split, case.answer.as_str())).collect();
    assert_eq!(
        answers,
        [
            // CheXpert's, although the radiologist's table has the study: it is of the training split.
            ("aaaaaaaa-0001", Split::Train, "Support Devices"),
            ("bbbbbbbb-0001", Split::Validation, "No Finding"),
            // CheXpert says nothing certain about this one.
            ("cccccccc-0001", Split::Test, "Cardiomegaly, Lung Opacity"),
        ]
    );
    let unknown = &dataset.cases[2].unknown;
    assert!(unknown.contains(&"Edema".into()) && !unknown.contains(&"Atelectasis".into()), "{unknown:?}");
    let remarks = imported.remarks.join("\n");
    let expected = "1 test images of 1 studies have the labels of a radiologist (mimic-cxr-2.1.0-test-set-labeled.csv) \
                    instead of CheXpert's; 0 test images are not in that table";
    assert!(remarks.contains(expected), "{remarks}");
    assert!(remarks.contains("1 studies of mimic-cxr-2.1.0-test-set-labeled.csv have no image of the test split"));

    let options = MimicCxrOptions { no_radiologist: true, ..MimicCxrOptions::default() };
    let (imported, dataset) = import(root.path(), &options, &rows_as(RowsAs::Cases)).unwrap();
    assert_eq!(dataset.cases.len(), 2);
    assert!(!imported.remarks.join("\n").contains("radiologist"), "{:?}", imported.remarks);

    for (from, to, expected) in [
        ("50000004,,,1", "50000004,,,2", ":2, column Cardiomegaly: expected 1.0, 0.0, -1.0 or nothing, found \"2\""),
        ("50000001,", "50000004,", ":3, column study_id: expected a study once, or always with the same labels"),
        ("Airspace Opacity", "Opacity", "expected a column \"Lung Opacity\""),
        ("study_id", "study", "expected a column \"study_id\""),
    ] {
        write(&root.path().join("mimic-cxr-2.1.0-test-set-labeled.csv"), &RADIOLOGIST.replacen(from, to, 1));
        let message = failure(import(root.path(), &MimicCxrOptions::default(), &rows_as(RowsAs::Cases)));
        assert!(message.contains(expected), "{message}");
    }
    // A corpus needs no labels.
    corpus(root.path(), &MimicCxrOptions::default()).unwrap();
}

#[test]
fn reports_are_found_beside_the_studies_in_a_folder_or_where_the_user_says() {
    let root = release();
    fs::remove_file(root.path().join("mimic-cxr-reports.zip")).unwrap();
    let message = failure(corpus(root.path(), &MimicCxrOptions::default()));
    assert!(message.contains("4 studies have no report; MIMIC-CXR-JPG has none"), "{message}");
    let text = report(" IMPRESSION:  Beside.\n");
    write(&study_path(root.path(), "10000001", "50000001").with_extension("txt"), &text);
    assert_eq!(rows(&corpus(root.path(), &MimicCxrOptions::default()).unwrap().1)[0].1, "Beside.");
    let unpacked = root.path().join("mimic-cxr-reports");
    write(&study_path(&unpacked, "10000001", "50000001").with_extension("txt"), &text.replace("Beside", "Unpacked"));
    assert_eq!(rows(&corpus(root.path(), &MimicCxrOptions::default()).unwrap().1)[0].1, "Unpacked.");
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("p10/p10000001/s50000001.txt");
    write(&path, &text.replace("Beside", "Elsewhere"));
    let options = MimicCxrOptions { reports: Some(elsewhere.path().into()), ..MimicCxrOptions::default() };
    assert_eq!(rows(&corpus(root.path(), &options).unwrap().1)[0].1, "Elsewhere.");
    fs::write(path, b" IMPRESSION: \xff\n").unwrap();
    assert!(failure(corpus(root.path(), &options)).contains("the report is not UTF-8"));
    let missing = MimicCxrOptions { reports: Some(elsewhere.path().join("none")), ..MimicCxrOptions::default() };
    assert!(failure(corpus(root.path(), &missing)).contains("expected a folder or zip file of reports"));
    zip_of(&elsewhere.path().join("other.zip"), &[("a.txt", b"x")]);
    let other = MimicCxrOptions { reports: Some(elsewhere.path().join("other.zip")), ..MimicCxrOptions::default() };
    assert!(failure(corpus(root.path(), &other)).contains("expected reports such as files/p10"));
}

#[test]
fn the_tree_of_dicom_files_needs_the_views_or_all_of_them() {
    let root = release();
    let at = |name: &str| root.path().join(name);
    let mut records = String::new();
    for (dicom, subject, study, _, _) in IMAGES {
        records.push_str(&format!("{subject},{study},{dicom},files/x.dcm\n"));
    }
    for name in ["mimic-cxr-2.0.0-metadata.csv.gz", "mimic-cxr-2.0.0-split.csv.gz", "mimic-cxr-2.0.0-chexpert.csv"] {
        fs::remove_file(at(name)).unwrap();
    }
    write_gz(&at("cxr-record-list.csv.gz"), &format!("subject_id,study_id,dicom_id,path\n{records}"));
    for (number, (dicom, subject, study, _, _)) in IMAGES.into_iter().enumerate() {
        let jpg = study_path(root.path(), subject, study).join(format!("{dicom}.jpg"));
        let ending = if number == 1 { "dcm.gz" } else { "dcm" };
        fs::rename(&jpg, jpg.with_file_name(format!("{dicom}.{ending}"))).unwrap();
    }
    let message = failure(corpus(root.path(), &MimicCxrOptions::default()));
    assert!(message.contains("does not say which images are frontal"), "{message}");
    let all = MimicCxrOptions { all_views: true, ..MimicCxrOptions::default() };
    let (imported, dataset) = corpus(root.path(), &all).unwrap();
    assert_eq!(dataset.corpus.document(0).image.extension().unwrap(), "dcm");
    assert!(left_out(&imported).contains(&(1, "the image is compressed (.dcm.gz): `gunzip` it")));
    assert!(imported.remarks.iter().any(|remark| remark.contains("the views of the images are not known")));
    assert!(failure(import(root.path(), &all, &rows_as(RowsAs::Cases))).contains("split.csv.gz of MIMIC-CXR-JPG"));
}

#[test]
fn wrong_values_are_named_with_file_row_and_column() {
    for (name, from, to, expected) in [
        (
            "metadata",
            "10000001,50000002",
            "1000001,50000002",
            ":4, column subject_id: expected a number of eight digits",
        ),
        ("metadata", "aaaaaaaa-0003", "../../x", ":4, column dicom_id: expected a name of hexadecimal"),
        ("metadata", "ViewPosition", "View", "expected a column \"ViewPosition\""),
        ("split", "test", "val", ":7, column split: expected train, validate or test, found \"val\""),
        ("chexpert", "1.0,0.0,-1.0", "2.0,0.0,-1.0", ":2, column Support Devices: expected 1.0, 0.0, -1.0"),
        ("chexpert", "Lung Lesion", "Lesion", "expected a column \"Lung Lesion\""),
    ] {
        let root = release();
        let gz = root.path().join(format!("mimic-cxr-2.0.0-{name}.csv.gz"));
        let plain = root.path().join(format!("mimic-cxr-2.0.0-{name}.csv"));
        let text = match fs::read(&gz) {
            Ok(bytes) => {
                let mut text = String::new();
                std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
                text
            }
            Err(_) => fs::read_to_string(&plain).unwrap(),
        };
        assert!(text.contains(from));
        // A browser unpacks a file and keeps its name.
        let path = if gz.exists() { gz } else { plain };
        write(&path, &text.replacen(from, to, 1));
        let message = failure(import(root.path(), &MimicCxrOptions::default(), &rows_as(RowsAs::Both)));
        assert!(message.contains(expected), "{message}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(failure(corpus(empty.path(), &MimicCxrOptions::default())).contains("with `files` in it"));
    fs::create_dir(empty.path().join("files")).unwrap();
    assert!(failure(corpus(empty.path(), &MimicCxrOptions::default())).contains("cxr-record-list.csv.gz"));
}
