//! Stores imported answers as runs.

use super::collect::{CaseParts, Collected, ModelAnswers};
use super::import::{ImportedRun, PredictionOptions};
use crate::data::{Corpus, Dataset, Existing};
use crate::files::durable::{make_folder, replace_folder};
use crate::files::fingerprint::Fingerprint;
use crate::run::{Ablation, CaseAnswer, Head, Hit, Prediction, Provenance, RetrieverIdentity, RunIdentity, RunWriter};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::path::Path;

/// Cases written and synced together.
const CASES_PER_BATCH: usize = 1000;
/// The head of a document of which the file does not say how it was found.
const UNKNOWN_HEAD: &str = "external";
/// The head of a model that stands in the place of a document.
const MODEL_HEAD: &str = "model";

/// What all runs of an import share.
pub(super) struct RunsToWrite<'a> {
    pub dataset: &'a Dataset,
    pub workspace: &'a Workspace,
    /// Name of the files, for people.
    pub source: String,
    /// Fingerprint of the files.
    pub fingerprint: Fingerprint,
    pub ablation: Ablation,
    pub options: &'a PredictionOptions,
}

/// Writes one run per model, or one of all models as candidates.
pub(super) fn write_runs(
    to_write: &RunsToWrite,
    collected: Collected,
    remarks: &mut Vec<String>,
) -> Result<Vec<ImportedRun>> {
    let mut runs = Vec::new();
    if to_write.options.as_candidates {
        runs.push(to_write.of_candidates(collected.models, remarks)?);
    } else {
        let is_one = collected.models.len() == 1;
        for answers in collected.models {
            let name =
                if is_one { to_write.options.run.clone() } else { run_name(&to_write.options.run, &answers.model) };
            runs.push(to_write.of_model(answers, name, remarks)?);
        }
    }
    // All names are checked before anything is written.
    for (place, (run, _)) in runs.iter().enumerate() {
        let is_twice = runs[..place].iter().any(|(other, _)| other.name == run.name);
        ensure!(
            !is_twice,
            "two models give the run name {}; import their files one by one, each with a name",
            run.name
        );
        if run.folder.exists() && to_write.options.existing == Existing::Refuse {
            bail!("there is a run {} already in {}; --replace replaces it", run.name, run.folder.display());
        }
    }
    let mut written = Vec::with_capacity(runs.len());
    for (run, content) in runs {
        if !to_write.options.dry_run {
            write(to_write, &run.folder, &content)?;
        }
        written.push(run);
    }
    Ok(written)
}

/// Identity and answers of a run.
struct RunContent {
    identity: RunIdentity,
    answers: Vec<CaseAnswer>,
}

/// A run name with the model's name, other letters replaced.
fn run_name(run: &str, model: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "-_.+".contains(letter) { letter } else { '-' };
    format!("{run}-{}", model.chars().map(plain).collect::<String>())
}

fn write(to_write: &RunsToWrite, folder: &Path, content: &RunContent) -> Result<()> {
    let parent = folder.parent().with_context(|| format!("{} has no folder above it", folder.display()))?;
    make_folder(parent)?;
    let aside = tempfile::Builder::new()
        .prefix(".unfinished-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot write in {}", parent.display()))?;
    let mut dataset = Cow::Borrowed(to_write.dataset);
    if !content.identity.candidates.is_empty() {
        dataset.to_mut().add_models(&content.identity.candidates);
    }
    let mut writer = RunWriter::open(aside.path(), &content.identity)?;
    for batch in content.answers.chunks(CASES_PER_BATCH) {
        writer.append(&dataset, batch)?;
    }
    drop(writer);
    replace_folder(aside.path(), folder)?;
    // The folder has its name now.
    let _ = aside.keep();
    Ok(())
}

