//! What the columns of a Hugging Face table mean: what the user says, then the features, then the usual names.

use super::features::{Column, ColumnKind};
use crate::data::TaskKind;
use crate::data::import::{ColumnMapping, TaskMapping};
use anyhow::{Result, bail};

/// Names of the columns that the importer adds to every row: the split with the row's number, the hash of the image, and a
/// group for formats that know one.
pub(in crate::data::import) const ID: &str = "(row)";
pub(super) const PICTURE: &str = "(picture)";
pub(in crate::data::import) const GROUP: &str = "(group)";
/// All of them, in the order in which they end a row.
pub(super) const ADDED: [&str; 3] = [ID, PICTURE, GROUP];

const IMAGES: [&str; 4] = ["image", "img", "picture", "jpg"];
const QUESTIONS: [&str; 1] = ["question"];
const ANSWERS: [&str; 1] = ["answer"];
const CAPTIONS: [&str; 4] = ["caption", "text", "report", "description"];
const IDS: [&str; 3] = ["id", "qid", "question_id"];
/// An id where every image has one row.
const IMAGE_ID: [&str; 1] = ["image_id"];
const GROUPS: [&str; 9] = [
    "patient_id",
    "patientid",
    "subject_id",
    "patient",
    "study_id",
    "article_accession_id",
    "pmcid",
    "pmc_id",
    "lesion_id",
];
/// Name of the task of questions.
const VQA: &str = "vqa";

/// The mapping with everything that it left open.
///
/// # Errors
/// Fails if no column is an image, several are, or nothing says what the rows are for.
pub(super) fn completed(given: &ColumnMapping, columns: &[Column], remarks: &mut Vec<String>) -> Result<ColumnMapping> {
    let mut mapping = given.clone();
    if mapping.image.is_empty() {
        mapping.image = image_column(columns)?;
    }
    if mapping.tasks.is_empty() && mapping.caption.is_none() {
        find_tasks(&mut mapping, columns, remarks)?;
    }
    for task in &mut mapping.tasks {
        add_class_names(task, columns, remarks)?;
    }
    if mapping.id.is_none() {
        let is_corpus = mapping.tasks.is_empty();
        let id = plain(columns, &IDS).or_else(|| plain(columns, &IMAGE_ID).filter(|_| is_corpus));
        mapping.id = Some(id.unwrap_or_else(|| ID.into()));
    }
    if mapping.group.is_none() {
        mapping.group = plain(columns, &GROUPS);
        if let Some(group) = &mapping.group {
            remarks.push(format!("rows are grouped by the column {group:?}"));
        }
    }
    let asks = mapping.tasks.iter().any(|task| task.question_column.is_some());
    if mapping.picture.is_none() && (mapping.group.is_none() || asks) {
        mapping.picture = Some(PICTURE.into());
    }
    if mapping.group.is_none() && mapping.picture.as_deref() == Some(PICTURE) {
        remarks.push("rows with the same picture, byte for byte, are one group".into());
    }
    Ok(mapping)
}

/// The position of a column that the mapping names.
///
/// # Errors
/// Fails if there is none of this name, or it cannot be used as the field says.
pub(super) fn usable(columns: &[Column], field: &str, name: &str) -> Result<usize> {
    let Some(position) = columns.iter().position(|column| column.name == name) else {
        bail!("{field}: expected the column {name:?}, found {}", names_of(columns));
    };
    match (&columns[position].kind, field == "image") {
        (ColumnKind::Image | ColumnKind::Bytes, true)
        | (ColumnKind::Plain | ColumnKind::Class(_) | ColumnKind::Classes(_), false) => Ok(position),
        (ColumnKind::ImagePath, true) => bail!(
            "column {name}: expected images, found only their paths, which are those of the author's disk and never opened; \
             with the images here, export the rows as CSV and import them with `table`"
        ),
        (_, true) => bail!("column {name}: expected images as bytes, found another type"),
        (ColumnKind::Unusable(what), false) => {
            bail!("column {name} ({field}): expected texts, numbers or lists, found {what}")
        }
        (ColumnKind::Image | ColumnKind::ImagePath | ColumnKind::Bytes, false) => {
            bail!("column {name} ({field}): expected texts, numbers or lists, found images or bytes")
        }
    }
}

/// The one column with images.
fn image_column(columns: &[Column]) -> Result<String> {
    let of_kind = |wanted: &[ColumnKind]| -> Vec<&str> {
        columns.iter().filter(|column| wanted.contains(&column.kind)).map(|column| column.name.as_str()).collect()
    };
    let images = of_kind(&[ColumnKind::Image]);
    let candidates = if images.is_empty() { of_kind(&[ColumnKind::Bytes]) } else { images };
    let usual = candidates.iter().find(|name| IMAGES.iter().any(|usual| name.eq_ignore_ascii_case(usual)));
    match (&candidates[..], usual) {
        ([only], _) => Ok((*only).into()),
        (_, Some(usual)) => Ok((*usual).into()),
        ([], None) => {
            if let [only, ..] = &of_kind(&[ColumnKind::ImagePath])[..] {
                usable(columns, "image", only)?;
            }
            bail!("expected a column of images (a struct of bytes and path, or bytes), found {}", names_of(columns))
        }
        (several, None) => {
            bail!("expected one column of images, found {}; choose one with --image COLUMN", several.join(", "))
        }
    }
}

