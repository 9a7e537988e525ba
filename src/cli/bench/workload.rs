//! What is measured: prompts of the embedded sample, as `dissent predict` makes them.

use crate::data::{Dataset, Picture};
use crate::files::fingerprint::Fingerprint;
use crate::reader::{Evidence, ReadRequest};
use anyhow::{Context, Result, ensure};
use image::imageops::FilterType;
use std::path::Path;
use std::sync::Arc;

/// Cases of the sample, each once without a document and once with each of its documents. No two cases share a picture.
pub struct Workload {
    pub cases: usize,
    pub requests: Vec<ReadRequest>,
}

impl Workload {
    /// `cases` cases with `documents` documents each, spread over the sample; pictures are scaled to squares of `side` pixels
    /// if it is given.
    ///
    /// # Errors
    /// Fails if the sample is smaller, or one of its files cannot be read.
    pub fn new(dataset: &Dataset, cases: usize, documents: usize, side: Option<u32>) -> Result<Self> {
        let (most_cases, rows) = (dataset.cases.len(), dataset.document_rows().len());
        ensure!(cases <= most_cases, "--cases {cases}: the sample has {most_cases}");
        ensure!(cases * documents <= rows, "--cases {cases} --documents {documents}: the sample has {rows} documents");
        let mut requests = Vec::new();
        for number in 0..cases {
            let case = &dataset.cases[number * most_cases / cases];
            let task = dataset.task(&case.task).with_context(|| format!("case {} has no task", case.id))?;
            let closed_book = ReadRequest {
                task: Arc::new(task.clone()),
                question: dataset.question_of(case).to_owned(),
                query: picture(dataset, &case.image, side)?,
                evidence: None,
            };
            for document in 0..documents {
                let row = (number * documents + document) * rows / (cases * documents);
                let document = dataset.corpus.document(row);
                let evidence = Evidence {
                    image: Some(picture(dataset, document.image, side)?),
                    caption: Some(document.caption.to_owned()),
                };
                requests.push(ReadRequest { evidence: Some(evidence), ..closed_book.clone() });
            }
            requests.push(closed_book);
        }
        Ok(Self { cases, requests })
    }

    /// All pictures, in order.
    pub fn pictures(&self) -> Vec<&Picture> {
        let mut pictures = Vec::with_capacity(self.requests.len());
        for request in &self.requests {
            match &request.evidence {
                Some(evidence) => pictures.extend(evidence.image.as_deref()),
                None => pictures.push(&request.query),
            }
        }
        pictures
    }

    /// All captions, in order.
    pub fn captions(&self) -> Vec<&str> {
        self.requests.iter().filter_map(|request| request.evidence.as_ref()?.caption.as_deref()).collect()
    }
}

fn picture(dataset: &Dataset, image: &Path, side: Option<u32>) -> Result<Arc<Picture>> {
    let mut picture = dataset.picture(image)?;
    if let Some(side) = side {
        picture.image = picture.image.resize_exact(side, side, FilterType::CatmullRom);
        picture.fingerprint = Fingerprint::of_parts([picture.fingerprint.as_str(), &side.to_string()]);
    }
    Ok(Arc::new(picture))
}
