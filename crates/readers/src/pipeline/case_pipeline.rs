//! From a case to its predictions: retrieve, then ask the reader once per hit and once without a document. Cached
//! answers are not asked again.

use super::cached_reader::{CachedReader, Question};
use super::open_case::OpenCase;
use super::pictures::Pictures;
use super::{Event, ImageLike, KeyedLog, ServerUsage};
use crate::reader::{Evidence, ReadRequest, Reader, ReaderError, check_templates};
use anyhow::{Context, Result, bail};
use dissent_core::data::{Answer, Case, Dataset, LabelIndex, Picture, Task};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::run::{
    Ablation, CaptionShown, CaseAnswer, Hit, LabelScores, Prediction, Probe, Shown, ShownCaptions, TokenUsage,
    contradicting_rows,
};
use dissent_retrieval::index::CaptionResult;
use dissent_retrieval::retriever::{HitSource, HitsAccount};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Reason why a document is not read.
pub const OWN_GROUP: &str = "this image is the case's own or of its group: it is shown, but the model may not use it";

/// Number of requests that [`Pipeline::score_pairs`] builds at a time.
const PAIRS_AT_A_TIME: usize = 512;

/// Builds the task and question that the reader is asked about a document, from the case and its own task and question.
pub type AskAbout<'a> = &'a dyn Fn(&Case, Arc<Task>, String) -> (Arc<Task>, String);

/// Retriever, reader and their caches, for one dataset.
pub struct Pipeline {
    dataset: Arc<Dataset>,
    tasks: HashMap<String, Arc<Task>>,
    /// `None` if cases are read closed-book only.
    source: Option<Box<dyn HitSource>>,
    pub(super) reader: CachedReader,
    known_hits: KeyedLog<Vec<Hit>>,
    pictures: Pictures,
    ablation: Ablation,
    captions: ShownCaptions,
    /// By task id: for each corpus row, the row whose caption contradicts it. Computed for the first probe that needs
    /// it.
    contradicting: HashMap<String, Vec<Option<usize>>>,
}

impl Pipeline {
    /// Builds a pipeline; `cache` is a folder for answers that outlive the program.
    ///
    /// # Errors
    /// Fails if a prompt template is wrong or a cache file cannot be read.
    pub fn new(
        dataset: Arc<Dataset>,
        source: Option<Box<dyn HitSource>>,
        reader: Box<dyn Reader>,
        cache: &Path,
    ) -> Result<Self> {
        let captions = ShownCaptions::new(&dataset, CaptionShown::Own);
        let mut tasks = HashMap::new();
        for task in &dataset.tasks {
            check_templates(task)?;
            tasks.insert(task.id.clone(), Arc::new(task.clone()));
        }
        Ok(Self {
            dataset,
            tasks,
            source,
            reader: CachedReader::new(reader, cache)?,
            known_hits: KeyedLog::open(&cache.join("hits.jsonl"))?,
            pictures: Pictures::new(),
            ablation: Ablation::default(),
            captions,
            contradicting: HashMap::new(),
        })
    }

    /// Applies the ablation to the evidence. Random documents are drawn by the hit source.
    #[must_use]
    pub(crate) fn with_ablation(mut self, ablation: Ablation) -> Self {
        self.captions = ShownCaptions::new(&self.dataset, ablation.caption);
        self.ablation = ablation;
        self
    }

    /// Answers one case and reports each part as soon as it is known: hits, then predictions. The first unknown
    /// prediction is read alone, so that something shows early; the others, closed-book among them, are one batch.
    ///
    /// # Errors
    /// Returns `Cancelled` if cancelled between batches. A document that cannot be read (for example, its image is
    /// missing) is not an error: it is reported as the case's last event, [`Event::Failed`], after the other documents
    /// are answered.
    pub fn answer(
        &mut self,
        case: usize,
        cancelled: &dyn Fn() -> bool,
        emit: &mut dyn FnMut(Event),
    ) -> Result<(), ReaderError> {
        let open = self.open_to_predict(case)?;
        let closed_book = self.reader.question(open.request(None));
        let words = self.closed_book_words(&open, &closed_book, cancelled)?;
        let hits = self.hits(&open, words.as_deref())?;
        emit(Event::Hits { case, hits: hits.clone() });
        let mut slots = Vec::new();
        let mut questions = Vec::new();
        let mut unreadable = Vec::new();
        for (slot, hit) in hits.iter().enumerate() {
            match self.evidence(&open.task.id, hit) {
                Ok(evidence) => {
                    slots.push(Some(slot));
                    questions.push(self.reader.question(open.request(Some(evidence))));
                }
                Err(error) => unreadable.push(Event::Failed { case: Some(case), message: format!("{error:#}") }),
            }
        }
        slots.push(None);
        questions.push(closed_book);

        let mut unknown = Vec::new();
        for (position, question) in questions.iter().enumerate() {
            match self.reader.known(question) {
                Some(prediction) => emit(answer_event(case, slots[position], prediction)),
                None => unknown.push(position),
            }
        }
        let (first, others) = unknown.split_at(unknown.len().min(1));
        for batch in [first, others] {
            if batch.is_empty() {
                continue;
            }
            if cancelled() {
                return Err(ReaderError::Cancelled);
            }
            let asked: Vec<Question> = batch.iter().map(|position| questions[*position].clone()).collect();
            let predictions = self.reader.predict(&asked, cancelled)?;
            for (position, prediction) in batch.iter().zip(predictions) {
                emit(answer_event(case, slots[*position], prediction));
            }
        }
        unreadable.into_iter().for_each(emit);
        Ok(())
    }

