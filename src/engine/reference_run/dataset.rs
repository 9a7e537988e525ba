//! The dataset behind a run of the reference code: its cases and the documents that it retrieved.

use super::ReferenceRunOptions;
use super::answer::AnswerParser;
use super::line::{Group, Passage};
use crate::data::{Case, Dataset, DatasetWriter, Document, Existing, Label, Manifest, PromptTemplate, Task, TaskKind};
use anyhow::Result;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Cases and documents with ids of their own; images as the file names them.
pub(super) struct DatasetParts {
    cases: Vec<Case>,
    documents: Vec<Document>,
    rows: HashMap<Passage, usize>,
    task: Task,
}

impl DatasetParts {
    /// One case per group, one document per different passage.
    pub fn of(groups: &[Group], parser: &AnswerParser, options: &ReferenceRunOptions) -> Self {
        let mut used = HashSet::new();
        let mut cases = Vec::with_capacity(groups.len());
        let mut rows: HashMap<Passage, usize> = HashMap::new();
        let mut documents = Vec::new();
        for (position, group) in groups.iter().enumerate() {
            let own = group.sample.id.clone().unwrap_or_else(|| format!("case-{:05}", position + 1));
            cases.push(Case {
                id: unused(&mut used, &own),
                task: options.task.clone(),
                split: options.split,
                image: group.sample.image_path.clone().into(),
                question: Some(group.query.clone()),
                answer: parser.exact(&group.gold).map(|label| parser.labels[label].clone()).unwrap_or_default(),
                group: None,
            });
            for candidate in &group.candidates {
                let passage = &candidate.passage;
                if rows.contains_key(passage) {
                    continue;
                }
                rows.insert(passage.clone(), documents.len());
                // Ids of the reference's corpora collide across sources (reference.md §1.2).
                documents.push(Document {
                    id: unused(&mut used, &format!("document-{:05}", documents.len() + 1)),
                    image: passage.img_path.clone().into(),
                    caption: passage.text.clone(),
                    source: passage.dataset_source.clone(),
                    group: None,
                });
            }
        }
        let task = Task {
            id: options.task.clone(),
            kind: if parser.sets { TaskKind::LabelSet } else { TaskKind::Classification },
            question: None,
            labels: parser.labels.iter().map(|label| Label::new(label, label)).collect(),
            prompt: PromptTemplate::default(),
        };
        Self { cases, documents, rows, task }
    }

    /// Row of the document that this passage became.
    pub fn row_of(&self, passage: &Passage) -> usize {
        self.rows.get(passage).copied().unwrap_or_default()
    }

    /// Id of the document in a row.
    pub fn document_id(&self, row: usize) -> &str {
        self.documents.get(row).map_or("", |document| &document.id)
    }

    /// Writes the dataset with copies of the images that are found, relative paths from `images` on; gives how many were
    /// not found.
    pub fn write(
        &self,
        target: &Path,
        images: &Path,
        source: &Path,
        existing: Existing,
        progress: &dyn Fn(usize, usize),
    ) -> Result<(Dataset, usize)> {
        let mut writer = DatasetWriter::create(target, existing)?;
        let total = self.cases.len() + self.documents.len();
        let mut copied: HashMap<PathBuf, PathBuf> = HashMap::new();
        let mut missing = 0;
        let mut done = 0;
        let mut copy = |writer: &mut DatasetWriter, image: &Path, id: &str| -> Result<PathBuf> {
            done += 1;
            progress(done, total);
            if let Some(known) = copied.get(image) {
                return Ok(known.clone());
            }
            let kind = image.extension().unwrap_or_default().to_string_lossy();
            let name = format!("{id}.{kind}");
            let path = if let Ok(bytes) = std::fs::read(images.join(image)) {
                writer.image(&name, &bytes)?
            } else {
                missing += 1;
                Path::new("images").join(&name)
            };
            copied.insert(image.to_path_buf(), path.clone());
            Ok(path)
        };
        for case in &self.cases {
            let image = copy(&mut writer, &case.image, &file_name(&case.id))?;
            writer.case(&Case { image, ..case.clone() })?;
        }
        for document in &self.documents {
            let image = copy(&mut writer, &document.image, &document.id)?;
            writer.document(&Document { image, ..document.clone() })?;
        }
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let note =
            format!("Imported predictions: no model of this run is here, its stored answers are shown. From {name}.");
        let manifest = Manifest { name, licence: None, note: Some(note), tasks: vec![self.task.clone()] };
        Ok((writer.finish(&manifest)?, missing))
    }
}

/// The id, with a number where another has it.
fn unused(used: &mut HashSet<String>, id: &str) -> String {
    let mut name = id.to_owned();
    let mut number = 1;
    while !used.insert(name.clone()) {
        number += 1;
        name = format!("{id}-{number}");
    }
    name
}

/// An id bent to what a file name may hold.
fn file_name(id: &str) -> String {
    id.chars().map(|letter| if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '-' }).collect()
}
