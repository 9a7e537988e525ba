//! The part of YAML in which `datasets` writes the list of files into a README: mappings, lists and scalars in block style,
//! and lists of scalars in brackets.

use anyhow::{Result, bail};

/// Most levels of mappings and lists in each other.
const DEEPEST: usize = 16;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Yaml {
    Scalar(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// The value of a key; `None` if this is no mapping or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text of a scalar.
    pub fn scalar(&self) -> Option<&str> {
        if let Self::Scalar(text) = self { Some(text) } else { None }
    }

    /// The texts of a list of scalars; a scalar counts as a list of one.
    pub fn scalars(&self) -> Option<Vec<&str>> {
        match self {
            Self::Scalar(text) => Some(vec![text]),
            Self::List(values) => values.iter().map(Self::scalar).collect(),
            Self::Map(_) => None,
        }
    }

    /// Parses lines; each has its number in the file, for messages.
    ///
    /// # Errors
    /// Fails with the line that is not understood.
    pub fn parse<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Result<Self> {
        let mut parser = Parser { lines: Vec::new(), at: 0, depth: 0 };
        for (number, line) in lines {
            let text = without_comment(line).trim_end();
            let content = text.trim_start_matches(' ');
            if content.starts_with('\t') {
                bail!("line {number}: expected spaces before the text, found a tab");
            }
            if !content.is_empty() {
                parser.lines.push(Line { number, indent: text.len() - content.len(), text: content.into() });
            }
        }
        let Some(indent) = parser.lines.first().map(|line| line.indent) else { return Ok(Self::List(Vec::new())) };
        let value = parser.block(indent)?;
        match parser.lines.get(parser.at) {
            None => Ok(value),
            Some(line) => bail!("line {}: expected less space before {:?}", line.number, line.text),
        }
    }
}

struct Line {
    number: usize,
    indent: usize,
    text: String,
}

struct Parser {
    lines: Vec<Line>,
    at: usize,
    depth: usize,
}

impl Parser {
    /// The mapping or list whose lines begin after `indent` spaces.
    fn block(&mut self, indent: usize) -> Result<Yaml> {
        self.depth += 1;
        if self.depth > DEEPEST {
            bail!("line {}: expected at most {DEEPEST} levels", self.lines[self.at].number);
        }
        let value = if is_item(&self.lines[self.at].text) { self.list(indent) } else { self.map(indent) };
        self.depth -= 1;
        value
    }

    fn list(&mut self, indent: usize) -> Result<Yaml> {
        let mut values = Vec::new();
        while let Some(line) = self.lines.get_mut(self.at) {
            if line.indent != indent || !is_item(&line.text) {
                break;
            }
            let rest = line.text[1..].trim_start_matches(' ');
            if rest.is_empty() {
                self.at += 1;
                values.push(self.below(indent + 1)?);
            } else if key_of(rest).is_some() || is_item(rest) {
                // The mapping begins in the line of the dash.
                let inner = line.indent + line.text.len() - rest.len();
                (line.indent, line.text) = (inner, rest.to_owned());
                values.push(self.block(inner)?);
            } else {
                values.push(flow(rest, line.number)?);
                self.at += 1;
            }
        }
        Ok(Yaml::List(values))
    }

    fn map(&mut self, indent: usize) -> Result<Yaml> {
        let mut entries: Vec<(String, Yaml)> = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            if line.indent != indent || is_item(&line.text) {
                break;
            }
            let number = line.number;
            let Some((key, rest)) = key_of(&line.text) else {
                bail!("line {number}: expected `key: value`, found {:?}", line.text);
            };
            if entries.iter().any(|(known, _)| *known == key) {
                bail!("line {number}: expected {key:?} once, found it twice");
            }
            let value = if rest.is_empty() { None } else { Some(flow(rest, number)?) };
            self.at += 1;
            let value = match value {
                Some(value) => value,
                // A list may begin as far left as its key.
                None if self.lines.get(self.at).is_some_and(|next| next.indent == indent && is_item(&next.text)) => {
                    self.block(indent)?
                }
                None => self.below(indent + 1)?,
            };
            entries.push((key, value));
        }
        Ok(Yaml::Map(entries))
    }

    /// The block that begins after at least `indent` spaces; an empty text if there is none.
    fn below(&mut self, indent: usize) -> Result<Yaml> {
        match self.lines.get(self.at).map(|line| line.indent) {
            Some(inner) if inner >= indent => self.block(inner),
            _ => Ok(Yaml::Scalar(String::new())),
        }
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// The key of `key: value` and the text of the value.
fn key_of(text: &str) -> Option<(String, &str)> {
    if let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let (key, rest) = text[1..].split_once(quote)?;
        return Some((key.into(), rest.trim_start().strip_prefix(':')?.trim_start()));
    }
    if text.starts_with(['[', '{']) {
        return None;
    }
    let (key, rest) = match text.split_once(": ") {
        Some(parts) => parts,
        None => (text.strip_suffix(':')?, ""),
    };
    Some((key.trim_end().into(), rest.trim_start()))
}

/// A scalar, or a list of scalars in brackets.
fn flow(text: &str, number: usize) -> Result<Yaml> {
    if let Some(inner) = text.strip_prefix('[') {
        let Some(inner) = inner.strip_suffix(']').filter(|inner| !inner.contains(['[', '{'])) else {
            bail!("line {number}: expected a list of texts in one line, [a, b], found {text:?}");
        };
        let parts = inner.split(',').map(str::trim).filter(|part| !part.is_empty());
        return Ok(Yaml::List(parts.map(|part| scalar(part, number)).collect::<Result<_>>()?));
    }
    scalar(text, number)
}

fn scalar(text: &str, number: usize) -> Result<Yaml> {
    if let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let inner = text[1..].strip_suffix(quote).filter(|inner| !inner.contains([quote, '\\']));
        return match inner {
            Some(inner) => Ok(Yaml::Scalar(inner.into())),
            None => bail!("line {number}: expected a text in plain quotes, found {text}"),
        };
    }
    // Anchors, tags, multi-line texts and mappings in braces.
    if text.starts_with(['{', '&', '!', '|', '>', '%', '@', '`']) {
        bail!("line {number}: expected a plain text, found {text:?}");
    }
    Ok(Yaml::Scalar(text.into()))
}

