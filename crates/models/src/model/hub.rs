//! Finding models in the local cache of the Hugging Face hub. Nothing is downloaded here.

use anyhow::{Result, bail, ensure};
use dissent_core::files::input_file;
use dissent_core::secret::excerpt;
use dissent_core::text::printable::is_printable;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::{fmt, fs};

/// Longest name of a branch in bytes, the limit of file systems.
const LONGEST_REVISION: usize = 255;
/// Longest name of an organisation or model, the hub's limit.
const LONGEST_NAME: usize = 96;
/// Number of branches and tags shown in a message.
const REVISIONS_SHOWN: usize = 10;

/// `org/name`, or `org/name@revision`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubId {
    organisation: String,
    name: String,
    /// A branch, tag or commit.
    revision: String,
}

impl FromStr for HubId {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (repository, revision) = text.split_once('@').unwrap_or((text, "main"));
        let parts = repository.split_once('/');
        let Some((organisation, name)) = parts.filter(|(organisation, name)| is_plain(organisation) && is_plain(name))
        else {
            bail!("'{text}': expected org/name or org/name@revision")
        };
        let is_below = Path::new(revision).components().all(|part| matches!(part, Component::Normal(_)))
            && revision.len() <= LONGEST_REVISION
            && revision.chars().all(is_printable);
        ensure!(!revision.is_empty() && is_below, "'{text}': expected a branch, tag or commit after @");
        Ok(Self { organisation: organisation.into(), name: name.into(), revision: revision.into() })
    }
}

impl fmt::Display for HubId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.organisation, self.name)
    }
}

/// True if `name` has only characters that the hub allows.
fn is_plain(name: &str) -> bool {
    let letters = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.'));
    letters
        && !name.is_empty()
        && name.len() <= LONGEST_NAME
        && !name.starts_with('.')
        && !name.contains("..")
        && !name.contains("--")
}

impl HubId {
    #[cfg(feature = "download")]
    pub(crate) fn organisation(&self) -> &str {
        &self.organisation
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The cache folder of the model with all its revisions, which need not exist.
    ///
    /// # Errors
    /// Fails if no environment variable determines the cache folder.
    #[cfg(feature = "download")]
    pub(crate) fn cache_entry(&self) -> Result<PathBuf> {
        let Some(cache) = cache_folder() else {
            bail!("{self}: no cache of the Hugging Face hub: neither HF_HUB_CACHE, HF_HOME nor HOME is set")
        };
        Ok(cache.join(self.entry_name()))
    }

    fn entry_name(&self) -> String {
        format!("models--{}--{}", self.organisation, self.name)
    }

    /// The folder of the model's revision in the local cache.
    ///
    /// # Errors
    /// Fails if the cache does not have it; the message names repository, revision and the searched path.
    pub fn in_cache(&self) -> Result<PathBuf> {
        let Some(cache) = cache_folder() else {
            bail!("{self}: no cache of the Hugging Face hub: neither HF_HUB_CACHE, HF_HOME nor HOME is set")
        };
        self.in_folder(&cache)
    }

    fn in_folder(&self, cache: &Path) -> Result<PathBuf> {
        let repository = cache.join(self.entry_name());
        // A branch or tag is a file that contains the commit; a commit is a folder name.
        let reference = repository.join("refs").join(&self.revision);
        let commit = input_file::read_text(&reference, LONGEST_REVISION as u64);
        let commit = commit.map_or_else(|_| self.revision.clone(), |text| text.trim().into());
        let is_name = matches!(
            (Path::new(&commit).components().next(), Path::new(&commit).components().count()),
            (Some(Component::Normal(_)), 1)
        );
        ensure!(is_name, "{}: expected a commit, found '{}'", reference.display(), excerpt(&commit, &[]));
        let folder = repository.join("snapshots").join(&commit);
        if folder.is_dir() {
            return Ok(folder);
        }
        let kept = revisions_of(&repository);
        let kept = if kept.is_empty() { String::new() } else { format!("; it has {}", kept.join(", ")) };
        bail!(
            "{self} at revision {} is not in the cache {}: searched {}{kept}; `dissent download {self}@{}` fetches it",
            self.revision,
            cache.display(),
            repository.display(),
            self.revision
        )
    }
}

/// The cache folder of huggingface_hub: `HF_HUB_CACHE`, `HF_HOME/hub`, or in the user's cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    if let Some(cache) = variable("HF_HUB_CACHE").or_else(|| variable("HUGGINGFACE_HUB_CACHE")) {
        return Some(cache);
    }
    Some(hugging_face_home()?.join("hub"))
}

