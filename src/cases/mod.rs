//! All data on the cases: the dataset, the reader's answers, the annotations.
//!
//! | module | what is in it |
//! |---|---|
//! | [`answer_names`] | letters and names of answers |
//! | [`annotations`] | the annotations of a dataset by the position of their case |
//! | [`comparison`] | the other run that the shown run is compared with |
//! | [`given_evidence`] | the image and the caption that the reader was given, withheld or swapped ones among them |
//! | [`filter`] | which cases pass `task:fundus verdict:inconsistent` |

pub mod annotations;
pub mod answer_names;
pub mod comparison;
pub mod filter;
pub mod given_evidence;

use self::comparison::{Against, WhoIsRight};
use self::given_evidence::RunEvidence;
use crate::annotation::{
    CaseAnnotation, CaseReview, Category, CategoryId, DefinitionHistory, Staleness, answers_fingerprint,
};
use crate::data::{Answer, Case, Dataset, Task};
use crate::evaluation::{CaseOutcome, PartialCaseAnswer, UserHit};
use crate::run::{Ablation, Head, about_models};
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Figures over fewer cases than this reveal the value of each case.
pub const FEW: usize = 10;

/// The dataset with all data on its cases. A case is identified by its position in `Dataset::cases`.
pub struct Cases {
    dataset: Arc<Dataset>,
    /// Sources of the corpus, sorted; collected on first use.
    sources: OnceCell<Vec<String>>,
    categories: Vec<Category>,
    /// Whether a case or document may have several categories.
    several: bool,
    answers: FxHashMap<usize, PartialCaseAnswer>,
    /// Names of the heads, found out when a filter first asks after an answer changed.
    heads: OnceCell<Vec<String>>,
    /// Name of the stored run whose answers are shown.
    stored_run: Option<String>,
    /// The models that stand in the place of documents in that run.
    models: Vec<String>,
    /// What the run on the screen gives its reader with each document, and what the other one gives.
    evidence: RunEvidence,
    other_evidence: Option<RunEvidence>,
    run_fingerprint: Option<String>,
    against: Option<Against>,
    /// Earlier wordings of the categories.
    definitions: Arc<DefinitionHistory>,
    /// Name of the annotator of this session.
    annotator: String,
    /// The annotator's own annotations.
    annotations: FxHashMap<usize, Arc<CaseAnnotation>>,
    /// The annotations and decisions of everybody.
    reviews: FxHashMap<usize, CaseReview>,
    /// Annotations of others stay hidden until asked for, even after the annotator has labelled the case.
    is_blind: bool,
    /// Cases opened in this session or an earlier one.
    seen: FxHashSet<usize>,
}

/// Initial data of [`Cases`].
pub struct InitialCases {
    pub dataset: Arc<Dataset>,
    pub categories: Vec<Category>,
    pub several: bool,
    pub stored_run: Option<String>,
    /// The models that stand in the place of documents in that run ([`crate::run::RunIdentity::candidates`]).
    pub models: Vec<String>,
    /// What the stored run withholds from the reader.
    pub ablation: Ablation,
    pub against: Option<Against>,
    pub definitions: Arc<DefinitionHistory>,
    pub annotator: String,
    pub annotations: FxHashMap<usize, Arc<CaseAnnotation>>,
    pub reviews: FxHashMap<usize, CaseReview>,
    pub is_blind: bool,
}

impl Cases {
    /// The cases before the worker has answered anything.
    pub fn new(known: InitialCases) -> Self {
        Self {
            evidence: RunEvidence::new(&known.dataset, known.ablation),
            other_evidence: known.against.as_ref().map(|other| RunEvidence::new(&known.dataset, other.ablation)),
            dataset: known.dataset,
            sources: OnceCell::new(),
            categories: known.categories,
            several: known.several,
            answers: FxHashMap::default(),
            heads: OnceCell::new(),
            stored_run: known.stored_run,
            models: known.models,
            run_fingerprint: None,
            against: known.against,
            annotations: known.annotations,
            definitions: known.definitions,
            annotator: known.annotator,
            reviews: known.reviews,
            is_blind: known.is_blind,
            seen: FxHashSet::default(),
        }
    }

    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The case at this position.
    pub fn get(&self, case: usize) -> Option<&Case> {
        self.dataset.cases.get(case)
    }

    /// Id of the case, empty if there is none at this position.
    pub fn id_of(&self, case: usize) -> String {
        self.get(case).map(|case| case.id.clone()).unwrap_or_default()
    }

    /// The task of a case.
    pub fn task_of(&self, case: &Case) -> Option<&Task> {
        self.dataset.tasks.iter().find(|task| task.id == case.task)
    }

    /// The gold answer to a case; `None` if some of its labels are unknown.
    pub fn gold_of(&self, case: &Case) -> Option<Answer> {
        self.task_of(case)?.gold_of(case)
    }

