//! What others write while one is at work: the lines that were added to the folder's journals since one last looked.

use super::event::Event;
use super::folder::{journal_files, read_lines};
use crate::files::input_file;
use std::collections::HashMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A look at the annotations folder from time to time.
#[derive(Clone, Debug)]
pub struct JournalWatch {
    folder: PathBuf,
    /// Up to which byte each journal was read.
    read_to: HashMap<PathBuf, u64>,
}

impl JournalWatch {
    /// Begins with what is there now; whoever reads the folder afterwards misses nothing.
    pub fn begin(folder: &Path) -> Self {
        let mut watch = Self { folder: folder.to_path_buf(), read_to: HashMap::new() };
        for path in journal_files(folder).unwrap_or_default() {
            // From the beginning of the last line, which may be under way.
            let read_to = last_line(&path).unwrap_or(0);
            watch.read_to.insert(path, read_to);
        }
        watch
    }

    /// The events that were written since, one's own included; a line that is still being written comes the next time.
    /// Where a file cannot be read it is looked at again later: a share that is away for a moment is no trouble.
    pub fn news(&mut self) -> Vec<Arc<Event>> {
        let mut news = Vec::new();
        for path in journal_files(&self.folder).unwrap_or_default() {
            let Ok(length) = fs::metadata(&path).map(|file| file.len()) else { continue };
            let read_to = self.read_to.entry(path.clone()).or_default();
            if length < *read_to {
                // Somebody put another file there: reading events again is harmless.
                *read_to = 0;
            }
            if length == *read_to {
                continue;
            }
            let Ok(bytes) = read_from(&path, *read_to) else { continue };
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            *read_to += whole as u64;
            news.extend(read_lines(&bytes[..whole], &path).events.into_iter().map(|(_, event)| event));
        }
        news
    }
}

/// The bytes of a file from this place on.
pub(super) fn read_from(path: &Path, place: u64) -> std::io::Result<Vec<u8>> {
    let mut file = input_file::open(path)?;
    file.seek(SeekFrom::Start(place))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the last line begins that ends in a newline, or the one after it. A line is shorter than this, or the whole file is
/// read again.
fn last_line(path: &Path) -> std::io::Result<u64> {
    const LONGEST: u64 = 1 << 16;
    let length = fs::metadata(path)?.len();
    let begin = length.saturating_sub(LONGEST);
    let bytes = read_from(path, begin)?;
    Ok(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| begin + last as u64 + 1))
}

#[cfg(test)]
mod tests {
    use super::super::{EventContext, EventKind, Journal};
    use super::*;
    use std::io::Write;

    #[test]
    fn what_others_write_is_heard_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut ada = Journal::open(folder.path(), "ada", "box").unwrap();
        let mut append = |case: &str| ada.append(case, EventKind::Skip, EventContext::default()).unwrap().id;
        append("c1");
        let mut watch = JournalWatch::begin(folder.path());
        let ids = |watch: &mut JournalWatch| watch.news().iter().map(|event| event.id).collect::<Vec<_>>();
        assert!(ids(&mut watch).is_empty(), "what was there before is read by others");
        let second = append("c2");
        assert_eq!((ids(&mut watch), ids(&mut watch)), (vec![second], vec![]));

        let path = folder.path().join("bob@box.jsonl");
        let mut bob = Journal::open(folder.path(), "bob", "box").unwrap();
        let line = bob.append("c1", EventKind::Skip, EventContext::default()).unwrap();
        drop(bob);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert!(ids(&mut watch).is_empty(), "the line is under way");
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&whole[whole.len() - 9..]).unwrap();
        assert_eq!(ids(&mut watch), [line.id]);

        fs::write(&path, "").unwrap();
        assert!(ids(&mut watch).is_empty());
        fs::write(&path, &whole).unwrap();
        assert_eq!(ids(&mut watch), [line.id], "a file that was put there is read from its beginning");
    }
}
