//! Where an annotator works: their journal, the taxonomy they go by, and what everybody has said so far.

use super::event::{Event, EventContext, EventKind, GivenDefinitions};
use super::exposure::UnblindedCases;
use super::{
    AnnotationState, CaseAnnotation, EarlierDefinition, Journal, JournalWatch, Taxonomy, TaxonomyVersions, read_folder,
};
use crate::data::Problem;
use anyhow::{Result, anyhow};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// One annotator's place of work.
#[derive(Debug)]
pub struct Desk {
    /// `Err` where the journal cannot be written: then everything can be seen and nothing recorded.
    journal: Result<Journal, String>,
    state: AnnotationState,
    taxonomy: Taxonomy,
    versions: TaxonomyVersions,
    /// Of every category of the taxonomy: each annotation is compared with them, and making one is not free.
    definitions_now: GivenDefinitions,
    told: UnblindedCases,
    /// Of the moment before the journals were read.
    watch: JournalWatch,
    annotator: String,
    written: usize,
    /// By case id: as which pass it is read, where that is not the annotator's latest.
    passes: HashMap<String, u32>,
}

impl Desk {
    /// Opens the journal of `annotator` in this folder and reads what is there, with the lines that could not be read.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn open(folder: &Path, annotator: &str, host: &str, taxonomy: Taxonomy) -> Result<(Self, Vec<Problem>)> {
        let watch = JournalWatch::begin(folder);
        let (journal, events, mut problems) = match Journal::open_and_read(folder, annotator, host) {
            Ok((journal, events, problems)) => (Ok(journal), events, problems),
            Err(error) => {
                let (events, problems) = read_folder(folder)?;
                (Err(format!("{error:#}")), events, problems)
            }
        };
        let state = AnnotationState::fold(events);
        let (versions, unread) = TaxonomyVersions::read(folder);
        let definitions_now = taxonomy.definitions_of(taxonomy.categories.iter().map(|category| &category.id));
        let (told, unread_looks) = UnblindedCases::open(folder, annotator, journal.as_ref().ok().map(Journal::path));
        problems.extend(unread.into_iter().chain(unread_looks));
        let (annotator, passes) = (annotator.to_owned(), HashMap::new());
        Ok((
            Self { journal, state, taxonomy, versions, definitions_now, told, watch, annotator, written: 0, passes },
            problems,
        ))
    }

    /// What everybody has said, this annotator's latest event included.
    pub fn state(&self) -> &AnnotationState {
        &self.state
    }

    pub fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// The categories of this annotation, those of documents included, that were given under another definition than that
    /// of now.
    pub fn earlier_definitions(&self, annotation: &CaseAnnotation) -> Vec<EarlierDefinition> {
        let mut earlier: Vec<EarlierDefinition> = Vec::new();
        let is_now = |(id, then): (&_, &_)| self.definitions_now.get(id) == Some(then);
        for given in annotation.all_definitions().filter(|given| !given.iter().all(is_now)) {
            for found in self.versions.earlier(given, &self.taxonomy) {
                if !earlier.contains(&found) {
                    earlier.push(found);
                }
            }
        }
        earlier
    }

    pub fn annotator(&self) -> &str {
        &self.annotator
    }

    /// Why nothing can be recorded, where that is so.
    pub fn trouble(&self) -> Option<&str> {
        self.journal.as_ref().err().map(String::as_str)
    }

    /// Events written since it was opened.
    pub fn written(&self) -> usize {
        self.written
    }

    /// Where events are written.
    pub fn path(&self) -> Option<&Path> {
        self.journal.as_ref().ok().map(Journal::path)
    }

    /// Tells what others write from now on; it may look from another thread.
    pub fn watch(&self) -> JournalWatch {
        self.watch.clone()
    }

    /// Takes in an event that another process wrote; one that is known changes nothing. One of the same annotator, from
    /// another machine, is undone and dated as if it had been written here.
    pub fn hear(&mut self, event: &Event) {
        if self.state.apply(event)
            && event.annotator == self.annotator
            && let Ok(journal) = &mut self.journal
        {
            journal.know(&self.state.events_of(&self.annotator));
        }
    }

    /// From now on these cases are read as these passes ([`Worklist::passes`](super::Worklist::passes)).
    pub fn set_passes(&mut self, passes: HashMap<String, u32>) {
        self.passes = passes;
    }

    /// As which pass the annotator reads this case: the one that was set, else the one in which they spoke last.
    pub fn pass_of(&self, case: &str) -> u32 {
        let latest = || self.state.of(&self.annotator, case).map_or(1, |annotation| annotation.pass);
        self.passes.get(case).copied().unwrap_or_else(latest)
    }

    /// What the annotator says about a case in the pass that they are at; an earlier pass stays out of sight.
    pub fn own(&self, case: &str) -> Option<&CaseAnnotation> {
        self.state.of_pass(&self.annotator, case, self.pass_of(case))
    }

    /// The annotator sees the case's gold answer, or something of what others said of it: what they say of it in this pass is
    /// not blind from now on, in later sessions either.
    ///
    /// # Errors
    /// Where that cannot be written down; it holds for this session all the same.
    pub fn tell(&mut self, case: &str) -> Result<()> {
        self.told.insert(case, self.pass_of(case))
    }

    /// Writes one event and takes it in; it is on disk before this returns. The pass is added here, and so are the
    /// definitions that its categories are given under: those of the taxonomy now, but a category that merely stays while
    /// others change keeps the definition it was given under. Of a case of which the annotator was told it is not blind,
    /// whatever the context say.
    ///
    /// # Errors
    /// Where it could not be written; nothing has changed then.
    pub fn record(&mut self, case: &str, kind: EventKind, context: EventContext) -> Result<Event> {
        let definitions = self.definitions_for(case, &kind).into();
        let pass = self.pass_of(case);
        // Who was told once does not become blind again, not by starting anew either.
        let blind = context.blind && !self.state.was_told(&self.annotator, case, pass) && !self.told.holds(case, pass);
        let journal = self.journal.as_mut().map_err(|message| anyhow!("{message}"))?;
        let event = journal.append(case, kind, EventContext { blind, pass, definitions, ..context })?;
        self.take_in(&event);
        Ok(event)
    }

    /// Records that the adjudicator decides a case, having seen what is known here; a decision is not blind, whatever the
    /// context say.
    ///
    /// # Errors
    /// As [`Desk::record`].
    pub fn decide(
        &mut self,
        case: &str,
        categories: BTreeSet<String>,
        reason: &str,
        context: EventContext,
    ) -> Result<Event> {
        let seen = self.state.seen_by_a_decision(case);
        let kind = EventKind::Decide { categories: categories.into(), reason: reason.to_owned(), seen };
        self.record(case, kind, EventContext { blind: false, ..context })
    }

    /// Takes back the annotator's latest event that still counts; `None` when none does.
    ///
    /// # Errors
    /// As [`Desk::record`].
    pub fn undo(&mut self) -> Result<Option<Event>> {
        let journal = self.journal.as_mut().map_err(|message| anyhow!("{message}"))?;
        let event = journal.undo()?;
        if let Some(event) = &event {
            self.take_in(event);
        }
        Ok(event)
    }

    /// Brings back what was undone last; `None` where nothing was undone since the last new event.
    ///
    /// # Errors
    /// As [`Desk::record`].
    pub fn redo(&mut self) -> Result<Option<Event>> {
        let journal = self.journal.as_mut().map_err(|message| anyhow!("{message}"))?;
        let event = journal.redo()?;
        if let Some(event) = &event {
            self.take_in(event);
        }
        Ok(event)
    }

    fn take_in(&mut self, event: &Event) {
        self.written += 1;
        self.state.apply(event);
    }

    fn definitions_for(&self, case: &str, kind: &EventKind) -> GivenDefinitions {
        let Some(categories) = kind.categories() else { return GivenDefinitions::new() };
        let mut definitions = self.taxonomy.definitions_of(categories);
        let Some(before) = self.own(case) else { return definitions };
        let nothing = BTreeSet::new();
        let no_definitions = Arc::default();
        let (given, given_under) = match kind {
            EventKind::Annotate { .. } => (&before.categories, &before.definitions),
            EventKind::Hit { document, .. } => (
                before.hits.get(document).unwrap_or(&nothing),
                before.hit_definitions.get(document).unwrap_or(&no_definitions),
            ),
            _ => return definitions,
        };
        // Who says the same again affirms it under the words of now.
        if given != categories {
            for id in given.intersection(categories) {
                match given_under.get(id.as_str()) {
                    Some(then) => definitions.insert(id.as_str().into(), then.clone()),
                    None => definitions.remove(id.as_str()),
                };
            }
        }
        definitions
    }
}
