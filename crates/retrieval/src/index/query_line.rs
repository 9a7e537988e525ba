//! Prepares a query for Tantivy's parser: replaces apostrophes, which the parser reads as quotation marks, and checks limits.

/// Maximum number of words; a caption pasted as a query has a few hundred.
const MOST_WORDS: usize = 1000;
const MOST_BYTES: usize = 20_000;
/// Maximum nesting: Tantivy's parser recurses for every bracket and NOT, and parses the content of brackets several times.
const DEEPEST: usize = 8;
/// Refuses a query that is too long.
///
/// # Errors
/// Fails with a message that names the limit.
pub(super) fn check_length(query: &str) -> Result<(), String> {
    if query.len() > MOST_BYTES {
        return Err(format!("it has {} bytes; expected at most {MOST_BYTES}", query.len()));
    }
    Ok(())
}

/// Refuses a query that is too deep or too complex for the parser.
///
/// # Errors
/// Fails with a message that names the limit.
pub(super) fn check_limits(query: &str) -> Result<(), String> {
    if query.trim().is_empty() {
        return Err("it is empty".into());
    }
    check_length(query)?;
    let words = query.split_whitespace().count();
    if words > MOST_WORDS {
        return Err(format!("it has {words} words; expected at most {MOST_WORDS}"));
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
            return Err(format!(
                "brackets, NOT and signs are nested {} deep; expected at most {DEEPEST}",
                open + signs
            ));
        }
    }
    if open > 0 {
        return Err("a bracket is not closed".into());
    }
    Ok(())
}

/// Replaces the apostrophes of `patient's` and `l'épanchement` by word breaks, as in captions.
/// `'a phrase'` in single quotation marks becomes `"a phrase"`.
pub(super) fn without_apostrophes(query: &str) -> String {
    let mut written = String::with_capacity(query.len());
    let mut in_quotes = false;
    let mut rest = query;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        in_quotes ^= character == '"';
        if character != '\'' || in_quotes {
            written.push(character);
            continue;
        }
        // A source or an id is matched exactly, including apostrophes.
        if let Some(value) = exact_value(&written) {
            let end = rest.find(|next: char| next.is_whitespace() || "()\"".contains(next)).unwrap_or(rest.len());
            written.insert(value, '"');
            written.push_str(&format!("'{}\"", &rest[..end]));
            rest = &rest[end..];
            continue;
        }
        let starts_word = !written.ends_with(|before: char| !before.is_whitespace() && !"(+-:".contains(before));
        let quoted = rest.split_once('"').map_or(rest, |(until, _)| until);
        let closing = quoted.match_indices('\'').map(|(at, _)| at).find(|at| ends_word(&quoted[at + 1..]));
        match closing {
            Some(length) if starts_word && quoted[..length].contains(char::is_alphanumeric) => {
                written.push_str(&format!("\"{}\"", &rest[..length]));
                rest = &rest[length + 1..];
            }
            _ if starts_word || ends_word(rest) => written.push(' '),
            // In words such as x-ray, the two parts must be adjacent.
            _ => written.push('-'),
        }
    }
    written
}

/// The start of the value if the last word of a query belongs to a field other than the caption.
fn exact_value(written: &str) -> Option<usize> {
    let start = written.rfind(|before: char| before.is_whitespace() || before == '(').map_or(0, |at| at + 1);
    let (field, value) = written[start..].split_once(':')?;
    let is_exact = !value.is_empty() && field.trim_start_matches(['+', '-']) != "caption";
    is_exact.then_some(start + field.len() + 1)
}

fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(|next| next.is_whitespace() || "()~*".contains(next))
}
