//! Names of shards, `train-00000-of-00003.parquet`, and whether all of them are there.

use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How many missing shards a message names.
const NAMED: usize = 5;

/// The parts of a shard's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShardName {
    /// What precedes the number: `train`.
    pub stem: String,
    pub number: usize,
    /// Number of shards; the converted branch of the hub, with names such as `0000.parquet`, does not tell it.
    pub total: Option<usize>,
}

impl ShardName {
    /// The parts of a file name such as `train-00000-of-00003-9e02ed5fdb28e7a3.parquet` or `0000.parquet`.
    pub fn parse(file_name: &str) -> Option<Self> {
        let (name, _) = file_name.rsplit_once('.')?;
        if name.len() == 4 && is_number(name) {
            return Some(Self { stem: String::new(), number: name.parse().ok()?, total: None });
        }
        // Writers before 2023 put a hash behind the number of shards.
        let is_hash = |end: &str| end.len() == 16 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
        let name = name.rsplit_once('-').filter(|(_, end)| is_hash(end)).map_or(name, |(name, _)| name);
        let (name, total) = name.rsplit_once("-of-")?;
        let (stem, number) = name.rsplit_once('-').unwrap_or(("", name));
        if !is_number(number) || !is_number(total) {
            return None;
        }
        Some(Self { stem: stem.into(), number: number.parse().ok()?, total: Some(total.parse().ok()?) })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Sorts the files of a split by folder, stem and number, and returns the names of missing shards.
///
/// # Errors
/// Fails if a shard is there twice, or the shards of two different uploads are mixed.
pub(super) fn order(files: &mut [PathBuf]) -> Result<Vec<String>> {
    let name_of = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let key = |path: &PathBuf| {
        let name = name_of(path);
        let shard = ShardName::parse(&name);
        let (stem, number) = shard.map_or((name.clone(), 0), |shard| (shard.stem, shard.number));
        (path.parent().map(Path::to_owned), stem, number, name)
    };
    files.sort_by_cached_key(key);

    let mut sets: BTreeMap<(PathBuf, String), Vec<(ShardName, String)>> = BTreeMap::new();
    for path in files.iter() {
        let name = name_of(path);
        let Some(shard) = ShardName::parse(&name) else { continue };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        sets.entry((folder, shard.stem.clone())).or_default().push((shard, name));
    }
    let mut missing = Vec::new();
    for ((folder, _), shards) in sets {
        let total = shards[0].0.total;
        for pair in shards.windows(2) {
            let ((one, name), (other, other_name)) = (&pair[0], &pair[1]);
            if one.total != other.total || one.number == other.number {
                bail!(
                    "{}: expected the shards of one upload, found {name} and {other_name}; move those of the older upload \
                     away",
                    folder.display()
                );
            }
        }
        let last = shards.iter().map(|(shard, _)| shard.number).max().unwrap_or_default();
        if let Some(total) = total
            && last >= total
        {
            bail!("{}: expected shards 0 to {}, found {}", folder.display(), total - 1, shards[shards.len() - 1].1);
        }
        let mut found = shards.iter().map(|(shard, _)| shard.number).peekable();
        for number in 0..total.unwrap_or(last + 1) {
            if found.next_if_eq(&number).is_none() {
                missing.push(name_like(&shards[0].0, &shards[0].1, number));
            }
        }
    }
    Ok(missing)
}

/// The name that a shard of this number has; a hash in it differs and is written `…`.
fn name_like(shard: &ShardName, file_name: &str, number: usize) -> String {
    let extension = file_name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let Some(total) = shard.total else { return format!("{number:04}.{extension}") };
    let start = if shard.stem.is_empty() { String::new() } else { format!("{}-", shard.stem) };
    let name = format!("{start}{number:05}-of-{total:05}");
    let has_hash = file_name.len() > name.len() + extension.len() + 1;
    format!("{name}{}.{extension}", if has_hash { "-…" } else { "" })
}

/// The first names, for messages.
pub(super) fn named(names: &[String]) -> String {
    let more = if names.len() > NAMED { format!(" and {} more", names.len() - NAMED) } else { String::new() };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(names: &[&str]) -> Result<(Vec<String>, Vec<String>)> {
        let mut files: Vec<PathBuf> = names.iter().map(|name| Path::new("data").join(name)).collect();
        let missing = order(&mut files)?;
        let names = files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        Ok((names, missing))
    }

    #[test]
    fn shards_are_ordered_and_missing_ones_are_named() {
        let (names, missing) = ordered(&[
            "train-00002-of-00004-f2d0e9ef9f022d38.parquet",
            "train-00000-of-00004-00d0e9ef9f022d38.parquet",
        ])
        .unwrap();
        assert_eq!(names[0], "train-00000-of-00004-00d0e9ef9f022d38.parquet");
        assert_eq!(missing, ["train-00001-of-00004-….parquet", "train-00003-of-00004-….parquet"]);
        assert_eq!(ordered(&["0002.parquet", "0000.parquet"]).unwrap().1, ["0001.parquet"]);
        assert_eq!(
            ordered(&["b.parquet", "a.parquet"]).unwrap(),
            (vec!["a.parquet".into(), "b.parquet".into()], vec![])
        );
    }

    #[test]
    fn two_uploads_in_one_folder_are_refused() {
        for names in [
            ["train-00000-of-00001-f2d0e9ef9f022d38.parquet", "train-00000-of-00001-a2d0e9ef9f022d38.parquet"],
            ["train-00000-of-00001.parquet", "train-00001-of-00002.parquet"],
        ] {
            let error = ordered(&names).unwrap_err().to_string();
            assert!(error.contains("one upload") && error.contains(names[0]), "{error}");
        }
        let error = ordered(&["train-00005-of-00002.parquet"]).unwrap_err().to_string();
        assert!(error.contains("0 to 1, found train-00005-of-00002.parquet"), "{error}");
    }
}
