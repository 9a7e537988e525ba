//! What the page says of one case, as text that is not escaped yet.

use crate::annotation::{CaseAnnotation, CaseReview, CategoryId, Decision, remarks};
use crate::cases::Cases;
use crate::cases::given_evidence::{GivenCaption, GivenEvidence};
use crate::data::Case;
use crate::evaluation::{Fused, PartialCaseAnswer, Verdict};
use crate::explain::Explanation;
use crate::run::{Head, Hit, Prediction, Provenance};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What a page tells beside question, images and predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The gold answer, and which predictions are right.
    pub gold: bool,
    /// Everybody's annotations and the decisions; otherwise the annotator's own annotation alone.
    pub everybody: bool,
}

/// One case.
#[derive(Clone, Debug, PartialEq)]
pub struct CasePage {
    /// Position in the dataset.
    pub position: usize,
    pub id: String,
    pub task: String,
    pub split: String,
    pub question: String,
    /// Names of the possible answers; none where the answer is in words.
    pub labels: Vec<String>,
    pub image: PathBuf,
    pub gold: Option<String>,
    pub closed_book: Option<AnswerText>,
    pub fused: Option<AnswerText>,
    /// Whether the predictions with the hits agree; `None` until every hit is read.
    pub agreement: Option<Agreement>,
    /// Why there are no answers, or not all of them.
    pub unanswered: Option<String>,
    pub hits: Vec<HitEntry>,
    pub remarks: Vec<Remark>,
}

/// How many of the predictions say the same as their fusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    pub agreeing: usize,
    pub of: usize,
    pub is_consistent: bool,
}

/// An answer of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerText {
    pub name: String,
    pub probability: Option<f32>,
    /// The probability is a lower bound.
    pub is_at_least: bool,
    /// The probability is a share of sampled answers with this 95 % interval.
    pub interval: Option<(f32, f32)>,
    /// `None` where gold is not told or some of its labels are unknown.
    pub is_right: Option<bool>,
}

/// A retrieved document as the reader was given it, with the model's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct HitEntry {
    pub document: String,
    /// Row of the document in the corpus.
    pub row: usize,
    pub source: Option<String>,
    /// "image search, rank 1, score 0.912".
    pub found_by: Vec<String>,
    /// `None` if the reader was given no caption.
    pub caption: Option<String>,
    /// "caption of us-doc-004:", if the caption is not the document's own.
    pub caption_source: Option<String>,
    /// `None` if the reader was given no image.
    pub image: Option<PathBuf>,
    pub answer: Option<AnswerText>,
    /// Share of the weights in the fused answer.
    pub weight: Option<f32>,
    /// Whether the answer differs from the fused one.
    pub differs: bool,
    /// Which words and regions decided the answer, if that is known.
    pub explanation: Option<Explanation>,
}

/// Something that a person said of the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// "ada", or "decided by eve".
    pub by: String,
    pub text: String,
    /// A note, or the reason of a decision.
    pub note: Option<String>,
}

impl CasePage {
    /// What is known of the case at this position; `None` if there is none.
    pub fn of(cases: &Cases, index: usize, told: Told) -> Option<Self> {
        let case = cases.get(index)?;
        let answers = cases.answers_of(index);
        let fused = answers.and_then(PartialCaseAnswer::fused);
        let answer = |prediction: &Prediction| answer_text(cases, index, case, prediction, told);
        let gold = told.gold.then(|| gold_name(cases, index, case));
        Some(Self {
            position: index,
            id: case.id.clone(),
            task: case.task.clone(),
            split: case.split.to_string(),
            question: cases.dataset().question_of(case).to_owned(),
            labels: cases
                .task_of(case)
                .map(|task| task.labels.iter().map(|label| label.name.clone()).collect())
                .unwrap_or_default(),
            image: cases.dataset().image_path(&case.image),
            gold,
            closed_book: answers.and_then(|answers| answers.closed_book.as_ref()).map(answer),
            fused: fused.map(|fused| answer(&fused.prediction)),
            agreement: answers.and_then(|answers| agreement(answers, fused?)),
            unanswered: unanswered(answers),
            hits: answers.map(|answers| hits(cases, index, answers, &answer)).unwrap_or_default(),
            remarks: remarks_on(cases, index, told),
        })
    }
}

/// The gold answer by its name, or in its own words where it is no label.
fn gold_name(cases: &Cases, index: usize, case: &Case) -> String {
    cases.gold_name(index).unwrap_or_else(|| case.answer.clone())
}

fn answer_text(cases: &Cases, index: usize, case: &Case, prediction: &Prediction, told: Told) -> AnswerText {
    AnswerText {
        name: cases.answer_name(index, prediction.answer),
        probability: prediction.probability(),
        is_at_least: prediction.is_at_least(),
        interval: prediction.interval(),
        is_right: cases.gold_of(case).filter(|_| told.gold).map(|gold| prediction.is_right(Some(gold))),
    }
}

fn agreement(answers: &PartialCaseAnswer, fused: &Fused) -> Option<Agreement> {
    let predictions = (0..answers.hit_count()).filter_map(|slot| answers.prediction_at(slot));
    let agreeing = predictions.filter(|prediction| prediction.answer == fused.prediction.answer).count();
    let is_consistent = answers.verdict()? == Verdict::Consistent;
    Some(Agreement { agreeing, of: answers.hit_count(), is_consistent })
}

