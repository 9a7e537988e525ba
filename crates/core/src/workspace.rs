//! The workspace: the folder of everything derived from a dataset.

use crate::files::durable::make_folder;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// Folder of the workspace inside a dataset that can be written.
pub const WORKSPACE_FOLDER: &str = ".dissent";

/// Folder of the annotations in a workspace.
pub const ANNOTATIONS_FOLDER: &str = "annotations";

/// Reason for the workspace's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkspaceOrigin {
    /// `--workspace` or `DISSENT_WORKSPACE`.
    Explicit,
    /// `DATASET/.dissent`.
    InDataset,
    /// A folder of the user's data directory, because the dataset cannot be written.
    UserData,
}

/// A folder that exists and can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub path: PathBuf,
    pub origin: WorkspaceOrigin,
}

impl Workspace {
    /// Finds or creates the workspace of a dataset: the explicit folder if given, else `DATASET/.dissent` if it
    /// can be written, else a folder of the user's data directory named after the dataset's path.
    ///
    /// # Errors
    /// Fails if the explicit folder, or the last choice, cannot be written.
    pub fn open(dataset_root: &Path, explicit: Option<&Path>) -> Result<Self> {
        Self::choose(dataset_root, explicit, user_data().as_deref())
    }

    /// The possible workspaces of a dataset without an explicit folder; creates nothing.
    pub fn places(dataset_root: &Path) -> Vec<PathBuf> {
        let in_user_data = user_data().and_then(|user_data| place_in(&user_data, dataset_root).ok());
        [dataset_root.join(WORKSPACE_FOLDER)].into_iter().chain(in_user_data).collect()
    }

    fn choose(dataset_root: &Path, explicit: Option<&Path>, user_data: Option<&Path>) -> Result<Self> {
        if let Some(path) = explicit {
            make_writable(path).with_context(|| format!("cannot use the workspace {}", path.display()))?;
            return Ok(Self { path: path.into(), origin: WorkspaceOrigin::Explicit });
        }
        if !dataset_root.is_dir() {
            bail!("{}: no such folder; expected a dataset directory", dataset_root.display());
        }
        let inside = dataset_root.join(WORKSPACE_FOLDER);
        let refusal = match make_writable(&inside) {
            Ok(()) => return Ok(Self { path: inside, origin: WorkspaceOrigin::InDataset }),
            Err(refusal) => refusal,
        };
        let Some(user_data) = user_data else {
            return Err(refusal.context("the dataset cannot be written and there is no home folder; give --workspace"));
        };
        let path = place_in(user_data, dataset_root)?;
        make_writable(&path).with_context(|| {
            format!("neither {} nor {} can be written; give --workspace", inside.display(), path.display())
        })?;
        Ok(Self { path, origin: WorkspaceOrigin::UserData })
    }

    /// Folder of the index: Tantivy directory, FAISS files and `index.toml`.
    pub fn index_dir(&self) -> PathBuf {
        self.path.join("index")
    }

    /// Folder of all runs.
    pub(crate) fn runs_dir(&self) -> PathBuf {
        self.path.join("runs")
    }

    /// Folder of one run: `run.toml` and `predictions.jsonl`.
    ///
    /// # Errors
    /// Fails if the name is not one plain folder name.
    pub fn run_dir(&self, name: &str) -> Result<PathBuf> {
        if !is_plain_name(name) {
            bail!("expected a run name of letters, digits, - _ . +, not starting with a dot; found {name:?}");
        }
        Ok(self.runs_dir().join(name))
    }

    /// The file of imported hits with this name.
    ///
    /// # Errors
    /// Fails if the name is not one plain file name.
    pub fn hits_file(&self, name: &str) -> Result<PathBuf> {
        if !is_plain_name(name) {
            bail!("expected a name of letters, digits, - _ . +, not starting with a dot; found {name:?}");
        }
        Ok(self.path.join("hits").join(format!("{name}.jsonl")))
    }

    /// The folder of a run that exists.
    ///
    /// # Errors
    /// Fails like [`Workspace::run_dir`], and if there is no such run; the message names those that exist.
    pub fn existing_run(&self, name: &str) -> Result<PathBuf> {
        let folder = self.run_dir(name)?;
        if folder.is_dir() {
            return Ok(folder);
        }
        let runs = self.run_names();
        let known = match runs.as_slice() {
            [] => "it has none; `dissent predict --run NAME` stores one".to_owned(),
            runs => format!("it has {}", runs.join(", ")),
        };
        bail!("there is no run {name} in {}: {known}", self.runs_dir().display())
    }

    /// Names of the stored runs, sorted.
    fn run_names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.runs_dir()) else { return Vec::new() };
        let folders = entries.flatten().filter(|entry| entry.path().is_dir());
        let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| self.run_dir(name).is_ok()).collect();
        names.sort_unstable();
        names
    }

    /// Folder of journals and `taxonomy.toml`.
    pub fn annotations_dir(&self) -> PathBuf {
        self.path.join(ANNOTATIONS_FOLDER)
    }

    /// Folder of files that can be recomputed at any time.
    pub fn cache_dir(&self) -> PathBuf {
        self.path.join("cache")
    }
}

