//! Parses a typed line into a filter and prints a filter as a line.

use super::field::{FIELDS, Kind, Row, named};
use super::{Comparison, Filter, Term, Test};
use std::fmt;
use std::str::FromStr;

/// Size limit of a line, bytes: every case is compared with every term at every key.
const MOST_BYTES: usize = 4000;

const COMPARISONS: [(&str, Comparison); 4] =
    [(">=", Comparison::AtLeast), ("<=", Comparison::AtMost), (">", Comparison::Above), ("<", Comparison::Below)];

impl FromStr for Filter {
    type Err = String;

    /// # Errors
    /// Fails if a word is not understood; the message names it and what was expected.
    fn from_str(line: &str) -> Result<Self, String> {
        if line.len() > MOST_BYTES {
            return Err(format!("a filter of {} bytes; at most {MOST_BYTES}", line.len()));
        }
        if line.matches('"').count() % 2 == 1 {
            return Err("a quotation mark is not closed".into());
        }
        let terms = tokens(line).iter().map(|token| term(token)).collect::<Result<_, _>>()?;
        let filter = Self { terms };
        // Printing adds quotation marks, and the printed line must parse again because saved views keep it.
        let shown = filter.to_string().len();
        if shown > MOST_BYTES {
            return Err(format!("a filter of {shown} bytes as it is shown; at most {MOST_BYTES}"));
        }
        Ok(filter)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.terms.iter().map(ToString::to_string).collect();
        formatter.write_str(&words.join(" "))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            formatter.write_str("-")?;
        }
        match &self.test {
            Test::Is(field, values) => {
                let values = if self.typed.is_empty() { values } else { &self.typed };
                let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
                write!(formatter, "{}:{}", field.row().name, values.join(","))
            }
            Test::Compares(field, comparison, number) => {
                let sign = COMPARISONS.iter().find(|(_, known)| known == comparison).map_or("", |(sign, _)| sign);
                write!(formatter, "{}:{sign}{number}", field.row().name)
            }
            Test::Text(text) => formatter.write_str(&quoted(self.typed.first().unwrap_or(text))),
        }
    }
}

/// The text, in quotes if it would not parse as one word.
fn quoted(text: &str) -> String {
    let is_cut_at = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ':' | '"');
    if text.is_empty() || text.contains(is_cut_at) || text.starts_with('-') {
        format!("\"{}\"", text.replace('"', ""))
    } else {
        text.to_owned()
    }
}

/// Words of a line; quotes keep spaces, commas and colons together and stay with their word.
pub(super) fn tokens(line: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut token = String::new();
    let mut in_quotes = false;
    for character in line.chars() {
        if character == '"' {
            in_quotes = !in_quotes;
        }
        if character.is_whitespace() && !in_quotes {
            if !token.is_empty() {
                tokens.push(std::mem::take(&mut token));
            }
            continue;
        }
        token.push(character);
    }
    if !token.is_empty() {
        tokens.push(token);
    }
    tokens
}

fn term(token: &str) -> Result<Term, String> {
    let (negated, rest) = token.strip_prefix('-').map_or((false, token), |rest| (true, rest));
    let field = rest.split_once(':').filter(|(name, _)| !name.contains('"'));
    let (test, typed) = match field {
        None => (Test::Text(plain(rest)), vec![unquoted(rest)]),
        Some(("text", words)) => (Test::Text(plain(words)), vec![unquoted(words)]),
        Some((name, value)) => {
            let row = named(name).ok_or_else(|| unknown(name))?;
            let is_name = row.kind == Kind::Name;
            (test_of(row, value)?, if is_name { split_outside_quotes(value) } else { Vec::new() })
        }
    };
    Ok(Term { negated, test, typed })
}