fn unanswered(answers: Option<&PartialCaseAnswer>) -> Option<String> {
    let Some(answers) = answers else { return Some("The model was not asked about this case.".to_owned()) };
    if let Some(reason) = &answers.failed {
        return Some(format!("The model could not answer: {reason}"));
    }
    match answers.hits() {
        None => Some("No document has been retrieved for this case yet.".to_owned()),
        Some([]) => Some("No document was retrieved for this case.".to_owned()),
        Some(hits) if answers.read_count() < hits.len() => {
            Some(format!("The model has answered with {} of {} documents so far.", answers.read_count(), hits.len()))
        }
        Some(_) => None,
    }
}

/// The hits that were found. What a person put in is no result of the run and has no place here.
fn hits(
    cases: &Cases,
    index: usize,
    answers: &PartialCaseAnswer,
    answer: &dyn Fn(&Prediction) -> AnswerText,
) -> Vec<HitEntry> {
    let fused = answers.fused();
    let entry = |(slot, hit): (usize, &Hit)| {
        let given = cases.given_at(index, slot)?;
        let prediction = answers.prediction_at(slot);
        Some(HitEntry {
            document: hit.document.clone(),
            row: hit.row,
            source: given.document.source.map(str::to_owned),
            found_by: hit.provenances.iter().map(found_by).collect(),
            caption: caption_of(&given),
            caption_source: given.caption_source(),
            image: given.has_image.then(|| cases.dataset().image_path(given.document.image)),
            answer: prediction.map(answer),
            weight: fused.and_then(|fused| fused.weights.get(slot).copied()),
            differs: prediction
                .zip(fused)
                .is_some_and(|(prediction, fused)| prediction.answer != fused.prediction.answer),
            explanation: None,
        })
    };
    answers.hits().unwrap_or_default().iter().enumerate().filter_map(entry).collect()
}

/// The caption that the reader was given with a hit; `None` if it was given none.
fn caption_of(given: &GivenEvidence) -> Option<String> {
    match given.caption {
        GivenCaption::Own => Some(given.document.caption.to_owned()),
        GivenCaption::Swapped(other) => Some(other.caption.to_owned()),
        // The last two occur in the user's own rows only, which are not on the page.
        GivenCaption::Withheld | GivenCaption::Awaited | GivenCaption::Failed(_) => None,
    }
}

fn found_by(found: &Provenance) -> String {
    let head = match found.head {
        Head::Image => "image search",
        Head::Caption => "caption search",
        Head::Lexical => "word search",
        Head::Named(name) => name.as_str(),
        Head::Person => return "added by a person".to_owned(),
        Head::Random => return "drawn at random".to_owned(),
    };
    let score = found.score.map(|score| format!(", score {score:.3}")).unwrap_or_default();
    format!("{head}, rank {}{score}", found.rank)
}

fn remarks_on(cases: &Cases, index: usize, told: Told) -> Vec<Remark> {
    if !told.everybody {
        let own = cases.annotation_of(index).filter(|annotation| !annotation.is_empty());
        return own.map(|own| annotation_remark(cases, index, cases.annotator(), own)).into_iter().collect();
    }
    let Some(CaseReview { annotations, decision, .. }) = cases.review_of(index) else { return Vec::new() };
    let annotations = annotations.iter().filter(|authored| !authored.annotation.is_empty());
    let mut remarks: Vec<Remark> = annotations
        .map(|authored| annotation_remark(cases, index, &authored.annotator, &authored.annotation))
        .collect();
    remarks.extend(decision.iter().map(|decision| decision_remark(cases, decision)));
    remarks
}

/// "Misleading look-alike, unsure; hit 2: wrong caption".
fn annotation_remark(cases: &Cases, index: usize, annotator: &str, annotation: &CaseAnnotation) -> Remark {
    let mut parts = Vec::new();
    if !annotation.categories.is_empty() {
        parts.push(names_of(cases, &annotation.categories));
    }
    for (document, categories) in &annotation.hits {
        let hits = cases.answers_of(index).and_then(PartialCaseAnswer::hits);
        let place = hits.and_then(|hits| hits.iter().position(|hit| hit.document == *document));
        let document = place.map_or_else(|| document.clone(), |place| format!("hit {}", place + 1));
        parts.push(format!("{document}: {}", names_of(cases, categories)));
    }
    parts.extend(remarks(annotation.skipped, annotation.unsure, annotation.flagged).map(str::to_owned));
    Remark { by: annotator.to_owned(), text: parts.join("; "), note: annotation.note.clone() }
}

fn decision_remark(cases: &Cases, decision: &Decision) -> Remark {
    let none = decision.categories.is_empty();
    let text = if none { "no category applies".to_owned() } else { names_of(cases, &decision.categories) };
    let reason = Some(decision.reason.clone()).filter(|reason| !reason.is_empty());
    Remark { by: format!("decided by {}", decision.adjudicator), text, note: reason }
}

/// Names of categories; the id of one that the taxonomy no longer has.
fn names_of(cases: &Cases, ids: &BTreeSet<CategoryId>) -> String {
    let name =
        |id: &CategoryId| cases.category(id).map_or_else(|| id.as_str().to_owned(), |category| category.name.clone());
    ids.iter().map(name).collect::<Vec<_>>().join(", ")
}