/// The line before a comment, which begins with `#` after a space or at the start.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match quote {
            Some(open) if open == letter => quote = None,
            None if matches!(letter, '"' | '\'') && matches!(before, ' ' | '[' | ',') => quote = Some(letter),
            None if letter == '#' && matches!(before, ' ' | '\t') => return &line[..at],
            _ => {}
        }
        before = letter;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Yaml> {
        Yaml::parse(text.lines().enumerate().map(|(at, line)| (at + 1, line)))
    }

    #[test]
    fn the_lists_of_files_that_datasets_writes_are_read() {
        let text = "- config_name: default # the first\n  data_files:\n  - split: train\n    path: data/train-*\n  - split: \
                    'test'\n    path:\n    - \"a#1.parquet\"\n    - b.parquet\n- config_name: \"5x\"\n  data_files: [x, 'y']\n  default: true\n";
        let configs = parse(text).unwrap();
        let Yaml::List(configs) = &configs else { panic!("{configs:?}") };
        assert_eq!(configs.len(), 2);
        let Some(Yaml::List(files)) = configs[0].get("data_files") else { panic!("{configs:?}") };
        assert_eq!(files[0].get("path").and_then(Yaml::scalar), Some("data/train-*"));
        assert_eq!(files[1].get("split").and_then(Yaml::scalar), Some("test"));
        assert_eq!(files[1].get("path").and_then(Yaml::scalars), Some(vec!["a#1.parquet", "b.parquet"]));
        assert_eq!(configs[1].get("config_name").and_then(Yaml::scalar), Some("5x"));
        assert_eq!(configs[1].get("data_files").and_then(Yaml::scalars), Some(vec!["x", "y"]));
    }

    #[test]
    fn what_is_not_understood_is_named_by_line() {
        for (text, expected) in [
            ("- a: 1\n   b: 2", "line 2"),
            ("- a: |\n    text", "line 1"),
            ("- a: {b: c}", "line 1"),
            ("a: 1\na: 2", "line 2"),
            ("\ta: 1", "line 1"),
            ("- a: \"x", "line 1"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let deep = "- ".repeat(1000) + "a";
        assert!(parse(&deep).unwrap_err().to_string().contains("levels"));
    }
}