/// Finds out what the rows are for: questions with answers, classes, or captions.
fn find_tasks(mapping: &mut ColumnMapping, columns: &[Column], remarks: &mut Vec<String>) -> Result<()> {
    mapping.caption = plain(columns, &CAPTIONS);
    let classes: Vec<&Column> =
        columns.iter().filter(|column| matches!(column.kind, ColumnKind::Class(_) | ColumnKind::Classes(_))).collect();
    if let (Some(question), Some(answer)) = (plain(columns, &QUESTIONS), any(columns, &ANSWERS)) {
        let mut task = TaskMapping::new(VQA, TaskKind::ClosedVqa, answer);
        task.question_column = Some(question);
        mapping.tasks.push(task);
        let other: Vec<&str> = classes.iter().map(|column| column.name.as_str()).collect();
        if !other.is_empty() {
            remarks.push(format!("no task is made of the classes in {} (--label COLUMN)", other.join(", ")));
        }
        return Ok(());
    }
    for column in classes {
        let kind =
            if matches!(column.kind, ColumnKind::Class(_)) { TaskKind::Classification } else { TaskKind::MultiLabel };
        mapping.tasks.push(TaskMapping::new(&column.name, kind, &column.name));
    }
    if mapping.tasks.is_empty() && mapping.caption.is_none() {
        bail!(
            "expected columns question and answer, a ClassLabel, or a caption, found {}; say what the columns are with \
             --label, --question-column and --answer, or --caption",
            names_of(columns)
        );
    }
    Ok(())
}

/// The labels of a task whose answers are classes, in the order of their numbers.
fn add_class_names(task: &mut TaskMapping, columns: &[Column], remarks: &mut Vec<String>) -> Result<()> {
    let Some(answer) = &task.answer else { return Ok(()) };
    let Some(column) = columns.iter().find(|column| column.name == *answer) else { return Ok(()) };
    let (ColumnKind::Class(names) | ColumnKind::Classes(names)) = &column.kind else { return Ok(()) };
    if matches!(column.kind, ColumnKind::Classes(_)) && task.kind == TaskKind::Classification {
        remarks.push(format!("column {answer} is a list of classes, so task {} has several labels at once", task.id));
        task.kind = TaskKind::MultiLabel;
    }
    let is_labelled = matches!(task.kind, TaskKind::Classification | TaskKind::MultiLabel);
    if !is_labelled || !task.labels.is_empty() {
        return Ok(());
    }
    for (position, name) in names.iter().enumerate() {
        let same = names[..position].iter().find(|other| other.trim().eq_ignore_ascii_case(name.trim()));
        if let Some(other) = same {
            bail!(
                "column {answer}: expected class names that differ in more than case and space, found {other:?} and {name:?}"
            );
        }
    }
    task.labels = names.to_vec();
    Ok(())
}

/// The first column with one of these names that holds texts or numbers.
fn plain(columns: &[Column], names: &[&str]) -> Option<String> {
    let found = |name: &&&str| {
        let is_it = |column: &&Column| column.kind == ColumnKind::Plain && column.name.eq_ignore_ascii_case(name);
        columns.iter().find(is_it)
    };
    names.iter().find_map(|name| found(&name)).map(|column| column.name.clone())
}

/// As [`plain`], or one that holds classes.
fn any(columns: &[Column], names: &[&str]) -> Option<String> {
    let is_class = |column: &&Column| {
        matches!(column.kind, ColumnKind::Class(_)) && names.iter().any(|name| column.name.eq_ignore_ascii_case(name))
    };
    plain(columns, names).or_else(|| columns.iter().find(is_class).map(|column| column.name.clone()))
}

fn names_of(columns: &[Column]) -> String {
    let kinds = columns.iter().take(40).map(|column| match &column.kind {
        ColumnKind::Unusable(what) => format!("{} ({what})", column.name),
        ColumnKind::Image => format!("{} (image)", column.name),
        ColumnKind::ImagePath => format!("{} (paths of images)", column.name),
        ColumnKind::Bytes => format!("{} (bytes)", column.name),
        ColumnKind::Class(_) => format!("{} (class)", column.name),
        ColumnKind::Classes(_) => format!("{} (classes)", column.name),
        ColumnKind::Plain => column.name.clone(),
    });
    let kinds: Vec<String> = kinds.collect();
    if kinds.is_empty() { "no column".into() } else { kinds.join(", ") }
}
