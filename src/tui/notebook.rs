//! The journal as the explorer uses it: records in, marks out.

use super::mark::{Mark, Record, Recorded};
use crate::annotation::{Circumstances, Desk, EventKind, Taxonomy};
use crate::data::{Dataset, Problem};
use anyhow::{Context, Result, bail};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// One annotator's desk, with cases and categories by their positions.
pub struct Notebook {
    desk: Desk,
    dataset: Arc<Dataset>,
    /// Of the run on the screen; events carry it.
    pub run_fingerprint: Option<String>,
    /// Nobody's earlier words are shown.
    is_blind: bool,
    /// Cases whose gold answer was on the screen: what is said of them is not blind.
    gold_shown: HashSet<usize>,
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
        Ok((Self { desk, dataset, run_fingerprint: None, is_blind: false, gold_shown: HashSet::new() }, problems))
    }

    /// The desk behind it.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// From now on these cases are read as these passes, and blind or not.
    pub fn begin(&mut self, passes: HashMap<String, u32>, is_blind: bool) {
        self.desk.set_passes(passes);
        self.is_blind = is_blind;
    }

    /// The gold answer of this case is on the screen.
    pub fn gold_is_shown(&mut self, case: usize) {
        self.gold_shown.insert(case);
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
                let category = self.desk.taxonomy().categories.get(*category).context("no such category")?;
                EventKind::annotate(&category.id)
            }
            Record::Note { text, .. } => EventKind::Note { note: text.clone() },
            Record::Skip { .. } => EventKind::Skip,
            Record::Undo => return self.undo(),
        };
        let (Record::Annotate { case, .. } | Record::Note { case, .. } | Record::Skip { case }) = record else {
            bail!("an undo names no case");
        };
        let id = self.dataset.cases.get(*case).context("no such case")?.id.clone();
        let circumstances = Circumstances {
            run_fingerprint: self.run_fingerprint.clone(),
            blind: self.is_blind && !self.gold_shown.contains(case),
            ..Circumstances::default()
        };
        self.desk.record(&id, kind, circumstances)?;
        Ok(Recorded::Changed { case: *case, mark: self.mark_of(&id) })
    }

    fn undo(&mut self) -> Result<Recorded> {
        let Some(event) = self.desk.undo()? else { return Ok(Recorded::Nothing) };
        let case = self.dataset.cases.iter().position(|case| case.id == event.case);
        Ok(match case {
            Some(case) => Recorded::Changed { case, mark: self.mark_of(&event.case) },
            None => Recorded::Elsewhere { id: event.case },
        })
    }

    fn mark_of(&self, case: &str) -> Mark {
        let Some(annotation) = self.desk.own(case) else { return Mark::default() };
        let categories = &self.desk.taxonomy().categories;
        let category = categories.iter().position(|category| annotation.categories.contains(&category.id));
        Mark { category, skipped: annotation.skipped, note: annotation.note.clone() }
    }
}
