//! The explorer's state. [`App::update`] and its siblings change it, [`super::views`] draws it; neither waits.

use super::adjudication::Adjudication;
use super::agreement::AgreementScreen;

use super::definitions::Definitions;
use super::mouse::Drawn;

use super::picker::Picker;
use super::queue_view::FilterEdit;
use super::search::Search;
use crate::annotation::{CaseAnnotation, CaseReview, Category, DefinitionHistory, Staleness};
use crate::data::{Answer, Case, Dataset, Document, Task};
use crate::pipeline::{ModelDescription, Ticket};
use crate::run::Hit;
use crate::run::Prediction;
use crate::terminal::images::{ImageMode, ImageView, Pictures};
use crate::tui::action::Context;
use crate::tui::keymap::Keymap;
use crate::tui::state::answers::CaseAnswers;
use crate::tui::state::comparison::Against;
use crate::tui::state::filter::Filter;
use crate::tui::state::flip_cache::FlipCache;
use crate::tui::state::order::Order;
use crate::tui::state::overview::Overview;
use crate::tui::state::queue::Queue;
use crate::tui::state::queue_columns::Column;
use crate::tui::state::session_state::SavedView;
use crate::tui::state::what_if::WhatIf;
use crate::tui::theme::Theme;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::OnceCell;
use std::sync::Arc;
use tui_input::Input;

/// Which list j and k move in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    Queue,
    Hits,
}

/// Which image a person looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Query,
    Document,
}

/// What the document's image pane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The selected hit.
    Hit,
    /// A document found by search: its row in the corpus.
    Row(usize),
}

/// Something that lies over the screen.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// First line shown; drawing keeps it within the page.
    Help {
        scroll: std::cell::Cell<usize>,
    },
    Note(Input),
    Search(Search),
    Overview(Overview),
    Filter(FilterEdit),
    Picker(Picker),
    /// The name of a view to be saved.
    Name(Input),
    Definitions(Definitions),
    Adjudication(Adjudication),
    Agreement(AgreementScreen),
}

/// A line at the bottom that stays until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Said(String),
    /// Stays until the next action that succeeds.
    Error(String),
}

/// What the explorer starts with.
pub struct Setting {
    pub dataset: Arc<Dataset>,
    /// Cases to step through, as positions in `Dataset::cases`.
    pub queue: Vec<usize>,
    /// One sentence per line of the dataset that was left out.
    pub left_out: Vec<String>,
    pub categories: Vec<Category>,
    /// A case, or a document, may have several of them.
    pub several: bool,
    /// The categories as they were worded earlier.
    pub definitions: Arc<DefinitionHistory>,
    /// Name of the annotator at the keys.
    pub annotator: String,
    /// The annotator's own annotations.
    pub marks: FxHashMap<usize, Arc<CaseAnnotation>>,
    /// What everybody says.
    pub people: FxHashMap<usize, CaseReview>,
    /// Others' words are hidden until they are asked for, whatever the annotator has said.
    pub is_blind: bool,
    pub theme: Theme,
    pub images: ImageMode,
    /// Name of the stored run whose answers are shown.
    pub stored_run: Option<String>,
    /// The run that is compared with.
    pub against: Option<Against>,
    pub keymap: Keymap,
    /// Themes to choose from, by name.
    pub themes: Vec<(String, Theme)>,
}

