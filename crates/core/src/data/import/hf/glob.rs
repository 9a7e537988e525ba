//! Patterns of file names in a README: `data/train-*`, `**/*.parquet`.

use anyhow::{Result, bail};

/// A pattern for paths with `/` between their parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(String);

impl Glob {
    /// # Errors
    /// Fails if the pattern leads out of its folder, is an address, or has braces.
    pub fn new(pattern: &str) -> Result<Self> {
        let plain = pattern.strip_prefix("./").unwrap_or(pattern);
        if plain.contains("://") {
            bail!("{pattern:?}: expected files beside the README, found an address; nothing is fetched");
        }
        let leads_out = plain.starts_with(['/', '\\', '~']) || plain.split(['/', '\\']).any(|part| part == "..");
        if leads_out || plain.as_bytes().get(1) == Some(&b':') {
            bail!("{pattern:?}: expected files beside the README, found a path that leads elsewhere");
        }
        if plain.contains(['{', '}']) {
            bail!(
                "{pattern:?}: expected a pattern of *, **, ? and [abc]; name one file or one folder instead of the whole"
            );
        }
        Ok(Self(plain.into()))
    }

    /// Whether the pattern matches the whole path.
    pub fn matches(&self, path: &str) -> bool {
        matches(self.0.as_bytes(), path.as_bytes())
    }
}

/// `*` and `?` match within one part of the path, `**` over several.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    // Place in the pattern and in the path to go back to, for the last star of each kind.
    let (mut star, mut stars) = (None, None);
    let (mut at, mut done) = (0, 0);
    loop {
        if pattern[at..].starts_with(b"**") {
            let mut next = at + 2;
            // `**/` also matches no folder.
            if pattern.get(next) == Some(&b'/') && (done == 0 || path[done - 1] == b'/') {
                next += 1;
            }
            (stars, star, at) = (Some((next, done)), None, next);
            continue;
        }
        if pattern.get(at) == Some(&b'*') {
            (star, at) = (Some((at + 1, done)), at + 1);
            continue;
        }
        if at == pattern.len() && done == path.len() {
            return true;
        }
        if done < path.len()
            && let Some(next) = step(pattern, at, path[done])
        {
            (at, done) = (next, done + 1);
            continue;
        }
        if let Some((next, from)) = star
            && from < path.len()
            && path[from] != b'/'
        {
            (star, at, done) = (Some((next, from + 1)), next, from + 1);
            continue;
        }
        match stars {
            Some((next, from)) if from < path.len() => {
                (stars, star, at, done) = (Some((next, from + 1)), None, next, from + 1);
            }
            _ => return false,
        }
    }
}

/// The place after the part of the pattern that matches one byte.
fn step(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' if byte != b'/' => Some(at + 1),
        b'[' => {
            let end = at + 2 + pattern.get(at + 2..)?.iter().position(|letter| *letter == b']')?;
            let (negated, mut class) = match pattern[at + 1] {
                b'!' | b'^' => (true, &pattern[at + 2..end]),
                _ => (false, &pattern[at + 1..end]),
            };
            let mut found = false;
            while let [first, rest @ ..] = class {
                let (last, rest) = match rest {
                    [b'-', last, rest @ ..] => (last, rest),
                    _ => (first, rest),
                };
                found |= (*first..=*last).contains(&byte);
                class = rest;
            }
            (found != negated && byte != b'/').then_some(end + 1)
        }
        letter if letter == byte => Some(at + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("data/train-*", "data/train-00000-of-00001.parquet", true),
            ("data/train-*", "data/more/train-00000.parquet", false),
            ("data/*", "data/more/a.parquet", false),
            ("**/*.parquet", "a.parquet", true),
            ("**/*.parquet", "x/y/a.parquet", true),
            ("x/**", "x/y/a.parquet", true),
            ("x/**/a.parquet", "x/a.parquet", true),
            ("x/**/a.parquet", "x/ya.parquet", false),
            ("**/train/*", "a/b/train/0000.parquet", true),
            ("**/train/*", "a/b/train/c/0000.parquet", false),
            ("train-[0-9][!a].parquet", "train-0b.parquet", true),
            ("train-[0-9][!a].parquet", "train-0a.parquet", false),
            ("tr?in.parquet", "train.parquet", true),
            ("./train.parquet", "train.parquet", true),
            ("train", "train.parquet", false),
            ("*a*b*c", "xxaxxbxxbxc", true),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_that_lead_out_are_refused() {
        for pattern in
            ["../a.parquet", "/etc/*", "hf://datasets/a/b.parquet", "https://x/y", "a/../../b", "c:\\x", "{a,b}"]
        {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
    }
}