impl RunsToWrite<'_> {
    fn of_model(
        &self,
        answers: ModelAnswers,
        name: String,
        remarks: &mut Vec<String>,
    ) -> Result<(ImportedRun, RunContent)> {
        let sampled_answers = answers.is_sampled() == Some(true);
        let model = answers.model;
        let mut cases = Vec::with_capacity(answers.cases.len());
        let mut out_of_rank = 0;
        for parts in answers.cases {
            let case = case_answer(parts, &self.dataset.corpus)?;
            out_of_rank += usize::from(!is_in_order_of_ranks(&case));
            cases.push(case);
        }
        if out_of_rank > 0 {
            remarks.push(format!(
                "{model}: in {out_of_rank} cases the ranks of a head are not in the order of the lines, or one is there twice; the \
                 order of the lines counts where documents of all heads are ranked"
            ));
        }
        self.remark_on_gaps(&model, &cases, remarks);
        let retriever = self.retriever(&cases);
        let reader = Fingerprint::of_parts([self.fingerprint.as_str(), &model]);
        let mut identity = RunIdentity::new(self.dataset, &model, &reader, retriever.as_ref());
        identity.set_ablation(self.ablation);
        identity.sampled_answers = sampled_answers;
        let run = self.imported(name, vec![model], &cases)?;
        Ok((run, RunContent { identity, answers: cases }))
    }

    /// A run in which every model stands in the place of a document.
    fn of_candidates(&self, models: Vec<ModelAnswers>, remarks: &mut Vec<String>) -> Result<(ImportedRun, RunContent)> {
        ensure!(
            models.len() > 1,
            "--candidates: expected the answers of two models or more, found those of {} alone",
            models.first().map_or("none", |answers| &answers.model)
        );
        let kinds: Vec<bool> = models.iter().filter_map(ModelAnswers::is_sampled).collect();
        ensure!(
            kinds.windows(2).all(|pair| pair[0] == pair[1]),
            "--candidates: expected label_counts of all models or of none, found some: shares of samples and probabilities are not \
             mixed in one run"
        );
        let names: Vec<String> = models.iter().map(|answers| answers.model.clone()).collect();
        let first = self.dataset.corpus.len();
        let mut cases: Vec<CaseAnswer> = Vec::new();
        let mut places: FxHashMap<usize, usize> = FxHashMap::default();
        for (place, answers) in models.into_iter().enumerate() {
            for parts in answers.cases {
                let Some(prediction) = parts.closed_book else { continue };
                let at = *places.entry(parts.case).or_insert_with(|| {
                    let (hits, predictions) = (Vec::new(), Vec::new());
                    cases.push(CaseAnswer {
                        case: parts.case,
                        hits,
                        predictions,
                        closed_book: None,
                        recorded_fusion: None,
                    });
                    cases.len() - 1
                });
                let provenances = vec![Provenance { head: MODEL_HEAD.parse()?, rank: place + 1, score: None }];
                cases[at].hits.push(Hit { row: first + place, document: answers.model.clone(), provenances });
                cases[at].predictions.push(prediction);
            }
        }
        // The same place in every case is the same model.
        let all = cases.len();
        cases.retain(|answer| answer.hits.len() == names.len());
        if cases.len() < all {
            remarks.push(format!(
                "{} of {all} cases are left out of the run, as only some of the {} models have answered them",
                all - cases.len(),
                names.len()
            ));
        }
        ensure!(
            !cases.is_empty(),
            "--candidates: no case has the answers of all {} models: {}",
            names.len(),
            names.join(", ")
        );
        self.remark_on_gaps("all models together", &cases, remarks);
        let reader = Fingerprint::of_parts([self.fingerprint.as_str(), "candidates"]);
        let mut identity = RunIdentity {
            candidates: names.clone(),
            sampled_answers: kinds.first() == Some(&true),
            ..RunIdentity::new(self.dataset, &names.join(", "), &reader, None)
        };
        identity.set_ablation(self.ablation);
        let run = self.imported(self.options.run.clone(), names, &cases)?;
        Ok((run, RunContent { identity, answers: cases }))
    }

    fn imported(&self, name: String, models: Vec<String>, answers: &[CaseAnswer]) -> Result<ImportedRun> {
        let predictions = || answers.iter().flat_map(|answer| answer.predictions.iter().chain(&answer.closed_book));
        let has_none = |prediction: &&Prediction| {
            prediction.scores.is_none() && prediction.odds.is_none() && prediction.samples.is_none()
        };
        Ok(ImportedRun {
            folder: self.workspace.run_dir(&name)?,
            name,
            models,
            cases: answers.len(),
            predictions: predictions().count(),
            without_scores: predictions().filter(has_none).count(),
        })
    }

    /// Cases of the answered splits that a model has not answered.
    fn remark_on_gaps(&self, model: &str, answers: &[CaseAnswer], remarks: &mut Vec<String>) {
        let cases = &self.dataset.cases;
        let splits: Vec<_> = answers.iter().map(|answer| cases[answer.case].split).collect();
        let mut seen = Vec::new();
        for split in splits.iter().filter(|split| self.options.split.is_none_or(|wanted| wanted == **split)) {
            if seen.contains(split) {
                continue;
            }
            seen.push(*split);
            let all = cases.iter().filter(|case| case.split == *split).count();
            let answered = splits.iter().filter(|other| *other == split).count();
            if answered < all {
                remarks.push(format!(
                    "{model} has answered {answered} of the {all} cases of the split {split}; its figures are of those"
                ));
            }
        }
    }

    /// The unknown retriever of the files, which stand for it; `None` if no answer has a document.
    fn retriever(&self, answers: &[CaseAnswer]) -> Option<RetrieverIdentity> {
        answers.iter().find(|answer| !answer.hits.is_empty())?;
        let most = |head: Head| {
            let of_head = |hit: &&Hit| hit.provenances.iter().any(|provenance| provenance.head == head);
            answers.iter().map(|answer| answer.hits.iter().filter(of_head).count()).max().unwrap_or(0)
        };
        let print = &self.fingerprint;
        Some(RetrieverIdentity {
            encoder_name: format!("as recorded in {}", self.source),
            encoder: print.clone(),
            heads_name: None,
            heads: None,
            index: print.clone(),
            fingerprint: print.clone(),
            k_image: most(Head::Image),
            k_caption: most(Head::Caption),
            k_lexical: most(Head::Lexical),
        })
    }
}

/// Whether the ranks of each head grow from line to line.
fn is_in_order_of_ranks(answer: &CaseAnswer) -> bool {
    let mut last: FxHashMap<Head, usize> = FxHashMap::default();
    let mut provenances = answer.hits.iter().flat_map(|hit| &hit.provenances);
    provenances.all(|found| last.insert(found.head, found.rank).is_none_or(|before| before < found.rank))
}

/// The answers to a case. A document without a head was found by an unknown one, in the order of the lines.
fn case_answer(parts: CaseParts, corpus: &Corpus) -> Result<CaseAnswer> {
    let mut hits = Vec::with_capacity(parts.with_document.len());
    let mut predictions = Vec::with_capacity(parts.with_document.len());
    for (place, (document, prediction)) in parts.with_document.into_iter().enumerate() {
        let row = corpus.row_of(&document.id);
        let row = row.with_context(|| format!("document {} is not in the corpus", document.id))?;
        let mut provenances = document.provenances;
        if provenances.is_empty() {
            provenances.push(Provenance { head: UNKNOWN_HEAD.parse()?, rank: place + 1, score: None });
        }
        hits.push(Hit { row, document: document.id, provenances });
        predictions.push(prediction);
    }
    Ok(CaseAnswer { case: parts.case, hits, predictions, closed_book: parts.closed_book, recorded_fusion: parts.fused })
}
