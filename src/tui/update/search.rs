//! The search for documents by the words of their captions, or by an image like a file.

use super::app::{App, Overlay};
use crate::index::CaptionResult;
use crate::pipeline::{ImageLike, Ticket};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::worker::Request;
use tui_input::Input;

/// Lines of a caption search.
const SEARCH_LIMIT: usize = 50;

/// The search as it stands.
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
    /// The latest request is not answered: what stands in `results` belongs to an earlier line.
    pub waiting: bool,
    /// Enter was pressed meanwhile: the best of the results is taken when they come.
    pub takes_the_best: bool,
}

impl Search {
    /// A request is out.
    pub(super) fn awaits_results(&mut self) {
        self.selected = 0;
        self.trouble = None;
        self.waiting = true;
        self.takes_the_best = false;
    }

    /// Nothing is asked: the line is empty or only begun.
    pub(super) fn asks_nothing(&mut self) {
        *self = Self { input: self.input.clone(), ticket: self.ticket, images: self.images, ..Self::default() };
    }
}

impl App {
    pub(super) fn update_search(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Search(search)) = &mut self.overlay else { return Vec::new() };
        let results = search.results.as_deref().unwrap_or_default();
        let last = results.len().saturating_sub(1);
        match action {
            Action::Down => search.selected = (search.selected + 1).min(last),
            Action::Up => search.selected = search.selected.saturating_sub(1),
            Action::PageDown => search.selected = (search.selected + 10).min(last),
            Action::PageUp => search.selected = search.selected.saturating_sub(10),
            Action::Accept if search.waiting => search.takes_the_best = true,
            Action::Accept => {
                let Some(result) = results.get(search.selected) else { return Vec::new() };
                let row = result.row;
                self.overlay = None;
                return self.put_in(row);
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }

    /// What follows from another text in the line.
    pub(super) fn search(&mut self) -> Vec<Effect> {
        let Some(Overlay::Search(mut search)) = self.overlay.take() else { return Vec::new() };
        let typed = search.input.value().trim().to_owned();
        let effects =
            if search.images { self.search_file(&mut search, &typed) } else { self.search_words(&mut search, typed) };
        self.overlay = Some(Overlay::Search(search));
        effects
    }

    fn search_words(&mut self, search: &mut Search, query: String) -> Vec<Effect> {
        self.last_ticket += 1;
        search.ticket = self.last_ticket;
        if query.is_empty() {
            search.asks_nothing();
            return Vec::new();
        }
        search.awaits_results();
        vec![Effect::Engine(Request::SearchCaptions { ticket: search.ticket, query, limit: SEARCH_LIMIT })]
    }

    /// A path is looked for once it may be whole; until then nothing is offered, and without one it is the image in focus
    /// again.
    fn search_file(&mut self, search: &mut Search, typed: &str) -> Vec<Effect> {
        if typed.is_empty() {
            return self.send_image_search(search, self.image_in_focus());
        }
        let lower = typed.to_lowercase();
        if ![".png", ".jpg", ".jpeg", ".dcm"].iter().any(|ending| lower.ends_with(ending)) {
            self.last_ticket += 1;
            search.ticket = self.last_ticket;
            search.asks_nothing();
            return Vec::new();
        }
        self.send_image_search(search, ImageLike::File(typed.into()))
    }
}
