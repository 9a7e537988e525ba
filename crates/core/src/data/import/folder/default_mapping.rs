//! What columns mean by their usual names, where the user says nothing.

use super::Job;
use crate::data::TaskKind;
use crate::data::import::{ColumnMapping, TaskMapping};
use anyhow::{Result, bail};

/// Name of the column that importers add: it is equal for all rows with the same picture.
pub(super) const PICTURE: &str = "(picture)";

/// The user's mapping, or one by the names of the columns; `image` is the column of images.
///
/// # Errors
/// Fails if no column has a usual name of a label, question or caption.
pub(super) fn mapping_for(job: &Job, image: &str, columns: &[String]) -> Result<ColumnMapping> {
    let mut mapping = match &job.choices.mapping {
        Some(mapping) => mapping.clone(),
        None => by_usual_names(columns)?,
    };
    if let Some(question) = &job.choices.question {
        mapping.ask(question)?;
    }
    if !mapping.image.is_empty() && mapping.image != image {
        bail!("--image {}: expected {image}, which holds the images of this layout", mapping.image);
    }
    mapping.image = image.into();
    mapping.picture.get_or_insert_with(|| PICTURE.into());
    if mapping.name.trim().is_empty() {
        mapping.name = job.name();
    }
    Ok(mapping)
}

fn by_usual_names(columns: &[String]) -> Result<ColumnMapping> {
    let find = |names: &[&str]| {
        names.iter().find_map(|name| columns.iter().find(|column| column.eq_ignore_ascii_case(name)).cloned())
    };
    let mut mapping = ColumnMapping {
        caption: find(&["caption", "text", "txt"]),
        group: find(&["group", "patient_id", "patient", "article_accession_id", "pmcid", "pmc_id"]),
        split: find(&["split"]),
        ..ColumnMapping::default()
    };
    if let (Some(question), Some(answer)) = (find(&["question"]), find(&["answer"])) {
        let mut task = TaskMapping::new("vqa", TaskKind::ClosedVqa, answer);
        task.question_column = Some(question);
        mapping.tasks.push(task);
    } else if let Some(label) = find(&["label", "class", "cls", "diagnosis"]) {
        mapping.tasks.push(TaskMapping::new("label", TaskKind::Classification, label));
    }
    if mapping.tasks.is_empty() && mapping.caption.is_none() {
        bail!(
            "expected a column or field called label, question and answer, or caption; found {}; --label, --answer or \
             --caption COLUMN says what they mean",
            columns.join(", ")
        );
    }
    Ok(mapping)
}
