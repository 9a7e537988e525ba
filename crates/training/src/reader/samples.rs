//! Training samples: each case with each of its documents, as tokens and pictures.

use super::pairs::read_pairs;
use crate::known_answers::KnownAnswers;
use anyhow::{Context, Result};
use dissent_core::data::{Answer, Case, Dataset, Picture, Split};
use dissent_models::model::pixtral::{ContentPart, PixtralProcessor};
use dissent_readers::reader::{Evidence, PromptPiece, ReadRequest};
use dissent_retrieval::retriever::{HitSource, Retriever};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One prompt with its answer.
pub struct Sample {
    pub split: Split,
    /// Position of the case's task.
    pub task: usize,
    /// Gold label within the task; `None` if the answer is a text.
    pub label: Option<usize>,
    /// Token ids of prompt and answer.
    pub ids: Vec<u32>,
    pub prompt_length: usize,
    /// Pictures in the order of the prompt, as positions in [`Samples::pictures`].
    pub pictures: Vec<usize>,
    /// Position of the query image among them.
    pub query: usize,
    pub closed_book: bool,
}

/// All samples of a dataset with the pictures they need.
pub struct Samples {
    pub list: Vec<Sample>,
    pub pictures: Vec<Arc<Picture>>,
    /// Number of labels and first answer token of each label, by task.
    pub label_tokens: Vec<Vec<u32>>,
}

impl Samples {
    /// Collects the samples of these cases, with every document and closed-book.
    pub fn collect(
        dataset: &Dataset,
        retriever: Option<&mut Retriever>,
        processor: &PixtralProcessor,
        known: &KnownAnswers,
    ) -> Result<Self> {
        let cases = known.cases(dataset);
        let mut album = Album::default();
        let queries: Vec<usize> = cases.iter().map(|case| album.position(&case.image)).collect();
        let documents = documents_of(dataset, &cases, retriever)?;
        for row in documents.iter().flatten() {
            album.position(dataset.corpus.document(*row).image);
        }
        let pictures = album.decode(dataset)?;
        let tasks: HashMap<&str, usize> =
            dataset.tasks.iter().enumerate().map(|(position, task)| (task.id.as_str(), position)).collect();
        let shared: Vec<Arc<dissent_core::data::Task>> =
            dataset.tasks.iter().map(|task| Arc::new(task.clone())).collect();
        let mut list = Vec::new();
        for ((case, query), rows) in cases.iter().zip(&queries).zip(&documents) {
            let task =
                *tasks.get(case.task.as_str()).with_context(|| format!("case {}: no task {}", case.id, case.task))?;
            for row in rows.iter().map(|row| Some(*row)).chain([None]) {
                let document = row.map(|row| dataset.corpus.document(row));
                let document_picture = document.map(|document| album.position(document.image));
                let request = ReadRequest {
                    task: shared[task].clone(),
                    question: dataset.question_of(case).to_owned(),
                    query: pictures[*query].clone(),
                    evidence: document.zip(document_picture).map(|(document, picture)| Evidence {
                        image: Some(pictures[picture].clone()),
                        caption: Some(document.caption.to_owned()),
                    }),
                };
                let (ids, prompt_length, order) = encode(&request, &shared[task].taught_text(&case.answer), processor)?;
                let in_prompt = |is_query: bool| if is_query { *query } else { document_picture.unwrap_or(*query) };
                list.push(Sample {
                    split: case.split,
                    task,
                    label: dataset.gold_of(case).and_then(Answer::label).filter(|_| shared[task].chooses_one_label()),
                    ids,
                    prompt_length,
                    pictures: order.into_iter().map(in_prompt).collect(),
                    query: *query,
                    closed_book: row.is_none(),
                });
            }
        }
        let mut label_tokens = Vec::new();
        for task in &dataset.tasks {
            let mut tokens = Vec::new();
            for label in &task.labels {
                let ids = processor.answer_ids(&label.id, false)?;
                tokens.push(*ids.first().with_context(|| format!("task {}: label {} is empty", task.id, label.id))?);
            }
            label_tokens.push(tokens);
        }
        Ok(Self { list, pictures, label_tokens })
    }

    /// Positions of the samples of a split.
    pub fn of_split(&self, split: Split) -> Vec<usize> {
        (0..self.list.len()).filter(|&position| self.list[position].split == split).collect()
    }
}

/// Documents of each case: the given pairs, else retrieved documents, else none.
pub fn documents_of(dataset: &Dataset, cases: &[&Case], retriever: Option<&mut Retriever>) -> Result<Vec<Vec<usize>>> {
    if let Some(pairs) = read_pairs(dataset)? {
        return Ok(cases.iter().map(|case| pairs.get(&case.id).cloned().unwrap_or_default()).collect());
    }
    let Some(retriever) = retriever else { return Ok(vec![Vec::new(); cases.len()]) };
    let mut documents = Vec::with_capacity(cases.len());
    for case in cases {
        let hits = retriever.retrieve(dataset, case, &dataset.picture(&case.image)?, None)?;
        documents.push(hits.iter().map(|hit| hit.row).collect());
    }
    Ok(documents)
}

/// Token ids of prompt and answer, the length of the prompt, and for each image of the prompt whether it is the query.
fn encode(request: &ReadRequest, answer: &str, processor: &PixtralProcessor) -> Result<(Vec<u32>, usize, Vec<bool>)> {
    let prompt = request.prompt()?;
    let mut pieces = Vec::with_capacity(prompt.len());
    let mut order = Vec::new();
    for piece in &prompt {
        let picture = match piece {
            PromptPiece::Text(text) => {
                pieces.push(ContentPart::Text(text));
                continue;
            }
            PromptPiece::QueryImage => {
                order.push(true);
                &request.query
            }
            PromptPiece::DocumentImage => {
                order.push(false);
                let image = request.evidence.as_ref().and_then(|evidence| evidence.image.as_ref());
                image.context("the prompt needs a document's image, but there is none")?
            }
        };
        pieces.push(ContentPart::Image(processor.grid_of(picture.width(), picture.height())));
    }
    let mut ids = processor.encode(&pieces)?;
    let prompt_length = ids.len();
    ids.extend(processor.answer_ids(answer, true)?);
    Ok((ids, prompt_length, order))
}

/// Image files, each stored once.
#[derive(Default)]
struct Album {
    positions: HashMap<PathBuf, usize>,
    files: Vec<PathBuf>,
}

impl Album {
    fn position(&mut self, image: &Path) -> usize {
        if let Some(position) = self.positions.get(image) {
            return *position;
        }
        self.files.push(image.to_owned());
        self.positions.insert(image.to_owned(), self.files.len() - 1);
        self.files.len() - 1
    }

    fn decode(&self, dataset: &Dataset) -> Result<Vec<Arc<Picture>>> {
        self.files.par_iter().map(|image| Ok(Arc::new(dataset.picture(image)?))).collect()
    }
}
