//! The explorer's state as a whole. Updates, the files beside this one, change it; [`crate::tui::views`] draws it;
//! neither waits. Only updates access the fields, everything else uses methods.

use crate::annotation::{AnnotationSession, CaseAnnotation, CaseReview, CategoryId};
use crate::cases::{Cases, FEW, InitialCases};
use crate::data::{Case, Dataset};
use crate::pipeline::{ServerUsage, Ticket};
use crate::terminal::image_protocol::ImageMode;
use crate::terminal::images::Loaded;
use crate::tui::action::{Action, Context, bindings};
use crate::tui::keymap::{self, Keymap};
use crate::tui::state::caption_names::CaptionNames;
use crate::tui::state::drawn::Drawn;
use crate::tui::state::flip_cache::FlipCache;
use crate::tui::state::gold::Gold;
use crate::tui::state::image_panes::ImagePanes;
use crate::tui::state::order::Order;
use crate::tui::state::overlay::{Notice, Overlay};
use crate::tui::state::queue::Queue;
use crate::tui::state::queue_view::QueueView;
use crate::tui::state::reading_rest::ReadingRest;
use crate::tui::state::selection::Selection;
use crate::tui::state::throughput::Throughput;
use crate::tui::state::what_if::WhatIf;
use crate::tui::state::worker_status::WorkerStatus;
use crate::tui::theme::Theme;
use rustc_hash::FxHashSet;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Initial data and settings of the explorer.
pub struct Setting {
    pub known: InitialCases,
    /// Cases to step through, as positions in `Dataset::cases`.
    pub queue: Vec<usize>,
    /// One sentence per line of the dataset that was left out.
    pub left_out: Vec<String>,
    pub theme: Theme,
    pub images: ImageMode,
    pub keymap: Keymap,
    /// Themes to choose from, by name.
    pub themes: Vec<(String, Theme)>,
    /// Gold answers stay shown from case to case.
    pub keep_gold: bool,
}

/// The whole state.
pub struct App {
    pub(super) cases: Cases,
    pub(super) left_out: Vec<String>,
    pub(super) queue: Queue,
    pub(super) view: QueueView,
    pub(super) selection: Selection,
    pub(super) images: ImagePanes,
    pub(super) gold: Gold,
    /// Cases whose next annotation would not be blind, as far as the annotation session has said.
    unblinded: FxHashSet<usize>,
    /// Cases that another session of this annotator has changed since the annotator last answered to it.
    pub(super) changed_elsewhere: FxHashSet<usize>,
    /// Cases marked for labelling many at once.
    pub(super) marked: FxHashSet<usize>,
    /// The hits of both runs stand side by side, in place of this run's alone.
    pub(super) comparing: bool,
    pub(super) what_if: WhatIf,
    /// The smallest flip of the current case's answer.
    pub(super) last_flip: FlipCache,
    /// Where the captions of the current case name labels.
    pub(super) caption_names: CaptionNames,
    pub(super) overlay: Option<Overlay>,
    pub(super) notice: Option<Notice>,
    pub(super) worker: WorkerStatus,
    pub(super) theme: Theme,
    pub(super) themes: Vec<(String, Theme)>,
    pub(super) keymap: Keymap,
    pub(super) drawn: Drawn,
    /// The terminal reports the mouse.
    pub(super) mouse: bool,
    is_preview: bool,
    pub(super) reading_rest: Option<ReadingRest>,
    /// Since the start of the session.
    pub(super) clock: Duration,
    /// When the figures of the overview were last counted.
    pub(super) overview_counted: Duration,
    /// The cases that the worker was last asked to read ahead.
    pub(super) ahead: Vec<usize>,
    /// What servers were asked in this session.
    pub(super) server_usage: Option<ServerUsage>,
    /// The person has agreed to many requests.
    pub(super) has_agreed_to_spend: bool,
    /// The person knows that no case is answered ahead any more.
    pub(super) has_said_limit: bool,
    last_ticket: Ticket,
}

