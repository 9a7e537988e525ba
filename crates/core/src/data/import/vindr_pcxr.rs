//! `import vindr-pcxr`: VinDr-PCXR, chest X-rays of children with several diagnoses at once. The official test split stays; a
//! part of the training images is drawn for validation, because the release has none.

use super::label_table::{LabelTable, TableRow, UnusableRow};
use super::transfer_syntaxes::TransferSyntaxes;
use super::{ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Case, Document, Label, LabelIndex, Manifest, PromptTemplate, Split, Task, TaskKind};
use crate::files::fingerprint::Fingerprint;
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const NO_FINDING: &str = "No finding";

/// The other columns as the release spells them, with names for people where it misspells.
const DIAGNOSES: [(&str, &str); 14] = [
    ("Bronchitis", "bronchitis"),
    ("Brocho-pneumonia", "bronchopneumonia"),
    ("Other disease", "other disease"),
    ("Bronchiolitis", "bronchiolitis"),
    ("Situs inversus", "situs inversus"),
    ("Pneumonia", "pneumonia"),
    ("Pleuro-pneumonia", "pleuropneumonia"),
    ("Diagphramatic hernia", "diaphragmatic hernia"),
    ("Tuberculosis", "tuberculosis"),
    ("Congenital emphysema", "congenital emphysema"),
    ("CPAM", "congenital pulmonary airway malformation"),
    ("Hyaline membrane disease", "hyaline membrane disease"),
    ("Mediastinal tumor", "mediastinal tumor"),
    ("Lung tumor", "lung tumor"),
];

/// No test image has these, so a table of the test split may lack their columns.
const ABSENT_IN_TEST: [&str; 4] = ["Pleuro-pneumonia", "Diagphramatic hernia", "Congenital emphysema", "Lung tumor"];

/// Folders below the source in which the release may be.
const NESTED: [&str; 4] =
    ["physionet.org/files/vindr-pcxr/1.0.0", "files/vindr-pcxr/1.0.0", "vindr-pcxr/1.0.0", "1.0.0"];

/// One in this many training images is for validation.
const VALIDATION_ONE_IN: u64 = 10;

/// What the readers say about an image.
#[derive(Default)]
struct Reading {
    /// The diagnoses that each reader gives.
    by_reader: Vec<BTreeSet<LabelIndex>>,
    /// The place of the first row.
    place: String,
    /// The first row that cannot be used.
    problem: Option<UnusableRow>,
}

/// Imports the folder `source`, which holds the tables and the folders `train` and `test` of `.dicom` files.
///
/// # Errors
/// Fails if a table is missing or lacks a column, or the target cannot be written.
pub fn import_vindr_pcxr(
    source: &Path,
    target: &Path,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let source = find_release(source)?;
    let mut tables = Vec::new();
    for folder in ["train", "test"] {
        tables.push((folder, read_table(&source.join(format!("image_labels_{folder}.csv")), folder == "test")?));
    }
    let total: usize = tables.iter().map(|(_, table)| table.len()).sum();
    let mut session = ImportSession::start(target, options, RowsAs::Both)?;
    let task = task();
    let mut syntaxes = TransferSyntaxes::default();
    let (mut done, mut several, mut disputed) = (0, 0, 0);
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (folder, table) in &tables {
        for (id, reading) in readings(table) {
            done += reading.by_reader.len().max(1);
            progress(done.min(total), total);
            if seen.insert(id.clone(), folder).is_some() {
                session.leave_out("in the table of the other split too", &reading.place);
                continue;
            }
            if let Some(unusable) = &reading.problem {
                session.leave_out(&unusable.reason, &unusable.place);
                continue;
            }
            let Some(path) = image_of(&source.join(folder), &id) else {
                session.leave_out("no image file", &format!("{}, {folder}/{id}.dicom", reading.place));
                continue;
            };
            syntaxes.count(&path);
            several += usize::from(reading.by_reader.len() > 1);
            let (present, unknown) = agreed(&reading.by_reader);
            disputed += usize::from(!unknown.is_empty());
            let split = split_of(folder, &id);
            if !session.wants(split) {
                continue;
            }
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            let image = session.image(&path, &format!("{folder}/{id}.{extension}"))?;
            session.case(Case {
                id: id.clone(),
                task: task.id.clone(),
                split,
                image: image.clone(),
                question: None,
                answer: task.answer_text_of_set(&present),
                unknown: unknown.iter().map(|label| DIAGNOSES[*label].0.to_owned()).collect(),
                group: Some(id.clone()),
            })?;
            if split == Split::Train {
                session.document(document_of(&id, image, &present, &unknown))?;
            }
        }
    }
    for remark in remarks(&tables, several, disputed).into_iter().chain(syntaxes.remarks()) {
        session.remark(remark);
    }
    let manifest = Manifest {
        licence: Some("PhysioNet, restricted access; do not redistribute".into()),
        note: Some("VinDr-PCXR (Pham et al., PhysioNet 2022); for research, not for diagnosis".into()),
        ..Manifest::new("VinDr-PCXR", vec![task])
    };
    session.finish(manifest)
}

/// The folder that has the tables at its root.
fn find_release(source: &Path) -> Result<PathBuf> {
    let table = "image_labels_train.csv";
    let mut folders = vec![source.to_path_buf()];
    folders.extend(NESTED.iter().map(|nested| source.join(nested)));
    // PhysioNet's zip file has one folder with the long title of the data set.
    for entry in std::fs::read_dir(source).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("vindr-pcxr-") {
            folders.push(entry.path());
        }
    }
    if let Some(found) = folders.into_iter().find(|folder| folder.join(table).is_file()) {
        return Ok(found);
    }
    if source.join("annotations").join(table).is_file() {
        bail!(
            "{}: expected the tables of VinDr-PCXR at the root, found them in annotations, as VinDr-CXR has them",
            source.display()
        );
    }
    bail!(
        "{}: expected image_labels_train.csv, image_labels_test.csv and the folders train and test, found no \
         image_labels_train.csv",
        source.display()
    )
}

