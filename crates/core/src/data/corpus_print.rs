//! The fingerprint of a corpus, which everything that is built from the corpus stores: every field of every document in order,
//! and the contents of the image files.
//!
//! Two million images cannot be asked for their state at each start. The fingerprint of a large corpus is noted beside its
//! documents, and the note holds as long as `corpus.jsonl` and the folders and containers of the images are in the same state. An
//! image that is written over in place changes no folder; [`Dataset::remark_on_changed_images`] looks at every file.

use super::Dataset;
use super::corpus::Kept;
use crate::files::durable::write_file;
use crate::files::file_state::state_of_all;
use crate::files::fingerprint::{Fingerprint, PartsHasher};
use crate::files::input_file;
use std::path::{Path, PathBuf};

/// Images whose files are looked at together.
const BATCH: usize = 1 << 16;
/// File beside the documents of a large corpus: the states of `corpus.jsonl` and of the images' places, and the fingerprint.
const NOTE: &str = "fingerprint";

impl Dataset {
    /// Fingerprint of the corpus. That of a large corpus may be one that was noted, see [`Self::remark_on_changed_images`].
    pub fn corpus_fingerprint(&self) -> Fingerprint {
        self.noted_fingerprint().unwrap_or_else(|| self.corpus_fingerprint_now())
    }

    /// Fingerprint of the corpus with all image files as they are now.
    pub fn corpus_fingerprint_now(&self) -> Fingerprint {
        let places = self.corpus.kept().map(|kept| self.state_of_image_places(kept));
        let mut parts = PartsHasher::default();
        let mut rows = self.document_rows();
        while !rows.is_empty() {
            let batch = rows.start..rows.end.min(rows.start + BATCH);
            rows.start = batch.end;
            let images: Vec<PathBuf> =
                batch.clone().map(|row| self.image_path(self.corpus.document(row).image)).collect();
            let contents = self.identities.contents_now(&self.root, &images);
            for (row, content) in batch.zip(contents) {
                let document = self.corpus.document(row);
                parts.add(document.id);
                parts.add(&document.image.to_string_lossy());
                parts.add(content.as_ref().map_or("missing", Fingerprint::as_str));
                parts.add(document.caption);
                parts.add(document.source.unwrap_or_default());
                parts.add(document.group.unwrap_or_default());
            }
        }
        self.identities.save();
        let found = parts.finish();
        if let (Some(kept), Some((before, true))) = (self.corpus.kept(), places)
            && self.state_of_image_places(kept) == (before.clone(), true)
        {
            // Without the note all files are looked at again, which is slow but correct.
            let _ = write_file(&note_of(kept), format!("{} {before} {found}\n", kept.state).as_bytes());
        }
        found
    }

    /// What to tell the user if an image is not the one that [`Self::corpus_fingerprint`] took it for. Looks at every file of a
    /// large corpus, which takes seconds for a million; there is nothing to look at in a small one.
    pub fn remark_on_changed_images(&self) -> Option<String> {
        let noted = self.noted_fingerprint()?;
        (noted != self.corpus_fingerprint_now()).then(|| {
            "images of the corpus were written over in place, so that its index is stale: start again, and it is made anew".into()
        })
    }

    fn noted_fingerprint(&self) -> Option<Fingerprint> {
        let kept = self.corpus.kept()?;
        let text = input_file::read_text(&note_of(kept), 128).ok()?;
        let mut words = text.split_ascii_whitespace().map(Fingerprint::parse);
        let (corpus, places, found) = (words.next()??, words.next()??, words.next()??);
        (corpus == kept.state && places == self.state_of_image_places(kept).0).then_some(found)
    }

    fn state_of_image_places(&self, kept: &Kept) -> (Fingerprint, bool) {
        // The note holds however the dataset is named.
        let root = self.root.canonicalize().unwrap_or_else(|_| self.root.clone());
        state_of_all(kept.image_places.iter().map(|place| root.join(place)))
    }
}

fn note_of(kept: &Kept) -> PathBuf {
    kept.file.parent().unwrap_or(Path::new("")).join(NOTE)
}