    /// Answers several cases at once, with batches as large as the reader allows. A case that cannot be read has an
    /// error in its place.
    ///
    /// # Errors
    /// Returns `Cancelled` if cancelled. Fails if the reader itself fails.
    pub fn answer_all(
        &mut self,
        cases: &[usize],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Result<CaseAnswer>>, ReaderError> {
        let mut opened = Vec::with_capacity(cases.len());
        for case in cases {
            if cancelled() {
                return Err(ReaderError::Cancelled);
            }
            let open = self.open_to_predict(*case);
            opened.push(open.map(|open| {
                let closed_book = self.reader.question(open.request(None));
                (open, closed_book)
            }));
        }
        if self.uses_closed_book() {
            // One batch for all cases; the cache then holds the words to retrieve with.
            let closed_books: Vec<Question> = opened.iter().flatten().map(|(_, question)| question.clone()).collect();
            self.reader.predict(&closed_books, cancelled)?;
        }
        let mut questions = Vec::new();
        let mut prepared = Vec::new();
        for opened in opened {
            if cancelled() {
                return Err(ReaderError::Cancelled);
            }
            let (open, closed_book) = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    prepared.push(Err(error));
                    continue;
                }
            };
            let words = self.closed_book_words(&open, &closed_book, cancelled)?;
            prepared.push(self.questions_of(&open, words.as_deref()).map(|(hits, asked)| {
                let count = asked.len();
                questions.extend(asked);
                questions.push(closed_book);
                (open.case, hits, count)
            }));
        }
        let mut answered = self.reader.predict(&questions, cancelled)?.into_iter();
        let mut answers = Vec::new();
        for outcome in prepared {
            answers.push(outcome.and_then(|(case, hits, count)| {
                let predictions: Vec<Prediction> = answered.by_ref().take(count).collect();
                let closed_book = answered.next().context("the reader gave fewer answers than it was asked for")?;
                Ok(CaseAnswer { case, hits, predictions, closed_book: Some(closed_book), recorded_fusion: None })
            }));
        }
        Ok(answers)
    }

    /// The reader's answers to pairs of a case and a corpus row, in order. If the answer is a text (open answers,
    /// several labels), there is one score: the log-probability of the gold answer, teacher-forced over its tokens.
    ///
    /// # Errors
    /// Returns `Cancelled` if cancelled. Fails if a case or image cannot be read, or the reader fails.
    pub fn score_pairs(
        &mut self,
        pairs: &[(usize, usize)],
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        let own_question: AskAbout = &|case, task, question| {
            let task = if task.chooses_one_label() {
                task
            } else {
                Arc::new(task.asking_for(&task.taught_text(&case.answer)))
            };
            (task, question)
        };
        self.score_pairs_asking(pairs, own_question, cancelled)
    }

    /// [`Self::score_pairs`] with another question.
    ///
    /// # Errors
    /// Fails as [`Self::score_pairs`] does.
    pub fn score_pairs_asking(
        &mut self,
        pairs: &[(usize, usize)],
        ask: AskAbout,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<LabelScores>, ReaderError> {
        let mut scores = Vec::with_capacity(pairs.len());
        // A request holds its images in memory, so the number of requests is bounded.
        for part in pairs.chunks(PAIRS_AT_A_TIME) {
            let mut requests = Vec::with_capacity(part.len());
            for (case, row) in part {
                let OpenCase { query, task, question, .. } = self.open(*case)?;
                let (task, question) = ask(self.case(*case)?, task, question);
                let evidence = Some(self.document(&task.id, *row)?);
                requests.push(ReadRequest { task, question, query, evidence });
            }
            scores.extend(self.reader.scores(requests, cancelled)?);
        }
        Ok(scores)
    }

    /// The reader's answer to a case with one document, shown with the probe's ablation. Also returns what was shown,
    /// unless it was the document's own image and caption.
    ///
    /// # Errors
    /// Returns `Cancelled` if cancelled. Fails if the case or document cannot be read, no caption contradicts the
    /// document's, or the reader fails.
    pub fn probe(
        &mut self,
        case: usize,
        probe: Probe,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<(Prediction, Option<Shown>), ReaderError> {
        let open = self.open_to_predict(case)?;
        let (evidence, shown) = self.probe_evidence(&open, probe)?;
        let question = self.reader.question(open.request(Some(evidence)));
        let predictions = self.reader.predict(&[question], cancelled)?;
        let prediction = predictions.into_iter().next().context("the reader gave no answer")?;
        Ok((prediction, shown))
    }

    /// The document of a probe as the reader is shown it; and what was shown, if it was not the document's own image and
    /// caption. Fails for a document that the case may not see.
    pub(super) fn probe_evidence(&mut self, open: &OpenCase, probe: Probe) -> Result<(Evidence, Option<Shown>)> {
        // Nearly the same picture is found out only here, because two images must be decoded for it.
        if !self.dataset.may_retrieve(self.case(open.case)?, probe.row) {
            bail!(OWN_GROUP);
        }
        let image = if probe.ablation.without_image { None } else { Some(self.document_image(probe.row)?) };
        let row = match probe.ablation.caption {
            CaptionShown::Own => Some(probe.row),
            CaptionShown::None => None,
            CaptionShown::Swapped => Some(self.contradicting_row(&open.task, probe.row)?),
        };
        let document = row.and_then(|row| self.dataset.corpus.get(row));
        let caption = document.map(|document| document.caption.to_owned());
        let shown = Shown::unless_own(&self.dataset, probe.row, row, probe.ablation.without_image);
        Ok((Evidence { image, caption }, shown))
    }

    /// The hits of a case, best first.
    ///
    /// # Errors
    /// Fails if the case cannot be read or its documents cannot be searched; `Cancelled` once cancelled.
    pub fn retrieve(&mut self, case: usize, cancelled: &dyn Fn() -> bool) -> Result<Vec<Hit>, ReaderError> {
        let open = self.open_to_predict(case)?;
        let closed_book = self.reader.question(open.request(None));
        let words = self.closed_book_words(&open, &closed_book, cancelled)?;
        Ok(self.hits(&open, words.as_deref())?)
    }

    /// Documents whose images are similar to this one and that the case may see, best first.
    ///
    /// # Errors
    /// Fails if the image cannot be read or there is no retriever.
    pub fn similar_images(&mut self, case: usize, like: &ImageLike, limit: usize) -> Result<Vec<CaptionResult>> {
        let picture = match like {
            ImageLike::Case => self.open(case)?.query,
            ImageLike::Document(row) => self.document_image(*row)?,
            ImageLike::File(path) => Arc::new(Picture::read(path)?),
        };
        let dataset = self.dataset.clone();
        let asked = dataset.cases.get(case).with_context(|| format!("there is no case number {case}"))?;
        let source = self.source.as_mut().context("there is no retriever to search with")?;
        let found = source.similar_images(&dataset, asked, &picture, limit)?;
        let found = found.context("this retriever has no encoder for images")?;
        Ok(found.into_iter().map(|(row, score)| CaptionResult { row, score, highlights: Vec::new() }).collect())
    }

    /// What became of the hits of these cases; `None` if this program retrieved them.
    pub fn account_of_hits(&self, cases: &[usize]) -> Option<HitsAccount> {
        self.source.as_ref()?.account(&self.dataset, cases)
    }

    /// Number of questions that the reader was asked so far; the others were answered by the cache.
    pub fn asked(&self) -> usize {
        self.reader.asked()
    }

    /// What was asked of the reader's server so far; `None` for a reader in this process.
    pub fn usage(&self) -> Option<TokenUsage> {
        self.reader.reader().usage()
    }

    /// What was asked of servers so far, for readers and encoders.
    pub fn server_usage(&self) -> ServerUsage {
        ServerUsage { reader: self.usage(), encoder: self.source.as_ref().and_then(|source| source.usage()) }
    }

    /// The reader, with its name and fingerprint.
    pub fn reader(&self) -> &dyn Reader {
        self.reader.reader()
    }

    /// Takes the errors because of which the caches are no longer written; each is returned once.
    pub fn take_errors(&mut self) -> Vec<anyhow::Error> {
        let remark = self.source.as_mut().and_then(|source| source.take_remark()).map(anyhow::Error::msg);
        self.known_hits.take_error().into_iter().chain(self.reader.take_errors()).chain(remark).collect()
    }

    /// The hits of a case, and one question about each.
    fn questions_of(&mut self, open: &OpenCase, words: Option<&str>) -> Result<(Vec<Hit>, Vec<Question>)> {
        let hits = self.hits(open, words)?;
        let mut questions = Vec::with_capacity(hits.len());
        for hit in &hits {
            let evidence = self.evidence(&open.task.id, hit)?;
            questions.push(self.reader.question(open.request(Some(evidence))));
        }
        Ok((hits, questions))
    }

    fn case(&self, case: usize) -> Result<&Case> {
        let count = self.dataset.cases.len();
        self.dataset.cases.get(case).with_context(|| format!("there is no case number {case}, only {count}"))
    }

    fn open(&mut self, position: usize) -> Result<OpenCase> {
        let path = self.dataset.image_path(&self.case(position)?.image);
        let query = self.pictures.read(&path)?;
        let case = self.case(position)?;
        let task = self.tasks.get(&case.task);
        let task =
            task.with_context(|| format!("case {} has the task {}, which dataset.toml lacks", case.id, case.task))?;
        let question = self.dataset.question_of(case);
        if question.is_empty() {
            bail!("neither case {} nor its task {} has a question", case.id, task.id);
        }
        Ok(OpenCase { case: position, query, task: task.clone(), question: question.to_string() })
    }

    /// Opens a case for prediction.
    pub(super) fn open_to_predict(&mut self, case: usize) -> Result<OpenCase> {
        self.open(case)
    }

    /// True if the retriever searches with the words of the closed-book answer.
    fn uses_closed_book(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.uses_closed_book())
    }

    /// The words of the closed-book answer to search with; `None` if the retriever does not use it.
    fn closed_book_words(
        &mut self,
        open: &OpenCase,
        closed_book: &Question,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<String>, ReaderError> {
        if !self.uses_closed_book() {
            return Ok(None);
        }
        let asked = std::slice::from_ref(closed_book);
        let Some(prediction) = self.reader.predict(asked, cancelled)?.pop() else { return Ok(None) };
        let labels: Vec<LabelIndex> = match prediction.answer {
            Some(Answer::Label(label)) => vec![label],
            Some(Answer::Set(set)) => set.labels().collect(),
            Some(Answer::Text(_)) | None => return Ok(prediction.text),
        };
        let labels = labels.into_iter().filter_map(|label| open.task.labels.get(label));
        let words: Vec<String> = labels.map(|label| format!("{} {}", label.name, label.named_as.join(" "))).collect();
        Ok(Some(words.join(" ")))
    }

    fn hits(&mut self, open: &OpenCase, closed_book: Option<&str>) -> Result<Vec<Hit>> {
        let Some(source) = &mut self.source else { return Ok(Vec::new()) };
        let dataset = &self.dataset;
        let case = &dataset.cases[open.case];
        // The group determines which documents the case may not see.
        let image = case.image.to_string_lossy();
        let group = case.group.as_deref().unwrap_or("");
        let mut parts = vec![
            source.fingerprint().as_str(),
            open.query.fingerprint.as_str(),
            &case.id,
            &image,
            group,
            &open.question,
        ];
        parts.extend(closed_book);
        let key = Fingerprint::of_parts(parts);
        if let Some(hits) = self.known_hits.get(&key) {
            return Ok(hits.clone());
        }
        let hits = source.retrieve(dataset, case, &open.query, closed_book);
        let hits = hits.with_context(|| format!("retrieving for case {}", case.id))?;
        self.known_hits.insert(key, hits.clone());
        Ok(hits)
    }

    fn evidence(&mut self, task: &str, hit: &Hit) -> Result<Evidence> {
        self.document(task, hit.row).with_context(|| format!("document {}", hit.document))
    }

    fn document(&mut self, task: &str, row: usize) -> Result<Evidence> {
        let image = if self.ablation.without_image { None } else { Some(self.document_image(row)?) };
        Ok(Evidence { image, caption: self.captions.of(&self.dataset, task, row).map(str::to_owned) })
    }

    fn contradicting_row(&mut self, task: &Task, row: usize) -> Result<usize> {
        let dataset = &self.dataset;
        let known = self.contradicting.entry(task.id.clone());
        let rows = known.or_insert_with(|| contradicting_rows(dataset, task));
        let document = dataset.corpus.get(row).map_or("", |document| document.id);
        rows.get(row).copied().flatten().with_context(|| {
            format!(
                "no caption contradicts that of {document}: it names no label of {}, or no caption another",
                task.id
            )
        })
    }

    fn document_image(&mut self, row: usize) -> Result<Arc<Picture>> {
        let count = self.dataset.corpus.len();
        let document = self.dataset.corpus.get(row);
        let document = document.with_context(|| format!("row {row} is not in the corpus, which has {count}"))?;
        self.pictures.read(&self.dataset.image_path(document.image))
    }
}

fn answer_event(case: usize, slot: Option<usize>, prediction: Prediction) -> Event {
    match slot {
        Some(slot) => Event::Prediction { case, slot, prediction },
        None => Event::ClosedBook { case, prediction },
    }
}
