//! Lists to choose from: command palette, orders, saved views, columns, themes.

use super::app::App;
use crate::tui::action::{Action, Context, bindings, everyday_words};
use crate::tui::effect::Effect;
use crate::tui::keymap;
use crate::tui::state::order::Order;
use crate::tui::state::overlay::Overlay;
use crate::tui::state::picker::{Choice, Picker, PickerKind};
use crate::tui::state::queue_columns::Column;

impl App {
    pub(super) fn open_picker(&mut self, kind: PickerKind) {
        let is_one_of = matches!(kind, PickerKind::Order | PickerKind::Theme { .. });
        let mut picker = Picker::new(kind);
        if is_one_of {
            let on = self.choices(&picker).iter().position(|choice| !choice.sign.is_empty());
            picker.select(on.unwrap_or(0));
        }
        self.open(Overlay::Picker(picker));
    }

    /// The lines that contain every typed word.
    pub fn choices(&self, picker: &Picker) -> Vec<Choice> {
        let mut choices = self.all_choices(picker.kind());
        picker.narrow(&mut choices);
        if *picker.kind() == PickerKind::Palette {
            let typed = picker.input().value().trim();
            let cases = self.cases_named(typed);
            // Digits name a case rather than a command.
            let at = if typed.starts_with(|sign: char| sign.is_ascii_digit()) { 0 } else { choices.len() };
            choices.splice(at..at, cases);
        }
        choices
    }

    fn all_choices(&self, kind: &PickerKind) -> Vec<Choice> {
        let tick = |on: bool| if on { "•".to_owned() } else { String::new() };
        match kind {
            PickerKind::Palette => bindings()
                .filter(|binding| binding.context == Context::Explore && binding.action != Action::Palette)
                .map(|binding| Choice {
                    name: binding.name.to_owned(),
                    detail: binding.description.to_owned(),
                    words: everyday_words(binding.name),
                    sign: self.keymap.shown_key(binding).map(|key| keymap::shown(&key)).unwrap_or_default(),
                    case: None,
                })
                .collect(),
            PickerKind::Order => Order::ALL
                .iter()
                .filter(|order| **order != Order::Flips || self.cases.compares_runs())
                .map(|order| Choice {
                    name: order.name().to_owned(),
                    detail: order.meaning().to_owned(),
                    words: "",
                    sign: tick(*order == self.view.order()),
                    case: None,
                })
                .collect(),
            PickerKind::View => self
                .view
                .saved_views()
                .iter()
                .map(|view| {
                    let filter = if view.filter.is_empty() { "all cases" } else { &view.filter };
                    Choice {
                        name: view.name.clone(),
                        detail: format!("{filter}, by {}", view.order),
                        words: "",
                        sign: String::new(),
                        case: None,
                    }
                })
                .collect(),
            PickerKind::Column => Column::ALL
                .iter()
                .filter(|column| **column != Column::Against || self.cases.compares_runs())
                .map(|column| Choice {
                    name: column.name().to_owned(),
                    detail: column.meaning().to_owned(),
                    words: "",
                    sign: tick(self.view.columns().contains(column)),
                    case: None,
                })
                .collect(),
            PickerKind::Theme { .. } => self
                .themes
                .iter()
                .map(|(name, theme)| Choice {
                    name: name.clone(),
                    detail: String::new(),
                    words: "",
                    sign: tick(*theme == self.theme),
                    case: None,
                })
                .collect(),
        }
    }

    pub(super) fn update_picker(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Picker(picker)) = &self.overlay else { return Vec::new() };
        let mut picker = picker.clone();
        let choices = self.choices(&picker);
        match action {
            Action::Down => picker.step(1, choices.len()),
            Action::Up => picker.step(-1, choices.len()),
            Action::PageDown => picker.step(10, choices.len()),
            Action::PageUp => picker.step(-10, choices.len()),
            Action::Accept => {
                return choices.get(picker.selected()).map_or(Vec::new(), |choice| self.pick(&picker, choice));
            }
            Action::Delete if *picker.kind() == PickerKind::View => {
                let Some(choice) = choices.get(picker.selected()) else { return Vec::new() };
                self.view.remove_saved(&choice.name);
                return vec![Effect::Remember];
            }
            Action::Cancel => {
                if let PickerKind::Theme { before } = picker.kind() {
                    self.theme = (**before).clone();
                }
                self.overlay = None;
                return Vec::new();
            }
            _ => return Vec::new(),
        }
        self.narrowed(picker);
        Vec::new()
    }

    /// Handles a changed line or selection; a selected theme shows at once.
    pub(super) fn narrowed(&mut self, mut picker: Picker) {
        let choices = self.choices(&picker);
        picker.step(0, choices.len());
        if matches!(picker.kind(), PickerKind::Theme { .. }) {
            let chosen = choices.get(picker.selected()).map(|choice| choice.name.as_str());
            if let Some((_, theme)) = self.themes.iter().find(|(name, _)| Some(name.as_str()) == chosen) {
                self.theme = theme.clone();
            }
        }
        self.open(Overlay::Picker(picker));
    }

    fn pick(&mut self, picker: &Picker, choice: &Choice) -> Vec<Effect> {
        self.overlay = None;
        match picker.kind() {
            PickerKind::Palette => {
                if let Some(case) = choice.case {
                    return self.go_to_case(case);
                }
                let binding =
                    bindings().find(|binding| binding.context == Context::Explore && binding.name == choice.name);
                binding.map_or(Vec::new(), |binding| self.update(binding.action.clone()))
            }
            PickerKind::Order => Order::named(&choice.name).map_or(Vec::new(), |order| self.set_order(order)),
            PickerKind::View => {
                let view = self.view.saved_view(&choice.name).cloned();
                view.map_or(Vec::new(), |view| self.open_view(&view))
            }
            PickerKind::Column => {
                if let Some(column) = Column::named(&choice.name) {
                    self.view.toggle_column(column);
                }
                // Keep the list open, because one often wants more than one column.
                self.open(Overlay::Picker(picker.clone()));
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