/// `HF_HOME`, or `huggingface` in the user's cache folder.
pub(crate) fn hugging_face_home() -> Option<PathBuf> {
    variable("HF_HOME").or_else(|| {
        let caches = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))?;
        Some(caches.join("huggingface"))
    })
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The first branches and tags in the cache, for a message.
fn revisions_of(repository: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(repository.join("refs"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| excerpt(&entry.file_name().to_string_lossy(), &[]))
        .collect();
    names.sort();
    names.truncate(REVISIONS_SHOWN);
    names
}

/// `org/name@commit` for a snapshot folder of a cache, whose own name is only the commit.
pub(in crate::model) fn name_of_snapshot(folder: &Path) -> Option<String> {
    let commit = folder.file_name()?.to_str()?;
    let snapshots = folder.parent()?;
    let repository = snapshots.parent()?.file_name()?.to_str()?;
    let name = repository.strip_prefix("models--").filter(|_| snapshots.ends_with("snapshots"))?;
    let short = commit.get(..7).unwrap_or(commit);
    Some(format!("{}@{short}", name.replacen("--", "/", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn cache() -> tempfile::TempDir {
        let cache = tempfile::tempdir().unwrap();
        let repository = cache.path().join("models--org--name");
        fs::create_dir_all(repository.join("snapshots").join(COMMIT)).unwrap();
        fs::create_dir_all(repository.join("refs/refs/pr")).unwrap();
        fs::write(repository.join("refs/main"), format!("{COMMIT}\n")).unwrap();
        fs::write(repository.join("refs/refs/pr/1"), COMMIT).unwrap();
        fs::write(repository.join("refs/bad"), "../../../elsewhere").unwrap();
        cache
    }

    fn find(text: &str) -> Result<PathBuf> {
        text.parse::<HubId>()?.in_folder(cache().path())
    }

    #[test]
    fn branches_tags_and_commits_are_found() {
        for text in ["org/name".to_string(), "org/name@refs/pr/1".into(), format!("org/name@{COMMIT}")] {
            let folder = find(&text).unwrap();
            assert!(folder.ends_with(Path::new("snapshots").join(COMMIT)), "{text}");
            assert_eq!(name_of_snapshot(&folder).as_deref(), Some("org/name@0123456"));
        }
    }

    #[test]
    fn a_missing_model_is_named_with_the_searched_path() {
        let message = find("org/name@v2").unwrap_err().to_string();
        assert!(message.contains("org/name at revision v2") && message.contains("models--org--name"), "{message}");
        assert!(message.contains("it has bad, main"), "{message}");
        assert!(find("org/other").unwrap_err().to_string().contains("dissent download org/other@main"));
    }

    #[test]
    fn names_that_leave_the_cache_are_refused() {
        for text in [
            "org",
            "org/name/more",
            "../name",
            "org/..",
            "/etc/passwd",
            "org/name@../x",
            "org/name@",
            "a/b@/x",
            "a/b@\u{1b}[31m",
        ] {
            assert!(text.parse::<HubId>().is_err(), "{text}");
        }
        assert!(find("org/name@bad").unwrap_err().to_string().contains("expected a commit"));
    }
}
