//! Images sorted into one folder per class, with or without a folder per split above: `train/MRI/a.png`.

use super::Job;
use super::files_in_folder::{FilesInFolder, FolderImage};
use crate::data::TaskKind;
use crate::data::import::{
    ColumnMapping, ImportSession, Imported, MappedRows, Record, RowPlace, RowsAs, TaskMapping, Value, split_of_word,
};
use crate::files::fingerprint::Fingerprint;
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Imports the images; the label is the name of the folder that an image is in.
///
/// # Errors
/// Fails if there are fewer than two classes, or images lie at different depths, because then folders are not classes.
pub(super) fn import(job: &Job, mut files: FilesInFolder) -> Result<Imported> {
    job.refuse_mapping("class folders")?;
    files.open_archives()?;
    let shown = job.source.display();
    let depths: BTreeSet<usize> = files.images.iter().map(|image| image.name.matches('/').count()).collect();
    if depths.len() > 1 {
        let at = |depth: &usize| files.images.iter().find(|image| image.name.matches('/').count() == *depth);
        let examples: Vec<&str> = depths.iter().filter_map(at).map(|image| image.name.as_str()).collect();
        bail!(
            "{shown}: expected all images equally deep, in split/class/ or class/, found {}; a metadata.csv with file_name \
             and label says what they are",
            examples.join(" and ")
        );
    }
    let has_splits = depths.first().is_some_and(|depth| *depth >= 2)
        && files.images.iter().all(|image| split_of_word(first_part(&image.name)).is_some());
    let labels: BTreeSet<&str> = files.images.iter().filter_map(|image| class_of(&image.name, has_splits)).collect();
    if labels.len() < 2 {
        let found = if files.images.is_empty() { "no image" } else { "images without classes" };
        let way_out = files.json.first().map_or_else(String::new, |json| {
            format!(
                "; `dissent import folder {}` reads captions or conversations, with --images-from FOLDER if their images are elsewhere",
                json.display()
            )
        });
        bail!(
            "{shown}: expected images in folders of at least two classes (split/class/image), or a metadata.csv or .jsonl \
             with file_name; found {found}{way_out}"
        );
    }
    let mut task = TaskMapping::new("label", TaskKind::Classification, "label");
    task.labels = labels.iter().map(|label| (*label).to_owned()).collect();
    task.question.clone_from(&job.choices.question);
    let mapping = ColumnMapping {
        name: job.name(),
        image: "image".into(),
        picture: Some("picture".into()),
        tasks: vec![task],
        ..ColumnMapping::default()
    };
    let columns: Arc<[String]> = ["image", "label", "picture"].map(String::from).into();
    let mut mapped = MappedRows::new(mapping, None)?;
    let mut session = ImportSession::start(job.target, job.options, RowsAs::Both)?;
    for (row, FolderImage { name, path }) in files.images.iter().enumerate() {
        let label = class_of(name, has_splits).unwrap_or_default();
        let record = Record {
            columns: Arc::clone(&columns),
            values: vec![Value::Image(path.clone()), Value::Text(label.into()), Value::Text(picture_of(name))],
            place: RowPlace { file: Arc::from(Path::new(name)), row: row as u64 },
        };
        let split = if has_splits { split_of_word(first_part(name)) } else { None };
        mapped.add(&mut session, &record, split)?;
        (job.progress)(row + 1, files.images.len());
    }
    if files.others > 0 {
        session.remark(format!("{} files are no images and were skipped", files.others));
    }
    mapped.finish(session)
}

fn first_part(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// The folder that the image is in, unless that is the split.
fn class_of(name: &str, has_splits: bool) -> Option<&str> {
    let mut parts = name.rsplit('/').skip(1);
    let class = parts.next()?;
    if !has_splits && parts.next().is_none() && split_of_word(class).is_some() {
        return None;
    }
    Some(class)
}

/// A name for the picture, which is its group. It must not contain the class, which is the answer.
fn picture_of(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let fingerprint = Fingerprint::of_bytes(name.as_bytes());
    format!("{file} {}", fingerprint.as_str().get(..8).unwrap_or_default())
}
