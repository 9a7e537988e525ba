//! A list to pick from with a line that narrows it: command palette, orders, saved views, columns, themes.

use super::app::{App, Overlay};
use crate::tui::action::{Action, Context, TABLE};
use crate::tui::effect::Effect;
use crate::tui::keymap;
use crate::tui::state::order::Order;
use crate::tui::state::queue_columns::Column;
use crate::tui::theme::Theme;
use tui_input::Input;

/// What is picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerKind {
    /// Every action of the explorer.
    Palette,
    Order,
    View,
    Column,
    Theme {
        /// Comes back where nothing is chosen.
        before: Box<Theme>,
    },
}

/// The open list.
#[derive(Clone, Debug)]
pub struct Picker {
    pub kind: PickerKind,
    pub input: Input,
    pub selected: usize,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub name: String,
    pub detail: String,
    /// Key that does the same, or a tick.
    pub sign: String,
}

impl Picker {
    pub fn title(&self) -> &'static str {
        match self.kind {
            PickerKind::Palette => "commands",
            PickerKind::Order => "order of the queue",
            PickerKind::View => "saved views",
            PickerKind::Column => "columns of the queue",
            PickerKind::Theme { .. } => "themes",
        }
    }
}

impl App {
    pub(super) fn open_picker(&mut self, kind: PickerKind) {
        let is_one_of = matches!(kind, PickerKind::Order | PickerKind::Theme { .. });
        let mut picker = Picker { kind, input: Input::default(), selected: 0 };
        if is_one_of {
            let on = self.choices(&picker).iter().position(|choice| !choice.sign.is_empty());
            picker.selected = on.unwrap_or(0);
        }
        self.overlay = Some(Overlay::Picker(picker));
    }

    /// The lines that contain every typed word.
    pub fn choices(&self, picker: &Picker) -> Vec<Choice> {
        let typed = picker.input.value().to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let mut choices = self.all_choices(&picker.kind);
        choices.retain(|choice| {
            let text = format!("{} {}", choice.name, choice.detail).to_lowercase();
            words.iter().all(|word| text.contains(word))
        });
        choices
    }

    fn all_choices(&self, kind: &PickerKind) -> Vec<Choice> {
        let tick = |on: bool| if on { "•".to_owned() } else { String::new() };
        match kind {
            PickerKind::Palette => TABLE
                .iter()
                .filter(|binding| binding.context == Context::Explore && binding.action != Action::Palette)
                .map(|binding| Choice {
                    name: binding.name.to_owned(),
                    detail: binding.description.to_owned(),
                    sign: self.keymap.shown_key(binding).map(|key| keymap::shown(&key)).unwrap_or_default(),
                })
                .collect(),
            PickerKind::Order => Order::ALL
                .iter()
                .filter(|order| **order != Order::Flips || self.compares_runs())
                .map(|order| Choice {
                    name: order.name().to_owned(),
                    detail: order.meaning().to_owned(),
                    sign: tick(*order == self.order),
                })
                .collect(),
            PickerKind::View => self
                .saved_views
                .iter()
                .map(|view| {
                    let filter = if view.filter.is_empty() { "all cases" } else { &view.filter };
                    Choice {
                        name: view.name.clone(),
                        detail: format!("{filter}, by {}", view.order),
                        sign: String::new(),
                    }
                })
                .collect(),
            PickerKind::Column => Column::ALL
                .iter()
                .filter(|column| **column != Column::Against || self.compares_runs())
                .map(|column| Choice {
                    name: column.name().to_owned(),
                    detail: column.meaning().to_owned(),
                    sign: tick(self.columns.contains(column)),
                })
                .collect(),
            PickerKind::Theme { .. } => self
                .themes
                .iter()
                .map(|(name, theme)| Choice {
                    name: name.clone(),
                    detail: String::new(),
                    sign: tick(*theme == self.theme),
                })
                .collect(),
        }
    }

    pub(super) fn update_picker(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Picker(picker)) = &self.overlay else { return Vec::new() };
        let mut picker = picker.clone();
        let choices = self.choices(&picker);
        let last = choices.len().saturating_sub(1);
        match action {
            Action::Down => picker.selected = (picker.selected + 1).min(last),
            Action::Up => picker.selected = picker.selected.saturating_sub(1),
            Action::PageDown => picker.selected = (picker.selected + 10).min(last),
            Action::PageUp => picker.selected = picker.selected.saturating_sub(10),
            Action::Accept => {
                return choices.get(picker.selected).map_or(Vec::new(), |choice| self.pick(&picker, choice));
            }
            Action::Delete if picker.kind == PickerKind::View => {
                let Some(choice) = choices.get(picker.selected) else { return Vec::new() };
                self.saved_views.retain(|view| view.name != choice.name);
                return vec![Effect::Remember];
            }
            Action::Cancel => {
                if let PickerKind::Theme { before } = picker.kind {
                    self.theme = *before;
                }
                self.overlay = None;
                return Vec::new();
            }
            _ => return Vec::new(),
        }
        self.narrowed(picker);
        Vec::new()
    }

    /// The line or the place changed; a theme shows at once.
    pub(super) fn narrowed(&mut self, mut picker: Picker) {
        let choices = self.choices(&picker);
        picker.selected = picker.selected.min(choices.len().saturating_sub(1));
        if matches!(picker.kind, PickerKind::Theme { .. }) {
            let chosen = choices.get(picker.selected).map(|choice| choice.name.as_str());
            if let Some((_, theme)) = self.themes.iter().find(|(name, _)| Some(name.as_str()) == chosen) {
                self.theme = theme.clone();
            }
        }
        self.overlay = Some(Overlay::Picker(picker));
    }

    fn pick(&mut self, picker: &Picker, choice: &Choice) -> Vec<Effect> {
        self.overlay = None;
        match picker.kind {
            PickerKind::Palette => {
                let binding =
                    TABLE.iter().find(|binding| binding.context == Context::Explore && binding.name == choice.name);
                binding.map_or(Vec::new(), |binding| self.update(binding.action.clone()))
            }
            PickerKind::Order => Order::named(&choice.name).map_or(Vec::new(), |order| self.set_order(order)),
            PickerKind::View => {
                let view = self.saved_views.iter().find(|view| view.name == choice.name).cloned();
                view.map_or(Vec::new(), |view| self.open_view(&view))
            }
            PickerKind::Column => {
                if let Some(column) = Column::named(&choice.name) {
                    let had = self.columns.contains(&column);
                    self.columns.retain(|other| *other != column);
                    if !had {
                        self.columns.push(column);
                    }
                }
                // One often wants more than one column.
                self.overlay = Some(Overlay::Picker(picker.clone()));
                Vec::new()
            }
            PickerKind::Theme { .. } => {
                if let Some((_, theme)) = self.themes.iter().find(|(name, _)| *name == choice.name) {
                    self.theme = theme.clone();
                }
                Vec::new()
            }
        }
    }
}
