//! The journal as the explorer uses it: records in, marks out.

use super::state::annotation_view::{AnnotationEdit, AnnotationView, EditOutcome};
use super::state::people::People;
use crate::annotation::agreement::RatedCases;
use crate::annotation::{CaseAnnotation, Counted, Desk, Event, EventContext, EventKind, Taxonomy, rated_cases};
use crate::data::{Dataset, Problem};
use anyhow::{Context, Result, bail};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// One annotator's desk, with cases and categories by their positions.
pub struct Notebook {
    desk: Desk,
    dataset: Arc<Dataset>,
    /// Of the run on the screen; events carry it.
    pub run_fingerprint: Option<String>,
    on_screen: Option<OnScreen>,
}

/// The case that a person has before them.
struct OnScreen {
    case: usize,
    /// When it was opened, or its latest event written.
    since: Instant,
    answers_fingerprint: Option<String>,
}

impl Notebook {
    /// Opens the journal of `annotator` in this folder and reads what is there, with the lines that could not be read.
    pub fn open(
        folder: &Path,
        annotator: &str,
        host: &str,
        dataset: Arc<Dataset>,
        taxonomy: Taxonomy,
    ) -> Result<(Self, Vec<Problem>)> {
        let (desk, problems) = Desk::open(folder, annotator, host, taxonomy)?;
        Ok((Self { desk, dataset, run_fingerprint: None, on_screen: None }, problems))
    }

    /// The desk behind it.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// From now on these cases are read as these passes.
    pub fn begin(&mut self, passes: HashMap<String, u32>) {
        self.desk.set_passes(passes);
    }

    /// The gold answer of this case is on the screen, or something of what others said of it.
    ///
    /// # Errors
    /// Where that cannot be kept for the next session.
    pub fn reveal(&mut self, case: usize) -> Result<()> {
        self.dataset.cases.get(case).map_or(Ok(()), |case| self.desk.tell(&case.id))
    }

    /// A person looks at this case, with these answers ([`super::answers::CaseAnswers::fingerprint`]). The time spent on
    /// it begins with the first call.
    pub fn shows(&mut self, case: usize, answers_fingerprint: Option<String>) {
        let since = self.on_screen.as_ref().filter(|shown| shown.case == case).map(|shown| shown.since);
        self.on_screen = Some(OnScreen { case, since: since.unwrap_or_else(Instant::now), answers_fingerprint });
    }

    /// Why nothing can be marked, where that is so.
    pub fn trouble(&self) -> Option<&str> {
        self.desk.trouble()
    }

    /// Events written since it was opened.
    pub fn written(&self) -> usize {
        self.desk.written()
    }

