//! COCO captions: one JSON file with images and their captions. All captions of an image become one document, so that a search
//! finds each image once.

use super::Job;
use crate::data::identifier::identifier_of;
use crate::data::import::{
    ColumnMapping, ImageFiles, ImportSession, Imported, MappedRows, Record, RowPlace, RowsAs, Value,
};
use crate::text::written_json::Written;
use anyhow::{Result, bail};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Imports the parsed file.
///
/// # Errors
/// Fails if the file holds boxes instead of captions.
pub(super) fn import(job: &Job, file: &Written) -> Result<Imported> {
    job.refuse_mapping("COCO captions")?;
    if job.choices.question.is_some() {
        bail!("{}: COCO captions have no question; expected no --question", job.source.display());
    }
    let shown = job.source.display();
    let (Some(Written::List(images)), Some(Written::List(annotations))) = (file.get("images"), file.get("annotations"))
    else {
        bail!("{shown}: expected lists of images and of annotations");
    };
    if !annotations.is_empty() && annotations.iter().all(|annotation| annotation.get("caption").is_none()) {
        bail!("{shown}: expected captions; these annotations have none (a file of boxes or of key points)");
    }
    let place = |what: &str, row: usize| format!("{what} {row}");
    let folder = job.choices.images.clone().unwrap_or_else(|| job.source.parent().unwrap_or(Path::new(".")).to_owned());
    let folder = if folder.as_os_str().is_empty() { Path::new(".").to_owned() } else { folder };
    let mapping = ColumnMapping {
        name: job.name(),
        licence: licences_of(file),
        image: "file_name".into(),
        id: Some("id".into()),
        caption: Some("caption".into()),
        ..ColumnMapping::default()
    };
    let mut mapped = MappedRows::new(mapping, Some(ImageFiles::new(&[folder], None)?))?;
    let mut session = ImportSession::start(job.target, job.options, RowsAs::Corpus)?;
    let mut captions: HashMap<String, Vec<&str>> = HashMap::new();
    for (row, annotation) in annotations.iter().enumerate() {
        let id = annotation.get("image_id").and_then(identifier_of);
        let caption = annotation.get("caption").and_then(Written::as_text).map(str::trim);
        let (Some(id), Some(caption)) = (id, caption.filter(|caption| !caption.is_empty())) else {
            session.leave_out("no caption or no image_id", &place("annotation", row));
            continue;
        };
        let known = captions.entry(id).or_default();
        if !known.contains(&caption) {
            known.push(caption);
        }
    }
    let columns: Arc<[String]> = ["id", "file_name", "caption"].map(String::from).into();
    for (row, image) in images.iter().enumerate() {
        let (Some(id), Some(name)) = (image.get("id").and_then(identifier_of), image.get("file_name")) else {
            session.leave_out("no id or no file_name", &place("image", row));
            continue;
        };
        let Some(texts) = captions.remove(&id) else {
            session.leave_out("no caption of the image", &place("image", row));
            continue;
        };
        let name = name.as_text().map_or(Value::Missing, |name| Value::Text(name.to_owned()));
        let record = Record {
            columns: Arc::clone(&columns),
            values: vec![Value::Text(id), name, Value::Text(joined(&texts))],
            place: RowPlace { file: Arc::from(job.source), row: row as u64 },
        };
        mapped.add(&mut session, &record, None)?;
        (job.progress)(row + 1, images.len());
    }
    let mut orphans: Vec<&String> = captions.keys().collect();
    orphans.sort();
    for id in orphans {
        session.leave_out("captions of an image that is not listed", &format!("image_id {id}"));
    }
    mapped.finish(session)
}

/// The captions as sentences of one text.
fn joined(captions: &[&str]) -> String {
    let sentence = |caption: &&str| {
        if captions.len() == 1 || caption.ends_with(['.', '!', '?']) {
            (*caption).to_owned()
        } else {
            format!("{caption}.")
        }
    };
    captions.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// The names of the file's licences.
fn licences_of(file: &Written) -> Option<String> {
    let Some(Written::List(licences)) = file.get("licenses") else { return None };
    let names: Vec<&str> = licences.iter().filter_map(|licence| licence.get("name")?.as_text()).collect();
    (!names.is_empty()).then(|| names.join("; "))
}
