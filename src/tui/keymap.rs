//! Maps key presses to actions by the table; other keys are text for the line editor.

use super::action::{Action, Binding, Context, bindings};
use crate::annotation::Category;
use crate::text::toml_text;
use anyhow::{Context as _, Result, bail};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use tui_input::InputRequest;
use tui_input::backend::crossterm::to_input_request;

/// Meaning of a key press.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    Action(Action),
    /// A change to the line being edited.
    Edit(InputRequest),
    Nothing,
}

/// The keys of each action: the table's, as changed by the user.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// Each row of the table with its keys.
    rows: Vec<(&'static Binding, Vec<String>)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = |binding: &Binding| binding.keys.iter().map(ToString::to_string).collect();
        Self { rows: bindings().map(|binding| (binding, keys(binding))).collect() }
    }
}

/// Size limit of a file of keys, bytes; the whole table is 10 KB.
const LONGEST: u64 = 1 << 20;

/// A file of keys: context, then action, then its keys.
type KeysFile = BTreeMap<String, BTreeMap<String, Vec<String>>>;

impl Keymap {
    /// The table's keys, overridden by those of a file; a missing file changes nothing.
    ///
    /// # Errors
    /// Fails if the file cannot be read, names an unknown context, action or key, or binds a key twice; the message
    /// names the file and the entry.
    pub fn load(path: &Path) -> Result<Self> {
        match crate::files::input_file::read_text(path, LONGEST) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
            Ok(text) => Self::parse(&text).with_context(|| format!("keys {}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let file: KeysFile = toml_text::parse(text)?;
        let mut keymap = Self::default();
        for (context_name, actions) in &file {
            let Some(context) = Context::ALL.into_iter().find(|context| context.name() == context_name) else {
                let names: Vec<&str> = Context::ALL.iter().map(|context| context.name()).collect();
                bail!("[{context_name}]: expected one of {}", names.join(", "));
            };
            for (name, keys) in actions {
                let row = keymap.rows.iter_mut().find(|(row, _)| row.context == context && row.name == name);
                let Some((binding, bound)) = row else {
                    let actions = bindings().filter(|row| row.context == context).map(|row| row.name);
                    bail!("{context_name}.{name}: expected one of {}", actions.collect::<Vec<_>>().join(", "));
                };
                let keys = keys.iter().map(|key| key_as_sent(key, context)).collect::<Result<Vec<String>>>();
                let keys = keys.with_context(|| format!("{context_name}.{name}"))?;
                if binding.action == Action::Interrupt && !keys.iter().any(|key| key == "ctrl-c") {
                    bail!("{context_name}.{name}: ctrl-c always leaves; add it to the list");
                }
                *bound = keys;
            }
        }
        keymap.check()?;
        Ok(keymap)
    }

    /// Checks that no key is bound twice in one context.
    fn check(&self) -> Result<()> {
        for (place, (binding, keys)) in self.rows.iter().enumerate() {
            for (other, other_keys) in &self.rows[place + 1..] {
                let shared = keys.iter().find(|key| other.context == binding.context && other_keys.contains(key));
                if let Some(key) = shared {
                    bail!("{}: {key} is bound to {} and to {}", binding.context.name(), binding.name, other.name);
                }
            }
        }
        Ok(())
    }

    /// The whole keymap as a file of keys, each with its description.
    pub fn to_toml(&self) -> String {
        let mut text =
            String::from("# Keys of the explorer. Change a list, or leave an action out to keep its own keys.\n");
        for context in Context::ALL {
            text.push_str(&format!("\n[{}]\n", context.name()));
            for (binding, keys) in self.rows.iter().filter(|(row, _)| row.context == context) {
                let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
                text.push_str(&format!("# {}\n{} = [{}]\n", binding.description, binding.name, keys.join(", ")));
            }
        }
        text
    }

    /// Looks a key up: first in the keymap, then among the taxonomy's keys, then as text.
    pub fn pressed(&self, key: KeyEvent, context: Context, categories: &[Category]) -> Pressed {
        if key.kind == KeyEventKind::Release {
            return Pressed::Nothing;
        }
        let Some(name) = key_name(key) else { return Pressed::Nothing };
        if let Some(binding) = self.bound(&name, context) {
            return Pressed::Action(binding.action.clone());
        }
        if context.takes_text() {
            return to_input_request(&Event::Key(key)).map_or(Pressed::Nothing, Pressed::Edit);
        }
        if !context.takes_categories() {
            return Pressed::Nothing;
        }
        let category = categories.iter().find(|category| name == category.key.to_string());
        category.map_or(Pressed::Nothing, |category| Pressed::Action(Action::Annotate(category.id.clone())))
    }

    /// The keys of a row of the table.
    pub fn keys(&self, binding: &Binding) -> &[String] {
        let same = |row: &Binding| row.context == binding.context && row.name == binding.name;
        self.rows.iter().find(|(row, _)| same(row)).map_or(&[], |(_, keys)| keys)
    }

    /// The key that hints show for a row; `None` if the user has unbound all its keys.
    pub fn shown_key(&self, binding: &Binding) -> Option<String> {
        self.keys(binding).first().cloned()
    }

    /// The first category whose key is already bound where categories have keys, with the name of that action.
    pub fn conflict<'a>(&self, categories: &'a [Category]) -> Option<(&'a Category, &'static str)> {
        categories.iter().find_map(|category| {
            let key = category.key.to_string();
            let mut contexts = Context::ALL.into_iter().filter(|context| context.takes_categories());
            let binding = contexts.find_map(|context| self.bound(&key, context))?;
            Some((category, binding.name))
        })
    }

    fn bound(&self, name: &str, context: Context) -> Option<&'static Binding> {
        let row = self.rows.iter().find(|(row, keys)| row.context == context && keys.iter().any(|key| key == name));
        row.map(|(binding, _)| *binding)
    }
}

