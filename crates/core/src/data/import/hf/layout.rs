//! Which files of a Hugging Face dataset make which split.

use super::features::Features;
use super::glob::Glob;
use super::readme::{Config, Readme};
use super::shards::{ShardName, named, order};
use super::split_names::{NamedSplit, split_in};
use super::{HfOptions, saved_to_disk};
use crate::data::Split;
use crate::files::litter::is_litter;
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Deepest folder that is looked into.
const DEEPEST: usize = 12;

/// The files of one split.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SplitFiles {
    /// The name in the source, such as `train`.
    pub name: String,
    /// `None` if the name is no split that a dataset has.
    pub split: Option<Split>,
    /// In the order of their rows.
    pub files: Vec<PathBuf>,
    /// Features that are written beside the files.
    pub features: Option<Features>,
}

/// The files of a dataset.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub name: String,
    pub licence: Option<String>,
    pub splits: Vec<SplitFiles>,
    pub remarks: Vec<String>,
}

impl Layout {
    /// Finds the files of a dataset: a parquet or Arrow file, a folder of them, a folder of `save_to_disk`, or the folder of
    /// a dataset in the cache of the hub.
    ///
    /// # Errors
    /// Fails if there are none, files of several configurations, files of no clear split, or shards are missing.
    pub fn find(source: &Path, options: &HfOptions) -> Result<Self> {
        let folder = if source.is_dir() { in_hub_cache(source)? } else { source.to_owned() };
        let mut layout = if !folder.is_dir() {
            Self::of_file(&folder)?
        } else if let Some(layout) = saved_to_disk::find(&folder)? {
            layout
        } else {
            Self::of_folder(&folder, options)?
        };
        if layout.name.is_empty() {
            layout.name = dataset_name(source);
        }
        layout.check_shards(&folder, options)?;
        for split in &mut layout.splits {
            if let Some((_, given)) = options.splits.iter().find(|(name, _)| *name == split.name) {
                split.split = Some(*given);
            }
        }
        layout.splits.sort_by_key(|split| (split.split.is_none(), split.split));
        Ok(layout)
    }

    fn of_file(path: &Path) -> Result<Self> {
        if !is_table(path) {
            bail!("{}: expected a folder, or a file that ends in .parquet or .arrow", path.display());
        }
        let name = file_name(path);
        let mut layout = Self::default();
        layout.add_by_name(&name, path.to_owned(), path)?;
        if let Some(ShardName { number, total: Some(total @ 2..), .. }) = ShardName::parse(&name) {
            layout.remarks.push(format!("{name} is shard {number} (from 0) of {total}; the others are not imported"));
        }
        Ok(layout)
    }

    fn of_folder(folder: &Path, options: &HfOptions) -> Result<Self> {
        let readme = Readme::read(folder)?;
        let files = files_below(folder)?;
        let tables: Vec<&(String, PathBuf)> = files.iter().filter(|(_, path)| is_table(path)).collect();
        let mut layout = if readme.configs.is_empty() {
            let config = chosen_folder(&tables, options.config.as_deref())?;
            let prefix = config.map(|config| format!("{config}/")).unwrap_or_default();
            Self::by_names(folder, &tables, &prefix)?
        } else {
            Self::of_config(folder, &files, chosen_config(&readme.configs, options.config.as_deref())?)?
        };
        if layout.splits.is_empty() {
            bail!("{}: expected parquet or Arrow files, found {}", folder.display(), kinds_of(&files));
        }
        layout.licence = readme.licence;
        layout.name = readme.name.unwrap_or_default();
        Ok(layout)
    }

    /// The files that the README lists.
    fn of_config(folder: &Path, files: &[(String, PathBuf)], config: &Config) -> Result<Self> {
        let prefix = match config.folder.as_deref() {
            None => String::new(),
            Some(inner) => {
                Glob::new(inner)?;
                let inner = inner.trim_start_matches("./").trim_end_matches('/');
                if inner.is_empty() || inner == "." { String::new() } else { format!("{inner}/") }
            }
        };
        let tables: Vec<&(String, PathBuf)> = files.iter().filter(|(_, path)| is_table(path)).collect();
        if config.files.is_empty() {
            return Self::by_names(folder, &tables, &prefix);
        }
        let mut layout = Self::default();
        for (split, patterns) in &config.files {
            let mut found = Vec::new();
            for pattern in patterns {
                let glob = Glob::new(&format!("{prefix}{}", pattern.trim_start_matches("./")))
                    .with_context(|| format!("README.md: config {}", config.name))?;
                // A pattern may also name a folder.
                let below =
                    Glob::new(&format!("{prefix}{}/**", pattern.trim_start_matches("./").trim_end_matches('/')))?;
                let before = found.len();
                for (name, path) in files.iter().filter(|(name, _)| glob.matches(name) || below.matches(name)) {
                    if !is_table(path) {
                        bail!(
                            "README.md: config {}: expected parquet or Arrow files, found {name}; other tables are imported \
                             with `table`",
                            config.name
                        );
                    }
                    if !found.contains(path) {
                        found.push(path.clone());
                    }
                }
                if found.len() == before {
                    bail!(
                        "README.md: config {}: expected files like {pattern:?}, found none in {}; download them",
                        config.name,
                        folder.display()
                    );
                }
            }
            match split {
                Some(name) => layout.splits.push(SplitFiles {
                    name: name.clone(),
                    split: match split_in(name) {
                        NamedSplit::One(split) => Some(split),
                        NamedSplit::None | NamedSplit::Several => None,
                    },
                    files: found,
                    features: None,
                }),
                None => {
                    for path in found {
                        layout.add_by_name(&relative(&path, folder), path.clone(), &path)?;
                    }
                }
            }
        }
        Ok(layout)
    }

