//! Validation of a pair of heads: how well its hits serve the reader.

use super::loss::{ReaderScore, reader_score};
use super::reader_scores::{ReaderScores, position_of_gold};
use anyhow::{Context, Result};
use dissent_core::data::{Dataset, Task};
use dissent_core::run::{Hit, LabelScores, Prediction};
use dissent_evaluation::{CaseOutcome, Comparison, Difference, PairedOutcome, ScoredHit, Verdict, fuse};
use dissent_retrieval::retriever::Retriever;
use serde::Serialize;
use std::collections::BTreeMap;

/// One validation case under one pair of heads.
#[derive(Clone, Debug)]
pub struct Validated {
    /// `None` if the answer is a text, which has a likelihood only.
    pub outcome: Option<CaseOutcome>,
    /// log p(gold) of the fused answer.
    pub log_probability: f64,
    /// Rows of the hits, ascending.
    pub documents: Vec<usize>,
}

/// Mean log p(gold answer) of the fused answers to a task whose answer is a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Likelihood {
    pub task: String,
    pub n: usize,
    pub standard: f64,
    pub trained: f64,
    /// Trained minus standard, with a paired bootstrap 95 % interval.
    pub difference: Option<Difference>,
    /// Number of cases whose set of documents differs.
    pub changed_documents: usize,
}

impl Likelihood {
    /// One line of text for the report.
    pub fn text(&self) -> String {
        let interval = self.difference.map_or_else(String::new, |Difference { value, low, high }| {
            format!(", {value:+.3} [{low:+.3}, {high:+.3}]")
        });
        format!(
            "{}, split validation, {} cases: mean log p(gold) {:.3} → {:.3}{interval}, other documents {} of {}\n",
            self.task, self.n, self.standard, self.trained, self.changed_documents, self.n
        )
    }
}

/// The validation cases and the results of standard RAG on them.
pub struct Validation {
    pub cases: Vec<usize>,
    pub standard: Vec<Validated>,
}

impl Validation {
    /// Reads every case with the hits of the encoder itself.
    ///
    /// # Errors
    /// Fails if a case cannot be read.
    pub fn new(
        dataset: &Dataset,
        retriever: &Retriever,
        reader_scores: &mut ReaderScores,
        cases: Vec<usize>,
        base: &[Vec<f32>],
    ) -> Result<Self> {
        let standard = read_all(dataset, retriever, reader_scores, &cases, base, base)?;
        Ok(Self { cases, standard })
    }

    /// Reads every case with the hits of these query vectors: one image-head and one caption-head vector per case.
    ///
    /// # Errors
    /// Fails if a case cannot be read.
    pub fn read(
        &self,
        dataset: &Dataset,
        retriever: &Retriever,
        reader_scores: &mut ReaderScores,
        image: &[Vec<f32>],
        caption: &[Vec<f32>],
    ) -> Result<Vec<Validated>> {
        read_all(dataset, retriever, reader_scores, &self.cases, image, caption)
    }

    /// The figure that chooses the best heads, and further figures. Mean log p(gold) of the fused answers chooses: on
    /// some hundred cases it is steadier than their accuracy.
    pub fn figures(&self, trained: &[Validated]) -> (f64, BTreeMap<String, f64>) {
        let mut figures = BTreeMap::new();
        let mut count = |name: &str, hold: &dyn Fn(&Validated, &Validated) -> Option<bool>| {
            let held: Vec<bool> =
                trained.iter().zip(&self.standard).filter_map(|(now, standard)| hold(now, standard)).collect();
            // No share without cases.
            if !held.is_empty() {
                let share = held.iter().filter(|holds| **holds).count() as f64 / held.len() as f64;
                figures.insert(name.to_owned(), share);
            }
        };
        count("accuracy", &|now, _| now.outcome.as_ref().map(CaseOutcome::is_right));
        count("inconsistent", &|now, _| now.outcome.as_ref().map(is_inconsistent));
        count("accuracy_on_inconsistent", &|now, standard| {
            let is_hard = standard.outcome.as_ref().is_some_and(is_inconsistent);
            now.outcome.as_ref().filter(|_| is_hard).map(CaseOutcome::is_right)
        });
        count("other_documents", &|now, standard| Some(now.documents != standard.documents));
        let sum: f64 = trained.iter().map(|case| case.log_probability).sum();
        (sum / trained.len().max(1) as f64, figures)
    }

