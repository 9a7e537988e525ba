//! Finds the image files that a table names: by stem, file name, or a path that may begin with folders of another machine.

use super::image_index::{ImageIndex, IndexedImage};
use crate::files::input_file::is_there;
use anyhow::{Result, bail};
use std::path::{Component, Path, PathBuf};

/// The folders and archives that images are looked for in.
#[derive(Debug)]
pub struct ImageFiles {
    roots: Vec<Root>,
    /// Text in front of paths that is not on this disk, as the mapping says.
    prefix: Option<String>,
    /// Leading parts that the first path of another machine had and this disk has not. All others must have the same: a
    /// path whose file is missing must not find the file of the same name in another folder.
    foreign: Option<Vec<String>>,
    index: Option<ImageIndex>,
    /// Number of names that were found both as a file and in an archive.
    unpacked_too: usize,
}

/// A folder or archive of images.
#[derive(Debug)]
pub(super) struct Root {
    pub path: PathBuf,
    pub is_folder: bool,
}

impl Root {
    fn of(path: PathBuf) -> Self {
        Self { is_folder: path.is_dir(), path }
    }
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
            absolute.push(Root::of(without_dots(&std::path::absolute(root)?).unwrap_or_else(|| root.clone())));
        }
        let prefix = prefix.map(|prefix| prefix.replace('\\', "/"));
        Ok(Self { roots: absolute, prefix, foreign: None, index: None, unpacked_too: 0 })
    }

    /// Images below `folder` and in the zip and tar files there, which are listed now.
    ///
    /// # Errors
    /// Fails if a folder cannot be listed or an archive is damaged.
    pub(in crate::data::import) fn with_archives(folder: &Path) -> Result<Self> {
        let mut files = Self::new(&[folder.to_owned()], None)?;
        let (index, archives) = ImageIndex::with_archives(&files.roots[0].path)?;
        files.roots.extend(archives.into_iter().map(Root::of));
        files.index = Some(index);
        Ok(files)
    }

    /// Finds an image by the name of its file alone, in any folder. A file is preferred to a member of an archive with the same
    /// name, because somebody unpacked it. Asks the file system nothing once everything is listed.
    ///
    /// # Errors
    /// Fails if a folder cannot be read; the inner error is the reason to leave out the row.
    pub(in crate::data::import) fn find_named(&mut self, name: &str) -> Result<Result<FoundImage, NoImage>> {
        let index = match self.index.take() {
            Some(index) => index,
            None => ImageIndex::of(&self.roots)?,
        };
        let mut found = index.named(name);
        self.index = Some(index);
        let is_file = |image: &IndexedImage| self.roots[image.root].is_folder;
        if found.len() > 1 && found.iter().filter(|image| is_file(image)).count() == 1 {
            found.retain(is_file);
            self.unpacked_too += 1;
        }
        Ok(match &found[..] {
            [] => Err(NOT_FOUND),
            [image] => Ok(self.found(image)),
            _ => Err(AMBIGUOUS),
        })
    }

    /// Whether there is no image; known once everything is listed.
    pub(in crate::data::import) fn is_empty(&self) -> bool {
        self.index.as_ref().is_some_and(ImageIndex::is_empty)
    }

    /// What the user hears about images that [`ImageFiles::find_named`] found as a file and in an archive.
    pub(in crate::data::import) fn remark(&self) -> Option<String> {
        let count = self.unpacked_too;
        let remark = || format!("{count} images are unpacked and in an archive; the unpacked ones are named");
        (count > 0).then(remark)
    }

    fn found(&self, image: &IndexedImage) -> FoundImage {
        let (root, name) = (&self.roots[image.root], &image.name);
        let path = match root {
            Root { path, is_folder: true } => path.join(name),
            Root { path, .. } => PathBuf::from(format!("{}!/{name}", path.display())),
        };
        FoundImage { path, name: name.clone() }
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
            if let Some(root) = self.roots.iter().find(|root| path.starts_with(&root.path)) {
                let name = path.strip_prefix(&root.path).unwrap_or(&path).to_string_lossy().into_owned();
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
            let path = root.path.join(&wanted);
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
            None => ImageIndex::of(&self.roots)?,
        };
        let found = index.matching(&wanted, anywhere);
        self.index = Some(index);
        Ok(match &found[..] {
            [] => None,
            [image] => Some(Ok(self.found(image))),
            _ => Some(Err(AMBIGUOUS)),
        })
    }
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
