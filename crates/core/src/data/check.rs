//! `dissent check`: finds every problem of a dataset, including its images, and summarises its content.

use super::contradictions::contradiction_warning;
use super::leakage::leakage_warnings;
use super::look_alikes::look_alike_warnings;
use super::{CASES_FILE, CORPUS_FILE, Dataset, LenientDataset, Picture, PictureRemark, Problem, Summary};
use crate::files::fingerprint::Fingerprint;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Maximum number of files that a warning names.
const NAMED_FILES: usize = 3;

/// The result of a check.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    pub problems: Vec<Problem>,
    /// Summary of the valid lines; `None` if `dataset.toml` cannot be used.
    pub summary: Option<Summary>,
}

impl CheckReport {
    /// Number of problems that are errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.is_error()).count()
    }
}

/// Reads the dataset, decodes every image, and lists all problems. `progress` gets the number of images done and in all.
pub fn check(root: &Path, progress: &(dyn Fn(usize, usize) + Sync)) -> CheckReport {
    let lenient = Dataset::open_lenient(root);
    let mut problems = lenient.problems.clone();
    let Some(dataset) = &lenient.dataset else {
        return CheckReport { problems, summary: None };
    };
    let contents = check_images(dataset, &lenient, &mut problems, progress);
    problems.extend(look_alike_warnings(&lenient));
    problems.extend(contradiction_warning(dataset, &lenient, &contents));
    problems.extend(leakage_warnings(dataset, &lenient, &contents));
    CheckReport { problems, summary: Some(Summary::of(dataset)) }
}

/// The cases and documents that use an image, as positions.
#[derive(Default)]
struct Uses {
    cases: Vec<usize>,
    documents: Vec<usize>,
}

fn image_uses(dataset: &Dataset) -> BTreeMap<PathBuf, Uses> {
    let mut uses: BTreeMap<PathBuf, Uses> = BTreeMap::new();
    for (position, case) in dataset.cases.iter().enumerate() {
        uses.entry(case.image.clone()).or_default().cases.push(position);
    }
    for (position, document) in dataset.corpus.iter().enumerate() {
        uses.entry(document.image.clone()).or_default().documents.push(position);
    }
    uses
}

/// Decodes each image file once; returns the content hash of each valid one.
fn check_images(
    dataset: &Dataset,
    lenient: &LenientDataset,
    problems: &mut Vec<Problem>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> HashMap<PathBuf, Fingerprint> {
    let uses: Vec<(PathBuf, Uses)> = image_uses(dataset).into_iter().collect();
    let done = AtomicUsize::new(0);
    let results: Vec<Result<(Fingerprint, Vec<PictureRemark>), String>> = uses
        .par_iter()
        .map(|(image, _)| {
            let result = Picture::read_with_remarks(&dataset.image_path(image));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, uses.len());
            result.map(|(picture, remarks)| (picture.fingerprint, remarks)).map_err(|error| format!("{error:#}"))
        })
        .collect();
    let mut contents = HashMap::new();
    let mut remarked: BTreeMap<&'static str, Vec<(PathBuf, PictureRemark)>> = BTreeMap::new();
    for ((image, uses), result) in uses.into_iter().zip(results) {
        match result {
            Ok((content, remarks)) => {
                for remark in remarks {
                    remarked.entry(remark.kind()).or_default().push((image.clone(), remark));
                }
                contents.insert(image, content);
            }
            Err(message) => problems.push(image_problem(dataset, lenient, &uses, &message)),
        }
    }
    problems.extend(remarked.iter().map(|(kind, files)| remark_problem(dataset, kind, files)));
    contents
}

/// One warning for all files with the same remark: their number and the first of them.
fn remark_problem(dataset: &Dataset, kind: &str, files: &[(PathBuf, PictureRemark)]) -> Problem {
    let named: Vec<String> =
        files.iter().take(NAMED_FILES).map(|(image, remark)| format!("{}: {remark}", image.display())).collect();
    let others = if files.len() > NAMED_FILES { "; …" } else { "" };
    Problem::warning(&dataset.root, format!("images {kind}: {} ({}{others})", files.len(), named.join("; ")))
}

/// Reports the problem at the first line that names the image, with the number of others.
fn image_problem(dataset: &Dataset, lenient: &LenientDataset, uses: &Uses, message: &str) -> Problem {
    let (file, line) = match (uses.cases.first(), uses.documents.first()) {
        (Some(case), _) => (CASES_FILE, lenient.case_lines.get(*case)),
        (None, document) => (CORPUS_FILE, document.and_then(|document| lenient.document_lines.get(*document))),
    };
    let others = uses.cases.len() + uses.documents.len() - 1;
    let message = if others == 0 { message.into() } else { format!("{message} (and {others} more lines name it)") };
    let problem = Problem::error(&dataset.root.join(file), message).in_field("image");
    match line {
        Some(line) => problem.at_line(*line),
        None => problem,
    }
}
