//! Typing and pasting into the line of an overlay.

use super::app::App;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::{Notice, Overlay};
use tui_input::{Input, InputRequest};

/// Bytes of the longest line that is edited, as of `dissent annotate`.
const LONGEST_LINE: usize = 1 << 16;

impl App {
    /// A change to the line being edited; a changed query searches at once.
    pub fn edit(&mut self, request: InputRequest) -> Vec<Effect> {
        let Some(input) = self.overlay.as_mut().and_then(Overlay::input_mut) else { return Vec::new() };
        let changed = input.handle(request).is_some_and(|change| change.value);
        if changed { self.line_changed() } else { Vec::new() }
    }

    /// What follows from another text in the line being edited.
    fn line_changed(&mut self) -> Vec<Effect> {
        match &self.overlay {
            Some(Overlay::Search(_)) => return self.search(),
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

    /// Pasted text goes into the line being edited, on one line, and nowhere else.
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
        // At once: a character at a time copies the whole line for each.
        let before = input.value().chars().take(input.cursor());
        let whole: String = before.chain(line).chain(input.value().chars().skip(input.cursor())).collect();
        let cursor = input.cursor() + text.chars().count();
        *input = Input::new(whole).with_cursor(cursor);
        self.line_changed()
    }
}