impl App {
    /// The state before the first frame.
    pub fn new(setting: Setting) -> Self {
        Self {
            comparing: setting.known.against.is_some(),
            cases: Cases::new(setting.known),
            left_out: setting.left_out,
            queue: Queue::new(setting.queue),
            view: QueueView::default(),
            selection: Selection::default(),
            images: ImagePanes::new(setting.images),
            gold: Gold::new(setting.keep_gold),
            unblinded: FxHashSet::default(),
            changed_elsewhere: FxHashSet::default(),
            marked: FxHashSet::default(),
            what_if: WhatIf::default(),
            last_flip: FlipCache::default(),
            caption_names: CaptionNames::default(),
            overlay: None,
            notice: None,
            worker: WorkerStatus::default(),
            theme: setting.theme,
            themes: setting.themes,
            keymap: setting.keymap,
            drawn: Drawn::default(),
            mouse: false,
            is_preview: false,
            reading_rest: None,
            clock: Duration::ZERO,
            overview_counted: Duration::ZERO,
            ahead: Vec::new(),
            server_usage: None,
            has_agreed_to_spend: false,
            has_said_limit: false,
            last_ticket: 0,
        }
    }

    /// A preview with the cases alone, while documents, answers and annotations are being read; `progress` is shown
    /// meanwhile.
    pub fn preview(setting: Setting, progress: String) -> Self {
        Self { is_preview: true, worker: WorkerStatus::starting(progress), ..Self::new(setting) }
    }

    /// Whether only the cases have been read.
    pub fn is_preview(&self) -> bool {
        self.is_preview
    }

    /// The dataset with all data on its cases.
    pub fn cases(&self) -> &Cases {
        &self.cases
    }

    pub fn dataset(&self) -> &Dataset {
        self.cases.dataset()
    }

    /// One sentence per line of the dataset that was left out.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Filter, order and columns of the queue.
    pub fn view(&self) -> &QueueView {
        &self.view
    }

