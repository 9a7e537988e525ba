//! Finds images by their base names, in folders and in zip and tar files, without asking the file system once per row. The
//! names themselves are not kept: 1.6 million images take about 40 MB.

use crate::files::archive_member::for_each_member;
use crate::files::litter::is_litter;
use anyhow::{Context, Result, bail};
use rustc_hash::FxHashMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

/// Most folders inside each other.
const DEEPEST: usize = 8;

/// The images of a source.
#[derive(Default)]
pub(super) struct ImageStore {
    hasher: RandomState,
    /// Beginnings of paths: `/data/images/` or `/data/images.zip!/train/`.
    folders: Vec<Folder>,
    /// Hash of a base name, with the position of its folder.
    places: FxHashMap<u64, Place>,
    /// Number of names that are both files and members of an archive.
    pub unpacked_too: usize,
}

struct Folder {
    start: String,
    is_in_archive: bool,
}

#[derive(Clone, Copy)]
enum Place {
    In(u32),
    /// In two folders, so that nobody knows which one is meant.
    Several,
}

/// What is known about an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FoundImage {
    At(PathBuf),
    Missing,
    /// Several files have the name.
    Several,
}

impl ImageStore {
    /// Lists every file below `folder`, and every member of the zip and tar files there. A file is preferred to a member of
    /// the same name, because somebody unpacked it.
    ///
    /// # Errors
    /// Fails if a folder cannot be listed or an archive is damaged.
    pub fn below(folder: &Path) -> Result<Self> {
        let mut store = Self::default();
        let mut archives = Vec::new();
        store.add_files(&std::path::absolute(folder)?, DEEPEST, &mut archives)?;
        archives.sort_unstable();
        for archive in archives {
            store.add_archive(&archive)?;
        }
        Ok(store)
    }

    fn add_files(&mut self, folder: &Path, depth: usize, archives: &mut Vec<PathBuf>) -> Result<()> {
        let cannot_list = || format!("cannot list the folder {}", folder.display());
        let Some(start) = folder.to_str() else {
            bail!("{}: expected a path in UTF-8, because a dataset is UTF-8, found other bytes", folder.display());
        };
        let place = self.new_folder(format!("{}/", start.trim_end_matches('/')), false);
        for entry in fs::read_dir(folder).with_context(cannot_list)? {
            let entry = entry.with_context(cannot_list)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !is_litter(name)) else { continue };
            let kind = entry.file_type().with_context(cannot_list)?;
            let is_folder = kind.is_dir() || (kind.is_symlink() && entry.path().is_dir());
            if is_folder {
                if depth > 0 {
                    self.add_files(&entry.path(), depth - 1, archives)?;
                }
            } else if [".zip", ".tar"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending)) {
                archives.push(entry.path());
            } else {
                self.add(name, place);
            }
        }
        Ok(())
    }

    /// Adds the members of a zip or tar file.
    ///
    /// # Errors
    /// Fails if the file is damaged.
    pub fn add_archive(&mut self, archive: &Path) -> Result<()> {
        let mut last: Option<(String, u32)> = None;
        for_each_member(archive, &mut |member, _| {
            let (folder, name) = member.rsplit_once('/').unwrap_or(("", member));
            if is_litter(name) || folder.split('/').any(is_litter) {
                return Ok(());
            }
            let place = match &last {
                Some((known, place)) if known == folder => *place,
                _ => {
                    let slash = if folder.is_empty() { "" } else { "/" };
                    let place = self.new_folder(format!("{}!/{folder}{slash}", archive.display()), true);
                    last = Some((folder.to_owned(), place));
                    place
                }
            };
            self.add(name, place);
            Ok(())
        })
        .with_context(|| format!("cannot list the images in {}", archive.display()))
    }

    /// The position of a folder, which is a new one unless it was added just before or, in an archive, anywhere before.
    fn new_folder(&mut self, start: String, is_in_archive: bool) -> u32 {
        if is_in_archive && let Some(known) = self.folders.iter().position(|folder| folder.start == start) {
            return known as u32;
        }
        self.folders.push(Folder { start, is_in_archive });
        self.folders.len() as u32 - 1
    }

    fn add(&mut self, name: &str, place: u32) {
        let key = self.hasher.hash_one(name);
        let Some(before) = self.places.get_mut(&key) else {
            self.places.insert(key, Place::In(place));
            return;
        };
        let is_archived = |place: u32| self.folders.get(place as usize).is_some_and(|folder| folder.is_in_archive);
        match *before {
            Place::In(first) if !is_archived(first) && is_archived(place) => self.unpacked_too += 1,
            _ => *before = Place::Several,
        }
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Finds an image by its base name.
    pub fn find(&self, name: &str) -> FoundImage {
        match self.places.get(&self.hasher.hash_one(name)) {
            None => FoundImage::Missing,
            Some(Place::Several) => FoundImage::Several,
            Some(Place::In(place)) => match self.folders.get(*place as usize) {
                Some(folder) => FoundImage::At(format!("{}{name}", folder.start).into()),
                None => FoundImage::Missing,
            },
        }
    }
}

/// The reason for which rows without one image file are left out.
pub(super) fn reason_of(found: &FoundImage) -> &'static str {
    match found {
        FoundImage::Several => "several image files have its name",
        FoundImage::Missing | FoundImage::At(_) => "no image file",
    }
}

#[cfg(test)]
mod tests {
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
    fn images_are_found_by_base_name_in_folders_and_archives() {
        let source = tempfile::tempdir().unwrap();
        let at = |name: &str| source.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        for name in ["a/one.jpg", "a/b/two.jpg", "a/b/one.jpg", "a/.DS_Store", "a/three.jpg"] {
            fs::write(at(name), "x").unwrap();
        }
        let inside = ["train/four.jpg", "three.jpg", "train/five.jpg", "valid/five.jpg", "__MACOSX/six.jpg"];
        zip_of(&at("images.zip"), &inside);
        let store = ImageStore::below(source.path()).unwrap();
        assert_eq!(store.find("two.jpg"), FoundImage::At(at("a/b/two.jpg")));
        assert_eq!(store.find("one.jpg"), FoundImage::Several);
        assert_eq!(store.find("five.jpg"), FoundImage::Several);
        assert_eq!((store.find("three.jpg"), store.unpacked_too), (FoundImage::At(at("a/three.jpg")), 1));
        assert_eq!(store.find("four.jpg"), FoundImage::At(at("images.zip!/train/four.jpg")));
        for missing in ["six.jpg", ".DS_Store", "b/two.jpg", "../one.jpg"] {
            assert_eq!(store.find(missing), FoundImage::Missing, "{missing}");
        }
        fs::write(at("cut.zip"), "PK").unwrap();
        let error = format!("{:#}", ImageStore::below(source.path()).err().unwrap());
        assert!(error.contains("cut.zip"), "{error}");
    }
}