/// The whole state.
pub struct App {
    pub dataset: Arc<Dataset>,
    /// Sources of the corpus, sorted; collected when they are first asked for.
    sources: OnceCell<Vec<String>>,
    pub left_out: Vec<String>,
    pub categories: Vec<Category>,
    pub several: bool,
    pub theme: Theme,
    pub images: ImageMode,
    pub keymap: Keymap,
    pub themes: Vec<(String, Theme)>,
    pub queue: Queue,
    pub filter: Filter,
    /// The latest filter that was not empty: what `.` and `F` go by.
    pub last_filter: Filter,
    pub order: Order,
    pub columns: Vec<Column>,
    pub saved_views: Vec<SavedView>,
    /// Cases read since the list was sorted: they stand where they stood when they were unread.
    pub(super) unsorted: FxHashSet<usize>,
    /// Cases that were opened, in this session or an earlier one.
    pub seen: FxHashSet<usize>,
    pub against: Option<Against>,
    /// Both runs' hits stand side by side in place of this run's alone.
    pub comparing: bool,
    pub answers: FxHashMap<usize, CaseAnswers>,
    pub definitions: Arc<DefinitionHistory>,
    pub annotator: String,
    pub marks: FxHashMap<usize, Arc<CaseAnnotation>>,
    pub people: FxHashMap<usize, CaseReview>,
    pub is_blind: bool,
    pub focus: Focus,
    pub side: Side,
    pub shown: Shown,
    /// Place in the hits of the current case.
    pub hit: usize,
    pub enlarged: bool,
    pub image_view: ImageView,
    pub gold_visible: bool,
    /// Changes to the fusion.
    pub what_if: WhatIf,
    /// What removing hits does to the current case's answer.
    pub last_flip: FlipCache,
    pub overlay: Option<Overlay>,
    pub notice: Option<Notice>,
    /// `None` while models and index are being loaded.
    pub engine: Option<ModelDescription>,
    /// What the engine is doing, as it says itself.
    pub progress: Option<String>,
    /// Why the engine cannot answer at all.
    pub engine_failure: Option<String>,
    /// Name of the stored run whose answers are shown.
    pub stored_run: Option<String>,
    /// Of the run on the screen.
    pub run_fingerprint: Option<String>,
    /// Images that are decoded and scaled.
    pub pictures: Pictures,
    /// Where things were drawn, for the mouse.
    pub drawn: Drawn,
    /// The terminal reports the mouse.
    pub mouse: bool,
    /// Only the cases are read yet: documents, answers and marks are still to come.
    pub is_cover: bool,
    /// The list the engine was last asked to work ahead on.
    pub(super) ahead: Vec<usize>,
    pub(super) last_ticket: Ticket,
}

impl App {
    /// The state before the first frame.
    pub fn new(setting: Setting) -> Self {
        Self {
            dataset: setting.dataset,
            sources: OnceCell::new(),
            left_out: setting.left_out,
            categories: setting.categories,
            several: setting.several,
            theme: setting.theme,
            images: setting.images,
            keymap: setting.keymap,
            themes: setting.themes,
            queue: Queue::new(setting.queue),
            filter: Filter::default(),
            last_filter: Filter::default(),
            order: Order::default(),
            columns: Vec::new(),
            saved_views: Vec::new(),
            unsorted: FxHashSet::default(),
            seen: FxHashSet::default(),
            comparing: setting.against.is_some(),
            against: setting.against,
            answers: FxHashMap::default(),
            definitions: setting.definitions,
            annotator: setting.annotator,
            marks: setting.marks,
            people: setting.people,
            is_blind: setting.is_blind,
            focus: Focus::Queue,
            side: Side::Query,
            shown: Shown::Hit,
            hit: 0,
            enlarged: false,
            image_view: ImageView::default(),
            gold_visible: false,
            what_if: WhatIf::default(),
            last_flip: FlipCache::default(),
            overlay: None,
            notice: None,
            engine: None,
            progress: None,
            engine_failure: None,
            stored_run: setting.stored_run,
            run_fingerprint: None,
            pictures: Pictures::default(),
            drawn: Drawn::default(),
            mouse: false,
            is_cover: false,
            ahead: Vec::new(),
            last_ticket: 0,
        }
    }

    /// Names of the sources of the corpus, sorted.
    pub fn sources(&self) -> &[String] {
        self.sources.get_or_init(|| {
            let sources: FxHashSet<&str> =
                self.dataset.corpus.iter().filter_map(|document| document.source.as_deref()).collect();
            let mut sources: Vec<String> = sources.into_iter().map(str::to_owned).collect();
            sources.sort_unstable();
            sources
        })
    }

    /// Which keys count now.
    pub fn context(&self) -> Context {
        match &self.overlay {
            None if self.enlarged => Context::Image,
            None => Context::Explore,
            Some(Overlay::Help { .. }) => Context::Help,
            Some(Overlay::Note(_)) => Context::Note,
            Some(Overlay::Search(_)) => Context::Search,
            Some(Overlay::Overview(_)) => Context::Overview,
            Some(Overlay::Filter(_)) => Context::Filter,
            Some(Overlay::Picker(_)) => Context::Picker,
            Some(Overlay::Name(_)) => Context::Name,
            Some(Overlay::Definitions(_)) => Context::Definitions,
            Some(Overlay::Adjudication(adjudication)) if adjudication.typing.is_some() => Context::Reason,
            Some(Overlay::Adjudication(_)) => Context::Adjudication,
            Some(Overlay::Agreement(_)) => Context::Agreement,
        }
    }

