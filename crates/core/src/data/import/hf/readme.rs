//! The README of a dataset on the Hugging Face hub: its front matter lists configurations, splits and files.

use super::yaml::Yaml;
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Maximum size of a README in bytes.
const LONGEST: u64 = 16 << 20;
/// Name of the one configuration of most datasets.
pub(super) const DEFAULT: &str = "default";

/// What a README says about the files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Readme {
    pub licence: Option<String>,
    pub name: Option<String>,
    pub configs: Vec<Config>,
}

/// One configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Config {
    pub name: String,
    /// Folder of the configuration's files.
    pub folder: Option<String>,
    /// Splits and the patterns of their files; `None` stands for a list without splits.
    pub files: Vec<(Option<String>, Vec<String>)>,
}

impl Readme {
    /// Reads `README.md` in a folder; the default if there is none.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or its list of files is not understood.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("README.md");
        if !input_file::is_there(&path) {
            return Ok(Self::default());
        }
        let text = input_file::read_text(&path, LONGEST).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().is_none_or(|(_, line)| line.trim_end() != "---") {
            return Ok(Self::default());
        }
        let front: Vec<(usize, &str)> = lines.take_while(|(_, line)| line.trim_end() != "---").collect();
        let top = |key: &str| {
            let values = front.iter().filter_map(|(_, line)| line.strip_prefix(key)?.strip_prefix(": "));
            values.map(|value| value.trim().trim_matches(['"', '\'']).to_owned()).find(|value| !value.is_empty())
        };
        let mut readme = Self { licence: top("license"), name: top("pretty_name"), configs: Vec::new() };
        if let Some(start) = front.iter().position(|(_, line)| line.trim_end() == "configs:") {
            let block = front[start + 1..].iter().copied().take_while(|(_, line)| !is_top_level(line));
            readme.configs = configs_of(&Yaml::parse(block)?)?;
        } else if let Some((number, line)) = front.iter().find(|(_, line)| line.starts_with("configs:")) {
            bail!("line {number}: expected the configurations below `configs:`, found {line:?}");
        }
        Ok(readme)
    }
}

/// Whether a line begins another entry of the front matter.
fn is_top_level(line: &str) -> bool {
    line.chars().next().is_some_and(|first| !matches!(first, ' ' | '-' | '#'))
}

fn configs_of(yaml: &Yaml) -> Result<Vec<Config>> {
    let Yaml::List(entries) = yaml else { bail!("configs: expected a list, found {yaml:?}") };
    entries.iter().map(config_of).collect()
}

fn config_of(entry: &Yaml) -> Result<Config> {
    let text = |key: &str| match entry.get(key) {
        None => Ok(None),
        Some(value) => {
            value.scalar().map(|text| Some(text.to_owned())).with_context(|| format!("configs: {key}: expected a text"))
        }
    };
    let name = text("config_name")?.unwrap_or_else(|| DEFAULT.into());
    let files = match entry.get("data_files") {
        None => Vec::new(),
        Some(Yaml::List(files)) if files.iter().any(|file| file.get("split").is_some()) => {
            files.iter().map(split_files).collect::<Result<_>>().with_context(|| format!("config {name}"))?
        }
        // `{train: pattern, test: pattern}`.
        Some(Yaml::Map(splits)) => splits
            .iter()
            .map(|(split, patterns)| Ok((Some(split.clone()), patterns_of(patterns)?)))
            .collect::<Result<_>>()?,
        Some(patterns) => vec![(None, patterns_of(patterns)?)],
    };
    Ok(Config { name, folder: text("data_dir")?, files })
}

fn split_files(entry: &Yaml) -> Result<(Option<String>, Vec<String>)> {
    let split = entry.get("split").and_then(Yaml::scalar).context("data_files: expected split and path")?;
    let path = entry.get("path").with_context(|| format!("data_files: expected a path of split {split}"))?;
    Ok((Some(split.into()), patterns_of(path)?))
}

fn patterns_of(yaml: &Yaml) -> Result<Vec<String>> {
    let patterns = yaml.scalars().context("data_files: expected a path or a list of paths")?;
    Ok(patterns.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_matter_names_configurations_and_files() {
        let text = "---\nlicense: cc0-1.0\ndataset_info:\n  features:\n  - name: image\n    dtype: image\nconfigs:\n\
                    - config_name: default\n  data_files:\n  - split: train\n    path: data/train-*\n- config_name: b\n  \
                    data_dir: more\ntags:\n- medical\n---\n# A dataset\nconfigs:\n";
        let readme = Readme::parse(text).unwrap();
        assert_eq!(readme.licence.as_deref(), Some("cc0-1.0"));
        let train = (Some("train".into()), vec!["data/train-*".into()]);
        let default = Config { name: "default".into(), folder: None, files: vec![train] };
        let other = Config { name: "b".into(), folder: Some("more".into()), files: Vec::new() };
        assert_eq!(readme.configs, [default, other]);
    }

    #[test]
    fn a_readme_without_front_matter_says_nothing() {
        assert_eq!(Readme::parse("# A dataset\n---\nconfigs:\n").unwrap(), Readme::default());
        let error = Readme::parse("---\nconfigs: [a]\n---\n").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
