//! Patterns of file names in a README: `data/train-*`, `**/*.parquet`.

use anyhow::{Context, Result, bail};
use glob::{MatchOptions, Pattern};

/// A pattern for paths with `/` between their parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob(Pattern);

impl Glob {
    /// # Errors
    /// Fails if the pattern leads out of its folder, is an address, has braces, or is no pattern.
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
        Ok(Self(Pattern::new(plain).with_context(|| format!("{pattern:?}: not a pattern"))?))
    }

    /// Whether the pattern matches the whole path: `*` and `?` within one part of it, `**` over several.
    pub fn matches(&self, path: &str) -> bool {
        let options =
            MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
        self.0.matches_with(path, options)
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
