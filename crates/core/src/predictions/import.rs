//! Imports prediction files: reads them, joins the answers to cases, and stores a run per model.

use super::collect::Collected;
use super::counts::Counts;
use super::format::PredictionFormat;
use super::given_answer::{AnswerRole, GivenAnswer};
use super::join::CaseIndex;
use super::parse::parse_answer;
use super::question_file::Questions;
use super::read_file::{FileAnswers, read_file};
use super::write_run::{RunsToWrite, write_runs};
use crate::data::import::{LeftOut, leave_out};
use crate::data::{Answer, Dataset, Existing, KnownIds, Split};
use crate::files::fingerprint::Fingerprint;
use crate::run::Ablation;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Options of [`import_predictions`].
#[derive(Clone, Debug)]
pub struct PredictionOptions {
    /// Name of the run; if the files have several models, the name of each is added.
    pub run: String,
    /// `None` recognises each file.
    pub format: Option<PredictionFormat>,
    /// Name of the model of answers that do not name theirs.
    pub model: Option<String>,
    /// Questions and pictures by id: LLaVA's question.jsonl or VLMEvalKit's .tsv.
    pub questions: Option<PathBuf>,
    /// Folder that relative paths of pictures start from.
    pub images: Option<PathBuf>,
    /// Only cases of this split are joined.
    pub split: Option<Split>,
    /// The answers of all models become one run, in which the models stand in the place of documents.
    pub as_candidates: bool,
    /// A label that is only a part of longer words of a text does not count.
    pub whole_words: bool,
    pub existing: Existing,
    /// Reads and counts, but writes nothing.
    pub dry_run: bool,
}

/// What an import has read and written.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportedPredictions {
    pub runs: Vec<ImportedRun>,
    /// Number of answers in the files.
    pub answers: usize,
    /// Number of answers that were joined to a case.
    pub joined: usize,
    pub left_out: Vec<LeftOut>,
    pub remarks: Vec<String>,
}

/// A run that was written.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedRun {
    pub name: String,
    /// The model, or the models that stand as candidates.
    pub models: Vec<String>,
    pub folder: PathBuf,
    pub cases: usize,
    pub predictions: usize,
    /// Predictions without log-probabilities.
    pub without_scores: usize,
}

