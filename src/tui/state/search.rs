//! The search for documents by the words of their captions or by an image.

use crate::index::CaptionResult;
use crate::pipeline::Ticket;
use tui_input::Input;

/// State of the search.
#[derive(Clone, Debug, Default)]
pub struct Search {
    input: Input,
    ticket: Ticket,
    results: Option<Vec<CaptionResult>>,
    selected: usize,
    images: bool,
    failure: Option<String>,
    is_waiting: bool,
    takes_the_best: bool,
}

impl Search {
    /// A search for images instead of captions.
    pub fn for_images() -> Self {
        Self { images: true, ..Self::default() }
    }

    /// The line that is typed.
    pub fn input(&self) -> &Input {
        &self.input
    }

    pub fn input_mut(&mut self) -> &mut Input {
        &mut self.input
    }

    /// Ticket of the latest request.
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// `None` until the first query is answered.
    pub fn results(&self) -> Option<&[CaptionResult]> {
        self.results.as_deref()
    }

    /// Position in the results.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Whether images are searched instead of captions.
    pub fn is_for_images(&self) -> bool {
        self.images
    }

    /// Reason why the search failed.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Whether Enter was pressed before the results came: the best of them is then taken.
    pub fn takes_the_best(&self) -> bool {
        self.takes_the_best
    }

    pub fn step(&mut self, steps: isize) {
        let last = self.results.as_ref().map_or(0, Vec::len).saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(steps).min(last);
    }

    /// The row of the selected document. While the latest request is unanswered, the results belong to an earlier
    /// line: the best of the new results is then taken when they come.
    pub fn accept(&mut self) -> Option<usize> {
        if self.is_waiting {
            self.takes_the_best = true;
            return None;
        }
        self.results.as_ref()?.get(self.selected).map(|result| result.row)
    }

    /// Waits for the results of this ticket and drops those of earlier ones.
    pub fn await_results(&mut self, ticket: Ticket) {
        self.ticket = ticket;
        self.selected = 0;
        self.failure = None;
        self.is_waiting = true;
        self.takes_the_best = false;
    }

    /// Asks for nothing, because the line is empty or incomplete.
    pub fn ask_nothing(&mut self, ticket: Ticket) {
        *self = Self { input: self.input.clone(), ticket, images: self.images, ..Self::default() };
    }

    /// Takes the results of a request; returns the row of the best one if Enter was pressed meanwhile.
    pub fn take_results(&mut self, ticket: Ticket, results: Vec<CaptionResult>) -> Option<usize> {
        if ticket != self.ticket {
            return None;
        }
        let best = results.first().filter(|_| self.takes_the_best).map(|result| result.row);
        self.selected = 0;
        self.results = Some(results);
        self.is_waiting = false;
        self.takes_the_best = false;
        best
    }

    /// Takes the failure of a request.
    pub fn fail(&mut self, ticket: Ticket, message: String) {
        if ticket == self.ticket {
            self.ask_nothing(ticket);
            self.failure = Some(message);
        }
    }
}
