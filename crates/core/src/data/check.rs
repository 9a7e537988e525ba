//! `dissent check`: finds every problem of a dataset, including its images, and summarises its content. The corpus is read line
//! by line, twice, and kept as a few numbers per document: it may have millions.

use super::contradictions::contradiction_warning;
use super::dataset::EMPTY_CORPUS;
use super::image_checks::{ImageChecks, NamedImage};
use super::jsonl::for_each_document;
use super::leakage::{CorpusLeaks, LeakCounts, leaks_across_splits};
use super::look_alikes::LookAlikes;
use super::summary::SummaryCounter;
use super::{CASES_FILE, CORPUS_FILE, Case, Document, OnlyPart, OpenedCases, Problem, Summary};
use serde::Serialize;
use std::path::Path;

/// Documents whose images are decoded together.
const BATCH: usize = 4096;

/// The result of a check.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    pub problems: Vec<Problem>,
    /// Summary of the valid lines; `None` if `dataset.toml` cannot be used.
    pub summary: Option<Summary>,
    /// Rows that share a picture or group with cases that they must not share with; empty if there are none.
    pub leaks: Vec<LeakCounts>,
}

impl CheckReport {
    /// Number of problems that are errors.
    pub fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.is_error()).count()
    }
}

/// Reads the dataset, decodes every image, and lists all problems. `progress` gets the number of images done and in all.
pub fn check(root: &Path, progress: &(dyn Fn(usize, usize) + Sync)) -> CheckReport {
    let (dataset, case_lines, mut problems) = match OpenedCases::read(root) {
        Ok(opened) => opened.into_parts(),
        Err(problems) => return CheckReport { problems, summary: None, leaks: Vec::new() },
    };
    let corpus_path = root.join(CORPUS_FILE);
    let mut counter = SummaryCounter::default();
    dataset.cases.iter().for_each(|case| counter.case(case));
    let mut look_alikes = LookAlikes::of_cases(&dataset.cases);
    let mut documents = 0;
    let corpus_problems = for_each_document(&corpus_path, &mut |_, document| {
        documents += 1;
        counter.document(&document.view());
        look_alikes.note(&document);
    });
    let is_unreadable = corpus_problems.iter().any(|problem| problem.line.is_none());
    problems.extend(corpus_problems);
    if documents == 0 && !is_unreadable && dataset.only != Some(OnlyPart::Cases) {
        problems.push(Problem::error(&corpus_path, EMPTY_CORPUS));
    }
    let in_all = counter.images().unwrap_or_else(|error| {
        problems.push(not_counted(root, &error));
        0
    });
    let mut images = ImageChecks::new(root, in_all, progress);
    let named: Vec<NamedImage> =
        dataset.cases.iter().zip(&case_lines).map(|(case, line)| of_case(case, *line)).collect();
    images.look_at(CASES_FILE, &named);
    drop(named);
    let mut leaks = CorpusLeaks::of_cases(&dataset.cases, images.contents());
    let mut batch: Vec<(usize, Document)> = Vec::with_capacity(BATCH);
    // The problems of these lines are known already.
    let _ = for_each_document(&corpus_path, &mut |line, document| {
        look_alikes.collect(&document);
        batch.push((line, document));
        if batch.len() == BATCH {
            look_at_documents(&mut images, &mut leaks, &batch);
            batch.clear();
        }
    });
    look_at_documents(&mut images, &mut leaks, &batch);
    let (contents, image_problems) = images.finish();
    problems.extend(image_problems);
    let summary = counter.finish(&dataset.name, &dataset.tasks).unwrap_or_else(|error| {
        problems.push(not_counted(root, &error));
        Summary::default()
    });
    problems.extend(look_alikes.warnings(&dataset, summary.sources.keys()));
    problems.extend(contradiction_warning(&dataset, &case_lines, &contents));
    problems.extend(leaks.warnings(&dataset, &case_lines, &contents));
    let (warnings, across_splits) = leaks_across_splits(&dataset, &case_lines, &contents);
    problems.extend(warnings);
    let of_corpus = leaks.into_counts();
    let leaks = [of_corpus].into_iter().chain(across_splits).filter(|counts| counts.count() > 0).collect();
    CheckReport { problems, summary: Some(summary), leaks }
}

fn not_counted(root: &Path, error: &std::io::Error) -> Problem {
    Problem::error(root, format!("cannot count images and groups in a temporary file ({error})"))
}

fn of_case(case: &Case, line: usize) -> NamedImage<'_> {
    NamedImage { line, image: &case.image }
}

/// Decodes the images of some documents and looks for cases with the same ones.
fn look_at_documents(images: &mut ImageChecks, leaks: &mut CorpusLeaks, documents: &[(usize, Document)]) {
    let named: Vec<NamedImage> =
        documents.iter().map(|(line, document)| NamedImage { line: *line, image: &document.image }).collect();
    images.look_at(CORPUS_FILE, &named);
    leaks.documents(documents, images.contents());
}