/// Keys that have a word as name.
const KEY_WORDS: [&str; 14] = [
    "space",
    "enter",
    "esc",
    "tab",
    "backspace",
    "delete",
    "up",
    "down",
    "left",
    "right",
    "pgup",
    "pgdn",
    "home",
    "end",
];

/// The key in the form that [`key_name`] gives it.
///
/// # Errors
/// Fails if not every terminal sends the key, or if it is needed for typing text in this context.
fn key_as_sent(name: &str, context: Context) -> Result<String> {
    let (has_control, bare) = match name.strip_prefix("ctrl-") {
        Some(bare) => (true, bare.to_lowercase()),
        None => (false, name.to_owned()),
    };
    let bare = if bare == " " { "space".to_owned() } else { bare };
    let is_character = bare.chars().count() == 1;
    if !is_character && !KEY_WORDS.contains(&bare.as_str()) {
        bail!("{name:?} is not a key: expected a character, ctrl- and a character, or one of {}", KEY_WORDS.join(", "));
    }
    if !has_control {
        if context.takes_text() && (is_character || bare == "space") {
            bail!("{name:?} is needed for typing here; expected ctrl- and a character, or a named key such as esc");
        }
        return Ok(bare);
    }
    if let Some((_, sent)) = [("i", "tab"), ("m", "enter"), ("[", "esc")].iter().find(|(same, _)| *same == bare) {
        bail!("{name:?} cannot be bound: terminals send {sent} for it");
    }
    Ok(format!("ctrl-{bare}"))
}

/// Name of a key: the character itself, or a word such as `enter`, with `ctrl-` before it. Returns `None` for keys
/// that many terminals and multiplexers intercept; no table may use them.
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

/// A key's name as shown to users.
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
        crate::annotation::Taxonomy::default().categories.into_iter().take(1).collect()
    }

    #[test]
    fn a_letter_moves_in_the_explorer_and_is_text_in_a_note() {
        let keymap = Keymap::default();
        let j = key(KeyCode::Char('j'));
        assert_eq!(keymap.pressed(j, Context::Explore, &[]), Pressed::Action(Action::Down));
        assert_eq!(keymap.pressed(j, Context::Note, &[]), Pressed::Edit(InputRequest::InsertChar('j')));
    }

    #[test]
    fn a_digit_annotates_where_the_taxonomy_has_it() {
        let categories = categories();
        let at = |character| Keymap::default().pressed(key(KeyCode::Char(character)), Context::Explore, &categories);
        assert_eq!(at('1'), Pressed::Action(Action::Annotate("look-alike".into())));
        assert_eq!(at('2'), Pressed::Nothing);
    }

    #[test]
    fn ctrl_c_leaves_everywhere() {
        let event = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for context in Context::ALL {
            assert_eq!(Keymap::default().pressed(event, context, &[]), Pressed::Action(Action::Interrupt));
        }
    }

    #[test]
    fn a_category_must_not_take_a_key_of_the_table() {
        let mut categories = categories();
        let keymap = Keymap::default();
        assert!(keymap.conflict(&categories).is_none());
        categories[0].key = 'j';
        assert_eq!(keymap.conflict(&categories).map(|(_, action)| action), Some("down"));
    }

    #[test]
    fn the_table_itself_binds_no_key_twice_and_reads_back_from_its_file() {
        Keymap::default().check().unwrap();
        let text = Keymap::default().to_toml();
        assert_eq!(Keymap::parse(&text).unwrap().to_toml(), text);
    }

    #[test]
    fn a_file_of_keys_changes_what_it_names_and_mistakes_are_named() {
        let keymap = Keymap::parse("[explore]\nnote = [\"N\", \"ctrl-t\"]\n").unwrap();
        let capital = key(KeyCode::Char('N'));
        assert_eq!(keymap.pressed(capital, Context::Explore, &[]), Pressed::Action(Action::Note));
        assert_eq!(keymap.pressed(key(KeyCode::Char('n')), Context::Explore, &[]), Pressed::Nothing);
        let error = |text: &str| format!("{:#}", Keymap::parse(text).unwrap_err());
        assert_eq!(error("[explore]\nnote = [\"j\"]"), "explore: j is bound to down and to note");
        assert!(error("[explorer]\nnote = []").starts_with("[explorer]: expected one of explore, "));
        assert!(error("[note]\nkeep = []").starts_with("note.keep: expected one of accept, cancel"));
        assert!(error("[note]\naccept = [\"return\"]").contains("\"return\" is not a key"));
        assert!(error("[note]\ninterrupt = []").contains("ctrl-c always leaves"));
    }

    #[test]
    fn a_key_of_the_file_is_one_that_is_sent() {
        let keymap = Keymap::parse("[explore]\nnote = [\"ctrl-T\"]\n\"drop-hit\" = [\" \"]\n").unwrap();
        let control = KeyEvent::new(KeyCode::Char('t'), KeyModifiers::CONTROL);
        assert_eq!(keymap.pressed(control, Context::Explore, &[]), Pressed::Action(Action::Note));
        let space = key(KeyCode::Char(' '));
        assert_eq!(keymap.pressed(space, Context::Explore, &[]), Pressed::Action(Action::DropHit));
        let error = |text: &str| format!("{:#}", Keymap::parse(text).unwrap_err());
        assert!(error("[explore]\nnote = [\"ctrl-m\"]").contains("terminals send enter"));
        assert!(error("[note]\naccept = [\"y\"]").contains("note.accept: \"y\" is needed for typing"));
        assert!(error("[note]\naccept = [\"space\"]").contains("is needed for typing"));
    }
}