impl fmt::Display for Workspace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.origin {
            WorkspaceOrigin::Explicit => "as given",
            WorkspaceOrigin::InDataset => "in the dataset",
            WorkspaceOrigin::UserData => "the dataset cannot be written",
        };
        write!(formatter, "{} ({reason})", self.path.display())
    }
}

/// Whether a name of the user's can be the name of a file or folder of the workspace.
fn is_plain_name(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.+".contains(letter);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain)
}

/// Creates the folder and a test file in it: permissions alone are not reliable (read-only mounts, network file systems).
fn make_writable(path: &Path) -> Result<()> {
    make_folder(path)?;
    tempfile::Builder::new()
        .prefix(".probe-")
        .tempfile_in(path)
        .with_context(|| format!("cannot write in {}", path.display()))?;
    Ok(())
}

fn user_data() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "dissent").map(|folders| folders.data_dir().to_path_buf())
}

/// A folder named after the dataset, with a fingerprint of its full path, so that no two datasets share a workspace.
fn place_in(user_data: &Path, dataset_root: &Path) -> Result<PathBuf> {
    let full = fs::canonicalize(dataset_root).with_context(|| format!("cannot find {}", dataset_root.display()))?;
    let name = full.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy().into_owned());
    let fingerprint = Fingerprint::of_bytes(full.as_os_str().as_encoded_bytes());
    Ok(user_data.join("workspaces").join(format!("{name}-{fingerprint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writable_dataset_holds_its_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::choose(folder.path(), None, None).unwrap();
        assert_eq!(workspace.origin, WorkspaceOrigin::InDataset);
        assert!(workspace.path.starts_with(folder.path()));
        assert_eq!(fs::read_dir(&workspace.path).unwrap().count(), 0, "the probe is gone");
    }

    #[test]
    fn a_dataset_that_cannot_be_written_uses_the_user_folder() {
        let folder = tempfile::tempdir().unwrap();
        let (dataset, home) = (folder.path().join("scans"), folder.path().join("home"));
        fs::create_dir(&dataset).unwrap();
        // A file in place of the folder stops even root.
        fs::write(dataset.join(WORKSPACE_FOLDER), b"").unwrap();
        let workspace = Workspace::choose(&dataset, None, Some(&home)).unwrap();
        assert_eq!(workspace.origin, WorkspaceOrigin::UserData);
        assert!(workspace.path.starts_with(home.join("workspaces")));
        assert!(workspace.path.file_name().unwrap().to_str().unwrap().starts_with("scans-"));
        assert!(workspace.to_string().contains("cannot be written"));
        assert_eq!(Workspace::choose(&dataset, None, Some(&home)).unwrap(), workspace, "the same one the next time");

        let error = Workspace::choose(&dataset, None, Some(&dataset.join(WORKSPACE_FOLDER))).unwrap_err();
        assert!(format!("{error:#}").contains("give --workspace"), "{error:#}");
    }

    #[test]
    fn an_explicit_workspace_is_used_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("deep/work");
        let workspace = Workspace::choose(folder.path(), Some(&wanted), None).unwrap();
        assert_eq!((workspace.origin, &workspace.path), (WorkspaceOrigin::Explicit, &wanted));
        assert!(!folder.path().join(WORKSPACE_FOLDER).exists());

        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = Workspace::choose(folder.path(), Some(&file), None).unwrap_err();
        assert!(format!("{error:#}").contains("cannot use the workspace"), "{error:#}");
    }

    #[test]
    fn a_run_that_does_not_exist_is_refused_with_those_that_do() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace { path: folder.path().into(), origin: WorkspaceOrigin::Explicit };
        let error = |name: &str| workspace.existing_run(name).unwrap_err().to_string();
        assert!(error("base").contains("it has none; `dissent predict"), "{}", error("base"));
        for name in ["trained", "base"] {
            fs::create_dir_all(workspace.runs_dir().join(name)).unwrap();
        }
        assert_eq!(workspace.existing_run("base").unwrap(), workspace.run_dir("base").unwrap());
        assert!(error("bas").ends_with("it has base, trained"), "{}", error("bas"));
        assert!(error("../x").starts_with("expected a run name"));
    }

    #[test]
    fn a_run_name_cannot_leave_the_workspace() {
        let workspace = Workspace { path: "w".into(), origin: WorkspaceOrigin::Explicit };
        assert_eq!(workspace.run_dir("base-k4").unwrap(), Path::new("w/runs/base-k4"));
        for name in ["", "..", "a/b", ".hidden"] {
            assert!(workspace.run_dir(name).is_err(), "{name}");
        }
    }
}
