//! A list to choose from, with an input line that narrows it.

use crate::tui::theme::Theme;
use tui_input::Input;

/// The kind of list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerKind {
    /// Every action of the explorer.
    Palette,
    Order,
    View,
    Column,
    Theme {
        /// Theme to restore if nothing is chosen.
        before: Box<Theme>,
    },
}

/// State of the open list.
#[derive(Clone, Debug)]
pub struct Picker {
    kind: PickerKind,
    input: Input,
    selected: usize,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub name: String,
    pub detail: String,
    /// Words that find the line, too, but are not shown.
    pub words: &'static str,
    /// Key that does the same, or a tick.
    pub sign: String,
    /// The case to go to, as a position in the dataset; `None` for anything but a case.
    pub case: Option<usize>,
}

impl Picker {
    /// The whole list with its first line selected.
    pub fn new(kind: PickerKind) -> Self {
        Self { kind, input: Input::default(), selected: 0 }
    }

    pub fn kind(&self) -> &PickerKind {
        &self.kind
    }

    pub fn input(&self) -> &Input {
        &self.input
    }

    pub fn input_mut(&mut self) -> &mut Input {
        &mut self.input
    }

    /// Position among the lines that are left.
    pub fn selected(&self) -> usize {
        self.selected
    }

    pub fn select(&mut self, place: usize) {
        self.selected = place;
    }

    /// Moves among this many lines and stops at the ends.
    pub fn step(&mut self, steps: isize, lines: usize) {
        self.selected = self.selected.saturating_add_signed(steps).min(lines.saturating_sub(1));
    }

    /// Keeps the lines that contain every typed word.
    pub fn narrow(&self, choices: &mut Vec<Choice>) {
        let typed = self.input.value().to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        choices.retain(|choice| {
            let text = format!("{} {} {}", choice.name, choice.detail, choice.words).to_lowercase();
            words.iter().all(|word| text.contains(word))
        });
    }

    pub fn title(&self) -> &'static str {
        match self.kind {
            PickerKind::Palette => "commands, or the id of a case",
            PickerKind::Order => "order of the queue",
            PickerKind::View => "saved views",
            PickerKind::Column => "columns of the queue",
            PickerKind::Theme { .. } => "themes",
        }
    }
}
