//! Typing and pasting into the input line of an overlay.

use super::app::App;
use crate::tui::effect::Effect;
use crate::tui::state::help_page::Jump;
use crate::tui::state::overlay::{Notice, Overlay};
use tui_input::{Input, InputRequest};

/// Size limit of the edited line, bytes; the same as in `dissent annotate`.
const LONGEST_LINE: usize = 1 << 16;

impl App {
    /// Changes the line being edited; a changed query is searched at once.
    pub fn edit(&mut self, request: InputRequest) -> Vec<Effect> {
        let Some(input) = self.overlay.as_mut().and_then(Overlay::input_mut) else { return Vec::new() };
        let changed = input.handle(request).is_some_and(|change| change.value);
        if changed { self.line_changed() } else { Vec::new() }
    }

    /// Reacts to a change of the line being edited.
    fn line_changed(&mut self) -> Vec<Effect> {
        match &self.overlay {
            Some(Overlay::Search(_)) => return self.search(),
            Some(Overlay::Help(page)) => page.jump_to(Jump::Match { after: false }),
            Some(Overlay::Filter(edit)) => self.set_filter_edit(edit.input().clone()),
            Some(Overlay::Picker(picker)) => {
                let mut picker = picker.clone();
                picker.select(0);
                self.narrowed(picker);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Pastes text into the line being edited, as one line; without such a line it does nothing.
    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        let line = text.chars().map(|character| if character.is_control() { ' ' } else { character });
        let Some(input) = self.overlay.as_mut().and_then(Overlay::input_mut) else { return Vec::new() };
        let length = input.value().len() + text.len();
        if length > LONGEST_LINE {
            let message =
                format!("nothing was pasted: expected a line of at most {LONGEST_LINE} bytes, found {length}");
            self.notify(Notice::Error(message));
            return Vec::new();
        }
        // Insert the text at once: inserting by character copies the whole line for each.
        let before = input.value().chars().take(input.cursor());
        let whole: String = before.chain(line).chain(input.value().chars().skip(input.cursor())).collect();
        let cursor = input.cursor() + text.chars().count();
        *input = Input::new(whole).with_cursor(cursor);
        self.line_changed()
    }
}
