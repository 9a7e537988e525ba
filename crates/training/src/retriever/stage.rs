//! Training of one head: fetch candidates with the snapshot, score them with the reader, pull the query towards those
//! that helped.

use super::RetrieverSettings;
use super::head_weights::{HeadWeights, query_vectors};
use super::loss::{LossSettings, retriever_loss};
use super::queries::Queries;
use super::reader_scores::{ReaderScores, position_of_gold};
use super::save::Save;
use super::step_metrics::StepMetrics;
use super::teacher::Teacher;
use super::validation::Validation;
use crate::balance::balanced;
use crate::epochs::Objective;
use crate::gradients::{Gradients, sum_over_parts};
use crate::variables::named;
use anyhow::{Context, Result, ensure};
use candle_core::{Tensor, Var};
use dissent_core::data::Dataset;
use dissent_core::run::LabelScores;
use dissent_models::model::checkpoint::{CheckpointFiles, names_of};
use dissent_retrieval::index::VectorSide;
use dissent_retrieval::retriever::Retriever;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

/// A batch is split into this many parts, one thread each.
const BATCH_PARTS: usize = 2;

/// Inputs of the training of either head.
pub struct Common<'a, 'j> {
    pub dataset: &'a Dataset,
    pub retriever: &'a Retriever,
    pub queries: &'a Queries,
    pub reader_scores: &'a mut ReaderScores<'j>,
    pub teacher: &'a Teacher,
    pub validation: &'a Validation,
    pub settings: &'a RetrieverSettings,
    /// Positions of the training cases.
    pub training: &'a [usize],
}

/// One head in training.
pub struct HeadTraining<'a, 'c, 'j> {
    pub common: &'a mut Common<'c, 'j>,
    /// The index that the head searches.
    pub side: VectorSide,
    pub head: &'a HeadWeights,
    pub snapshot: HeadWeights,
    /// Validation queries of the head that is not in training.
    pub other_queries: Vec<Vec<f32>>,
    pub save: &'a Save<'a>,
    /// Candidates of each case, fetched with the present snapshot.
    pub fetched: HashMap<usize, Vec<usize>>,
    pub step_metrics: StepMetrics,
}

impl HeadTraining<'_, '_, '_> {
    /// Candidates of these cases. All cases get the same number: the smallest number that one of them may see.
    fn candidates(&mut self, cases: &[usize]) -> Result<Vec<Vec<usize>>> {
        let mut missing: Vec<usize> = cases.iter().copied().filter(|case| !self.fetched.contains_key(case)).collect();
        missing.sort_unstable();
        missing.dedup();
        let Common { dataset, retriever, queries, settings, .. } = &*self.common;
        for case in missing {
            // Each query is computed alone: in batches of other sizes the last bits differ, and a resumed run could
            // fetch others.
            let vector = self.snapshot.head.queries(&queries.inputs(&[case])?)?.detach().squeeze(0)?.to_vec1()?;
            let of = &dataset.cases[case];
            let found = retriever.nearest(dataset, of, self.side, &vector, settings.candidates)?;
            ensure!(
                found.len() > 1,
                "case {}: expected two documents or more that it may see, found {}",
                of.id,
                found.len()
            );
            self.fetched.insert(case, found.into_iter().map(|(row, _)| row).collect());
        }
        let lists: Vec<&Vec<usize>> = cases.iter().filter_map(|case| self.fetched.get(case)).collect();
        let shortest = lists.iter().map(|rows| rows.len()).min().unwrap_or(0);
        Ok(lists.into_iter().map(|rows| rows[..shortest].to_vec()).collect())
    }

    /// ℓ of the candidates, `[cases][candidates]`.
    fn reader_scores(&mut self, cases: &[usize], candidates: &[Vec<usize>]) -> Result<Vec<Vec<f32>>> {
        let Common { dataset, reader_scores, teacher, settings, .. } = &mut *self.common;
        let pairs: Vec<(usize, usize)> =
            cases.iter().zip(candidates).flat_map(|(case, rows)| rows.iter().map(|row| (*case, *row))).collect();
        // One call for all pairs: the reader is fastest in large batches.
        let answers = reader_scores.answers(&pairs)?;
        let mut answers = answers.iter().map(AsRef::as_ref);
        let mut scores = Vec::with_capacity(cases.len());
        for (case, rows) in cases.iter().zip(candidates) {
            let own: Vec<&LabelScores> = answers.by_ref().take(rows.len()).collect();
            let disagree = own.windows(2).any(|pair| pair[0].arg_max() != pair[1].arg_max());
            self.step_metrics.cases += 1;
            self.step_metrics.disagreeing += usize::from(disagree);
            let gold = position_of_gold(dataset, &dataset.cases[*case])?;
            scores.push(teacher.scores(settings.loss.reader_score, *case, gold, &own, rows));
        }
        self.step_metrics.calls = reader_scores.calls();
        Ok(scores)
    }

    /// Validation figures of the present head.
    fn validation_figures(&mut self) -> Result<(f64, BTreeMap<String, f64>)> {
        let Common { dataset, retriever, queries, reader_scores, validation, .. } = &mut *self.common;
        let own = query_vectors(&self.head.head, &validation.cases, |cases| queries.inputs(cases))?;
        let (image, caption) = match self.side {
            VectorSide::Image => (&own, &self.other_queries),
            VectorSide::Caption => (&self.other_queries, &own),
        };
        let validated = validation.read(dataset, retriever, reader_scores, image, caption)?;
        Ok(validation.figures(&validated))
    }

    /// Document vectors `[cases, candidates, D]` of the side that the head searches.
    fn document_vectors(&self, candidates: &[Vec<usize>]) -> Result<Tensor> {
        let store = self.common.retriever.store();
        let (mut values, mut count) = (Vec::new(), 0);
        let rows: Vec<usize> = candidates.iter().flatten().copied().collect();
        for (row, vector) in rows.iter().zip(store.document_vectors(self.side, &rows)?) {
            values.extend(vector.with_context(|| format!("document in row {row} has no vector"))?);
            count += 1;
        }
        let shape = (candidates.len(), count / candidates.len().max(1), values.len() / count.max(1));
        Ok(Tensor::from_vec(values, shape, self.common.retriever.device())?)
    }
}

