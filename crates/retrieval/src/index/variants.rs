//! Expands words with `~` and `*`, which Tantivy's parser does not support, into the matching words of the corpus.

use super::tokenizer::{stands_alone, stems, words, words_of};
use std::collections::HashSet;
use std::fmt::Write;
use strsim::osa_distance;
use tantivy::tokenizer::TextAnalyzer;

/// Maximum number of words with `~` or `*` in a query: each is compared with every word, and a search cannot be stopped.
const MOST_VARIED: usize = 64;
/// Maximum number of matching words per `~` or `*` and part of a word such as `x-ray`: the nearest, then the shortest.
const MOST_VARIANTS: usize = 50;
/// Maximum number of parts of a word before `~`; each is compared with all words of the corpus.
const MOST_PARTS: usize = 8;
/// Minimum length of compared stems: half of the short words differ from `be` by one letter.
const SHORTEST_STEM: usize = 4;

/// A word of the corpus.
struct CorpusWord {
    /// The word with normalised case and accents.
    word: String,
    stem: String,
}

/// Expands `word~`, `word~2` and `word*` outside quotes into words of `vocabulary`.
///
/// # Errors
/// Fails for a sign without a word, numbers other than 1 and 2 after `~`, and `~` after a character that is a word.
pub(super) fn written_out(query: &str, vocabulary: &dyn Fn() -> Vec<String>) -> Result<String, String> {
    if !query.contains(['~', '*']) {
        return Ok(query.to_owned());
    }
    let mut known: Option<Vec<CorpusWord>> = None;
    let mut written = String::with_capacity(query.len());
    let mut in_quotes = false;
    let mut variants = 0;
    for piece in
        query.split_inclusive(|character: char| character.is_whitespace() || matches!(character, '(' | ')' | '"'))
    {
        let end = piece.chars().next_back().filter(|last| last.is_whitespace() || matches!(last, '(' | ')' | '"'));
        let word = end.map_or(piece, |last| &piece[..piece.len() - last.len_utf8()]);
        // Tantivy's parser handles the slop of a phrase ("pleural effusion"~2).
        let is_slop = word.starts_with(['~', '*']) && written.ends_with('"');
        if in_quotes || is_slop || !word.contains(['~', '*']) || word == "*" {
            written.push_str(word);
        } else {
            variants += 1;
            if variants > MOST_VARIED {
                return Err(format!("it has more than {MOST_VARIED} words with ~ or *"));
            }
            let known = known.get_or_insert_with(|| with_stems(vocabulary()));
            write_variants(&mut written, word, known)?;
        }
        in_quotes ^= end == Some('"');
        written.extend(end);
    }
    Ok(written)
}

fn with_stems(vocabulary: Vec<String>) -> Vec<CorpusWord> {
    let mut analyzer = stems();
    vocabulary.into_iter().map(|word| CorpusWord { stem: words_of(&mut analyzer, &word).concat(), word }).collect()
}

fn write_variants(written: &mut String, typed: &str, known: &[CorpusWord]) -> Result<(), String> {
    // Signs and a field stay before the brackets.
    let start =
        typed.find(':').map_or_else(|| typed.len() - typed.trim_start_matches(['-', '+']).len(), |colon| colon + 1);
    let (before, sign_word) = typed.split_at(start);
    let (word, tail) = sign_word.split_at(sign_word.find(['~', '*']).unwrap_or(sign_word.len()));
    let mut parts = words_of(&mut words(), word);
    let Some(last) = parts.pop() else {
        return Err(format!("{typed}: expected a word before {}", tail.chars().next().unwrap_or('~')));
    };
    let field = before.trim_start_matches(['-', '+']);
    if !field.is_empty() && field != "caption:" {
        return Err(format!("{typed}: ~ and * only work for words of captions, not for {field}"));
    }
    let ends_in_character = last.starts_with(stands_alone);
    parts.push(last);
    let mut stems = stems();
    let _ = write!(written, "{before}(\"{}\"", parts.join(" "));
    match tail {
        "*" => {
            let at = parts.len() - 1;
            let begun = known.iter().filter(|known| known.word.starts_with(&parts[at])).map(|known| (0, known));
            write_part(written, &parts, at, begun.collect(), &mut stems);
        }
        "~" | "~1" | "~2" if ends_in_character => {
            return Err(format!(
                "{typed}: ~ compares the letters of a word, but in this script every character is a word: remove ~"
            ));
        }
        "~" | "~1" | "~2" if parts.len() > MOST_PARTS => {
            return Err(format!("{typed}: {} words before ~; expected at most {MOST_PARTS}", parts.len()));
        }
        "~" | "~1" | "~2" => {
            let most = if tail == "~2" { 2 } else { 1 };
            // Any one part of `x-ray~` may differ.
            for (at, part) in parts.iter().enumerate() {
                if !part.starts_with(stands_alone) {
                    let near = near(part, &words_of(&mut stems, part).concat(), known, most);
                    write_part(written, &parts, at, near, &mut stems);
                }
            }
        }
        _ => return Err(format!("{typed}: expected ~, ~1, ~2 or * at the end of the word")),
    }
    written.push(')');
    Ok(())
}

/// Writes the word with each of the other words in place of one of its parts.
fn write_part(
    written: &mut String,
    parts: &[String],
    at: usize,
    mut found: Vec<(usize, &CorpusWord)>,
    analyzer: &mut TextAnalyzer,
) {
    found.sort_by_key(|(distance, known)| (*distance, known.word.len()));
    // Words with the same stem are one term, which counts once.
    let mut stems = HashSet::from([words_of(analyzer, &parts[at]).concat()]);
    let others = found.into_iter().filter(|(_, known)| stems.insert(known.stem.clone()));
    for (_, known) in others.take(MOST_VARIANTS) {
        let phrase: Vec<&str> =
            parts.iter().enumerate().map(|(place, part)| if place == at { &*known.word } else { &**part }).collect();
        let _ = write!(written, " OR \"{}\"", phrase.join(" "));
    }
}

/// The words that differ from `word` in at most `most` letters, in singular, or by their stems: a search
/// for `efusion~` must find "effusions".
fn near<'a>(word: &str, stem: &str, known: &'a [CorpusWord], most: usize) -> Vec<(usize, &'a CorpusWord)> {
    let length = word.chars().count();
    let stem_length = stem.chars().count();
    let mut found = Vec::new();
    for known in known {
        let known_length = known.word.chars().count();
        let mut nearest = usize::MAX;
        // The longest plural ending, `ies`, is two letters longer than its singular.
        if (length.saturating_sub(most)..=length + most + 2).contains(&known_length) {
            nearest = osa_distance(word, &known.word);
            for singular in singulars(&known.word) {
                nearest = nearest.min(osa_distance(word, &singular));
            }
        }
        let known_stem = known.stem.chars().count();
        if stem_length.min(known_stem) >= SHORTEST_STEM && stem_length.abs_diff(known_stem) <= most {
            nearest = nearest.min(osa_distance(stem, &known.stem));
        }
        if nearest <= most {
            found.push((nearest, known));
        }
    }
    found
}

/// Possible singulars of an English word.
fn singulars(word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Some(shorter) = word.strip_suffix('s').filter(|shorter| shorter.len() > 2 && !shorter.ends_with('s')) else {
        return found;
    };
    found.push(shorter.to_owned());
    found.extend(shorter.strip_suffix('e').map(str::to_owned));
    found.extend(shorter.strip_suffix("ie").map(|root| format!("{root}y")));
    found
}