    /// Standard RAG against these answers, for tasks whose answer is a text.
    pub fn likelihoods(&self, dataset: &Dataset, trained: &[Validated]) -> Vec<Likelihood> {
        let mut by_task: BTreeMap<&str, Vec<(&Validated, &Validated)>> = BTreeMap::new();
        for ((case, standard), trained) in self.cases.iter().zip(&self.standard).zip(trained) {
            if trained.outcome.is_none() {
                by_task.entry(&dataset.cases[*case].task).or_default().push((standard, trained));
            }
        }
        let mut likelihoods = Vec::new();
        for (task, pairs) in by_task {
            let n = pairs.len();
            let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n as f64;
            let changes: Vec<f64> = pairs.iter().map(|(a, b)| b.log_probability - a.log_probability).collect();
            likelihoods.push(Likelihood {
                task: task.to_owned(),
                n,
                standard: mean(&mut pairs.iter().map(|(standard, _)| standard.log_probability)),
                trained: mean(&mut pairs.iter().map(|(_, trained)| trained.log_probability)),
                difference: Difference::of(&changes),
                changed_documents: pairs.iter().filter(|(a, b)| a.documents != b.documents).count(),
            });
        }
        likelihoods
    }

    /// The figures of standard RAG, before the first step.
    pub fn standard_line(&self) -> String {
        let (figure, figures) = self.figures(&self.standard);
        let mut line = format!("standard RAG on {} validation cases: validation {figure:.4}", self.cases.len());
        for (name, value) in figures {
            line.push_str(&format!("  {name} {value:.4}"));
        }
        line
    }

    /// Standard RAG against these answers, for tasks with labels.
    pub fn comparison(&self, dataset: &Dataset, trained: &[Validated]) -> Comparison {
        let mut pairs = Vec::with_capacity(self.cases.len());
        for ((case, standard), trained) in self.cases.iter().zip(&self.standard).zip(trained) {
            let (Some(first), Some(second)) = (&standard.outcome, &trained.outcome) else { continue };
            pairs.push(PairedOutcome {
                task: dataset.cases[*case].task.clone(),
                first: first.clone(),
                second: second.clone(),
                same_documents: standard.documents == trained.documents,
            });
        }
        Comparison::of("validation", "standard", "trained", &pairs)
    }
}

fn is_inconsistent(outcome: &CaseOutcome) -> bool {
    outcome.verdict() == Verdict::Inconsistent
}

fn read_all(
    dataset: &Dataset,
    retriever: &Retriever,
    reader_scores: &mut ReaderScores,
    cases: &[usize],
    image: &[Vec<f32>],
    caption: &[Vec<f32>],
) -> Result<Vec<Validated>> {
    let mut hits: Vec<Vec<Hit>> = Vec::with_capacity(cases.len());
    let mut pairs = Vec::new();
    for ((case, image), caption) in cases.iter().zip(image).zip(caption) {
        let found = retriever.hits_of(dataset, &dataset.cases[*case], image, caption)?;
        pairs.extend(found.iter().map(|hit| (*case, hit.row)));
        hits.push(found);
    }
    let mut answers = reader_scores.answers(&pairs)?.into_iter();
    let mut validated = Vec::with_capacity(cases.len());
    for (case, hits) in cases.iter().zip(&hits) {
        let predictions: Vec<Prediction> =
            answers.by_ref().take(hits.len()).map(|scores| Prediction::from(LabelScores::clone(&scores))).collect();
        let found: Vec<ScoredHit> = hits.iter().map(|hit| hit.provenances.as_slice()).zip(&predictions).collect();
        let case = &dataset.cases[*case];
        let fused = fuse(&found).with_context(|| format!("case {}: no document was retrieved", case.id))?;
        let mut documents: Vec<usize> = hits.iter().map(|hit| hit.row).collect();
        documents.sort_unstable();
        let outcome = CaseOutcome::new(dataset.gold_of(case), &predictions, &fused.prediction);
        let scores = fused.prediction.scores.context("the reader gave no log-probabilities")?;
        let chooses = dataset.task(&case.task).is_some_and(Task::chooses_one_label);
        validated.push(Validated {
            outcome: chooses.then_some(outcome),
            log_probability: f64::from(reader_score(
                ReaderScore::LogProbability,
                &scores,
                position_of_gold(dataset, case)?,
            )),
            documents,
        });
    }
    Ok(validated)
}
