//! Limits on chat templates beyond the engine's fuel, which counts steps and bytes: nesting depth of source and values,
//! integers that overflow, and format widths that allocate memory at once.

use dissent_core::panics::{caught_here, panic_text};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind, State, filters};
use minijinja_contrib::pycompat::unknown_method_callback;
use std::fmt::Write;

/// Lexical tokens of a template outside of its plain text; published templates have 5,000. This also bounds the nesting
/// depth.
const MOST_TOKENS: usize = 20_000;
/// Digits of a number; more would overflow 64 bits.
const MOST_DIGITS: usize = 18;
/// The largest format width, in characters.
const WIDEST: i64 = 1 << 12;
/// Stack size in bytes, enough for the deepest values that the fuel allows and the deepest accepted source.
const STACK: usize = 128 << 20;
/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Checks the source before a recursive parser reads it.
///
/// # Errors
/// Fails for things that no chat template needs: too many tokens, a number that is too long, raw blocks, or a namespace
/// used as a value (it could contain itself, and printing it would never end).
pub(super) fn check_source(source: &str) -> Result<(), String> {
    let mut tokens = Vec::new();
    let mut rest = source;
    let mut balance = 0_isize;
    while let Some(start) = start_of_tag(rest) {
        let inside = &rest[start + 2..];
        let end = match rest.as_bytes()[start + 1] {
            b'#' => {
                // The engine's own lexer reads past the end of the source if a comment is not closed.
                let end = inside.find("#}").ok_or("expected every comment to be closed (#}), found one that is not")?;
                rest = &inside[end + 2..];
                continue;
            }
            b'%' => "%}",
            _ => "}}",
        };
        if end == "%}" && inside.trim_start_matches(['-', '+']).trim_start().starts_with("raw") {
            return Err("raw blocks are not supported".to_string());
        }
        rest = tokens_of(inside, end, &mut balance, &mut tokens)?;
        if tokens.len() > MOST_TOKENS {
            return Err(format!("expected at most {MOST_TOKENS} tokens"));
        }
    }
    check_namespaces(&tokens)
}

/// Position of the next tag or comment. One pass for all three delimiters: searching each by itself would take quadratic
/// time if one of them never occurs.
fn start_of_tag(source: &str) -> Option<usize> {
    source.as_bytes().windows(2).position(|pair| matches!(pair, [b'{', b'%' | b'{' | b'#']))
}

/// Appends the lexical tokens of one tag to `tokens`, as the engine's lexer does (a tag ends only outside of brackets), and
/// returns the rest of the source.
fn tokens_of<'a>(
    source: &'a str,
    end: &'static str,
    balance: &mut isize,
    tokens: &mut Vec<&'a str>,
) -> Result<&'a str, String> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        if *balance == 0 && rest.starts_with(end) {
            tokens.push(end);
            return Ok(&rest[end.len()..]);
        }
        let length = match first {
            '\'' | '"' => string_literal_length(rest, first),
            letter if is_word(letter) => rest.find(|letter| !is_word(letter)).unwrap_or(rest.len()),
            letter => letter.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match first {
            '(' | '[' | '{' => *balance += 1,
            ')' | ']' | '}' => *balance -= 1,
            _ => {}
        }
        if first.is_ascii_digit() && token.len() > MOST_DIGITS {
            return Err(format!("expected numbers of at most {MOST_DIGITS} digits, found one of {}", token.len()));
        }
        if !first.is_whitespace() {
            // The content of string literals is irrelevant.
            tokens.push(if matches!(first, '\'' | '"') { "''" } else { token });
        }
        rest = after;
    }
    Ok(rest)
}

/// Length in bytes of the string literal at the start of `source`, with its quotes.
fn string_literal_length(source: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (place, letter) in source.char_indices().skip(1) {
        if !is_escaped && letter == quote {
            return place + letter.len_utf8();
        }
        is_escaped = !is_escaped && letter == '\\';
    }
    source.len()
}

/// Checks that every namespace is assigned to a name at once, and that the name is only used to access its fields.
fn check_namespaces(tokens: &[&str]) -> Result<(), String> {
    let at = |place: Option<usize>| place.and_then(|place| tokens.get(place)).copied().unwrap_or("");
    let before = |place: usize, count: usize| at(place.checked_sub(count));
    let mut names = Vec::new();
    for place in (0..tokens.len()).filter(|place| tokens[*place] == "namespace" && before(*place, 1) != ".") {
        let is_named = before(place, 3) == "set" && before(place, 1) == "=" && at(Some(place + 1)) == "(";
        if !is_named {
            return Err("expected namespace() only in {% set NAME = namespace(…) %}".to_string());
        }
        names.push(before(place, 2));
    }
    for (place, token) in tokens.iter().enumerate().filter(|(_, token)| names.contains(token)) {
        let is_set = before(place, 1) == "set" && at(Some(place + 1)) == "=";
        if before(place, 1) != "." && !is_set && !matches!(at(Some(place + 1)), "." | "[" | "is") {
            return Err(format!(
                "the namespace {token} is used as a value; only its fields may be used ({token}.field)"
            ));
        }
    }
    Ok(())
}