    /// The selection on the screen.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    pub fn images(&self) -> &ImagePanes {
        &self.images
    }

    /// Which gold answers are on the screen.
    pub fn gold(&self) -> &Gold {
        &self.gold
    }

    /// Whether the gold answer of the current case is on the screen.
    pub fn is_gold_visible(&self) -> bool {
        self.queue.current().is_some_and(|case| self.gold.is_visible_of(case))
    }

    /// Whether the hits of both runs stand side by side.
    pub fn is_comparing(&self) -> bool {
        self.comparing
    }

    /// The changes to the fusion.
    pub fn what_if(&self) -> &WhatIf {
        &self.what_if
    }

    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_ref()
    }

    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    pub fn worker(&self) -> &WorkerStatus {
        &self.worker
    }

    pub fn theme(&self) -> &Theme {
        &self.theme
    }

    pub fn keymap(&self) -> &Keymap {
        &self.keymap
    }

    /// The first key of an action of the screen with cases and hits, if it has one.
    pub fn key_of(&self, action: &Action) -> Option<String> {
        let binding = bindings().find(|binding| binding.context == Context::Explore && binding.action == *action)?;
        Some(keymap::shown(&self.keymap.shown_key(binding)?))
    }

    /// Places of the last frame's parts, for the mouse; drawing sets them.
    pub fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// The context of the next key.
    pub fn context(&self) -> Context {
        match &self.overlay {
            Some(overlay) => overlay.context(),
            None if self.images.enlarged().is_some() => Context::Image,
            None => Context::Explore,
        }
    }

    /// The current case with its position in the dataset.
    pub fn current(&self) -> Option<(usize, &Case)> {
        let index = self.queue.current()?;
        Some((index, self.cases.get(index)?))
    }

    /// Whether the screen reveals gold answers: directly, or by which cases the queue has, or by their order.
    pub fn reveals_gold(&self) -> bool {
        self.is_gold_visible() || self.queue_reveals_gold()
    }

    /// Whether the choice of the queue's cases, or their order, says something about the gold answer of each.
    pub fn queue_reveals_gold(&self) -> bool {
        self.view.filter().depends_on_gold() || self.view.order() == Order::OracleButWrong
    }

    /// The cases whose gold answers or annotations by others the figures on the screen reveal, or whose gold answers
    /// stand in the rows of the queue.
    pub fn cases_revealed_by_figures(&self) -> Vec<usize> {
        let shown = self.queue.shown();
        if matches!(self.overlay, Some(Overlay::Overview(_))) && shown.len() < FEW {
            return shown.to_vec();
        }
        if !self.gold.is_kept() {
            return Vec::new();
        }
        let (area, first) = self.drawn.queue();
        shown.iter().skip(first).take(usize::from(area.height)).copied().collect()
    }

    /// Notes whether the next annotation of this case would be blind, as the annotation session knows it.
    pub fn set_blind(&mut self, case: usize, is_blind: bool) {
        if is_blind {
            self.unblinded.remove(&case);
        } else {
            self.unblinded.insert(case);
        }
    }

    /// What the annotator has seen of the current case beside images and answers, for the header.
    pub fn exposure_in_words(&self) -> &'static str {
        let Some(case) = self.queue.current() else { return "blind" };
        let others = self.cases.standing_shown(case).is_some()
            || self.view.filter().depends_on_others()
            || self.case_with_others_shown() == Some(case);
        match (self.reveals_gold() || self.gold.was_seen_of(case), others) {
            (true, _) => "gold seen",
            (false, true) => "others' labels seen",
            (false, false) if self.unblinded.contains(&case) => "gold or others' labels seen",
            (false, false) => "blind",
        }
    }

    /// The case whose annotations by others are on the screen.
    pub fn case_with_others_shown(&self) -> Option<usize> {
        let overlay = match &self.overlay {
            Some(Overlay::Help(page)) => page.below(),
            other => other.as_ref(),
        };
        match overlay {
            Some(Overlay::Adjudication(adjudication)) => adjudication.is_revealed.then_some(adjudication.case),
            _ => None,
        }
    }

    /// Number of cases still to be read by the worker: the current one and those it was asked to read ahead.
    pub fn cases_being_read(&self) -> usize {
        let current = self.queue.current();
        let asked = current.iter().chain(self.ahead.iter().filter(|case| Some(**case) != current));
        asked.filter(|case| self.cases.is_unread(**case)).count()
    }

    /// The annotator's annotations of listed cases. This iterates over the annotations, which are fewer than the
    /// cases, because every frame needs it.
    fn listed_annotations(&self) -> impl Iterator<Item = &CaseAnnotation> {
        let listed = self.cases.annotations().filter(|(case, _)| self.queue.shows(*case));
        listed.map(|(_, annotation)| annotation)
    }

    /// How fast the annotator labels the listed cases.
    pub fn throughput(&self) -> Throughput {
        let labelled = self.listed_annotations().filter(|annotation| annotation.is_labelled());
        Throughput::of(self.queue.shown().len(), labelled.map(|annotation| annotation.seconds))
    }

    /// Number of listed cases to which, or to documents of which, the annotator has given this category.
    pub fn count_of_category(&self, id: &CategoryId) -> usize {
        let has_it = |annotation: &&CaseAnnotation| {
            annotation.categories.contains(id) || annotation.hits.values().any(|given| given.contains(id))
        };
        self.listed_annotations().filter(has_it).count()
    }

    /// Opens an overlay.
    pub fn open(&mut self, overlay: Overlay) {
        self.overlay = Some(overlay);
    }

    /// Shows a notice in the status line.
    pub fn notify(&mut self, notice: Notice) {
        self.notice = Some(notice);
    }

    /// Shows a notice that is no error. A constant text speaks in the words of the run; one with ids and names in it stays, as
    /// they must not change.
    pub(super) fn say(&mut self, text: impl Into<Cow<'static, str>>) {
        let text = match text.into() {
            Cow::Borrowed(constant) => self.cases.in_words_of_run(constant).into_owned(),
            Cow::Owned(text) => text,
        };
        self.notify(Notice::Said(text));
    }

    pub fn clear_notice(&mut self) {
        self.notice = None;
    }

    /// Takes annotation and review of a case from the session.
    pub fn refresh_annotations(&mut self, case: usize, session: &AnnotationSession) {
        let id = self.cases.id_of(case);
        self.set_annotation(case, session.own_annotation(&id).cloned());
        self.set_review(case, session.review(&id));
    }

    /// Sets the annotator's own annotation of a case; `None` removes it.
    pub fn set_annotation(&mut self, case: usize, annotation: Option<Arc<CaseAnnotation>>) {
        self.cases.set_annotation(case, annotation);
    }

    /// Sets the review of a case.
    pub fn set_review(&mut self, case: usize, review: CaseReview) {
        self.cases.set_review(case, review);
    }

    /// Sets the fingerprint of the run on the screen; annotations are recorded with it.
    pub fn set_run_fingerprint(&mut self, fingerprint: String) {
        self.cases.set_run_fingerprint(fingerprint);
    }

    /// Takes an image that is decoded and scaled, or failed.
    pub fn on_image(&mut self, loaded: Loaded) {
        self.images.insert(loaded.key, loaded.picture);
    }

    /// Forgets all images, because the terminal has lost them: they are made and sent again.
    pub fn forget_images(&mut self) {
        self.images.forget();
    }

    /// Keeps the images that the preview has loaded.
    pub fn take_images_of(&mut self, preview: Self) {
        self.images.take_pictures(preview.images);
    }

    /// A new ticket for a request.
    pub(super) fn new_ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        self.last_ticket
    }
}
