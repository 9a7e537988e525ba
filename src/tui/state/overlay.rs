//! Overlays over the screen, and the notice in the status line.

use super::adjudication::Adjudication;
use super::agreement_screen::AgreementScreen;
use super::definitions::Definitions;
use super::filter_edit::FilterEdit;
use super::help_page::HelpPage;
use super::label_many::LabelMany;
use super::overview::Overview;
use super::picker::Picker;
use super::search::Search;
use super::spend::SpendQuestion;
use super::why::Why;
use crate::tui::action::Context;
use tui_input::Input;

/// An overlay.
#[derive(Clone, Debug)]
pub enum Overlay {
    Help(HelpPage),
    Note(Input),
    Search(Search),
    Overview(Overview),
    Filter(FilterEdit),
    Picker(Picker),
    /// Input of the name under which a view is saved.
    Name(Input),
    Definitions(Definitions),
    Adjudication(Adjudication),
    Agreement(AgreementScreen),
    Why(Why),
    LabelMany(LabelMany),
    Spend(SpendQuestion),
}

/// A notice in the status line. It stays until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Said(String),
    /// An error. It stays until the next action that succeeds.
    Error(String),
}

impl Overlay {
    /// The context of its keys.
    pub fn context(&self) -> Context {
        match self {
            Self::Help(page) if page.typing().is_some() => Context::HelpSearch,
            Self::Help(_) => Context::Help,
            Self::Note(_) => Context::Note,
            Self::Search(_) => Context::Search,
            Self::Overview(_) => Context::Overview,
            Self::Filter(_) => Context::Filter,
            Self::Picker(_) => Context::Picker,
            Self::Name(_) => Context::Name,
            Self::Definitions(_) => Context::Definitions,
            Self::Adjudication(adjudication) if adjudication.typing.is_some() => Context::Reason,
            Self::Adjudication(_) => Context::Adjudication,
            Self::Agreement(_) => Context::Agreement,
            Self::Why(_) => Context::Why,
            Self::LabelMany(_) => Context::LabelMany,
            Self::Spend(_) => Context::Spend,
        }
    }

    /// The line being edited, if there is one.
    pub fn input_mut(&mut self) -> Option<&mut Input> {
        match self {
            Self::Help(page) => page.typing_mut(),
            Self::Overview(_)
            | Self::Definitions(_)
            | Self::Agreement(_)
            | Self::LabelMany(_)
            | Self::Spend(_)
            | Self::Why(_) => None,
            Self::Adjudication(adjudication) => adjudication.typing.as_mut(),
            Self::Note(input) | Self::Name(input) => Some(input),
            Self::Search(search) => Some(search.input_mut()),
            Self::Filter(edit) => Some(edit.input_mut()),
            Self::Picker(picker) => Some(picker.input_mut()),
        }
    }
}
