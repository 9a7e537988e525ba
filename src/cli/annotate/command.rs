//! The commands of `dissent annotate`, one per line.

use crate::annotation::{Category, CategoryId, Level, Taxonomy};
use std::collections::BTreeSet;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Give the case these categories; an empty set takes them away.
    Annotate(BTreeSet<CategoryId>),
    /// Give the document at this place, counted from 1, these categories.
    Hit {
        place: usize,
        categories: BTreeSet<CategoryId>,
    },
    /// An empty text removes the note.
    Note(String),
    Skip,
    /// Mark as unsure, or as sure again.
    Unsure,
    Flag,
    Undo,
    Redo,
    Gold,
    /// Show everybody's annotations of the case.
    People,
    /// Decide the case as an adjudicator; an empty set says that no category applies.
    Decide {
        categories: BTreeSet<CategoryId>,
        reason: String,
    },
    Again,
    Next,
    Back,
    GoTo(String),
    /// Show the definition of a category.
    Define(CategoryId),
    Help,
    Quit,
}

/// The commands and what they do, in the order of the help.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    ("CATEGORY…", "give the case these categories, by key or id, and go on to the next"),
    ("clear", "take the case's categories away"),
    ("hit N CATEGORY…", "give document N these categories; without any, take them away"),
    ("n TEXT", "write a note; without text, remove it"),
    ("skip", "pass the case over and go on to the next"),
    ("unsure", "mark your annotation as unsure; again, as sure"),
    ("flag", "flag the case for somebody to look at; again, take the flag off"),
    ("undo", "take back your latest annotation, of this session or an earlier one"),
    ("redo", "bring back what you took back last"),
    ("gold", "show the gold answer; your annotations of the case are not blind then"),
    ("people", "show everybody's annotations of the case; your own are not blind then"),
    (
        "decide CATEGORY…: REASON",
        "decide the case as an adjudicator (decide none: no category applies) and go on to the next",
    ),
    ("? CATEGORY", "show what a category means; ? alone shows this"),
    ("again", "print the case again"),
    ("next, back", "go to the next case, or the one before"),
    ("go ID", "go to a case"),
    ("quit", "end, as the end of the input does"),
];

/// Reads a line; `None` if it is empty.
///
/// # Errors
/// Fails with a message for the user: what was expected and what was found.
pub(super) fn parse(line: &str, taxonomy: &Taxonomy) -> Result<Option<Command>, String> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    // Categories come first: `n` may be the key of one.
    if word.is_empty() {
        return Ok(None);
    }
    if find(word, taxonomy).is_some() {
        return categories(line, Level::Case, taxonomy).map(|set| Some(Command::Annotate(set)));
    }
    let alone = |command: Command| {
        if rest.is_empty() { Ok(command) } else { Err(format!("expected {word} alone, found {word} {rest}")) }
    };
    let command = match word {
        "clear" => alone(Command::Annotate(BTreeSet::new()))?,
        // In a run of models, the page says model in place of hit.
        "hit" | "model" => hit(rest, taxonomy)?,
        "n" | "note" => Command::Note(rest.to_owned()),
        "skip" => alone(Command::Skip)?,
        "unsure" => alone(Command::Unsure)?,
        "flag" => alone(Command::Flag)?,
        "undo" | "u" => alone(Command::Undo)?,
        "redo" => alone(Command::Redo)?,
        "gold" => alone(Command::Gold)?,
        "people" => alone(Command::People)?,
        "decide" => decide(rest, taxonomy)?,
        "again" => alone(Command::Again)?,
        "next" => alone(Command::Next)?,
        "back" => alone(Command::Back)?,
        "go" if !rest.is_empty() => Command::GoTo(rest.to_owned()),
        "go" => return Err("expected go and the id of a case".to_owned()),
        "quit" | "q" => alone(Command::Quit)?,
        "?" | "help" if rest.is_empty() => Command::Help,
        "?" | "help" => Command::Define(known(rest, taxonomy)?.id.clone()),
        _ => return Err(unknown(word, taxonomy)),
    };
    Ok(Some(command))
}

fn hit(rest: &str, taxonomy: &Taxonomy) -> Result<Command, String> {
    let (place, given) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let found = place.parse().ok().filter(|place| *place > 0);
    let place = found.ok_or_else(|| format!("expected hit and the number of a document, from 1; found {place:?}"))?;
    Ok(Command::Hit { place, categories: categories(given, Level::Hit, taxonomy)? })
}

