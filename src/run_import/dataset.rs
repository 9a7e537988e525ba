//! The dataset behind a run of the reference code: its cases and the retrieved documents.

use super::answer::AnswerParser;
use super::line::{Group, Passage};
use super::options::ReferenceRunOptions;
use crate::data::{Case, Dataset, DatasetWriter, Document, Existing, Label, Manifest, PromptTemplate, Task, TaskKind};
use crate::files::archive_member;
use anyhow::{Context, Result};
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

/// Largest image file that is copied, bytes.
const LONGEST_IMAGE: u64 = 512 << 20;
/// Longest file name, in letters of up to four bytes each.
const LONGEST_NAME: usize = 50;

/// Cases and documents with new ids; image paths are those of the file.
pub(super) struct DatasetParts {
    cases: Vec<Case>,
    documents: Vec<Document>,
    rows: HashMap<Passage, usize>,
    task: Task,
}

impl DatasetParts {
    /// Makes one case per group and one document per different passage.
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
                unknown: Vec::new(),
                group: None,
            });
            for candidate in &group.candidates {
                let passage = &candidate.passage;
                if rows.contains_key(passage) {
                    continue;
                }
                rows.insert(passage.clone(), documents.len());
                // Ids of the reference's corpora collide across sources (docs/method.md, "Data").
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

    /// Row of the passage's document.
    pub fn row_of(&self, passage: &Passage) -> usize {
        self.rows.get(passage).copied().unwrap_or_default()
    }

    /// Id of the document in a row.
    pub fn document_id(&self, row: usize) -> &str {
        self.documents.get(row).map_or("", |document| &document.id)
    }

    /// Writes the dataset and copies the images that are found; relative paths start at `images`. Returns the dataset
    /// and the number of images not found.
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
        // Two ids may give the same file name.
        let mut names = HashSet::new();
        let mut copy = |writer: &mut DatasetWriter, image: &Path, id: &str| -> Result<PathBuf> {
            done += 1;
            progress(done, total);
            if let Some(known) = copied.get(image) {
                return Ok(known.clone());
            }
            let kind = image.extension().unwrap_or_default().to_string_lossy();
            let name = format!("{id}.{kind}");
            let from = images.join(image);
            let path = match archive_member::read(&from, LONGEST_IMAGE) {
                Ok(bytes) => writer.image(&name, &bytes)?,
                // An empty path names no image; a path below a file does not exist either.
                Err(error) if image.as_os_str().is_empty() || is_missing(&error) => {
                    missing += 1;
                    Path::new("images").join(&name)
                }
                Err(error) => return Err(error).with_context(|| format!("cannot read image {}", from.display())),
            };
            copied.insert(image.to_path_buf(), path.clone());
            Ok(path)
        };
        for case in &self.cases {
            let image = copy(&mut writer, &case.image, &unused(&mut names, &file_name(&case.id)))?;
            writer.case(&Case { image, ..case.clone() })?;
        }
        for document in &self.documents {
            let image = copy(&mut writer, &document.image, &unused(&mut names, &file_name(&document.id)))?;
            writer.document(&Document { image, ..document.clone() })?;
        }
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let note =
            format!("Imported predictions: no model of this run is here, its stored answers are shown. From {name}.");
        let manifest = Manifest { note: Some(note), ..Manifest::new(name, vec![self.task.clone()]) };
        writer.finish(&manifest)?;
        Ok((Dataset::open(target)?, missing))
    }
}

/// The id, with a number appended if it is taken.
fn unused(used: &mut HashSet<String>, id: &str) -> String {
    let mut name = id.to_owned();
    let mut number = 1;
    while !used.insert(name.clone()) {
        number += 1;
        name = format!("{id}-{number}");
    }
    name
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// An id as a file name: other letters replaced, cut to leave room for a number and an extension.
fn file_name(id: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "-_".contains(letter) { letter } else { '-' };
    id.chars().map(plain).take(LONGEST_NAME).collect()
}
