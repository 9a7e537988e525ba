//! Completions of a filter line, each with the number of cases it leaves.

use super::Filter;
use super::field::{FIELDS, Field, Kind, named};
use super::parse::tokens;
use crate::cases::answer_names::NO_LABEL;
use crate::cases::{Cases, FEW};
use crate::data::TaskKind;
use std::collections::BTreeSet;

/// Largest number of values offered for a field.
const MOST: usize = 12;

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The whole line with its last word completed.
    pub line: String,
    /// The completed word itself.
    pub word: String,
    pub meaning: String,
    /// Number of cases it leaves; `None` if the word is incomplete, or if so few cases are left that the number would
    /// reveal gold or annotations of others.
    pub count: Option<usize>,
}

/// The completions of the line's last word. Counts are over `all` cases of the queue; `may_tell_gold` says whether
/// counts that reveal the gold answer of single cases may be shown.
pub fn completions(cases: &Cases, all: &[usize], may_tell_gold: bool, line: &str) -> Vec<Completion> {
    let (before, last) = split_last_word(line);
    let whole = |word: &str| if before.is_empty() { word.to_owned() } else { format!("{before} {word}") };
    let (minus, bare) = last.strip_prefix('-').map_or(("", last.as_str()), |rest| ("-", rest));
    let Some((name, begun)) = bare.split_once(':') else {
        let fields = FIELDS
            .iter()
            .filter(|row| row.name.starts_with(bare) && (row.field != Field::Against || cases.compares_runs()));
        return fields
            .map(|row| {
                let word = format!("{minus}{}:", row.name);
                Completion { line: whole(&word), word, meaning: row.meaning.to_owned(), count: None }
            })
            .collect();
    };
    let Some(row) = named(name) else { return Vec::new() };
    let passing: Vec<usize> = match before.parse::<Filter>() {
        Ok(filter) => all.iter().copied().filter(|case| filter.passes(cases, *case)).collect(),
        Err(_) => Vec::new(),
    };
    let (earlier, begun) =
        begun.rsplit_once(',').map_or((String::new(), begun), |(earlier, last)| (format!("{earlier},"), last));
    let begun = begun.replace('"', "").to_lowercase();
    let tells = row.field.depends_on_gold() || matches!(row.field, Field::Final | Field::People);
    let is_counted = !tells || may_tell_gold || passing.len() >= FEW;
    let mut offered = Vec::new();
    for value in values(cases, row.field, row.kind, &begun).into_iter().take(MOST) {
        let value = if value.contains([' ', ',', ':']) { format!("\"{value}\"") } else { value };
        let word = format!("{minus}{name}:{earlier}{value}");
        let Ok(filter) = word.parse::<Filter>() else { continue };
        let count = is_counted.then(|| passing.iter().filter(|case| filter.passes(cases, **case)).count());
        offered.push(Completion { line: whole(&word), word, meaning: String::new(), count });
    }
    offered
}

/// The line without the word that is being typed.
pub fn before_last_word(line: &str) -> String {
    split_last_word(line).0
}

/// Splits off the word that is being typed; it is empty after a space.
fn split_last_word(line: &str) -> (String, String) {
    let mut words = tokens(line);
    let last = if line.ends_with(char::is_whitespace) { String::new() } else { words.pop().unwrap_or_default() };
    (words.join(" "), last)
}

/// Values of a field that begin with this text, which is in lower case.
fn values(cases: &Cases, field: Field, kind: Kind, begun: &str) -> Vec<String> {
    let values: Vec<String> = match kind {
        Kind::Words(words) => {
            let mut values: Vec<String> = words.iter().map(ToString::to_string).collect();
            if field.takes_keys() {
                values.extend(cases.categories().iter().map(|category| category.key.to_string()));
            }
            values
        }
        Kind::Rank => {
            let deepest = cases.most_hits();
            let places = (1..=deepest.unwrap_or(4).min(MOST - 1)).map(|place| place.to_string());
            std::iter::once("any".to_owned()).chain(places).collect()
        }
        Kind::Number => [">0.5", ">0.9", "<0.9", "<0.5"].map(str::to_owned).to_vec(),
        Kind::Name => return names(cases, field, begun),
    };
    values.into_iter().filter(|value| begins(value, begun)).collect()
}

fn begins(value: &str, begun: &str) -> bool {
    value.to_lowercase().starts_with(begun)
}

fn names(cases: &Cases, field: Field, begun: &str) -> Vec<String> {
    let tasks = &cases.dataset().tasks;
    let none = NO_LABEL.to_owned();
    let names: BTreeSet<&String> = match field {
        Field::Task => tasks.iter().map(|task| &task.id).collect(),
        Field::Label | Field::Answer => {
            let names = tasks.iter().flat_map(|task| task.labels.iter().map(|label| &label.name));
            let takes_sets = tasks.iter().any(|task| task.kind == TaskKind::MultiLabel);
            names.chain(takes_sets.then_some(&none)).collect()
        }
        // A corpus may have as many sources as documents: copy only those that are offered.
        Field::Source => {
            return cases.sources().iter().filter(|name| begins(name, begun)).take(MOST).cloned().collect();
        }
        Field::Head => return cases.heads().iter().filter(|name| begins(name, begun)).cloned().collect(),
        // There are too many groups and ids to offer.
        _ => BTreeSet::new(),
    };
    names.into_iter().filter(|name| begins(name, begun)).cloned().collect()
}
