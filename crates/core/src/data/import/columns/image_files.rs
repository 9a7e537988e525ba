//! Finds the image files that a table names: by stem, file name, or a path that may begin with folders of another machine.

use super::captions::hash_of;
use crate::files::archive_member::for_each_member;
use crate::files::input_file::is_there;
use crate::files::litter::is_litter;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Extensions of image files, in lower case. Other files beside them (texts, masks as arrays) are not images of the table.
const EXTENSIONS: [&str; 13] =
    ["png", "jpg", "jpeg", "dcm", "dicom", "gif", "bmp", "tif", "tiff", "webp", "jp2", "jpe", "jfif"];
/// Most folders inside each other; more mean a link to a folder above.
const DEEPEST: usize = 24;

/// The folders and archives that images are looked for in.
#[derive(Debug)]
pub struct ImageFiles {
    roots: Vec<PathBuf>,
    /// Text in front of paths that is not on this disk, as the mapping says.
    prefix: Option<String>,
    /// Leading parts that the first path of another machine had and this disk has not. All others must have the same: a
    /// path whose file is missing must not find the file of the same name in another folder.
    foreign: Option<Vec<String>>,
    index: Option<Index>,
}

/// Every image file below the roots.
#[derive(Debug, Default)]
struct Index {
    /// Position of the root, and the path below it with `/` between the parts.
    files: Vec<(usize, String)>,
    /// Hash of the stem, and the position of the file; sorted.
    by_stem: Vec<(u64, u32)>,
}

/// An image that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundImage {
    pub path: PathBuf,
    /// Its path below the folder of images, the same on every machine.
    pub name: String,
}

/// Why there is no image; a reason to leave out the row.
pub type NoImage = &'static str;

const URL: NoImage = "the image is a URL, and no link is followed";
const OUTSIDE: NoImage = "the image's path leads out of the folders of images";
const NOT_FOUND: NoImage = "no image file";
const AMBIGUOUS: NoImage = "several image files have this name";

impl ImageFiles {
    /// Images below `roots`, which are folders, zip or tar files.
    ///
    /// # Errors
    /// Fails if one of them is not there.
    pub fn new(roots: &[PathBuf], prefix: Option<&str>) -> Result<Self> {
        let mut absolute = Vec::new();
        for root in roots {
            if !is_there(root) {
                bail!("{}: expected a folder or archive of images, found nothing", root.display());
            }
            absolute.push(without_dots(&std::path::absolute(root)?).unwrap_or_else(|| root.clone()));
        }
        let prefix = prefix.map(|prefix| prefix.replace('\\', "/"));
        Ok(Self { roots: absolute, prefix, foreign: None, index: None })
    }

    /// Leading parts of paths that were left out because they are not on this disk.
    pub fn foreign_prefix(&self) -> Option<String> {
        self.foreign.as_ref().map(|parts| parts.join("/"))
    }

    /// Finds the image of one row.
    ///
    /// # Errors
    /// Fails if a folder cannot be read; the inner error is the reason to leave out the row.
    pub fn find(&mut self, value: &str) -> Result<Result<FoundImage, NoImage>> {
        let value = value.trim();
        if value.contains("://") || value.starts_with("data:") {
            return Ok(Err(URL));
        }
        let value = value.replace('\\', "/");
        let value = self.prefix.as_deref().and_then(|prefix| value.strip_prefix(prefix)).unwrap_or(&value);
        let path = Path::new(value);
        if path.is_absolute() {
            let Some(path) = without_dots(path) else { return Ok(Err(OUTSIDE)) };
            if let Some(root) = self.roots.iter().find(|root| path.starts_with(root)) {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                return Ok(if path.is_file() { Ok(FoundImage { path, name }) } else { Err(NOT_FOUND) });
            }
            if is_there(&path) {
                return Ok(Err(OUTSIDE));
            }
        }
        let mut parts: Vec<String> = Vec::new();
        for part in path.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
                Component::ParentDir if parts.pop().is_none() => return Ok(Err(OUTSIDE)),
                Component::ParentDir | Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        if parts.is_empty() {
            return Ok(Err(NOT_FOUND));
        }
        self.find_parts(&parts)
    }

