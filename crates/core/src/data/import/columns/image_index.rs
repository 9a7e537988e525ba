//! Every image below some folders and in some archives, by the stems of their names. Of a name only the hash of its stem is kept,
//! because whoever looks for it brings the stem along: an image takes 16 bytes, so that 1.6 million take 26 MB.

use super::captions::hash_of;
use super::image_files::Root;
use crate::files::archive_member::for_each_member;
use crate::files::litter::is_litter;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// Extensions of image files, in lower case. Other files beside them (texts, masks as arrays) are not images of the table.
const EXTENSIONS: [&str; 13] =
    ["png", "jpg", "jpeg", "dcm", "dicom", "gif", "bmp", "tif", "tiff", "webp", "jp2", "jpe", "jfif"];
/// Endings of archives, in lower case.
const ARCHIVES: [&str; 2] = [".zip", ".tar"];
/// Most folders inside each other; more mean a link to a folder above.
const DEEPEST: usize = 24;

/// The images of a source.
#[derive(Debug, Default)]
pub(super) struct ImageIndex {
    /// Position of the root, and the path below it, which is empty or ends with `/`.
    folders: Vec<(usize, String)>,
    /// Extensions as they are written: a few.
    extensions: Vec<String>,
    /// Sorted by the hash of the stem.
    images: Vec<Place>,
}

/// Where an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Hash of the stem.
    stem: u64,
    folder: u32,
    extension: u16,
}

/// An image of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IndexedImage {
    /// Position of the root.
    pub root: usize,
    /// The path below the root, with `/` between the parts.
    pub name: String,
}

impl ImageIndex {
    /// The images below `roots`, which are folders and archives. Archives in the folders are not opened.
    ///
    /// # Errors
    /// Fails if a folder cannot be listed or an archive is damaged.
    pub fn of(roots: &[Root]) -> Result<Self> {
        let mut index = Self::default();
        for (root, Root { path, is_folder }) in roots.iter().enumerate() {
            if *is_folder {
                index.add_folder(root, path, "", 0, &mut Vec::new())?;
            } else {
                index.add_archive(root, path)?;
            }
        }
        index.images.sort_unstable();
        Ok(index)
    }

    /// The images below `folder`, which is root 0, and in the zip and tar files there, which are the roots that follow.
    ///
    /// # Errors
    /// Fails as [`ImageIndex::of`] does.
    pub fn with_archives(folder: &Path) -> Result<(Self, Vec<PathBuf>)> {
        let mut index = Self::default();
        let mut archives = Vec::new();
        index.add_folder(0, folder, "", 0, &mut archives)?;
        archives.sort_unstable();
        for (position, archive) in archives.iter().enumerate() {
            index.add_archive(position + 1, archive)?;
        }
        index.images.sort_unstable();
        Ok((index, archives))
    }

