//! `import brset`: BRSET, fundus photographs with 13 diseases, several at once or none. The splits are drawn by patient, because
//! the release has none.

use super::drawn_split::{drawn_split, drawn_split_remark};
use super::label_table::{LabelTable, TableRow, UnusableRow};
use super::medmnist_sets::add_label_key;
use super::{ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Case, Document, Label, LabelIndex, Manifest, PromptTemplate, Split, Task, TaskKind};
use anyhow::{Result, bail};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const TASK: &str = "brset";
/// Id of the task of the grade of diabetic retinopathy.
const GRADE_TASK: &str = "brset-icdr";
const GRADE: &str = "DR_ICDR";

/// The columns of diseases, and their names for people.
const DISEASES: [(&str, &str); 13] = [
    ("diabetic_retinopathy", "diabetic retinopathy"),
    ("macular_edema", "macular edema"),
    ("scar", "scar"),
    ("nevus", "nevus"),
    ("amd", "age-related macular degeneration"),
    ("vascular_occlusion", "vascular occlusion"),
    ("hypertensive_retinopathy", "hypertensive retinopathy"),
    ("drusens", "drusens"),
    ("hemorrhage", "hemorrhage"),
    ("retinal_detachment", "retinal detachment"),
    ("myopic_fundus", "myopic fundus"),
    ("increased_cup_disc", "increased cup-to-disc ratio"),
    ("other", "another disease"),
];

/// Other columns with the values that the release describes.
const CODED: [(&str, &[&str]); 12] = [
    ("patient_sex", &["1", "2"]),
    ("exam_eye", &["1", "2"]),
    ("optic_disc", &["1", "2"]),
    ("vessels", &["1", "2"]),
    ("macula", &["1", "2"]),
    ("focus", &["1", "2"]),
    ("Illuminaton", &["1", "2"]),
    ("image_field", &["1", "2"]),
    ("artifacts", &["1", "2"]),
    ("DR_SDRG", &["0", "1", "2", "3", "4"]),
    (GRADE, &["0", "1", "2", "3", "4"]),
    ("quality", &["Adequate", "Inadequate"]),
];

/// Imports the folder `source`, which holds the table and `fundus_photos`. `grades` adds the ICDR grade as a task.
///
/// # Errors
/// Fails if the table is missing, lacks a column or has an image twice, or the target cannot be written.
pub fn import_brset(
    source: &Path,
    target: &Path,
    grades: bool,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let table = read_table(source, grades)?;
    let photos = source.join("fundus_photos");
    if !photos.is_dir() {
        bail!("{}: expected the folder fundus_photos, found none", source.display());
    }
    let mut session = ImportSession::start(target, options, RowsAs::Both)?;
    let tasks = tasks(grades);
    let mut seen: HashMap<&str, String> = HashMap::new();
    for (done, row) in table.rows().enumerate() {
        progress(done + 1, table.len());
        let id = row.cell("image_id");
        if let Some(other) = seen.insert(id, row.place()) {
            bail!("{}: image_id: expected each image once, found {id:?} at {other} too", row.place());
        }
        import_row(&mut session, &tasks, &photos, row)?;
    }
    for remark in remarks(source, &table) {
        session.remark(remark);
    }
    let manifest = Manifest {
        licence: Some("PhysioNet Credentialed Health Data License 1.5.0; do not redistribute".into()),
        note: Some("BRSET (Nakayama et al., PLOS Digital Health 2024); for research, not for diagnosis".into()),
        ..Manifest::new("BRSET", tasks)
    };
    session.finish(manifest)
}

fn read_table(source: &Path, grades: bool) -> Result<LabelTable> {
    let names = ["labels_brset.csv", "labels.csv"];
    let Some(path) = names.iter().map(|name| source.join(name)).find(|path| path.is_file()) else {
        bail!(
            "{}: expected the table labels_brset.csv (or labels.csv) and the folder fundus_photos, found no table",
            source.display()
        );
    };
    let mut needed = vec!["image_id", "patient_id"];
    needed.extend(DISEASES.iter().map(|(column, _)| column));
    if grades {
        needed.push(GRADE);
    }
    LabelTable::read(&path, &needed)
}

/// The positions of the diseases that a row has, and of those whose cell is empty.
///
/// # Errors
/// Fails with the first cell that is no 0 or 1.
fn diseases_of(row: TableRow) -> Result<(Vec<LabelIndex>, Vec<LabelIndex>), UnusableRow> {
    let (mut present, mut unknown) = (Vec::new(), Vec::new());
    for (label, (column, _)) in DISEASES.iter().enumerate() {
        match row.flag(column)? {
            Some(true) => present.push(label),
            Some(false) => {}
            None => unknown.push(label),
        }
    }
    Ok((present, unknown))
}

