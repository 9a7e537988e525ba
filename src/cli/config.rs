//! The user's configuration file, `config.toml`: values of options that neither a flag nor the environment gives. They
//! become the options' defaults ([`super::config_defaults`]).

use crate::files::durable::{make_folder, write_file};
use crate::files::input_file::read_text;
use crate::model::precision::Precision;
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::image_protocol::ImageProtocol;
use crate::text::toml_text;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const LONGEST: u64 = 1 << 20;

/// The file's values, each named like its flag. A new option is a new field here and a row of
/// [`super::config_defaults`]; keys without a field are errors.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    pub images: Option<ImageProtocol>,
    pub theme: Option<String>,
    #[serde(default, deserialize_with = "one_of::<ColorDepth, _>")]
    pub color: Option<String>,
    #[serde(default, deserialize_with = "device")]
    pub device: Option<String>,
    #[serde(default, deserialize_with = "one_of::<Precision, _>")]
    pub dtype: Option<String>,
    pub annotator: Option<String>,
    pub keep_gold: Option<bool>,
    pub viewer: Option<String>,
    pub encoder: Option<String>,
    pub retriever: Option<String>,
    pub reader: Option<String>,
}

/// One of the words that the flag takes.
fn one_of<'de, T: ValueEnum, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = String::deserialize(deserializer)?;
    if T::from_str(&value, false).is_ok() {
        return Ok(Some(value));
    }
    let words = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let words: Vec<String> = words.map(|word| format!("`{}`", word.get_name())).collect();
    Err(D::Error::custom(format!("unknown value `{value}`, expected one of {}", words.join(", "))))
}

/// A device that has a valid name; whether this machine has it is found out when it is used.
fn device<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = String::deserialize(deserializer)?;
    let is_gpu = value.strip_prefix("cuda:").is_some_and(|number| number.parse::<usize>().is_ok());
    if is_gpu || ["auto", "cpu", "cuda", "metal"].contains(&value.as_str()) {
        return Ok(Some(value));
    }
    Err(D::Error::custom(format!("unknown device `{value}`, expected auto, cpu, cuda, cuda:N or metal")))
}

impl Config {
    /// The file in the user's configuration folder, `~/.config/dissent` on Linux. `None` without a home folder.
    pub fn path() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "dissent").map(|folders| folders.config_dir().join("config.toml"))
    }

    /// The values of that file; without a file, none.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or has an unknown key or value, which the message names.
    pub fn load() -> Result<Self> {
        match Self::path() {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self> {
        match read_text(path, LONGEST) {
            // A home that is no folder has no settings either.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
            Ok(text) => toml_text::parse(&text).with_context(|| format!("configuration {}", path.display())),
        }
    }

    /// Writes `images = "…"` into the file and keeps its other lines.
    ///
    /// # Errors
    /// Fails if the file that is there cannot be read, or the new one cannot be written.
    pub fn save_images(path: &Path, choice: ImageProtocol) -> Result<()> {
        // A file with an error is not changed: the message names what to correct first.
        Self::read(path)?;
        let text = read_text(path, LONGEST).unwrap_or_default();
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        write_file(path, with_value(&text, "images", &choice.to_string()).as_bytes())
    }
}

/// The file with this key set to a string; keys of the top level stand before all tables.
fn with_value(text: &str, key: &str, value: &str) -> String {
    let line = format!("{key} = \"{value}\"");
    let sets_key = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    let mut lines: Vec<&str> = text.lines().collect();
    let top_level = lines.iter().position(|line| line.trim_start().starts_with('[')).unwrap_or(lines.len());
    match lines[..top_level].iter().position(|line| sets_key(line)) {
        Some(place) => lines[place] = &line,
        None => lines.insert(0, &line),
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text)?;
        Config::read(&path)
    }

    #[test]
    fn a_missing_file_has_no_values() {
        assert_eq!(Config::read(Path::new("/nonexistent/config.toml")).unwrap(), Config::default());
        assert_eq!(read("").unwrap(), Config::default());
        assert_eq!(read("# mine\nimages = \"octant\"\n").unwrap().images, Some(ImageProtocol::Octant));
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let message = format!("{:#}", read("images = \"half\"\nimage = \"half\"").unwrap_err());
        assert!(message.contains("config.toml: line 2") && message.contains("`image`"), "{message}");
        assert!(message.contains("`images`"), "what is expected: {message}");
        let message = format!("{:#}", read("images = \"octants\"").unwrap_err());
        assert!(
            message.contains("line 1") && message.contains("`octants`") && message.contains("`octant`"),
            "{message}"
        );
        let message = format!("{:#}", read("# mine\ncolor = \"265\"").unwrap_err());
        assert!(message.contains("line 2") && message.contains("`265`") && message.contains("`256`"), "{message}");
        let message = format!("{:#}", read("device = \"gpu\"").unwrap_err());
        assert!(message.contains("line 1") && message.contains("`gpu`") && message.contains("cuda:N"), "{message}");
        let message = format!("{:#}", read("keep-gold = \"yes\"").unwrap_err());
        assert!(message.contains("line 1") && message.contains("expected a boolean"), "{message}");
    }

    #[test]
    fn saving_keeps_the_other_lines_and_makes_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dissent").join("config.toml");
        Config::save_images(&path, ImageProtocol::Sextant).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "images = \"sextant\"\n");
        std::fs::write(&path, "# mine\nimages=\"off\"\n").unwrap();
        Config::save_images(&path, ImageProtocol::Octant).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine\nimages = \"octant\"\n");
        assert_eq!(with_value("[later]\nimages = 1\n", "images", "half"), "images = \"half\"\n[later]\nimages = 1\n");
    }

    #[test]
    fn a_file_with_an_error_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "colour = 1\n").unwrap();
        assert!(Config::save_images(&path, ImageProtocol::Half).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "colour = 1\n");
    }
}
