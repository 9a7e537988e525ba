//! Prints of pictures by the content of their files. They are kept on disk, because a print needs the decoded picture.

use super::{Picture, PicturePrint};
use crate::files::durable::write_file;
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file;
use crate::files::known_files::notes_folder;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};

/// Maximum size of a table: two million prints.
const LARGEST_TABLE: u64 = 170 << 20;
/// What a line has in place of a print if the picture has none.
const NO_PRINT: &str = "-";

/// What is known of one picture; `None` if it has no print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownPrint(pub Option<PicturePrint>);

/// Prints by the number of the content's fingerprint; `None` for a picture without a print.
#[derive(Debug)]
pub(super) struct KnownPrints {
    /// `None` keeps them in memory only.
    table: Option<PathBuf>,
    prints: FxHashMap<u64, Option<PicturePrint>>,
    is_new: bool,
}

impl KnownPrints {
    /// The prints of the images of this folder (a dataset), with those of earlier starts.
    pub fn of_folder(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let name = Fingerprint::of_bytes(folder.as_os_str().as_encoded_bytes());
        Self::in_table(notes_folder().map(|notes| notes.join(format!("prints-{name}.tsv"))))
    }

    fn in_table(table: Option<PathBuf>) -> Self {
        let text =
            table.as_ref().and_then(|table| input_file::read_text(table, LARGEST_TABLE).ok()).unwrap_or_default();
        let mut prints = FxHashMap::default();
        for line in text.lines() {
            let Some((content, print)) = line.split_once('\t') else { continue };
            let Some(content) = Fingerprint::parse(content) else { continue };
            match PicturePrint::parse(print) {
                None if print != NO_PRINT => {}
                print => drop(prints.insert(content.number(), print)),
            }
        }
        Self { table, prints, is_new: false }
    }

    /// What was found for a picture with this content, if it was asked for before.
    pub fn get(&self, content: &Fingerprint) -> Option<KnownPrint> {
        self.prints.get(&content.number()).copied().map(KnownPrint)
    }

    /// Keeps the print of a decoded picture.
    pub fn insert(&mut self, picture: &Picture) -> Option<PicturePrint> {
        let print = PicturePrint::of(picture);
        self.prints.insert(picture.fingerprint.number(), print);
        self.is_new = true;
        print
    }
}

impl Drop for KnownPrints {
    fn drop(&mut self) {
        let Some(table) = self.table.as_ref().filter(|_| self.is_new) else { return };
        let mut text = String::with_capacity(self.prints.len() * 82);
        for (content, print) in &self.prints {
            let print = print.map_or_else(|| NO_PRINT.into(), PicturePrint::to_hex);
            text.push_str(&format!("{content:016x}\t{print}\n"));
        }
        // Without the table the pictures are decoded again next time, which is slow but correct.
        let _ = write_file(table, text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage, Luma};

    fn picture(name: &str, image: GrayImage) -> Picture {
        let fingerprint = Fingerprint::of_bytes(name.as_bytes());
        Picture { path: name.into(), fingerprint, image: DynamicImage::ImageLuma8(image), window: None }
    }

    #[test]
    fn prints_are_kept_between_starts() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("prints.tsv");
        let flat = picture("flat", GrayImage::from_pixel(9, 9, Luma([80])));
        let slope = picture("slope", GrayImage::from_fn(40, 40, |x, y| Luma([(x * 5 + y % 3) as u8])));
        let mut known = KnownPrints::in_table(Some(table.clone()));
        assert_eq!((known.get(&flat.fingerprint), known.insert(&flat)), (None, None));
        let print = known.insert(&slope);
        assert!(print.is_some());
        drop(known);
        let mut text = std::fs::read_to_string(&table).unwrap();
        text.push_str("torn");
        std::fs::write(&table, text).unwrap();
        let known = KnownPrints::in_table(Some(table));
        assert_eq!(
            (known.get(&flat.fingerprint), known.get(&slope.fingerprint)),
            (Some(KnownPrint(None)), Some(KnownPrint(print)))
        );
    }
}