/// Methods of Python strings and lists. `format` is bounded here, since it allocates its result before fuel is charged.
pub(super) fn bounded_method(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    if method == "format" {
        let is_wide = |text: &str| text.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits.len() > 3);
        let has_wide_number =
            args.iter().any(|arg| arg.as_i64().is_none_or(|number| number.abs() > WIDEST) && arg.is_number());
        let nested = value.as_str().is_some_and(|text| text.split('{').skip(1).any(|part| !part.contains('}')));
        if value.as_str().is_some_and(is_wide) || (nested && has_wide_number) {
            return Err(Error::new(ErrorKind::InvalidOperation, format!("expected format widths of at most {WIDEST}")));
        }
    }
    unknown_method_callback(state, value, method, args)
}

/// The engine's `tojson` filter with a bounded indent.
pub(super) fn bounded_tojson(value: &Value, indent: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    let named: Option<Value> = options.get("indent")?;
    for given in indent.iter().chain(&named) {
        let is_small = given.as_i64().is_some_and(|width| (0..=16).contains(&width));
        if given.kind() == ValueKind::Number && !is_small {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("tojson: expected an indent of 0 to 16, found {given}"),
            ));
        }
    }
    filters::tojson(value, indent, options)
}

/// Runs `work` on a thread with a stack large enough for the deepest values.
///
/// # Errors
/// Fails if the engine panics.
pub(super) fn with_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("chat template".to_string()).stack_size(STACK);
        let caught = || {
            let _caught = caught_here();
            work()
        };
        let worker =
            thread.spawn_scoped(scope, caught).map_err(|error| format!("cannot start a thread for it: {error}"))?;
        worker.join().map_err(|panic| format!("the template engine panicked ({})", plain(&panic_text(&*panic))))
    })
}

/// An error of the engine with its causes, without the source listing and control characters.
pub(super) fn one_line(error: &Error) -> String {
    plain(&error.to_string())
}

fn plain(text: &str) -> String {
    let mut message = String::new();
    for letter in text.chars().take(LONGEST_MESSAGE) {
        if letter.is_control() {
            // Writing to a String cannot fail.
            let _ = write!(message, "{}", letter.escape_unicode());
        } else {
            message.push(letter);
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_recurse_are_refused() {
        for (source, word) in [
            (format!("{{{{ {} true }}}}", "not ".repeat(200_000)), "at most 20000 tokens"),
            (format!("{{{{ messages{} }}}}", ".a".repeat(200_000)), "at most 20000 tokens"),
            ("{% if a %}".to_string() + &"{% elif b %}".repeat(10_000), "at most 20000 tokens"),
            (format!("{{{{ {} }}}}", "9".repeat(100)), "18 digits"),
            ("{% set ns=namespace() %}{% set ns.a=ns %}{{ ns }}".to_string(), "ns is used as a value"),
            ("{% set ns = namespace() %}{% set ns.a = [ns] %}".to_string(), "ns is used as a value"),
            ("{% set ns = namespace() %}{{ {'a': {'b': ns}} }}".to_string(), "ns is used as a value"),
            ("{% set f = namespace %}".to_string(), "only in"),
            ("{{ f(namespace()) }}".to_string(), "only in"),
            ("{# {{ it's #}{% set f = namespace %}".to_string(), "only in"),
            ("{% raw %}{{ it's {% endraw %}{% set f = namespace %}".to_string(), "raw blocks are not supported"),
            ("{{ {'a': {'b': 1}} }}{% set f = [namespace] %}".to_string(), "only in"),
            ("{#".repeat(100_000), "every comment to be closed"),
            ("{##}".repeat(250_000) + "{# a", "every comment to be closed"),
        ] {
            let message = check_source(&source).unwrap_err();
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn ordinary_sources_pass() {
        for source in [
            "{% set ns = namespace(first=true) %}{% for m in messages %}{% if ns.first %}{% set ns.first = false %}{% endif %}{% endfor %}",
            "{%- set ns = namespace(a='}} namespace') -%}{{- ns.a -}} namespace and ns {{ '{{ns}}' }}",
            "{{ 'x' if ns is defined else \"it's\" }}{{ message.namespace }}",
        ] {
            assert_eq!(check_source(source), Ok(()), "{source}");
        }
    }
}
