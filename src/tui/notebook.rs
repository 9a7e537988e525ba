//! The journal as the explorer uses it: records in, marks out.

use super::mark::{Mark, Record, Recorded};
use crate::annotation::{AnnotationState, Category, EventKind, Journal, read_folder};
use crate::data::{Dataset, Problem};
use anyhow::{Context, Result, anyhow, bail};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// One annotator's journal with the state that its events add up to.
pub struct Notebook {
    /// `Err` where the journal cannot be written: then everything can be seen and nothing marked.
    journal: Result<Journal, String>,
    state: AnnotationState,
    annotator: String,
    dataset: Arc<Dataset>,
    categories: Vec<Category>,
    /// Of the run on the screen; events carry it.
    pub run_fingerprint: Option<String>,
    written: usize,
}

impl Notebook {
    /// Opens the journal of `annotator` in this folder and reads what is there, with the lines that could not be read.
    pub fn open(
        folder: &Path,
        annotator: &str,
        host: &str,
        dataset: Arc<Dataset>,
        categories: Vec<Category>,
    ) -> Result<(Self, Vec<Problem>)> {
        let (events, problems) = read_folder(folder)?;
        let journal = Journal::open(folder, annotator, host).map_err(|error| format!("{error:#}"));
        let state = AnnotationState::fold(&events);
        let annotator = annotator.to_owned();
        Ok((Self { journal, state, annotator, dataset, categories, run_fingerprint: None, written: 0 }, problems))
    }

    /// Why nothing can be marked, where that is so.
    pub fn trouble(&self) -> Option<&str> {
        self.journal.as_ref().err().map(String::as_str)
    }

    /// Events written since it was opened.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Where events are written.
    pub fn path(&self) -> String {
        self.journal.as_ref().map(|journal| journal.path().display().to_string()).unwrap_or_default()
    }

    /// Every mark there is, by the case's position in the dataset.
    pub fn marks(&self) -> HashMap<usize, Mark> {
        let mut marks = HashMap::new();
        for (index, case) in self.dataset.cases.iter().enumerate() {
            let mark = self.mark_of(&case.id);
            if !mark.is_empty() {
                marks.insert(index, mark);
            }
        }
        marks
    }

    /// Writes a record; returns once it is on disk.
    ///
    /// # Errors
    /// Where it could not be written; nothing has changed then.
    pub fn record(&mut self, record: &Record) -> Result<Recorded> {
        let kind = match record {
            Record::Annotate { category, .. } => {
                let category = self.categories.get(*category).context("no such category")?;
                EventKind::Annotate { category: category.id.clone() }
            }
            Record::Note { text, .. } => EventKind::Note { note: text.clone() },
            Record::Skip { .. } => EventKind::Skip,
            Record::Undo => return self.undo(),
        };
        let (Record::Annotate { case, .. } | Record::Note { case, .. } | Record::Skip { case }) = record else {
            bail!("an undo names no case");
        };
        let id = self.dataset.cases.get(*case).context("no such case")?.id.clone();
        let journal = self.journal.as_mut().map_err(|message| anyhow!("{message}"))?;
        let event = journal.append(&id, kind, self.run_fingerprint.as_deref())?;
        self.written += 1;
        self.state.apply(&event);
        Ok(Recorded::Changed { case: *case, mark: self.mark_of(&id) })
    }

    fn undo(&mut self) -> Result<Recorded> {
        let journal = self.journal.as_mut().map_err(|message| anyhow!("{message}"))?;
        let Some(event) = journal.undo()? else { return Ok(Recorded::Nothing) };
        self.written += 1;
        self.state.apply(&event);
        let case = self.dataset.cases.iter().position(|case| case.id == event.case);
        Ok(match case {
            Some(case) => Recorded::Changed { case, mark: self.mark_of(&event.case) },
            None => Recorded::Elsewhere { id: event.case },
        })
    }

    fn mark_of(&self, case: &str) -> Mark {
        let Some(annotation) = self.state.of(&self.annotator, case) else { return Mark::default() };
        let category =
            annotation.category.as_ref().and_then(|id| self.categories.iter().position(|category| category.id == *id));
        Mark { category, skipped: annotation.skipped, note: annotation.note.clone() }
    }
}
