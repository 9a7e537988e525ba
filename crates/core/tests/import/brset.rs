//! BRSET: several diseases or none, missing images, odd values, splits by patient. The files are drawn here; no patient is real.

use crate::support::{grey_png, opened, rows_as};
use dissent_core::data::import::{ImportOptions, Imported, RowsAs, import_brset};
use dissent_core::data::{Answer, Dataset, LabelSet, OnlyPart, Split};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const HEADER: &str = "image_id,patient_id,camera,patient_age,comorbidities,diabetes_time_y,insuline,patient_sex,exam_eye,diabetes,\
nationality,optic_disc,vessels,macula,DR_SDRG,DR_ICDR,focus,Illuminaton,image_field,artifacts,diabetic_retinopathy,macular_edema,\
scar,nevus,amd,vascular_occlusion,hypertensive_retinopathy,drusens,hemorrhage,retinal_detachment,myopic_fundus,\
increased_cup_disc,other,quality";

/// A row: the comorbidities contain a comma, the optic disc and the grade are given, as are the 13 diseases.
fn line(image: &str, patient: u32, optic_disc: &str, grade: &str, diseases: &str) -> String {
    let before = format!("{image},{patient},Canon CR,,\"diabetes, hypertension\",,,1,2,No,Brazil");
    format!("{before},{optic_disc},1,1,{grade},{grade},1,1,1,1,{diseases},Adequate\n")
}

fn release(table: &str, rows: &str, images: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("fundus_photos");
    fs::create_dir(&photos).unwrap();
    fs::write(photos.join("index.html"), "a mirror leaves this").unwrap();
    fs::write(folder.path().join(table), format!("\u{feff}{HEADER}\n{rows}")).unwrap();
    for (value, image) in images.iter().enumerate() {
        // Equal images would count as one, so they differ.
        fs::write(photos.join(format!("{image}.jpg")), grey_png(value as u8)).unwrap();
    }
    folder
}

fn import(folder: &Path, grades: bool, options: &ImportOptions) -> anyhow::Result<(Imported, Dataset)> {
    let target = folder.join("out");
    let imported = import_brset(folder, &target, grades, options, &|_, _| {})?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

const NONE: &str = "0,0,0,0,0,0,0,0,0,0,0,0,0";

#[test]
fn every_trap_of_the_table_is_counted() {
    let mut rows = line("img00001", 1, "1", "0", NONE);
    rows += &line("img00002", 1, "bv", "2", "1,1,0,0,0,0,0,0,0,0,0,0,0");
    rows += &line("img00003", 2, "2", "1", "0,0,0,0,0,0,0,1.0,0,0,0,0,0");
    rows += &line("img00004", 3, "1", "0", "0,,0,0,0,0,0,0,0,0,0,0,1");
    rows += &line("img00005", 3, "1", "0", "0,0,0,0,0,0,0,2,0,0,0,0,0");
    rows += &line("img04414", 4, "1", "0", NONE);
    rows += &line("../secret", 4, "1", "0", NONE);
    let folder = release("labels_brset.csv", &rows, &["img00001", "img00002", "img00003", "img00004", "img00005"]);
    let (imported, dataset) = import(folder.path(), false, &ImportOptions::default()).unwrap();
    let answers: Vec<&str> = dataset.cases.iter().map(|case| case.answer.as_str()).collect();
    assert_eq!(answers, ["[]", "diabetic_retinopathy, macular_edema", "drusens", "other"]);
    let task = &dataset.tasks[0];
    assert_eq!(task.gold_of(&dataset.cases[0]), Some(Answer::Set(LabelSet::default())), "no disease is an answer");
    assert_eq!(task.gold_of(&dataset.cases[1]), Some(Answer::Set(LabelSet::of([0, 1]))));
    // An empty cell is not 0: nobody knows the whole set.
    assert_eq!((&dataset.cases[3].unknown[..], task.gold_of(&dataset.cases[3])), (&["macular_edema".into()][..], None));
    let left_out: Vec<String> = imported.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        left_out,
        [
            "1 left out: drusens: expected 0 or 1 (labels_brset.csv:6, found \"2\")",
            "1 left out: no image file (labels_brset.csv:7, img04414.jpg)",
            "1 left out: image_id: expected letters and digits, such as img00001 (labels_brset.csv:8, \"../secret\")",
        ]
    );
    let remarks = imported.remarks.join("\n");
    for expected in [
        "drawn by patient",
        "the files do not say their version",
        "optic_disc: 1 rows have something other than 1 or 2 (\"bv\" in labels_brset.csv:3)",
        "in 1 rows diabetic_retinopathy and DR_ICDR disagree",
    ] {
        assert!(remarks.contains(expected), "{expected}\n{remarks}");
    }
    assert_eq!(dataset.cases[0].image, folder.path().join("fundus_photos/img00001.jpg"));
}