fn test_of(row: &Row, value: &str) -> Result<Test, String> {
    let name = row.name;
    if row.kind == Kind::Number {
        let found = COMPARISONS.iter().find_map(|(sign, comparison)| Some((comparison, value.strip_prefix(sign)?)));
        let number = found.and_then(|(comparison, digits)| {
            Some((*comparison, digits.parse::<f64>().ok().filter(|number| number.is_finite())?))
        });
        let (comparison, number) = number.ok_or_else(|| format!("{name}: expected {name}:>0.5 or {name}:<0.5"))?;
        return Ok(Test::Compares(row.field, comparison, number));
    }
    // `A` and `a` are different keys of a taxonomy.
    let is_key = |value: &str| row.field.takes_keys() && value.chars().count() == 1;
    let as_compared = |value: &String| if is_key(value) { value.clone() } else { plain(value) };
    let values: Vec<String> = split_outside_quotes(value).iter().map(as_compared).collect();
    if values.iter().all(String::is_empty) {
        return Err(format!("{name}: expected {}", expected(row)));
    }
    for value in &values {
        let known = match row.kind {
            // The taxonomy's categories are given by their keys.
            Kind::Words(words) => words.contains(&value.as_str()) || is_key(value),
            Kind::Rank => value == "any" || value.parse::<usize>().is_ok_and(|rank| rank > 0),
            Kind::Name | Kind::Number => true,
        };
        if !known {
            return Err(format!("{name}:{value}: expected {}", expected(row)));
        }
    }
    Ok(Test::Is(row.field, values))
}

fn expected(row: &Row) -> String {
    match row.kind {
        Kind::Words(words) => words.join(", "),
        Kind::Rank => "a place from 1, or any".into(),
        Kind::Name => "a name".into(),
        Kind::Number => "a number after > or <".into(),
    }
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = FIELDS.iter().map(|row| row.name).collect();
    format!("{name}: no such field; expected {}", names.join(", "))
}

fn split_outside_quotes(value: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut in_quotes = false;
    for character in value.chars() {
        match character {
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => parts.push(String::new()),
            _ => {
                if let Some(last) = parts.last_mut() {
                    last.push(character);
                }
            }
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn plain(text: &str) -> String {
    unquoted(text).to_lowercase()
}

fn unquoted(text: &str) -> String {
    text.replace('"', "")
}

#[cfg(test)]
mod tests {
    use super::super::field::Field;
    use super::*;

    #[test]
    fn a_line_reads_back_as_it_was_typed() {
        let line =
            "task:fundus,malignancy verdict:inconsistent -mine:none rescued-by:4 entropy:>0.5 \"posterior shadowing\"";
        let filter: Filter = line.parse().unwrap();
        assert_eq!(filter.terms.len(), 6);
        assert!(filter.terms[2].negated);
        assert_eq!(filter.terms[4].test, Test::Compares(Field::Entropy, Comparison::Above, 0.5));
        assert_eq!(filter.terms[5].test, Test::Text("posterior shadowing".into()));
        assert_eq!(filter.to_string(), line);
        assert_eq!("mine:A,None".parse::<Filter>().unwrap().to_string(), "mine:A,none");
        let named: Filter = "label:Yes,\"No, never\" task:Fundus".parse().unwrap();
        assert_eq!(named.to_string(), "label:Yes,\"No, never\" task:Fundus");
        assert_eq!(named.terms[1].test, Test::Is(Field::Task, vec!["fundus".into()]));
        let text: Filter = "text:\"Round, mass\"".parse().unwrap();
        assert_eq!(text.to_string(), "\"Round, mass\"");
        assert_eq!(text.to_string().parse::<Filter>().unwrap(), text);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_expected() {
        let error = |line: &str| line.parse::<Filter>().unwrap_err();
        assert!(error("verdct:inconsistent").starts_with("verdct: no such field; expected verdict, fused"));
        assert_eq!(error("fused:maybe"), "fused:maybe: expected right, wrong");
        assert_eq!(error("rescued-by:0"), "rescued-by:0: expected a place from 1, or any");
        assert_eq!(error("entropy:high"), "entropy: expected entropy:>0.5 or entropy:<0.5");
        assert_eq!(error("task:"), "task: expected a name");
        for line in ["entropy:>nan", "entropy:>inf", "entropy:>", "entropy:0.5"] {
            assert_eq!(error(line), "entropy: expected entropy:>0.5 or entropy:<0.5", "{line}");
        }
        assert_eq!(
            error("rescued-by:99999999999999999999"),
            "rescued-by:99999999999999999999: expected a place from 1, or any"
        );
        assert_eq!(error("\"posterior"), "a quotation mark is not closed");
        assert_eq!(error(&"(".repeat(20_000)), "a filter of 20000 bytes; at most 4000");
        assert!("((((((((((".parse::<Filter>().is_ok(), "brackets are text");
    }
}