fn read_table(path: &Path, is_test: bool) -> Result<LabelTable> {
    let mut needed = vec!["image_id", NO_FINDING];
    needed.extend(
        DIAGNOSES.iter().map(|(column, _)| *column).filter(|column| !is_test || !ABSENT_IN_TEST.contains(column)),
    );
    LabelTable::read(path, &needed)
}

/// What the rows say about each image, in the order of the table.
fn readings(table: &LabelTable) -> Vec<(String, Reading)> {
    let mut positions: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: Vec<(String, Reading)> = Vec::new();
    for row in table.rows() {
        let id = row.cell("image_id");
        let position = *positions.entry(id).or_insert_with(|| {
            all.push((id.to_owned(), Reading { place: row.place(), ..Reading::default() }));
            all.len() - 1
        });
        let reading = &mut all[position].1;
        match diagnoses_of(table, row) {
            Ok(diagnoses) => reading.by_reader.push(diagnoses),
            Err(unusable) => {
                reading.problem.get_or_insert(unusable);
            }
        }
    }
    all
}

/// The diagnoses of a row.
///
/// # Errors
/// Fails if the row cannot be used.
fn diagnoses_of(table: &LabelTable, row: TableRow) -> Result<BTreeSet<LabelIndex>, UnusableRow> {
    let id = row.cell("image_id");
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(row.unusable("image_id: expected letters and digits", Some(id)));
    }
    let mut diagnoses = BTreeSet::new();
    for (label, (column, _)) in DIAGNOSES.iter().enumerate() {
        match row.flag(column)? {
            Some(true) => drop(diagnoses.insert(label)),
            None if table.has(column) => return Err(row.unusable(format!("{column}: expected 0 or 1"), Some(""))),
            Some(false) | None => {}
        }
    }
    match (row.flag(NO_FINDING)?, diagnoses.is_empty()) {
        (Some(true), false) => Err(row.unusable(format!("{NO_FINDING} and a diagnosis in one row"), None)),
        (Some(false), true) => Err(row.unusable(format!("neither {NO_FINDING} nor a diagnosis"), None)),
        (None, _) => Err(row.unusable(format!("{NO_FINDING}: expected 0 or 1"), Some(""))),
        _ => Ok(diagnoses),
    }
}

/// What all readers say, and what only some say.
fn agreed(by_reader: &[BTreeSet<LabelIndex>]) -> (Vec<LabelIndex>, Vec<LabelIndex>) {
    let said = |label: &LabelIndex| by_reader.iter().filter(|diagnoses| diagnoses.contains(label)).count();
    let (mut present, mut unknown) = (Vec::new(), Vec::new());
    for label in 0..DIAGNOSES.len() {
        match said(&label) {
            0 => {}
            count if count == by_reader.len() => present.push(label),
            _ => unknown.push(label),
        }
    }
    (present, unknown)
}

fn image_of(folder: &Path, id: &str) -> Option<PathBuf> {
    ["dicom", "dcm"].iter().map(|extension| folder.join(format!("{id}.{extension}"))).find(|path| path.is_file())
}

/// Decides by the image's name, so that the result is the same on every machine.
fn split_of(folder: &str, id: &str) -> Split {
    if folder == "test" {
        return Split::Test;
    }
    match Fingerprint::of_parts(["validation", id]).number() % VALIDATION_ONE_IN {
        0 => Split::Validation,
        _ => Split::Train,
    }
}

fn document_of(id: &str, image: PathBuf, present: &[LabelIndex], unknown: &[LabelIndex]) -> Document {
    let names: Vec<&str> = present.iter().map(|label| DIAGNOSES[*label].1).collect();
    let findings = match (names.is_empty(), unknown.is_empty()) {
        (false, _) => names.join(", "),
        (true, true) => "none".into(),
        (true, false) => "the readers disagree".into(),
    };
    Document {
        id: id.into(),
        image,
        caption: format!("chest x-ray of a child, findings: {findings}"),
        source: Some("VinDr-PCXR train".into()),
        group: Some(id.into()),
    }
}

fn task() -> Task {
    Task {
        id: "vindr-pcxr".into(),
        kind: TaskKind::MultiLabel,
        question: Some("Which diagnoses does this chest X-ray of a child show?".into()),
        labels: DIAGNOSES.iter().map(|(column, name)| Label::new(*column, *name)).collect(),
        prompt: PromptTemplate::default(),
    }
}

fn remarks(tables: &[(&str, LabelTable)], several: usize, disputed: usize) -> Vec<String> {
    let mut remarks = vec![
        format!("{NO_FINDING} is the empty set []; the other 14 columns are the labels, spelt as in the release"),
        format!("the release has no validation split; about 1 in {VALIDATION_ONE_IN} training images are drawn for it"),
        "the release does not name patients: the group is the image".into(),
    ];
    for (folder, table) in tables {
        let absent: Vec<&str> =
            DIAGNOSES.iter().map(|(column, _)| *column).filter(|column| !table.has(column)).collect();
        if !absent.is_empty() {
            remarks.push(format!(
                "{}: no column {}; no {folder} image of the release has it, so it counts as 0",
                table.name,
                absent.join(", ")
            ));
        }
    }
    if several > 0 {
        remarks.push(format!(
            "{several} images have rows of several readers (rad_ID); in {disputed} of them the readers disagree, and these \
             labels count as unknown"
        ));
    }
    remarks
}