#[test]
fn a_patient_is_in_one_split_and_never_finds_itself() {
    let (mut rows, mut names) = (String::new(), Vec::new());
    for image in 0..120 {
        names.push(format!("img{image:05}"));
        rows += &line(&names[image], image as u32 / 2, "1", if image == 0 { "7" } else { "3" }, NONE);
    }
    let images: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = release("labels.csv", &rows, &images);
    let (imported, dataset) = import(folder.path(), true, &ImportOptions::default()).unwrap();
    let mut splits: BTreeMap<&str, Split> = BTreeMap::new();
    for case in &dataset.cases {
        let patient = case.group.as_deref().unwrap();
        assert_eq!(*splits.entry(patient).or_insert(case.split), case.split, "patient {patient}");
        for row in 0..dataset.corpus.len() {
            assert_eq!(dataset.may_retrieve(case, row), dataset.corpus.document(row).group != case.group.as_deref());
        }
    }
    assert_eq!(dataset.cases.len(), 239, "a case of the diseases and one of the grade per image");
    assert_eq!((dataset.cases[2].id.as_str(), dataset.cases[2].answer.as_str()), ("img00001-icdr", "3"));
    assert_eq!(
        imported.left_out[0].to_string(),
        "1 left out: no case of the grade; DR_ICDR: expected 0 to 4 (labels.csv:2, found \"7\")"
    );
    let training = dataset.cases.iter().filter(|case| case.split == Split::Train && case.task == "brset").count();
    assert_eq!(dataset.corpus.len(), training);
    assert!((30..=90).contains(&training), "{training}");
}

#[test]
fn a_corpus_alone_and_what_is_refused() {
    let mut rows = String::new();
    for patient in 0..20 {
        write!(rows, "{}", line(&format!("img{patient:05}"), patient, "1", "7", NONE)).unwrap();
    }
    let names: Vec<String> = (0..20).map(|image| format!("img{image:05}")).collect();
    let images: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = release("labels.csv", &rows, &images);
    let options = ImportOptions { copy: true, ..rows_as(RowsAs::Corpus) };
    let (imported, dataset) = import(folder.path(), true, &options).unwrap();
    let copied = fs::read_dir(folder.path().join("out/images")).unwrap().count();
    assert_eq!(copied, dataset.corpus.len(), "images of other splits are not copied");
    assert_eq!(dataset.only, Some(OnlyPart::Corpus));
    assert_eq!(dataset.corpus.document(0).caption, "colour fundus photograph, findings: none of the 13 diseases");
    assert!(imported.left_out.is_empty(), "{:?}", imported.left_out);

    let twice = line("img00001", 1, "1", "0", NONE).repeat(2);
    let folder = release("labels.csv", &twice, &["img00001"]);
    let error = import(folder.path(), false, &ImportOptions::default()).unwrap_err().to_string();
    assert!(
        error.contains("labels.csv:3: image_id: expected each image once, found \"img00001\" at labels.csv:2"),
        "{error}"
    );
    assert!(!folder.path().join("out").exists());

    fs::write(folder.path().join("labels.csv"), "image_id,patient_id,nevus\nimg1,2,0\n").unwrap();
    let error = import(folder.path(), false, &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("expected the columns diabetic_retinopathy, macular_edema, scar, amd"), "{error}");
    fs::write(folder.path().join("labels.csv"), format!("{HEADER}\nimg1,2,0\n")).unwrap();
    let error = format!("{:#}", import(folder.path(), false, &ImportOptions::default()).unwrap_err());
    assert!(error.contains("as many cells in each row") && error.contains("line: 2"), "{error}");
    fs::remove_file(folder.path().join("labels.csv")).unwrap();
    let error = import(folder.path(), false, &ImportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("labels_brset.csv (or labels.csv)"), "{error}");
}