    /// The case one stands on, with its position in the dataset.
    pub fn current(&self) -> Option<(usize, &Case)> {
        let index = self.queue.current()?;
        Some((index, self.dataset.cases.get(index)?))
    }

    /// The task of a case.
    pub fn task_of(&self, case: &Case) -> Option<&Task> {
        self.dataset.tasks.iter().find(|task| task.id == case.task)
    }

    /// What is known of a case's answers.
    pub fn answers_of(&self, case: usize) -> Option<&CaseAnswers> {
        self.answers.get(&case)
    }

    /// Fingerprint of a case's documents and answers; `None` until every hit is read.
    pub fn answers_fingerprint_of(&self, case: usize) -> Option<String> {
        let task = self.task_of(self.dataset.cases.get(case)?)?;
        self.answers_of(case)?.fingerprint(&task.labels)
    }

    /// Has the case changed since it was annotated?
    pub fn staleness_of(&self, case: usize) -> Staleness {
        // Drawing asks for each row: only what was decided is worth a fingerprint of the answers.
        let Some(mark) = self.marks.get(&case).filter(|mark| mark.is_decided()) else { return Staleness::Unknown };
        let answers_now = self.answers_fingerprint_of(case);
        mark.staleness(self.run_fingerprint.as_deref(), answers_now.as_deref())
    }

    /// Is the gold answer on the screen, or can it be told from which cases are in the queue, or in which order?
    pub fn tells_of_gold(&self) -> bool {
        self.gold_visible || self.filter.looks_at_gold() || self.order == Order::OracleButWrong
    }

    /// The gold answer to a case.
    pub fn gold_of(&self, case: &Case) -> Option<Answer> {
        self.task_of(case)?.answer_of(&case.answer)
    }

    /// The hits of the current case; empty until they arrive.
    pub fn hits(&self) -> &[Hit] {
        self.queue
            .current()
            .and_then(|case| self.answers.get(&case))
            .and_then(|answers| answers.hits.as_deref())
            .unwrap_or_default()
    }

    /// How many hits the current case has, a person's own among them.
    pub fn slots(&self) -> usize {
        self.queue.current().and_then(|case| self.answers_of(case)).map_or(0, CaseAnswers::slots)
    }

    /// The hit that has the mark.
    pub fn selected_hit(&self) -> Option<&Hit> {
        self.queue.current().and_then(|case| self.answers_of(case))?.hit_at(self.hit)
    }

    /// Row of the document whose image is shown: what keys that ask about a document mean.
    pub fn shown_row(&self) -> Option<usize> {
        match self.shown {
            Shown::Row(row) => Some(row),
            Shown::Hit => self.selected_hit().map(|hit| hit.row),
        }
    }

    /// The document whose image is shown.
    pub fn shown_document(&self) -> Option<&Document> {
        self.dataset.corpus.get(self.shown_row()?)
    }

    /// Name and probability of an answer to the current case: "Yes 0.75".
    pub fn answer_in_words(&self, prediction: &Prediction) -> String {
        let case = self.queue.current();
        let name = case.map_or_else(String::new, |case| self.answer_name(case, prediction.answer));
        match prediction.probability() {
            Some(probability) => format!("{name} {probability:.2}"),
            None => name,
        }
    }

    /// Is there more to come about this case?
    pub fn is_unread(&self, case: usize) -> bool {
        !self.answers_of(case).is_some_and(CaseAnswers::is_settled)
    }

    /// How many cases the engine has still to read: the current one and those it was asked to read ahead.
    pub fn cases_being_read(&self) -> usize {
        let current = self.queue.current();
        let asked = current.iter().chain(self.ahead.iter().filter(|case| Some(**case) != current));
        asked.filter(|case| self.is_unread(**case)).count()
    }

    /// How many cases of the list carry an annotation, note or skip. What a person has said is gone through, not the list:
    /// it is counted for every frame.
    pub fn marked_count(&self) -> usize {
        self.marks.iter().filter(|(case, mark)| self.queue.shows(**case) && !mark.is_empty()).count()
    }

    /// How many cases of the list have been read since it was sorted by what was read; sorting again puts them in their place.
    pub fn unsorted_count(&self) -> usize {
        if matches!(self.order, Order::Dataset | Order::UnseenFirst) {
            return 0;
        }
        self.unsorted.iter().filter(|case| self.queue.shows(**case)).count()
    }

    /// How many cases of the list were opened.
    pub fn seen_count(&self) -> usize {
        self.seen.iter().filter(|case| self.queue.shows(**case)).count()
    }
}