fn import_row(session: &mut ImportSession, tasks: &[Task], photos: &Path, row: TableRow) -> Result<()> {
    let (id, patient) = (row.cell("image_id"), row.cell("patient_id"));
    let is_plain = !id.is_empty() && id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !is_plain {
        session
            .leave_out("image_id: expected letters and digits, such as img00001", &format!("{}, {id:?}", row.place()));
        return Ok(());
    }
    let path = photos.join(format!("{id}.jpg"));
    if !path.is_file() {
        session.leave_out("no image file", &format!("{}, {id}.jpg", row.place()));
        return Ok(());
    }
    if patient.is_empty() {
        session.leave_out("no patient_id, and the split is by patient", &row.place());
        return Ok(());
    }
    let (present, unknown) = match diseases_of(row) {
        Ok(labels) => labels,
        Err(unusable) => {
            session.leave_out(&unusable.reason, &unusable.place);
            return Ok(());
        }
    };
    let split = drawn_split(patient);
    if !session.wants(split) {
        return Ok(());
    }
    let image: PathBuf = session.image(&path, &format!("{id}.jpg"))?;
    let case = |id: String, task: &Task, answer: String| Case {
        id,
        task: task.id.clone(),
        split,
        image: image.clone(),
        question: None,
        answer,
        unknown: Vec::new(),
        group: Some(patient.to_owned()),
    };
    let mut diseases = case(id.into(), &tasks[0], tasks[0].answer_text_of_set(&present));
    diseases.unknown = unknown.iter().map(|label| DISEASES[*label].0.to_owned()).collect();
    session.case(diseases)?;
    if let Some(task) = tasks.get(1).filter(|_| session.wants_cases()) {
        let grade = row.cell(GRADE);
        if task.labels.iter().any(|label| label.id == grade) {
            session.case(case(format!("{id}-icdr"), task, grade.into()))?;
        } else {
            let unusable = row.unusable(format!("no case of the grade; {GRADE}: expected 0 to 4"), Some(grade));
            session.leave_out(&unusable.reason, &unusable.place);
        }
    }
    if split != Split::Train {
        return Ok(());
    }
    let names: Vec<&str> = present.iter().map(|label| DISEASES[*label].1).collect();
    let findings = match (names.is_empty(), unknown.is_empty()) {
        (false, _) => names.join(", "),
        (true, true) => "none of the 13 diseases".into(),
        (true, false) => "unknown".into(),
    };
    session.document(Document {
        id: id.into(),
        image: image.clone(),
        caption: format!("colour fundus photograph, findings: {findings}"),
        source: Some("BRSET train".into()),
        group: Some(patient.to_owned()),
    })
}

fn tasks(grades: bool) -> Vec<Task> {
    let labels = DISEASES.iter().map(|(column, name)| Label::new(*column, *name)).collect();
    let task = |id: &str, kind, question: &str, labels| Task {
        id: id.into(),
        kind,
        question: Some(question.into()),
        labels,
        prompt: PromptTemplate::default(),
    };
    let mut tasks =
        vec![task(TASK, TaskKind::MultiLabel, "Which diseases does this colour fundus photograph show?", labels)];
    if grades {
        let grades = [
            "no diabetic retinopathy",
            "mild non-proliferative",
            "moderate non-proliferative",
            "severe non-proliferative",
            "proliferative",
        ];
        let labels = grades.iter().enumerate().map(|(grade, name)| Label::new(grade.to_string(), *name)).collect();
        let question = "What is the ICDR grade of diabetic retinopathy in this fundus photograph, from 0 to 4?";
        let mut grade = task(GRADE_TASK, TaskKind::Classification, question, labels);
        add_label_key(&mut grade);
        tasks.push(grade);
    }
    tasks
}

/// What the user should know: the version, odd values, labels that disagree.
fn remarks(source: &Path, table: &LabelTable) -> Vec<String> {
    let mut remarks = vec![drawn_split_remark("patient")];
    // The source may be given as `.`.
    let path = std::path::absolute(source).unwrap_or_else(|_| source.into()).display().to_string();
    remarks.push(match ["1.0.0", "1.0.1"].into_iter().find(|version| path.contains(version)) {
        Some(version) => format!("version {version}, by the name of the folder; 1.0.1 has reviewed AMD and DR labels"),
        None => {
            "the files do not say their version; 1.0.1 has reviewed AMD and DR labels, so name the version with results"
                .into()
        }
    });
    for (column, known) in CODED {
        let is_odd = |row: &TableRow| !known.contains(&without_fraction(row.cell(column)));
        let odd: Vec<TableRow> = table.rows().filter(|row| table.has(column) && is_odd(row)).collect();
        if odd.is_empty() {
            continue;
        }
        let named: Vec<String> =
            odd.iter().take(3).map(|row| format!("{:?} in {}", row.cell(column), row.place())).collect();
        let more = if odd.len() > named.len() { ", …" } else { "" };
        remarks.push(format!(
            "{column}: {} rows have something other than {} ({}{more})",
            odd.len(),
            known.join(" or "),
            named.join(", ")
        ));
    }
    if table.has(GRADE) {
        let disagrees = |row: &TableRow| {
            row.flag("diabetic_retinopathy").is_ok_and(|is_present| {
                let grade = without_fraction(row.cell(GRADE)).parse::<u8>().ok();
                grade.zip(is_present).is_some_and(|(grade, is_present)| (grade >= 1) != is_present)
            })
        };
        let count = table.rows().filter(disagrees).count();
        if count > 0 {
            remarks.push(format!("in {count} rows diabetic_retinopathy and {GRADE} disagree; each is taken as it is"));
        }
    }
    remarks
}

/// Tables that went through pandas have 1.0 for 1.
fn without_fraction(cell: &str) -> &str {
    cell.strip_suffix(".0").unwrap_or(cell)
}