    /// The files below `prefix` by the rules of `datasets`: the names of shards in `data/`, else a keyword in the names of
    /// folders, else one in the names of files, else everything is training.
    fn by_names(folder: &Path, tables: &[&(String, PathBuf)], prefix: &str) -> Result<Self> {
        let tables: Vec<(&str, &PathBuf)> =
            tables.iter().filter_map(|(name, path)| Some((name.strip_prefix(prefix)?, path))).collect();
        let mut layout = Self::default();
        let mut others = Vec::new();
        let is_sharded = |name: &str| {
            let shard = name.strip_prefix("data/").and_then(ShardName::parse);
            shard.is_some_and(|shard| shard.total.is_some() && !shard.stem.is_empty() && !shard.stem.contains('/'))
        };
        let folders_of =
            |name: &str| name.rsplit_once('/').map_or(String::new(), |(folders, _)| folders.replace('/', "-"));
        let in_folders = tables.iter().any(|(name, _)| split_in(&folders_of(name)) != NamedSplit::None);
        let in_names = tables.iter().any(|(name, _)| split_in(name) != NamedSplit::None);
        let sharded = tables.iter().any(|(name, _)| is_sharded(name));
        for (name, path) in tables {
            let stem = ShardName::parse(name.trim_start_matches("data/")).map(|shard| shard.stem);
            if sharded {
                match stem.filter(|_| is_sharded(name)) {
                    Some(stem) => layout.add(&stem, split_in(&stem), path.clone()),
                    None => others.push(name.to_owned()),
                }
                continue;
            }
            let wanted = if in_folders { folders_of(name) } else { name.rsplit('/').next().unwrap_or(name).to_owned() };
            match split_in(&wanted) {
                NamedSplit::None if in_folders || in_names => others.push(name.to_owned()),
                NamedSplit::Several => bail!("{}", ambiguous(path)),
                _ => layout.add_by_name(&wanted, path.clone(), folder)?,
            }
        }
        if !in_folders && !in_names && !sharded && !layout.splits.is_empty() {
            layout
                .remarks
                .push("no name tells a split, so every row is of the training split, as `datasets` has it".into());
        }
        if !others.is_empty() {
            let what = if others.len() == 1 { "1 file".into() } else { format!("{} files", others.len()) };
            layout.remarks.push(format!("{what} of no split not imported, as `datasets` has it: {}", named(&others)));
        }
        if let Some(partial) = layout.splits.iter().find(|split| {
            split
                .files
                .iter()
                .any(|path| path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("partial-")))
        }) {
            layout.remarks.push(format!("{} is only a part of the split, as its folder says", partial.name));
        }
        Ok(layout)
    }

    /// Adds a file whose split is told by a word of `name`; without one it is training.
    fn add_by_name(&mut self, name: &str, path: PathBuf, shown: &Path) -> Result<()> {
        match split_in(name) {
            NamedSplit::None => self.add(&Split::Train.to_string(), NamedSplit::One(Split::Train), path),
            NamedSplit::One(split) => self.add(&split.to_string(), NamedSplit::One(split), path),
            NamedSplit::Several => bail!("{}", ambiguous(if path.as_os_str().is_empty() { shown } else { &path })),
        }
        Ok(())
    }

    fn add(&mut self, name: &str, found: NamedSplit, path: PathBuf) {
        if let Some(known) = self.splits.iter_mut().find(|split| split.name == name) {
            known.files.push(path);
            return;
        }
        let split = if let NamedSplit::One(split) = found { Some(split) } else { None };
        self.splits.push(SplitFiles { name: name.into(), split, files: vec![path], features: None });
    }

    /// Orders the shards of every split and makes sure that all are there.
    fn check_shards(&mut self, folder: &Path, options: &HfOptions) -> Result<()> {
        let mut missing = Vec::new();
        if folder.is_dir() {
            for split in self.splits.iter_mut().filter(|split| split.features.is_none()) {
                missing.extend(order(&mut split.files)?);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        if !options.incomplete {
            bail!(
                "{}: expected all shards, {} missing: {}; download them, or import without them with --incomplete",
                folder.display(),
                missing.len(),
                named(&missing)
            );
        }
        self.remarks.push(format!("{} shards are missing: {}", missing.len(), named(&missing)));
        Ok(())
    }
}

fn ambiguous(path: &Path) -> String {
    format!(
        "{}: expected the name of one split, found words of several; rename the file, or list splits and files in README.md",
        path.display()
    )
}

/// The folder with the files: for a dataset in the cache of the hub, that of its snapshot.
fn in_hub_cache(source: &Path) -> Result<PathBuf> {
    let snapshots = source.join("snapshots");
    if !snapshots.is_dir() || !(source.join("blobs").is_dir() || source.join("refs").is_dir()) {
        return Ok(source.into());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(&snapshots).with_context(|| format!("cannot read {}", snapshots.display()))? {
        let path = entry.with_context(|| format!("cannot read {}", snapshots.display()))?.path();
        if path.is_dir() && !is_litter(&file_name(&path)) {
            found.push(path);
        }
    }
    found.sort();
    if let Ok(commit) = fs::read_to_string(source.join("refs/main")) {
        let main = snapshots.join(commit.trim());
        if found.contains(&main) {
            return Ok(main);
        }
    }
    match &found[..] {
        [only] => Ok(only.clone()),
        [] => bail!("{}: expected a snapshot, found none; the download is not finished", snapshots.display()),
        _ => bail!(
            "{}: expected one snapshot or refs/main, found {}; give the folder of one",
            snapshots.display(),
            found.iter().map(|path| file_name(path)).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The configuration to import.
fn chosen_config<'a>(configs: &'a [Config], wanted: Option<&str>) -> Result<&'a Config> {
    let names = || configs.iter().map(|config| config.name.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, configs) {
        (None, [only]) => Ok(only),
        (None, _) => bail!("the dataset has several configurations: {}; choose one with --config NAME", names()),
        (Some(wanted), _) => configs
            .iter()
            .find(|config| config.name == wanted)
            .with_context(|| format!("expected one of the configurations {}, found {wanted:?}", names())),
    }
}

/// The folder of the chosen configuration, where the README lists none. Folders count as configurations if no file is
/// outside of them and their names tell no split.
fn chosen_folder(tables: &[&(String, PathBuf)], wanted: Option<&str>) -> Result<Option<String>> {
    let mut folders = BTreeSet::new();
    for (name, _) in tables {
        match name.split_once('/') {
            Some((folder, _)) if folder != "data" && split_in(folder) == NamedSplit::None => folders.insert(folder),
            _ if wanted.is_some() => continue,
            _ => return Ok(None),
        };
    }
    let names = || folders.iter().copied().collect::<Vec<_>>().join(", ");
    match wanted {
        Some(wanted) if folders.contains(wanted) => Ok(Some(wanted.into())),
        Some(wanted) if folders.is_empty() => {
            bail!("expected a dataset with configurations, found none; leave out --config {wanted}")
        }
        Some(wanted) => bail!("expected one of the configurations {}, found {wanted:?}", names()),
        None if folders.len() > 1 => {
            bail!("the dataset has several configurations: {}; choose one with --config NAME", names())
        }
        None => Ok(folders.first().map(|folder| (*folder).to_owned())),
    }
}

/// Every file below a folder with its path from there, with `/` between the parts; hidden ones are left out.
pub(super) fn files_below(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), folder.to_owned(), 0)];
    while let Some((prefix, folder, depth)) = folders.pop() {
        if depth > DEEPEST {
            bail!("{}: expected at most {DEEPEST} folders in each other", folder.display());
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
            let path = entry.path();
            let name = file_name(&path);
            if is_litter(&name) {
                continue;
            }
            // A link to a folder may lead back here; the hub's cache links files only.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push((format!("{prefix}{name}/"), path, depth + 1));
            } else if !path.is_dir() {
                files.push((format!("{prefix}{name}"), path));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Whether this is the name of a parquet or Arrow file with rows; `datasets` also keeps the results of `map` in its cache.
pub(super) fn is_table(path: &Path) -> bool {
    let name = file_name(path);
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ending == "parquet" || (ending == "arrow" && !name.starts_with("cache-") && !name.starts_with("tmp"))
}

/// The endings of the files, with their numbers.
fn kinds_of(files: &[(String, PathBuf)]) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (_, path) in files {
        let ending = path.extension().map_or("no ending".into(), |ending| format!(".{}", ending.to_string_lossy()));
        *kinds.entry(ending).or_default() += 1;
    }
    if kinds.is_empty() {
        return "no file".into();
    }
    let kinds: Vec<String> = kinds.into_iter().take(8).map(|(ending, count)| format!("{count} of {ending}")).collect();
    kinds.join(", ")
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A name for the dataset: that of the folder, without the words of the hub's cache, or of the file.
fn dataset_name(source: &Path) -> String {
    let absolute = std::path::absolute(source).unwrap_or_else(|_| source.into());
    let cached = absolute.components().find_map(|part| {
        let name = part.as_os_str().to_string_lossy();
        name.strip_prefix("datasets--").map(|name| name.replace("--", "/"))
    });
    cached.unwrap_or_else(|| {
        let stem = if source.is_dir() { absolute.file_name() } else { absolute.file_stem() };
        stem.map_or_else(|| "dataset".into(), |stem| stem.to_string_lossy().into_owned())
    })
}
