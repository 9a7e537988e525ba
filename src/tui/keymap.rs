//! From a key press to an action, by the table; what the table does not know is text for the line editor.

use super::action::{Action, Context, TABLE};
use crate::annotation::Category;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::InputRequest;
use tui_input::backend::crossterm::to_input_request;

/// What a key press means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    Action(Action),
    /// A change to the line being edited.
    Edit(InputRequest),
    Nothing,
}

/// Looks a key up: first in the table, then among the taxonomy's keys, then as text.
pub fn pressed(key: KeyEvent, context: Context, categories: &[Category]) -> Pressed {
    if key.kind == KeyEventKind::Release {
        return Pressed::Nothing;
    }
    let Some(name) = key_name(key) else { return Pressed::Nothing };
    if let Some(action) = bound(&name, context) {
        return Pressed::Action(action);
    }
    match context {
        Context::Explore => categories
            .iter()
            .position(|category| name == category.key.to_string())
            .map_or(Pressed::Nothing, |index| Pressed::Action(Action::Annotate(index))),
        Context::Search | Context::Note => to_input_request(&Event::Key(key)).map_or(Pressed::Nothing, Pressed::Edit),
        Context::Help => Pressed::Nothing,
    }
}

/// The action that a key of this name has in this context.
fn bound(name: &str, context: Context) -> Option<Action> {
    TABLE
        .iter()
        .find(|binding| binding.context == context && binding.keys.contains(&name))
        .map(|binding| binding.action)
}

/// The first category whose key the table already uses, with the name of that action.
pub fn conflict(categories: &[Category]) -> Option<(&Category, &'static str)> {
    for category in categories {
        let key = category.key.to_string();
        let taken =
            TABLE.iter().find(|binding| binding.context == Context::Explore && binding.keys.contains(&key.as_str()));
        if let Some(binding) = taken {
            return Some((category, binding.name));
        }
    }
    None
}

/// Name of a key: the character itself, or a word such as `enter`, with `ctrl-` before it. `None` for keys that no
/// table may use, because many terminals and multiplexers swallow them.
pub fn key_name(key: KeyEvent) -> Option<String> {
    if key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
        return None;
    }
    let name = match key.code {
        KeyCode::Char(' ') => "space".to_owned(),
        KeyCode::Char(character) => character.to_string(),
        KeyCode::Enter => "enter".to_owned(),
        KeyCode::Esc => "esc".to_owned(),
        KeyCode::Tab => "tab".to_owned(),
        KeyCode::Backspace => "backspace".to_owned(),
        KeyCode::Delete => "delete".to_owned(),
        KeyCode::Up => "up".to_owned(),
        KeyCode::Down => "down".to_owned(),
        KeyCode::Left => "left".to_owned(),
        KeyCode::Right => "right".to_owned(),
        KeyCode::PageUp => "pgup".to_owned(),
        KeyCode::PageDown => "pgdn".to_owned(),
        KeyCode::Home => "home".to_owned(),
        KeyCode::End => "end".to_owned(),
        _ => return None,
    };
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return Some(format!("ctrl-{}", name.to_lowercase()));
    }
    Some(name)
}

/// A key's name as people write it.
pub fn shown(name: &str) -> String {
    match name {
        "up" => "↑".to_owned(),
        "down" => "↓".to_owned(),
        "left" => "←".to_owned(),
        "right" => "→".to_owned(),
        "enter" => "Enter".to_owned(),
        "esc" => "Esc".to_owned(),
        "tab" => "Tab".to_owned(),
        "space" => "Space".to_owned(),
        "pgup" => "PgUp".to_owned(),
        "pgdn" => "PgDn".to_owned(),
        "home" => "Home".to_owned(),
        "end" => "End".to_owned(),
        _ => name.strip_prefix("ctrl-").map_or_else(|| name.to_owned(), |key| format!("Ctrl-{}", key.to_uppercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn categories() -> Vec<Category> {
        vec![Category {
            key: '1',
            id: "look-alike".into(),
            name: "Look-alike".into(),
            definition: "It only looks alike.".into(),
        }]
    }

    #[test]
    fn a_letter_moves_in_the_explorer_and_is_text_in_a_note() {
        let j = key(KeyCode::Char('j'));
        assert_eq!(pressed(j, Context::Explore, &[]), Pressed::Action(Action::Down));
        assert_eq!(pressed(j, Context::Note, &[]), Pressed::Edit(InputRequest::InsertChar('j')));
    }

    #[test]
    fn a_digit_annotates_where_the_taxonomy_has_it() {
        let categories = categories();
        let at = |character| pressed(key(KeyCode::Char(character)), Context::Explore, &categories);
        assert_eq!(at('1'), Pressed::Action(Action::Annotate(0)));
        assert_eq!(at('2'), Pressed::Nothing);
    }

    #[test]
    fn ctrl_c_leaves_everywhere() {
        let event = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for context in Context::ALL {
            assert_eq!(pressed(event, context, &[]), Pressed::Action(Action::Interrupt));
        }
    }

    #[test]
    fn a_category_must_not_take_a_key_of_the_table() {
        let mut categories = categories();
        assert!(conflict(&categories).is_none());
        categories[0].key = 'j';
        assert_eq!(conflict(&categories).map(|(_, action)| action), Some("down"));
    }
}
