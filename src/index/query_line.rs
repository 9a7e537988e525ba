//! What is done to a typed query before Tantivy's parser sees it: limits, and words with `~` and `*`, which that parser does
//! not know, written out as the words of the corpus that they stand for.

use std::collections::HashSet;
use std::fmt::Write;
use strsim::osa_distance;

/// A caption pasted as a query has a few hundred words.
const MOST_WORDS: usize = 1000;
const MOST_BYTES: usize = 20_000;
/// Tantivy's parser calls itself for every bracket and NOT, and goes over what is in a bracket several times.
const DEEPEST: usize = 8;
/// Words of the corpus that one `~` or `*` stands for: the nearest, then the shortest.
const MOST_VARIANTS: usize = 50;

/// Refuses what would take the parser too deep or too long.
///
/// # Errors
/// In words, with the limit.
pub(super) fn check_limits(query: &str) -> Result<(), String> {
    if query.trim().is_empty() {
        return Err("it is empty".into());
    }
    if query.len() > MOST_BYTES {
        return Err(format!("it has {} bytes; at most {MOST_BYTES}", query.len()));
    }
    let words = query.split_whitespace().count();
    if words > MOST_WORDS {
        return Err(format!("it has {words} words; at most {MOST_WORDS}"));
    }
    if query.matches('"').count() % 2 == 1 {
        return Err("a quotation mark is not closed".into());
    }
    let (mut in_quotes, mut open, mut signs, mut word) = (false, 0_usize, 0_usize, String::new());
    for character in query.chars() {
        if character == '"' {
            in_quotes = !in_quotes;
        }
        if in_quotes {
            (signs, word) = (0, String::new());
            continue;
        }
        match character {
            '(' | '[' | '{' => (open, word) = (open + 1, String::new()),
            ')' | ']' | '}' => {
                open = open.checked_sub(1).ok_or("a bracket is closed that was not opened")?;
                (signs, word) = (0, String::new());
            }
            '-' | '+' if word.is_empty() => signs += 1,
            _ if character.is_whitespace() => {
                match word.as_str() {
                    "NOT" => signs += 1,
                    "" => {}
                    _ => signs = 0,
                }
                word.clear();
            }
            _ => word.push(character),
        }
        if open + signs > DEEPEST {
            return Err(format!("brackets, NOT and signs stand {} deep; at most {DEEPEST}", open + signs));
        }
    }
    if open > 0 {
        return Err("a bracket is not closed".into());
    }
    Ok(())
}

/// The words that `~` and `*` look among.
pub(super) struct Words<'a> {
    /// The corpus's words as they were written, but for case and accents.
    pub vocabulary: &'a dyn Fn() -> Vec<String>,
    /// A typed word in that form.
    pub folded: &'a dyn Fn(&str) -> String,
    /// The stem of such a word.
    pub stem: &'a dyn Fn(&str) -> String,
}

/// Writes out `word~`, `word~2` and `word*` outside of quotes.
///
/// # Errors
/// In words, for a sign without a word, and numbers other than 1 and 2 after `~`.
pub(super) fn written_out(query: &str, words: &Words) -> Result<String, String> {
    if !query.contains(['~', '*']) {
        return Ok(query.to_owned());
    }
    let mut known: Option<Vec<String>> = None;
    let mut written = String::with_capacity(query.len());
    let mut in_quotes = false;
    for piece in
        query.split_inclusive(|character: char| character.is_whitespace() || matches!(character, '(' | ')' | '"'))
    {
        let end = piece.chars().next_back().filter(|last| last.is_whitespace() || matches!(last, '(' | ')' | '"'));
        let word = end.map_or(piece, |last| &piece[..piece.len() - last.len_utf8()]);
        if in_quotes || !word.contains(['~', '*']) || word == "*" {
            written.push_str(word);
        } else {
            let vocabulary = known.get_or_insert_with(words.vocabulary);
            write_variants(&mut written, word, words, vocabulary)?;
        }
        in_quotes ^= end == Some('"');
        written.extend(end);
    }
    Ok(written)
}

fn write_variants(written: &mut String, typed: &str, words: &Words, vocabulary: &[String]) -> Result<(), String> {
    // Signs and a field stay before the brackets.
    let start =
        typed.find(':').map_or_else(|| typed.len() - typed.trim_start_matches(['-', '+']).len(), |colon| colon + 1);
    let (before, sign_word) = typed.split_at(start);
    let (word, tail) = sign_word.split_at(sign_word.find(['~', '*']).unwrap_or(sign_word.len()));
    if !word.chars().any(char::is_alphanumeric) {
        // A slop of a phrase ("pleural effusion"~2) is the parser's own.
        if before.is_empty() && word.is_empty() && written.ends_with('"') {
            written.push_str(typed);
            return Ok(());
        }
        return Err(format!("{typed}: expected a word before {}", tail.chars().next().unwrap_or('~')));
    }
    let field = before.trim_start_matches(['-', '+']);
    if !field.is_empty() && field != "caption:" {
        return Err(format!("{typed}: ~ and * look among the words of captions, not in {field}"));
    }
    let lower = (words.folded)(word);
    let mut found: Vec<(usize, &String)> = match tail {
        "*" => vocabulary.iter().filter(|known| known.starts_with(&lower)).map(|known| (0, known)).collect(),
        "~" | "~1" | "~2" => {
            let most = if tail == "~2" { 2 } else { 1 };
            let length = lower.chars().count();
            let near = |known: &&String| known.chars().count().abs_diff(length) <= most;
            let distance = |known: &String| osa_distance(&lower, known);
            vocabulary
                .iter()
                .filter(near)
                .map(|known| (distance(known), known))
                .filter(|(far, _)| *far <= most)
                .collect()
        }
        _ => return Err(format!("{typed}: expected ~, ~1, ~2 or * at the end of the word")),
    };
    found.sort_by_key(|(distance, known)| (*distance, known.len()));
    // Words of one stem are one term, which counts once.
    let mut stems = HashSet::from([(words.stem)(&lower)]);
    let _ = write!(written, "{before}(\"{}\"", word.replace('\\', ""));
    let others = found.into_iter().filter(|(_, known)| stems.insert((words.stem)(known)));
    for (_, known) in others.take(MOST_VARIANTS) {
        let _ = write!(written, " OR \"{known}\"");
    }
    written.push(')');
    Ok(())
}