/// Loss of one part of a batch, divided so that the parts add up to the loss of the whole batch.
fn backward_of_part(
    head: &HeadWeights,
    queries: &Queries,
    loss: &LossSettings,
    part: &(Vec<usize>, Tensor, Tensor),
    share: f64,
) -> Result<(f64, Gradients)> {
    let (cases, documents, reader) = part;
    let queries = head.head.queries(&queries.inputs(cases)?)?;
    let scores = queries.unsqueeze(1)?.broadcast_mul(documents)?.sum(2)?;
    let value = (retriever_loss(&scores, reader, loss)? * share)?;
    let scaled = (&value * loss.scale)?;
    Ok((f64::from(value.to_scalar::<f32>()?), Gradients::of_loss(&scaled, named(&head.variables))?))
}

impl Objective for HeadTraining<'_, '_, '_> {
    fn name(&self) -> &'static str {
        match self.side {
            VectorSide::Image => "image-head",
            VectorSide::Caption => "caption-head",
        }
    }

    /// Passes over the training cases, as many as the round needs; the round is shuffled as a whole.
    fn items(&mut self, random: &mut ChaCha8Rng) -> Vec<usize> {
        let Common { dataset, settings, training, .. } = &*self.common;
        let wanted = settings.training.batch * settings.validate_every;
        let tasks: HashMap<&str, usize> =
            dataset.tasks.iter().enumerate().map(|(position, task)| (task.id.as_str(), position)).collect();
        let class_of = |case: usize| {
            let case = &dataset.cases[case];
            let task = tasks.get(case.task.as_str()).copied().unwrap_or(0);
            // All text answers form one class.
            (task, position_of_gold(dataset, case).unwrap_or(0))
        };
        let mut items = Vec::with_capacity(wanted);
        while items.len() < wanted {
            let mut pass = if settings.balance { balanced(training, class_of, random) } else { training.to_vec() };
            pass.shuffle(random);
            items.extend(pass);
        }
        items.truncate(wanted);
        items
    }

    fn before_step(&mut self, step: usize) -> Result<()> {
        if step.is_multiple_of(self.common.settings.snapshot_every) {
            self.snapshot.copy_from(self.head)?;
            self.fetched.clear();
        }
        Ok(())
    }

    fn backward(&mut self, items: &[usize], _random: &mut ChaCha8Rng) -> Result<(f64, Gradients)> {
        let candidates = self.candidates(items)?;
        let reader = self.reader_scores(items, &candidates)?;
        self.step_metrics.steps += 1;
        let (head, queries, loss) = (self.head, self.common.queries, &self.common.settings.loss);
        let size = items.len().div_ceil(BATCH_PARTS);
        let mut parts = Vec::new();
        for ((cases, rows), reader) in items.chunks(size).zip(candidates.chunks(size)).zip(reader.chunks(size)) {
            let documents = self.document_vectors(rows)?;
            let reader = Tensor::new(reader.to_vec(), documents.device())?;
            parts.push((cases.to_vec(), documents, reader));
        }
        sum_over_parts(&parts, |part| {
            backward_of_part(head, queries, loss, part, part.0.len() as f64 / items.len() as f64)
        })
    }

    fn state(&self) -> Vec<(String, Var)> {
        self.snapshot.named("snapshot")
    }

    fn figures(&self) -> String {
        self.step_metrics.note()
    }

    fn describe(&self, items: &[usize]) -> String {
        let ids: Vec<&str> = items.iter().take(8).map(|case| self.common.dataset.cases[*case].id.as_str()).collect();
        let more =
            if items.len() > ids.len() { format!(" and {} more", items.len() - ids.len()) } else { String::new() };
        format!("the cases {}{more}", ids.join(", "))
    }

    fn validate(&mut self) -> Result<(f64, BTreeMap<String, f64>)> {
        let mut cost = self.step_metrics.figures();
        let (figure, mut figures) = self.validation_figures()?;
        figures.append(&mut cost);
        self.step_metrics = StepMetrics::new(self.common.reader_scores.calls());
        Ok((figure, figures))
    }

    fn checkpoint(&self) -> Option<(PathBuf, Vec<String>)> {
        Some((self.save.out.clone(), names_of(&CheckpointFiles::new())))
    }

    fn save(&self, steps: usize) -> Result<()> {
        self.save.best(self.side, self.head, steps)
    }

    fn save_last(&self, steps: usize) -> Result<()> {
        self.save.last(self.side, self.head, steps)
    }
}