    fn find_parts(&mut self, parts: &[String]) -> Result<Result<FoundImage, NoImage>> {
        if let Some(found) = self.below_roots(parts, true)? {
            return Ok(found);
        }
        if let Some(foreign) = &self.foreign {
            let Some(rest) = parts.strip_prefix(&foreign[..]).filter(|rest| !rest.is_empty()) else {
                return Ok(Err(NOT_FOUND));
            };
            let rest = rest.to_vec();
            return Ok(self.below_roots(&rest, false)?.unwrap_or(Err(NOT_FOUND)));
        }
        for dropped in 1..parts.len() {
            if let Some(found) = self.below_roots(&parts[dropped..], false)? {
                self.foreign = Some(parts[..dropped].to_vec());
                return Ok(found);
            }
        }
        Ok(Err(NOT_FOUND))
    }

    /// The image with this path below one of the roots, or `anywhere` below them.
    fn below_roots(&mut self, parts: &[String], anywhere: bool) -> Result<Option<Result<FoundImage, NoImage>>> {
        let wanted = parts.join("/");
        let mut found = None;
        for root in &self.roots {
            let path = root.join(&wanted);
            if !path.is_file() {
                continue;
            }
            if found.replace(FoundImage { path, name: wanted.clone() }).is_some() {
                return Ok(Some(Err(AMBIGUOUS)));
            }
        }
        if let Some(found) = found {
            return Ok(Some(Ok(found)));
        }
        let index = match self.index.take() {
            Some(index) => index,
            None => Index::build(&self.roots)?,
        };
        let positions = index.matching(&wanted, anywhere);
        let answer = match positions[..] {
            [] => None,
            [position] => {
                let (root, name) = &index.files[position];
                let root = &self.roots[*root];
                let path =
                    if root.is_dir() { root.join(name) } else { PathBuf::from(format!("{}!/{name}", root.display())) };
                Some(Ok(FoundImage { path, name: name.clone() }))
            }
            _ => Some(Err(AMBIGUOUS)),
        };
        self.index = Some(index);
        Ok(answer)
    }
}

impl Index {
    fn build(roots: &[PathBuf]) -> Result<Self> {
        let mut index = Self::default();
        for (position, root) in roots.iter().enumerate() {
            if root.is_dir() {
                index.add_folder(position, root, "", 0)?;
            } else {
                for_each_member(root, &mut |name, _| {
                    index.add(position, name.to_owned());
                    Ok(())
                })?;
            }
        }
        index.by_stem.sort_unstable();
        Ok(index)
    }

    fn add_folder(&mut self, root: usize, folder: &Path, below: &str, depth: usize) -> Result<()> {
        if depth > DEEPEST {
            bail!("{}: expected at most {DEEPEST} folders inside each other, found more", folder.display());
        }
        let cannot_read = || format!("cannot read {}: expected a folder of images", folder.display());
        for entry in fs::read_dir(folder).with_context(cannot_read)? {
            let entry = entry.with_context(cannot_read)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_litter(&name) {
                continue;
            }
            let path = entry.path();
            let relative = if below.is_empty() { name } else { format!("{below}/{name}") };
            if path.is_dir() {
                self.add_folder(root, &path, &relative, depth + 1)?;
            } else {
                self.add(root, relative);
            }
        }
        Ok(())
    }

    fn add(&mut self, root: usize, name: String) {
        if let Some(stem) = stem_of_image(last_part(&name)) {
            self.by_stem.push((hash_of(stem), self.files.len() as u32));
            self.files.push((root, name));
        }
    }

    /// Positions of the files with this path, with or without its extension; `anywhere`: or with more folders before it.
    fn matching(&self, wanted: &str, anywhere: bool) -> Vec<usize> {
        let stem = stem_of_image(last_part(wanted));
        let hash = hash_of(stem.unwrap_or(last_part(wanted)));
        let first = self.by_stem.partition_point(|(known, _)| *known < hash);
        let same_stem = self.by_stem[first..].iter().take_while(|(known, _)| *known == hash);
        let (mut whole, mut ends) = (Vec::new(), Vec::new());
        for (_, position) in same_stem {
            let position = *position as usize;
            let name = &self.files[position].1;
            let known = if stem.is_some() { name } else { without_extension(name) };
            if known == wanted {
                whole.push(position);
            } else if anywhere && known.strip_suffix(wanted).is_some_and(|before| before.ends_with('/')) {
                ends.push(position);
            }
        }
        if whole.is_empty() { ends } else { whole }
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, last)| last)
}

/// The name without its extension, if that is one of images.
pub(in crate::data::import) fn stem_of_image(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    let extension = extension.to_ascii_lowercase();
    (EXTENSIONS.contains(&extension.as_str()) && !stem.is_empty()).then_some(stem)
}

fn without_extension(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(stem, _)| stem)
}

/// The path without `.` and `..`; `None` if it leads above its root.
fn without_dots(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            other => plain.push(other),
        }
    }
    Some(plain)
}
