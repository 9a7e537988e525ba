//! Validates the regular expressions of a tokenizer. The engine backtracks, and when it gives up, the tokenizers crate
//! silently treats the rest of the text as not matching.

/// The longest pattern in bytes; published ones have a few hundred.
const LONGEST: usize = 16 << 10;
const DEEPEST: usize = 32;
const LARGEST_COUNT: usize = 1000;

/// Checks a regular expression before it is compiled.
///
/// # Errors
/// Fails if the pattern is too long or too deeply nested, or has an unbounded repetition of an unbounded repetition, which
/// takes exponential time.
pub(super) fn check_regex(pattern: &str) -> Result<(), String> {
    if pattern.len() > LONGEST {
        return Err(format!("expected a pattern of at most {LONGEST} bytes, found {}", pattern.len()));
    }
    let letters: Vec<char> = pattern.chars().collect();
    // For each open bracket: true if it contains an unbounded repetition.
    let mut open = vec![false];
    let mut place = 0;
    while place < letters.len() {
        let mut inner = false;
        match letters[place] {
            '\\' => place += 2,
            '[' => place = end_of_class(&letters, place),
            '(' => {
                open.push(false);
                if open.len() > DEEPEST {
                    return Err(format!("expected brackets at most {DEEPEST} deep"));
                }
                place += 1;
                // A question mark introduces the kind of the group.
                place += usize::from(letters.get(place) == Some(&'?'));
                continue;
            }
            ')' => {
                inner = open.pop().unwrap_or(false);
                if open.is_empty() {
                    return Err("expected as many opening as closing brackets".to_string());
                }
                place += 1;
            }
            _ => place += 1,
        }
        let (unbounded, after) = quantifier(&letters, place)?;
        if unbounded && inner {
            return Err("expected no unbounded repetition (* or +) of an unbounded repetition".to_string());
        }
        if let Some(last) = open.last_mut() {
            *last |= unbounded || inner;
        }
        place = after;
    }
    Ok(())
}

/// Index after a character class `[…]`, which may contain others.
fn end_of_class(letters: &[char], start: usize) -> usize {
    let (mut depth, mut place) = (0_usize, start);
    while place < letters.len() {
        match letters[place] {
            '\\' => place += 1,
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        place += 1;
        if depth == 0 {
            break;
        }
    }
    place
}

/// Returns the index after the quantifier at `place`, and true if its repetition is unbounded.
fn quantifier(letters: &[char], place: usize) -> Result<(bool, usize), String> {
    let (unbounded, mut after) = match letters.get(place) {
        Some('*' | '+') => (true, place + 1),
        Some('?') => (false, place + 1),
        Some('{') => {
            let Some(length) = letters[place..].iter().position(|letter| *letter == '}') else {
                return Ok((false, place));
            };
            let inside: String = letters[place + 1..place + length].iter().collect();
            if !inside.starts_with(|letter: char| letter.is_ascii_digit() || letter == ',') {
                return Ok((false, place));
            }
            for count in inside.split(',').map(str::trim).filter(|count| !count.is_empty()) {
                if !count.parse().is_ok_and(|count: usize| count <= LARGEST_COUNT) {
                    return Err(format!("expected at most {LARGEST_COUNT} repetitions, found {{{inside}}}"));
                }
            }
            (inside.ends_with(','), place + length + 1)
        }
        _ => return Ok((false, place)),
    };
    // Lazy or possessive quantifiers.
    after += usize::from(matches!(letters.get(after), Some('?' | '+')));
    Ok((unbounded, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_patterns_pass() {
        for pattern in [
            r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t)?|\p{N}{1,3}",
            r"\s+",
            " {2,}",
            r"\{a\}{3}[)(+*]",
        ] {
            assert_eq!(check_regex(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn hostile_patterns_are_refused() {
        let deep = format!("{}a{}", "(".repeat(100), ")".repeat(100));
        for (pattern, word) in [
            ("(a+)+$", "unbounded"),
            ("(?:a*){3,}b", "unbounded"),
            ("((x|y+)z)*(?!a)", "unbounded"),
            ("(?=(a+)*b)", "unbounded"),
            ("a{99999}", "at most 1000"),
            (deep.as_str(), "32 deep"),
            ("a)", "brackets"),
        ] {
            let message = check_regex(pattern).unwrap_err();
            assert!(message.contains(word), "{pattern}: {message}");
        }
    }
}
