//! The tables of MIMIC-CXR and MIMIC-CXR-JPG, compressed or not.

use super::super::known_table::{KnownRow, KnownTable};
use crate::data::Split;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result};
use rustc_hash::FxHashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The findings of the label tables, as the release spells and orders them.
pub(super) const FINDINGS: [&str; 14] = [
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Lung Lesion",
    "Lung Opacity",
    "No Finding",
    "Pleural Effusion",
    "Pleural Other",
    "Pneumonia",
    "Pneumothorax",
    "Support Devices",
];

/// A study of a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StudyId {
    pub subject: u32,
    pub study: u32,
}

impl StudyId {
    /// The folder of the patient below `files`: `p10/p10000032`.
    pub fn patient_folder(self) -> String {
        format!("p{}/p{}", self.subject / 1_000_000, self.subject)
    }
}

/// What a label table says about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mention {
    Yes,
    No,
    Uncertain,
    NotMentioned,
}

/// The table in the folder whose name begins with `mimic-cxr-` and ends so, with `.csv` or `.csv.gz`.
///
/// # Errors
/// Fails if the folder cannot be listed.
pub(super) fn find_table(folder: &Path, ending: &str) -> Result<Option<PathBuf>> {
    let cannot_list = || format!("cannot list the folder {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let stem = name.strip_suffix(".csv.gz").or_else(|| name.strip_suffix(".csv"));
        if stem.is_some_and(|stem| stem.starts_with("mimic-cxr-") && stem.ends_with(ending)) {
            found.push(entry.path());
        }
    }
    // The unpacked one is the shorter path; of two versions the first is that of all images.
    found.sort();
    Ok(found.into_iter().next())
}

/// The columns that name a study.
pub(super) struct StudyColumns {
    subject: usize,
    study: usize,
}

impl StudyColumns {
    /// # Errors
    /// Fails if the table does not have them.
    pub fn of(table: &KnownTable) -> Result<Self> {
        Ok(Self { subject: table.column("subject_id")?, study: table.column("study_id")? })
    }

    /// # Errors
    /// Fails if the row names no study.
    pub fn study(&self, row: &KnownRow) -> Result<StudyId> {
        Ok(StudyId { subject: eight_digits(row, self.subject)?, study: eight_digits(row, self.study)? })
    }
}

/// Folders are named by these numbers, so nothing else is taken.
fn eight_digits(row: &KnownRow, column: usize) -> Result<u32> {
    let text = row.text(column);
    let is_id = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    match text.parse() {
        Ok(number) if is_id => Ok(number),
        _ => Err(row.wrong(column, "a number of eight digits")),
    }
}

/// The name of an image; files are named by it, so it has nothing but hexadecimal digits and hyphens.
///
/// # Errors
/// Fails for any other text.
pub(super) fn dicom_id<'a>(row: &KnownRow<'a>, column: usize) -> Result<&'a str> {
    let text = row.text(column);
    let is_id = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_id { Ok(text) } else { Err(row.wrong(column, "a name of hexadecimal digits and hyphens")) }
}

/// The split of each image, by the hash of its name.
///
/// # Errors
/// Fails if the table is not as expected.
pub(super) fn read_splits(path: &Path) -> Result<FxHashMap<u64, Split>> {
    let mut table = KnownTable::open(path)?;
    let (image, split) = (table.column("dicom_id")?, table.column("split")?);
    let mut splits = FxHashMap::default();
    while let Some(row) = table.next_row()? {
        let found = match row.text(split) {
            "train" => Split::Train,
            "validate" => Split::Validation,
            "test" => Split::Test,
            _ => return Err(row.wrong(split, "train, validate or test")),
        };
        splits.insert(Fingerprint::number_of(dicom_id(&row, image)?.as_bytes()), found);
    }
    Ok(splits)
}

/// What a table says about the findings of a study, in the order of [`FINDINGS`], whatever the order of the columns.
pub(super) type Mentions = [Mention; FINDINGS.len()];

/// The labels of a program for each study.
///
/// # Errors
/// Fails if the table is not as expected.
pub(super) fn read_labels(path: &Path) -> Result<FxHashMap<StudyId, Mentions>> {
    let mut table = KnownTable::open(path)?;
    let study = StudyColumns::of(&table)?;
    let columns = FindingColumns::of(&table)?;
    let mut labels = FxHashMap::default();
    while let Some(row) = table.next_row()? {
        labels.insert(study.study(&row)?, columns.mentions(&row)?);
    }
    Ok(labels)
}

/// The labels of a radiologist for some studies, by the number of the study: `mimic-cxr-2.1.0-test-set-labeled.csv` names no
/// patients.
///
/// # Errors
/// Fails if the table is not as expected, or has a study twice with different labels.
pub(super) fn read_radiologist_labels(path: &Path) -> Result<FxHashMap<u32, Mentions>> {
    let mut table = KnownTable::open(path)?;
    let study = table.column("study_id")?;
    let columns = FindingColumns::of(&table)?;
    let mut labels = FxHashMap::default();
    while let Some(row) = table.next_row()? {
        let mentions = columns.mentions(&row)?;
        if labels.insert(eight_digits(&row, study)?, mentions).is_some_and(|other| other != mentions) {
            return Err(row.wrong(study, "a study once, or always with the same labels"));
        }
    }
    Ok(labels)
}

/// The columns of the findings.
struct FindingColumns([usize; FINDINGS.len()]);

impl FindingColumns {
    fn of(table: &KnownTable) -> Result<Self> {
        let mut columns = [0; FINDINGS.len()];
        for (column, finding) in columns.iter_mut().zip(FINDINGS) {
            // The radiologist's table has another name for this one.
            let other = if finding == "Lung Opacity" { table.optional_column("Airspace Opacity") } else { None };
            *column = match (table.optional_column(finding), other) {
                (None, Some(other)) => other,
                _ => table.column(finding)?,
            };
        }
        Ok(Self(columns))
    }

    fn mentions(&self, row: &KnownRow) -> Result<Mentions> {
        let mut mentions = [Mention::NotMentioned; FINDINGS.len()];
        for (mention, column) in mentions.iter_mut().zip(self.0) {
            *mention = match row.text(column) {
                "1.0" | "1" => Mention::Yes,
                "0.0" | "0" => Mention::No,
                "-1.0" | "-1" => Mention::Uncertain,
                "" => Mention::NotMentioned,
                _ => return Err(row.wrong(column, "1.0, 0.0, -1.0 or nothing")),
            };
        }
        Ok(mentions)
    }
}