    /// Where events are written.
    pub fn path(&self) -> String {
        self.desk.path().map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// Every mark there is, by the case's position in the dataset.
    pub fn marks(&self) -> FxHashMap<usize, AnnotationView> {
        let mut marks = FxHashMap::default();
        for (index, case) in self.dataset.cases.iter().enumerate() {
            let mark = self.mark_of(&case.id);
            if !mark.is_empty() {
                marks.insert(index, mark);
            }
        }
        marks
    }

    /// What everybody said, by the case's position in the dataset.
    pub fn people(&self) -> FxHashMap<usize, People> {
        let cases = 0..self.dataset.cases.len();
        cases.filter_map(|case| Some((case, self.people_of(case)?))).collect()
    }

    /// What everybody said of one case; `None` where nobody did.
    pub fn people_of(&self, case: usize) -> Option<People> {
        let id = &self.dataset.cases.get(case)?.id;
        People::of(id, &self.desk)
    }

    /// Takes in what others wrote; the cases that it is about.
    pub fn hear(&mut self, events: &[Arc<Event>]) -> BTreeSet<usize> {
        let ids: HashSet<&str> = events.iter().map(|event| event.case.as_str()).collect();
        for event in events {
            self.desk.hear(event);
        }
        let cases = self.dataset.cases.iter().enumerate();
        cases.filter(|(_, case)| ids.contains(case.id.as_str())).map(|(position, _)| position).collect()
    }

    /// Everybody's categories as ratings.
    pub fn ratings(&self) -> RatedCases {
        let (tasks, cases) = (&self.dataset.tasks, &self.dataset.cases);
        rated_cases(self.desk.state(), self.desk.taxonomy(), tasks, cases, Counted::default())
    }

    /// Writes a record; returns once it is on disk.
    ///
    /// # Errors
    /// Where it could not be written; nothing has changed then.
    pub fn record(&mut self, record: &AnnotationEdit) -> Result<EditOutcome> {
        let Some(case) = record.case() else {
            let event = if *record == AnnotationEdit::Redo { self.desk.redo()? } else { self.desk.undo()? };
            return Ok(self.turned_back(event));
        };
        let id = self.dataset.cases.get(case).context("no such case")?.id.clone();
        let context = self.context(case);
        if let AnnotationEdit::Decide { categories, reason, .. } = record {
            let ids = categories.iter().map(|category| self.id_of(*category)).collect::<Result<_>>()?;
            self.desk.decide(&id, ids, reason, context)?;
        } else {
            self.desk.record(&id, self.kind_of(record, self.desk.own(&id))?, context)?;
        }
        if let Some(shown) = self.on_screen.as_mut().filter(|shown| shown.case == case) {
            shown.since = Instant::now();
        }
        Ok(EditOutcome::Changed { case, mark: self.mark_of(&id) })
    }

    /// The event that makes of what was said before what the record asks for.
    fn kind_of(&self, record: &AnnotationEdit, before: Option<&CaseAnnotation>) -> Result<EventKind> {
        let nothing = BTreeSet::new();
        Ok(match record {
            AnnotationEdit::Annotate { category, .. } => {
                let given = before.map_or(&nothing, |before| &before.categories);
                let categories = self.desk.taxonomy().with_assigned(given, &self.id_of(*category)?);
                EventKind::Annotate { categories: categories.into() }
            }
            AnnotationEdit::Hit { document, category, .. } => {
                let id = self.id_of(*category)?;
                let given = before.and_then(|before| before.hits.get(document)).unwrap_or(&nothing);
                // The same key again takes a document's only category away, too.
                let is_only = given.len() == 1 && given.contains(&id);
                let categories = if is_only { BTreeSet::new() } else { self.desk.taxonomy().with_assigned(given, &id) };
                EventKind::Hit { document: document.clone(), categories: categories.into() }
            }
            AnnotationEdit::Note { text, .. } => EventKind::Note { note: text.clone() },
            AnnotationEdit::Unsure { .. } => EventKind::Unsure { unsure: !before.is_some_and(|before| before.unsure) },
            AnnotationEdit::Flag { .. } => EventKind::Flag { flag: !before.is_some_and(|before| before.flagged) },
            AnnotationEdit::Skip { .. } => EventKind::Skip,
            AnnotationEdit::Decide { .. } | AnnotationEdit::Undo | AnnotationEdit::Redo => {
                bail!("{record:?} is no annotation of a case")
            }
        })
    }

    fn id_of(&self, category: usize) -> Result<String> {
        Ok(self.desk.taxonomy().categories.get(category).context("no such category")?.id.clone())
    }

    fn context(&self, case: usize) -> EventContext {
        let shown = self.on_screen.as_ref().filter(|shown| shown.case == case);
        EventContext {
            run_fingerprint: self.run_fingerprint.as_deref().map(Into::into),
            answers_fingerprint: shown.and_then(|shown| shown.answers_fingerprint.as_deref()).map(Into::into),
            // As far as the desk knows of nothing that was told.
            blind: true,
            seconds: shown.map(|shown| shown.since.elapsed().as_secs_f64()),
            ..EventContext::default()
        }
    }

    fn turned_back(&self, event: Option<Event>) -> EditOutcome {
        let Some(event) = event else { return EditOutcome::Nothing };
        match self.dataset.cases.iter().position(|case| case.id == event.case) {
            Some(case) => EditOutcome::Changed { case, mark: self.mark_of(&event.case) },
            None => EditOutcome::Elsewhere { id: event.case.to_string() },
        }
    }

    /// What the annotator said of one case; empty where nothing.
    pub fn mark(&self, case: usize) -> AnnotationView {
        self.dataset.cases.get(case).map(|case| self.mark_of(&case.id)).unwrap_or_default()
    }

    fn mark_of(&self, case: &str) -> AnnotationView {
        self.desk
            .own(case)
            .map_or_else(AnnotationView::default, |annotation| AnnotationView::of(annotation, &self.desk))
    }
}