/// Reads categories, or `none`, and a reason after a colon.
fn decide(rest: &str, taxonomy: &Taxonomy) -> Result<Command, String> {
    let (given, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let given = given.trim();
    if given.is_empty() {
        return Err("expected decide and categories, or decide none; a reason follows a colon".to_owned());
    }
    let is_none = given == "none" && find(given, taxonomy).is_none();
    let categories = if is_none { BTreeSet::new() } else { categories(given, Level::Case, taxonomy)? };
    Ok(Command::Decide { categories, reason: reason.trim().to_owned() })
}

/// Reads categories by their keys or ids, separated by spaces or commas.
fn categories(text: &str, level: Level, taxonomy: &Taxonomy) -> Result<BTreeSet<CategoryId>, String> {
    let mut set = BTreeSet::new();
    for word in text.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty()) {
        let category = known(word, taxonomy)?;
        if level == Level::Case && !category.level.is_of_case() {
            return Err(format!("{} applies to documents: hit N {}", category.id, category.key));
        }
        if level == Level::Hit && !category.level.is_of_hit() {
            return Err(format!("{} applies to cases and not to documents: {}", category.id, category.key));
        }
        set.insert(category.id.clone());
    }
    if set.len() > 1 && !taxonomy.several {
        return Err(format!("expected one category, found {}: taxonomy.toml does not say several = true", set.len()));
    }
    Ok(set)
}

fn known<'a>(word: &str, taxonomy: &'a Taxonomy) -> Result<&'a Category, String> {
    find(word, taxonomy).ok_or_else(|| unknown(word, taxonomy))
}

/// Finds a category by its key, else by its id.
fn find<'a>(word: &str, taxonomy: &'a Taxonomy) -> Option<&'a Category> {
    let mut letters = word.chars();
    let by_key = letters.next().filter(|_| letters.next().is_none()).and_then(|key| taxonomy.by_key(key));
    by_key.or_else(|| taxonomy.by_id(word))
}

fn unknown(word: &str, taxonomy: &Taxonomy) -> String {
    let keys: Vec<String> = taxonomy.categories.iter().map(|category| category.key.to_string()).collect();
    format!("{word:?} is no category ({}) and no command; ? lists them", keys.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[&str]) -> BTreeSet<CategoryId> {
        ids.iter().map(|id| (*id).into()).collect()
    }

    fn several() -> Taxonomy {
        Taxonomy { several: true, ..Taxonomy::default() }
    }

    #[test]
    fn categories_are_named_by_key_or_id() {
        let one = Taxonomy::default();
        assert_eq!(parse(" 1\r", &one), Ok(Some(Command::Annotate(set(&["look-alike"])))));
        assert_eq!(parse("look-alike", &one), Ok(Some(Command::Annotate(set(&["look-alike"])))));
        assert_eq!(
            parse("1 other,2", &several()),
            Ok(Some(Command::Annotate(set(&["look-alike", "other", "caption-over-image"]))))
        );
        assert_eq!(parse("clear", &one), Ok(Some(Command::Annotate(set(&[])))));
        assert_eq!(parse("hit 2 1", &one), Ok(Some(Command::Hit { place: 2, categories: set(&["look-alike"]) })));
        assert_eq!(parse("hit 2", &one), Ok(Some(Command::Hit { place: 2, categories: set(&[]) })));
        assert_eq!(parse("  ", &one), Ok(None));
    }

    #[test]
    fn text_keeps_its_spaces_and_words_stand_alone() {
        let one = Taxonomy::default();
        assert_eq!(parse("n the margin  is copied ", &one), Ok(Some(Command::Note("the margin  is copied".into()))));
        assert_eq!(parse("n", &one), Ok(Some(Command::Note(String::new()))));
        assert_eq!(parse("go us 7", &one), Ok(Some(Command::GoTo("us 7".into()))));
        let decide = |ids: &[&str], reason: &str| Command::Decide { categories: set(ids), reason: reason.into() };
        assert_eq!(
            parse("decide 1: the margin: copied ", &one),
            Ok(Some(decide(&["look-alike"], "the margin: copied")))
        );
        assert_eq!(parse("decide none", &one), Ok(Some(decide(&[], ""))));
        assert_eq!(parse("people", &one), Ok(Some(Command::People)));
        assert_eq!(parse("? 8", &one), Ok(Some(Command::Define("other".into()))));
        assert_eq!(parse("?", &one), Ok(Some(Command::Help)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let one = Taxonomy::default();
        for (line, part) in [
            ("9", "\"9\" is no category (1 2 3 4 5 6 7 8)"),
            ("1 2", "expected one category, found 2"),
            ("1 x", "\"x\" is no category"),
            ("hit", "the number of a document"),
            ("hit 0 1", "from 1; found \"0\""),
            ("hit 1 5", "poor-query applies to cases"),
            ("skip it", "expected skip alone"),
            ("go", "the id of a case"),
            ("? 9", "is no category"),
            ("decide : why", "expected decide and categories"),
            ("decide 9: why", "\"9\" is no category"),
        ] {
            let message = parse(line, &one).unwrap_err();
            assert!(message.contains(part), "{line}: {message}");
        }
        let mut of_hits = Taxonomy::default();
        of_hits.categories[0].level = Level::Hit;
        assert_eq!(parse("1", &of_hits).unwrap_err(), "look-alike applies to documents: hit N 1");
    }
}
