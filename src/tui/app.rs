//! The explorer's state. [`App::update`] and its siblings change it, [`super::views`] draws it; neither waits.

use super::action::Context;
use super::answers::CaseAnswers;
use super::column::Column;
use super::comparison::Against;
use super::filter::Filter;
use super::images::{ImageMode, ImageView, Pictures};
use super::keymap::Keymap;
use super::mark::Mark;
use super::memory::SavedView;
use super::mouse::Drawn;
use super::order::Order;
use super::overview::Overview;
use super::picker::Picker;
use super::queue::Queue;
use super::theme::Theme;
use super::triage::FilterEdit;
use super::what_if::WhatIf;
use crate::annotation::Category;
use crate::data::{Case, Dataset, Document, Task};
use crate::engine::{CaptionResult, EngineDescription, Ticket};
use crate::reader::Prediction;
use crate::retriever::Hit;
use std::collections::{HashMap, HashSet};
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
}

/// The caption search.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub input: Input,
    /// Number of the latest request; results of an earlier one are dropped.
    pub ticket: Ticket,
    /// `None` until the engine has answered the first query.
    pub results: Option<Vec<CaptionResult>>,
    pub selected: usize,
    /// Images are searched, not captions.
    pub images: bool,
    /// Why nothing could be searched.
    pub trouble: Option<String>,
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
    /// What the journals say already.
    pub marks: HashMap<usize, Mark>,
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
    pub left_out: Vec<String>,
    pub categories: Vec<Category>,
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
    /// Cases that were opened, in this session or an earlier one.
    pub seen: HashSet<usize>,
    pub against: Option<Against>,
    /// Both runs' hits stand side by side in place of this run's alone.
    pub comparing: bool,
    pub answers: HashMap<usize, CaseAnswers>,
    pub marks: HashMap<usize, Mark>,
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
    pub overlay: Option<Overlay>,
    pub notice: Option<Notice>,
    /// `None` while models and index are being loaded.
    pub engine: Option<EngineDescription>,
    /// What the engine is doing, as it says itself.
    pub progress: Option<String>,
    /// Why the engine cannot answer at all.
    pub engine_failure: Option<String>,
    /// Name of the stored run whose answers are shown.
    pub stored_run: Option<String>,
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
            left_out: setting.left_out,
            categories: setting.categories,
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
            seen: HashSet::new(),
            comparing: setting.against.is_some(),
            against: setting.against,
            answers: HashMap::new(),
            marks: setting.marks,
            focus: Focus::Queue,
            side: Side::Query,
            shown: Shown::Hit,
            hit: 0,
            enlarged: false,
            image_view: ImageView::default(),
            gold_visible: false,
            what_if: WhatIf::default(),
            overlay: None,
            notice: None,
            engine: None,
            progress: None,
            engine_failure: None,
            stored_run: setting.stored_run,
            pictures: Pictures::default(),
            drawn: Drawn::default(),
            mouse: false,
            is_cover: false,
            ahead: Vec::new(),
            last_ticket: 0,
        }
    }

    /// Which keys count now.
    pub fn context(&self) -> Context {
        match self.overlay {
            None if self.enlarged => Context::Image,
            None => Context::Explore,
            Some(Overlay::Help { .. }) => Context::Help,
            Some(Overlay::Note(_)) => Context::Note,
            Some(Overlay::Search(_)) => Context::Search,
            Some(Overlay::Overview(_)) => Context::Overview,
            Some(Overlay::Filter(_)) => Context::Filter,
            Some(Overlay::Picker(_)) => Context::Picker,
            Some(Overlay::Name(_)) => Context::Name,
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

    /// The gold label's position in the task.
    pub fn gold_of(&self, case: &Case) -> Option<usize> {
        self.task_of(case)?.label_index(&case.answer)
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

    /// The document whose image is shown.
    pub fn shown_document(&self) -> Option<&Document> {
        let row = match self.shown {
            Shown::Row(row) => row,
            Shown::Hit => self.selected_hit()?.row,
        };
        self.dataset.corpus.get(row)
    }

    /// Name and probability of an answer to the current case: "Yes 0.75".
    pub fn answer_in_words(&self, prediction: &Prediction) -> String {
        let task = self.current().and_then(|(_, case)| self.task_of(case));
        let label = prediction.label.and_then(|label| task?.labels.get(label));
        let name = label.map_or("no label", |label| label.name.as_str());
        match prediction.probability() {
            Some(probability) => format!("{name} {probability:.2}"),
            None => name.to_owned(),
        }
    }

    /// How many cases the engine has still to read: the current one and those it was asked to read ahead.
    pub fn cases_being_read(&self) -> usize {
        let current = self.queue.current();
        let asked = current.iter().chain(self.ahead.iter().filter(|case| Some(**case) != current));
        asked.filter(|case| !self.answers_of(**case).is_some_and(CaseAnswers::is_settled)).count()
    }

    /// How many cases of the queue carry an annotation, note or skip.
    pub fn marked_count(&self) -> usize {
        self.queue.all().iter().filter(|case| self.marks.get(case).is_some_and(|mark| !mark.is_empty())).count()
    }
}