    fn add_folder(
        &mut self,
        root: usize,
        folder: &Path,
        below: &str,
        depth: usize,
        archives: &mut Vec<PathBuf>,
    ) -> Result<()> {
        if depth > DEEPEST {
            bail!("{}: expected at most {DEEPEST} folders inside each other, found more", folder.display());
        }
        let cannot_read = || format!("cannot read {}: expected a folder of images", folder.display());
        let place = self.new_folder(root, below);
        for entry in fs::read_dir(folder).with_context(cannot_read)? {
            let entry = entry.with_context(cannot_read)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_litter(&name) {
                continue;
            }
            let kind = entry.file_type().with_context(cannot_read)?;
            if kind.is_dir() || (kind.is_symlink() && entry.path().is_dir()) {
                self.add_folder(root, &entry.path(), &format!("{below}{name}/"), depth + 1, archives)?;
            } else if ARCHIVES.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending)) {
                archives.push(entry.path());
            } else {
                self.add(place, &name);
            }
        }
        Ok(())
    }

    fn add_archive(&mut self, root: usize, archive: &Path) -> Result<()> {
        let first = self.folders.len();
        let mut last: Option<u32> = None;
        for_each_member(archive, &mut |member, _| {
            let (folder, name) = member.split_at(member.rfind('/').map_or(0, |slash| slash + 1));
            if is_litter(name) || folder.split('/').any(is_litter) {
                return Ok(());
            }
            // Members of a folder mostly stand together.
            let is_last = last.is_some_and(|last| self.folders[last as usize].1 == folder);
            let place = match last {
                Some(last) if is_last => last,
                _ => match self.folders[first..].iter().position(|(_, known)| known == folder) {
                    Some(position) => (first + position) as u32,
                    None => self.new_folder(root, folder),
                },
            };
            last = Some(place);
            self.add(place, name);
            Ok(())
        })
        .with_context(|| format!("cannot list the images in {}", archive.display()))
    }

    fn new_folder(&mut self, root: usize, below: &str) -> u32 {
        self.folders.push((root, below.to_owned()));
        self.folders.len() as u32 - 1
    }

    fn add(&mut self, folder: u32, name: &str) {
        let Some(stem) = stem_of_image(name) else { return };
        let written = &name[stem.len() + 1..];
        let extension = self.extensions.iter().position(|known| known == written).unwrap_or_else(|| {
            self.extensions.push(written.to_owned());
            self.extensions.len() - 1
        });
        // There are as many extensions as ways to write a few short words in small and capital letters.
        self.images.push(Place { stem: hash_of(stem), folder, extension: extension as u16 });
    }

    /// Whether there is no image at all.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The images with this name, in any folder.
    pub fn named(&self, name: &str) -> Vec<IndexedImage> {
        let Some(stem) = stem_of_image(name) else { return Vec::new() };
        let mut found = self.with_stem(stem);
        found.retain(|image| last_part(&image.name) == name);
        found
    }

    /// The images with this path, with or without its extension; `anywhere`: or with more folders before it.
    pub fn matching(&self, wanted: &str, anywhere: bool) -> Vec<IndexedImage> {
        let stem = stem_of_image(last_part(wanted));
        let (mut whole, mut ends) = (Vec::new(), Vec::new());
        for image in self.with_stem(stem.unwrap_or(last_part(wanted))) {
            let known = if stem.is_some() { image.name.as_str() } else { without_extension(&image.name) };
            if known == wanted {
                whole.push(image);
            } else if anywhere && known.strip_suffix(wanted).is_some_and(|before| before.ends_with('/')) {
                ends.push(image);
            }
        }
        if whole.is_empty() { ends } else { whole }
    }

    fn with_stem(&self, stem: &str) -> Vec<IndexedImage> {
        let hash = hash_of(stem);
        let first = self.images.partition_point(|place| place.stem < hash);
        let same = self.images[first..].iter().take_while(|place| place.stem == hash);
        same.map(|place| {
            let (root, below) = &self.folders[place.folder as usize];
            let extension = &self.extensions[usize::from(place.extension)];
            IndexedImage { root: *root, name: format!("{below}{stem}.{extension}") }
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::super::ImageFiles;
    use super::*;
    use std::io::Write;

    fn zip_of(path: &Path, names: &[&str]) {
        let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(b"x").unwrap();
        }
        zip.finish().unwrap();
    }

    #[test]
    fn images_are_found_by_their_names_in_folders_and_archives() {
        let source = tempfile::tempdir().unwrap();
        let at = |name: &str| source.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        for name in ["a/one.jpg", "a/b/two.JPG", "a/b/one.jpg", "a/.DS_Store", "a/three.jpg", "a/three.png", "a/x.txt"]
        {
            fs::write(at(name), "x").unwrap();
        }
        let inside = ["train/four.jpg", "three.jpg", "train/five.jpg", "valid/five.jpg", "__MACOSX/six.jpg"];
        zip_of(&at("images.zip"), &inside);
        let mut images = ImageFiles::with_archives(source.path()).unwrap();
        let mut find = |name: &str| images.find_named(name).unwrap().map(|found| found.path);
        assert_eq!(find("two.JPG"), Ok(at("a/b/two.JPG")));
        assert_eq!(find("one.jpg"), Err("several image files have this name"));
        assert_eq!(find("five.jpg"), Err("several image files have this name"));
        assert_eq!((find("three.jpg"), find("three.png")), (Ok(at("a/three.jpg")), Ok(at("a/three.png"))));
        assert_eq!(find("four.jpg"), Ok(at("images.zip!/train/four.jpg")));
        for missing in ["six.jpg", ".DS_Store", "b/two.JPG", "../one.jpg", "two.jpg", "x.txt", "three"] {
            assert_eq!(find(missing), Err("no image file"), "{missing}");
        }
        assert!(images.remark().unwrap().starts_with("1 images are unpacked and in an archive"));
        fs::write(at("cut.zip"), "PK").unwrap();
        let error = format!("{:#}", ImageFiles::with_archives(source.path()).unwrap_err());
        assert!(error.contains("cut.zip"), "{error}");
        assert_eq!(size_of::<Place>(), 16);
    }
}
