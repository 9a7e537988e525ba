//! The help page: where it is scrolled to, what is searched in it, what it covers.

use super::overlay::Overlay;
use super::scroll::Scroll;
use crate::tui::action::Context;
use std::cell::Cell;
use tui_input::Input;

/// A place that the page jumps to when it is drawn, because only drawing knows its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jump {
    /// The keys of this context.
    Section(Context),
    /// The first line from the one on top on, or after it, that contains the searched words.
    Match {
        after: bool,
    },
    MatchBefore,
}

/// The open page.
#[derive(Clone, Debug, Default)]
pub struct HelpPage {
    scroll: Scroll,
    jump: Cell<Option<Jump>>,
    /// The searched words while they are typed.
    typing: Option<Input>,
    query: String,
    /// What was open when the page was asked for; closing the page goes back to it.
    below: Option<Box<Overlay>>,
}

impl HelpPage {
    /// The page at the keys of `context`; the usual screen has its explanation at the top.
    pub fn of(context: Context, below: Option<Overlay>) -> Self {
        let jump = (context != Context::Explore).then_some(Jump::Section(context));
        Self { jump: Cell::new(jump), below: below.map(Box::new), ..Self::default() }
    }

    pub fn scroll(&self) -> &Scroll {
        &self.scroll
    }

    /// Takes the jump that the next drawing carries out.
    pub fn take_jump(&self) -> Option<Jump> {
        self.jump.take()
    }

    pub fn jump_to(&self, jump: Jump) {
        self.jump.set(Some(jump));
    }

    pub fn typing(&self) -> Option<&Input> {
        self.typing.as_ref()
    }

    pub fn typing_mut(&mut self) -> Option<&mut Input> {
        self.typing.as_mut()
    }

    /// The searched words in lower case; empty if nothing is searched.
    pub fn query(&self) -> String {
        self.typing.as_ref().map_or(self.query.as_str(), Input::value).trim().to_lowercase()
    }

    pub fn start_typing(&mut self) {
        self.typing = Some(Input::default());
    }

    /// Closes the line: keeps the words, or those from before.
    pub fn stop_typing(&mut self, keep: bool) {
        if let Some(input) = self.typing.take()
            && keep
        {
            input.value().clone_into(&mut self.query);
        }
    }

    pub fn below(&self) -> Option<&Overlay> {
        self.below.as_deref()
    }

    pub fn into_below(self) -> Option<Overlay> {
        self.below.map(|below| *below)
    }
}