/// Reads prediction files and stores their answers as runs of the dataset.
///
/// # Errors
/// Fails if a file cannot be read, a line is not in the format (path, line and field are named), no answer of a file belongs
/// to a case, a model has two answers to one question, or a run exists and may not be replaced.
pub fn import_predictions(
    dataset: &Dataset,
    files: &[PathBuf],
    options: &PredictionOptions,
    workspace: Option<&Path>,
) -> Result<ImportedPredictions> {
    let workspace = Workspace::open(&dataset.root, workspace)?;
    workspace.run_dir(&options.run)?;
    let mut job = Job {
        dataset,
        options,
        questions: options.questions.as_deref().map(Questions::read).transpose()?,
        documents: dataset.known_documents(),
        collected: Collected::default(),
        counts: Counts::default(),
        ablation: None,
        fused_without_scores: 0,
        imported: ImportedPredictions::default(),
    };
    let mut prints = Vec::new();
    for path in files {
        let file = read_file(path, options.format, &mut job.imported.left_out)?;
        prints.push(file.fingerprint.clone());
        job.add_file(path, file)?;
    }
    if let Some(path) = &options.questions {
        // They decide which cases the answers belong to.
        prints.push(Fingerprint::of_file(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let Job { collected, counts, ablation, fused_without_scores, mut imported, .. } = job;
    if fused_without_scores > 0 {
        imported.remarks.push(format!("{fused_without_scores} fused answers are kept without their probabilities"));
    }
    imported.remarks.extend(counts.remarks());
    if collected.repeated > 0 {
        imported.remarks.push(format!("{} answers stand in the files again; each counts once", collected.repeated));
    }
    if collected.replaced > 0 {
        imported.remarks.push(format!(
            "{} answers have another one to the same case further down, which counts: lmms-eval appends when it runs again",
            collected.replaced
        ));
    }
    let to_write = RunsToWrite {
        dataset,
        workspace: &workspace,
        source: source_name(files),
        fingerprint: Fingerprint::of_parts(prints.iter().map(Fingerprint::as_str)),
        ablation: ablation.unwrap_or_default(),
        options,
    };
    imported.runs = write_runs(&to_write, collected, &mut imported.remarks)?;
    Ok(imported)
}

/// The name of the first file, and how many others there are.
fn source_name(files: &[PathBuf]) -> String {
    let first = files.first().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy().into_owned();
    match files.len() {
        0 | 1 => first,
        more => format!("{first} and {} more", more - 1),
    }
}

/// An import at work.
struct Job<'a> {
    dataset: &'a Dataset,
    options: &'a PredictionOptions,
    questions: Option<Questions>,
    /// Rows of the corpus by id.
    documents: KnownIds<'a>,
    collected: Collected,
    counts: Counts,
    /// What the lines say that the reader was not given; the same on all lines.
    ablation: Option<Ablation>,
    /// Fused answers whose probabilities are not kept.
    fused_without_scores: usize,
    imported: ImportedPredictions,
}

impl Job<'_> {
    fn add_file(&mut self, path: &Path, file: FileAnswers) -> Result<()> {
        let FileAnswers { format, answers, model, split, accuracy, odd_scores, remarks, .. } = file;
        self.imported.remarks.extend(remarks);
        ensure!(!answers.is_empty(), "{}: expected answers, found none", path.display());
        let split = self.options.split.or(split);
        let index = CaseIndex::new(self.dataset, split, self.options.images.as_deref());
        if format == PredictionFormat::Medmnist {
            let name = split.map(|split| split.to_string());
            let name = name.with_context(|| {
                format!(
                    "{}: expected a name with train, val or test in it, as the evaluator writes; --split says it",
                    path.display()
                )
            })?;
            ensure!(
                answers.len() == index.len(),
                "{}: expected a row for each of the {} cases of the split {name}, found {}; rows are joined by their place",
                path.display(),
                index.len(),
                answers.len()
            );
        }
        let model = self.options.model.clone().unwrap_or(model);
        self.imported.answers += answers.len();
        let mut joined = 0;
        let mut right = 0;
        let mut without_question = 0;
        let mut lost_scores = false;
        for mut answer in answers {
            if let Some(questions) = &self.questions {
                without_question += usize::from(!questions.add_to(&mut answer));
            }
            let Some(position) = self.join(&index, &mut answer) else { continue };
            let is_right = self.add(position, &answer, &model, format, &mut lost_scores)?;
            joined += 1;
            right += usize::from(is_right);
        }
        if joined == 0 {
            let reasons: Vec<String> = self.imported.left_out.iter().map(ToString::to_string).collect();
            bail!(
                "{}: no answer belongs to a case of {}: {}",
                path.display(),
                self.dataset.root.display(),
                reasons.join("; ")
            );
        }
        self.imported.joined += joined;
        if without_question > 0 {
            self.imported
                .remarks
                .push(format!("{}: {without_question} answers are not in the file of --questions", path.display()));
        }
        if let Some(odd) = odd_scores.filter(|_| lost_scores) {
            self.imported.remarks.push(format!("{odd}, so the file has no probabilities of classes"));
        }
        if let Some(said) = accuracy {
            let own = format!("{:.3}", right as f64 / joined as f64);
            let is_same = said.parse::<f64>().is_ok_and(|said| (said - right as f64 / joined as f64).abs() < 0.000_6);
            if !is_same {
                self.imported.remarks.push(format!(
                    "{}: its name says an accuracy of {said}, on this dataset it is {own}: are cases and labels in the order of the \
                     evaluated set? (of several labels at once, the name has the mean over labels)",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    /// The case of an answer; without one, the answer is left out with the reason. The id of its document is written as the
    /// corpus writes it.
    fn join(&mut self, index: &CaseIndex, answer: &mut GivenAnswer) -> Option<usize> {
        let place = || match (&answer.case.id, &answer.case.question) {
            (Some(id), _) => format!("{} {id}", answer.place),
            (None, Some(question)) => format!("{} {question:.40}", answer.place),
            (None, None) => answer.place.to_string(),
        };
        let position = match index.find(&answer.case) {
            Ok(position) => position,
            Err(reason) => {
                leave_out(&mut self.imported.left_out, &format!("answers where {reason}"), &place());
                return None;
            }
        };
        if let AnswerRole::Document(document) = &mut answer.role
            && !self.options.as_candidates
        {
            let place = format!("{} {}", answer.place, document.id);
            let reason = match self.documents.find(&document.id) {
                Ok(Some(row)) if self.dataset.may_retrieve(&self.dataset.cases[position], row) => {
                    self.dataset.corpus.document(row).id.clone_into(&mut document.id);
                    return Some(position);
                }
                Ok(Some(_)) => "answers with a document that the case may not see (its own id, group or picture)",
                Ok(None) => "answers with a document that is not in the corpus",
                Err(_) => "answers with a document whose id may be that of several, in another spelling",
            };
            leave_out(&mut self.imported.left_out, reason, &place);
            return None;
        }
        Some(position)
    }

    /// Adds an answer to those of its case, and returns whether it is right.
    fn add(
        &mut self,
        position: usize,
        answer: &GivenAnswer,
        model: &str,
        format: PredictionFormat,
        lost_scores: &mut bool,
    ) -> Result<bool> {
        let at = || answer.place.to_string();
        if self.options.as_candidates
            && let AnswerRole::Document(document) = &answer.role
        {
            bail!(
                "{}: field document: expected none, as models stand in the place of documents, found {}",
                at(),
                document.id
            );
        }
        ensure!(
            !(self.options.as_candidates && answer.role == AnswerRole::Fused),
            "{}: field fused: expected none, as models stand in the place of documents",
            at()
        );
        let is_first = self.ablation.is_none_or(|known| known == answer.ablation);
        ensure!(is_first, "{}: field ablation: expected the same on every line, found {}", at(), answer.ablation);
        self.ablation = Some(answer.ablation);
        let dataset = self.dataset;
        let case = &dataset.cases[position];
        let task =
            dataset.task(&case.task).with_context(|| format!("case {}: there is no task {}", case.id, case.task))?;
        let parsed = parse_answer(task, &answer.content, self.options.whole_words).with_context(at)?;
        self.counts.add(answer, &parsed);
        *lost_scores |= parsed.lost_scores;
        if answer.role == AnswerRole::Fused {
            // A run keeps the label and the text of another program's fused answer.
            ensure!(
                !matches!(parsed.prediction.answer, Some(Answer::Set(_))),
                "{}: field fused: expected a fused answer of one label, as a run cannot keep one of several; leave these lines out",
                at()
            );
            let kept = parsed.prediction.scores.is_none() && parsed.prediction.samples.is_none();
            self.fused_without_scores += usize::from(!kept);
        }
        let own_gold = task.gold_of(case);
        if let Some(gold) = &answer.gold
            && task.answer_of(gold).is_some_and(|gold| Some(gold) != own_gold)
        {
            self.counts.add_other_gold(answer, gold, &case.id, &case.answer);
        }
        let is_right = parsed.prediction.is_right(own_gold);
        self.collected.add(
            answer.model.as_deref().unwrap_or(model),
            (position, &case.id),
            answer.role.clone(),
            parsed.prediction,
            &answer.place,
            format == PredictionFormat::LmmsEval,
        )?;
        Ok(is_right)
    }
}
