//! Decodes each image of a dataset once, and keeps the hash of its content and what is wrong with it.

use super::picture_print::PicturePrint;
use super::{Picture, PictureRemark, Problem};
use crate::files::fingerprint::Fingerprint;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Maximum number of files that a warning names.
const NAMED_FILES: usize = 3;

/// What is known about an image that was decoded.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Hash of the file's content.
    content: u64,
    print: Option<PicturePrint>,
}

/// Content hashes and prints of images by their paths: 2 million images take about 200 MB.
#[derive(Debug, Default)]
pub(super) struct ImageContents(FxHashMap<u64, Seen>);

impl ImageContents {
    /// Hash of the content of an image, as a case or document names it; `None` if it cannot be decoded.
    pub fn get(&self, image: &Path) -> Option<u64> {
        self.0.get(&key_of(image)).map(|seen| seen.content)
    }

    /// Print of the picture, as a case or document names it; `None` for one without, and if it cannot be decoded.
    pub fn print(&self, image: &Path) -> Option<PicturePrint> {
        self.0.get(&key_of(image))?.print
    }
}

fn key_of(image: &Path) -> u64 {
    Fingerprint::number_of(image.as_os_str().as_encoded_bytes())
}

/// A line that names an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedImage<'a> {
    pub line: usize,
    pub image: &'a Path,
}

/// An image that cannot be decoded, at the first line that names it.
struct Failed {
    file: &'static str,
    line: usize,
    message: String,
    /// Number of other lines that name it.
    others: usize,
}

/// The images with the same remark.
#[derive(Default)]
struct Remarked {
    count: usize,
    first: Vec<(PathBuf, PictureRemark)>,
}

/// A check at work.
pub(super) struct ImageChecks<'a> {
    root: &'a Path,
    /// Number of images.
    all: usize,
    done: AtomicUsize,
    progress: &'a (dyn Fn(usize, usize) + Sync),
    contents: ImageContents,
    failed: Vec<Failed>,
    /// Positions in `failed` by the hash of the path.
    failed_places: FxHashMap<u64, usize>,
    remarked: BTreeMap<&'static str, Remarked>,
}

impl<'a> ImageChecks<'a> {
    pub fn new(root: &'a Path, all: usize, progress: &'a (dyn Fn(usize, usize) + Sync)) -> Self {
        Self {
            root,
            all,
            done: AtomicUsize::new(0),
            progress,
            contents: ImageContents::default(),
            failed: Vec::new(),
            failed_places: FxHashMap::default(),
            remarked: BTreeMap::new(),
        }
    }

    /// The hashes so far.
    pub fn contents(&self) -> &ImageContents {
        &self.contents
    }

    /// Decodes the images that no earlier line names, on all cores.
    pub fn look_at(&mut self, file: &'static str, named: &[NamedImage]) {
        let mut new_keys = FxHashSet::default();
        let new: Vec<(u64, NamedImage)> = named
            .iter()
            .map(|one| (key_of(one.image), *one))
            .filter(|(key, _)| {
                !self.contents.0.contains_key(key) && !self.failed_places.contains_key(key) && new_keys.insert(*key)
            })
            .collect();
        let results: Vec<Result<(Seen, Vec<PictureRemark>), String>> = new
            .par_iter()
            .map(|(_, one)| {
                let result = Picture::read_with_remarks(&self.root.join(one.image));
                (self.progress)(self.done.fetch_add(1, Ordering::Relaxed) + 1, self.all);
                result
                    .map(|(picture, remarks)| {
                        let print = PicturePrint::of(&picture);
                        (Seen { content: picture.fingerprint.number(), print }, remarks)
                    })
                    .map_err(|error| format!("{error:#}"))
            })
            .collect();
        for ((key, one), result) in new.into_iter().zip(results) {
            match result {
                Ok((seen, remarks)) => {
                    self.contents.0.insert(key, seen);
                    for remark in remarks {
                        self.remark(one.image, remark);
                    }
                }
                Err(message) => {
                    self.failed_places.insert(key, self.failed.len());
                    self.failed.push(Failed { file, line: one.line, message, others: 0 });
                }
            }
        }
        if self.failed.is_empty() {
            return;
        }
        for one in named {
            if let Some(place) = self.failed_places.get(&key_of(one.image)) {
                let failed = &mut self.failed[*place];
                failed.others += usize::from((failed.file, failed.line) != (file, one.line));
            }
        }
    }

    fn remark(&mut self, image: &Path, remark: PictureRemark) {
        let remarked = self.remarked.entry(remark.kind()).or_default();
        remarked.count += 1;
        if remarked.first.len() < NAMED_FILES {
            remarked.first.push((image.into(), remark));
        }
    }

    /// The hashes, and the problems: one per image that cannot be decoded, one warning per kind of remark.
    pub fn finish(self) -> (ImageContents, Vec<Problem>) {
        let mut problems: Vec<Problem> = self.failed.into_iter().map(|failed| failed.problem(self.root)).collect();
        problems.extend(self.remarked.iter().map(|(kind, remarked)| remarked.problem(self.root, kind)));
        (self.contents, problems)
    }
}

impl Failed {
    fn problem(self, root: &Path) -> Problem {
        let message = match self.others {
            0 => self.message,
            others => format!("{} (and {others} more lines name it)", self.message),
        };
        Problem::error(&root.join(self.file), message).in_field("image").at_line(self.line)
    }
}

impl Remarked {
    fn problem(&self, root: &Path, kind: &str) -> Problem {
        let named: Vec<String> =
            self.first.iter().map(|(image, remark)| format!("{}: {remark}", image.display())).collect();
        let others = if self.count > NAMED_FILES { "; …" } else { "" };
        Problem::warning(root, format!("images {kind}: {} ({}{others})", self.count, named.join("; ")))
    }
}
