//! The search for documents by the words of their captions, or by an image or image file.

use super::app::App;
use crate::pipeline::ImageLike;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;
use crate::tui::state::search::Search;
use crate::tui::state::selection::Side;
use crate::worker::Request;

/// Most results of a caption search.
const SEARCH_LIMIT: usize = 50;
/// Most results of an image search.
const IMAGES: usize = 50;

/// Endings at which the path of an image may be complete.
const IMAGE_ENDINGS: [&str; 10] = [".png", ".jpg", ".jpeg", ".dcm", ".dicom", ".gif", ".bmp", ".tif", ".tiff", ".webp"];

impl App {
    pub(super) fn update_search(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Search(search)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => search.step(1),
            Action::Up => search.step(-1),
            Action::PageDown => search.step(10),
            Action::PageUp => search.step(-10),
            Action::Accept => {
                let Some(row) = search.accept() else { return Vec::new() };
                self.overlay = None;
                return self.put_in(row);
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }

    /// Searches for the changed line.
    pub(super) fn search(&mut self) -> Vec<Effect> {
        let Some(Overlay::Search(mut search)) = self.overlay.take() else { return Vec::new() };
        let typed = search.input().value().trim().to_owned();
        let effects = if search.is_for_images() {
            self.search_file(&mut search, &typed)
        } else {
            self.search_words(&mut search, typed)
        };
        self.open(Overlay::Search(search));
        effects
    }

    fn search_words(&mut self, search: &mut Search, query: String) -> Vec<Effect> {
        let ticket = self.new_ticket();
        if query.is_empty() {
            search.ask_nothing(ticket);
            return Vec::new();
        }
        search.await_results(ticket);
        vec![Effect::Worker(Request::SearchCaptions { ticket, query, limit: SEARCH_LIMIT })]
    }

    /// Searches by an image file once its path may be complete; until then there are no results. An empty line
    /// searches by the focused image again.
    fn search_file(&mut self, search: &mut Search, typed: &str) -> Vec<Effect> {
        if typed.is_empty() {
            return self.send_image_search(search, self.image_in_focus());
        }
        let lower = typed.to_lowercase();
        if !IMAGE_ENDINGS.iter().any(|ending| lower.ends_with(ending)) {
            search.ask_nothing(self.new_ticket());
            return Vec::new();
        }
        self.send_image_search(search, ImageLike::File(typed.into()))
    }

    /// Searches for images like the focused one, or like a file once its path is typed.
    pub(super) fn search_images(&mut self) -> Vec<Effect> {
        let mut search = Search::for_images();
        let effects = self.send_image_search(&mut search, self.image_in_focus());
        self.open(Overlay::Search(search));
        effects
    }

    fn image_in_focus(&self) -> ImageLike {
        match (self.selection.side(), self.shown_row()) {
            (Side::Document, Some(row)) => ImageLike::Document(row),
            _ => ImageLike::Case,
        }
    }

    fn send_image_search(&mut self, search: &mut Search, like: ImageLike) -> Vec<Effect> {
        let Some(case) = self.queue.current() else { return Vec::new() };
        let ticket = self.new_ticket();
        search.await_results(ticket);
        vec![Effect::Worker(Request::SearchImages { ticket, case, like, limit: IMAGES })]
    }
}