    /// Names of the sources of the corpus, sorted.
    pub fn sources(&self) -> &[String] {
        self.sources.get_or_init(|| {
            let mut sources: Vec<String> = self.dataset.corpus.sources().map(str::to_owned).collect();
            sources.sort_unstable();
            sources
        })
    }

    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// Whether a case or document may have several categories.
    pub fn takes_several_categories(&self) -> bool {
        self.several
    }

    /// The given categories that the taxonomy has, in its order.
    pub fn known_categories<'a>(&'a self, ids: &'a BTreeSet<CategoryId>) -> impl Iterator<Item = &'a Category> {
        self.categories.iter().filter(|category| ids.contains(&category.id))
    }

    /// The category with this id; `None` if the taxonomy no longer has it.
    pub fn category(&self, id: &CategoryId) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == *id)
    }

    /// Earlier wordings of the categories.
    pub fn definitions(&self) -> &DefinitionHistory {
        &self.definitions
    }

    /// Name of the annotator of this session.
    pub fn annotator(&self) -> &str {
        &self.annotator
    }

    /// Names such as "Misleading look-alike, Other", or "no category".
    pub fn category_names(&self, ids: &BTreeSet<CategoryId>) -> String {
        let names: Vec<&str> = self.known_categories(ids).map(|category| category.name.as_str()).collect();
        if names.is_empty() { "no category".to_owned() } else { names.join(", ") }
    }

    /// Name of the stored run whose answers are shown.
    pub fn stored_run(&self) -> Option<&str> {
        self.stored_run.as_deref()
    }

    /// Whether models stand in the place of documents in the run on the screen.
    pub fn models_stand_in(&self) -> bool {
        !self.models.is_empty()
    }

    /// The model whose answer is in this slot of every case.
    pub fn model_at(&self, slot: usize) -> Option<&str> {
        self.models.get(slot).map(String::as_str)
    }

    /// A text about hits and documents in the words for the run on the screen.
    pub fn in_words_of_run<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.models_stand_in() { about_models(text) } else { Cow::Borrowed(text) }
    }

    /// What the run on the screen gives its reader with each document.
    pub fn evidence(&self) -> &RunEvidence {
        &self.evidence
    }

    /// What the other run gives its reader; `None` if there is no other run.
    pub fn other_evidence(&self) -> Option<&RunEvidence> {
        self.other_evidence.as_ref()
    }

    /// Fingerprint of the run on the screen.
    pub fn run_fingerprint(&self) -> Option<&str> {
        self.run_fingerprint.as_deref()
    }

    pub fn set_run_fingerprint(&mut self, fingerprint: String) {
        self.run_fingerprint = Some(fingerprint);
    }

    /// The answers to a case so far.
    pub fn answers_of(&self, case: usize) -> Option<&PartialCaseAnswer> {
        self.answers.get(&case)
    }

    /// The answers to a case, for adding to them.
    pub fn answers_mut(&mut self, case: usize) -> &mut PartialCaseAnswer {
        self.heads.take();
        self.answers.entry(case).or_default()
    }

    /// The heads of this program, and those that found a hit of any case; sorted. They are kept until an answer changes,
    /// because a filter asks for them with every key.
    pub fn heads(&self) -> &[String] {
        self.heads.get_or_init(|| {
            let own = [Head::Image, Head::Caption, Head::Lexical, Head::Person, Head::Random];
            let hits = self.answers.values().filter_map(PartialCaseAnswer::hits).flatten();
            let found = hits.flat_map(|hit| hit.provenances.iter().map(|found| found.head));
            let sorted: BTreeSet<Head> = found.chain(own).collect();
            sorted.into_iter().map(|head| head.to_string()).collect()
        })
    }

    /// The user's own evidence for a case; `None` if the case has no answers yet.
    pub fn user_evidence_mut(&mut self, case: usize) -> Option<&mut Vec<UserHit>> {
        self.answers.get_mut(&case).map(|answers| &mut answers.user_hits)
    }

    /// Largest number of hits of any case so far; `None` before the first hits.
    pub fn most_hits(&self) -> Option<usize> {
        self.answers.values().filter_map(|answers| answers.hits()).map(<[_]>::len).max()
    }

    /// Whether more answers to this case are expected.
    pub fn is_unread(&self, case: usize) -> bool {
        !self.answers_of(case).is_some_and(PartialCaseAnswer::is_settled)
    }

    /// Fingerprint of a case's documents and answers; `None` until every hit is read.
    pub fn answers_fingerprint_of(&self, case: usize) -> Option<String> {
        let task = self.task_of(self.get(case)?)?;
        Some(answers_fingerprint(self.answers_of(case)?.answer_by_document(&task.labels)?).to_string())
    }

    /// The answers to a case with its gold label; `None` until every hit is read.
    pub fn outcome_of(&self, case: usize) -> Option<CaseOutcome> {
        let gold = self.gold_of(self.get(case)?)?;
        self.answers_of(case)?.outcome(Some(gold))
    }

    /// The run that this one is compared with.
    pub fn against(&self) -> Option<&Against> {
        self.against.as_ref()
    }

    /// Whether there is another run to compare with.
    pub fn compares_runs(&self) -> bool {
        self.against.is_some()
    }

    /// The other run's answers to a case.
    pub fn other_answers(&self, case: usize) -> Option<&PartialCaseAnswer> {
        self.against.as_ref()?.answers.get(&case)
    }

    /// Which of the two runs answers this case correctly; `None` if one of them has no answer.
    pub fn who_is_right(&self, case: usize) -> Option<WhoIsRight> {
        let gold = self.gold_of(self.get(case)?)?;
        let right = |answers: &PartialCaseAnswer| Some(answers.final_answer()?.is_right(Some(gold)));
        Some(match (right(self.answers_of(case)?)?, right(self.other_answers(case)?)?) {
            (true, true) => WhoIsRight::Both,
            (true, false) => WhoIsRight::OnlyA,
            (false, true) => WhoIsRight::OnlyB,
            (false, false) => WhoIsRight::Neither,
        })
    }

    /// Whether the final answers of the two runs differ.
    pub fn fused_flips(&self, case: usize) -> bool {
        let one = self.answers_of(case).and_then(PartialCaseAnswer::final_answer);
        let other = self.other_answers(case).and_then(PartialCaseAnswer::final_answer);
        one.zip(other).is_some_and(|(one, other)| one.answer != other.answer)
    }

    /// The annotator's own annotation of a case.
    pub fn annotation_of(&self, case: usize) -> Option<&CaseAnnotation> {
        self.annotations.get(&case).map(Arc::as_ref)
    }

    /// The annotator's own annotations, each with the position of its case.
    pub fn annotations(&self) -> impl Iterator<Item = (usize, &CaseAnnotation)> {
        self.annotations.iter().map(|(case, annotation)| (*case, annotation.as_ref()))
    }

    /// Sets the annotator's annotation of a case; `None` removes it.
    pub fn set_annotation(&mut self, case: usize, annotation: Option<Arc<CaseAnnotation>>) {
        match annotation {
            Some(annotation) => drop(self.annotations.insert(case, annotation)),
            None => drop(self.annotations.remove(&case)),
        }
    }

    /// Whether the case has changed since it was annotated.
    pub fn staleness_of(&self, case: usize) -> Staleness {
        let Some(annotation) = self.annotation_of(case) else { return Staleness::Unknown };
        // This runs for every row of a frame, so answers are fingerprinted only for cases with a label.
        if !annotation.is_labelled() && annotation.hits.is_empty() {
            return Staleness::Unknown;
        }
        let answers_now = self.answers_fingerprint_of(case);
        annotation.staleness(self.run_fingerprint(), answers_now.as_deref())
    }

    /// The review of a case; `None` if nobody has annotated or decided it.
    pub fn review_of(&self, case: usize) -> Option<&CaseReview> {
        self.reviews.get(&case)
    }

    pub fn set_review(&mut self, case: usize, review: CaseReview) {
        if review.is_empty() {
            self.reviews.remove(&case);
        } else {
            self.reviews.insert(case, review);
        }
    }

    pub fn is_blind(&self) -> bool {
        self.is_blind
    }

    /// Whether the annotator has labelled the case ([`CaseAnnotation::is_labelled`]).
    pub fn is_labelled(&self, case: usize) -> bool {
        self.annotation_of(case).is_some_and(CaseAnnotation::is_labelled)
    }

    /// Whether the annotations of others stay hidden until asked for. They would influence an annotator who works
    /// blind or has not labelled the case yet.
    pub fn hides_others(&self, case: usize) -> bool {
        self.is_blind || !self.is_labelled(case)
    }

    /// The state of agreement on the case, as shown under its answers; `None` if nobody else has annotated it or it
    /// must stay hidden.
    pub fn standing_shown(&self, case: usize) -> Option<&'static str> {
        let others = self.review_of(case).filter(|review| self.count_of_others(review) > 0);
        others.filter(|_| !self.hides_others(case)).map(|review| review.standing().word())
    }

    /// Number of other annotators who have annotated the case.
    pub fn count_of_others(&self, review: &CaseReview) -> usize {
        review.annotations.iter().filter(|authored| authored.annotator != self.annotator).count()
    }

    /// Whether the case was opened in this session or an earlier one.
    pub fn is_seen(&self, case: usize) -> bool {
        self.seen.contains(&case)
    }

    /// The cases that were opened, in no order.
    pub fn seen(&self) -> impl Iterator<Item = usize> {
        self.seen.iter().copied()
    }

    pub fn set_seen(&mut self, case: usize) {
        self.seen.insert(case);
    }

    /// Replaces the set of opened cases.
    pub fn replace_seen(&mut self, cases: impl Iterator<Item = usize>) {
        self.seen = cases.collect();
    }
}
