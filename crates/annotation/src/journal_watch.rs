//! New events of other processes: the lines added to the folder's journals since the last look.

use super::event::Event;
use super::folder::{journal_files, read_lines};
use dissent_core::files::input_file;
use std::collections::HashMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Watches the annotations folder by polling.
#[derive(Clone, Debug)]
pub struct JournalWatch {
    folder: PathBuf,
    /// Number of bytes read of each journal.
    read_to: HashMap<PathBuf, u64>,
}

impl JournalWatch {
    /// Starts at the current ends of the journals. A caller that reads the folder afterwards misses nothing.
    pub fn begin(folder: &Path) -> Self {
        let mut watch = Self { folder: folder.to_path_buf(), read_to: HashMap::new() };
        for path in journal_files(folder).unwrap_or_default() {
            // The last line may still be being written, so reading begins at its start.
            let read_to = last_line(&path).unwrap_or(0);
            watch.read_to.insert(path, read_to);
        }
        watch
    }

    /// The events written since the last call, including this process's own. An incomplete line comes with a later
    /// call. A file that cannot be read is tried again later: a network share may be away for a moment.
    pub fn new_events(&mut self) -> Vec<Arc<Event>> {
        let mut events = Vec::new();
        for path in journal_files(&self.folder).unwrap_or_default() {
            let Ok(length) = fs::metadata(&path).map(|file| file.len()) else { continue };
            let read_to = self.read_to.entry(path.clone()).or_default();
            if length < *read_to {
                // The file was replaced; reading events again is harmless.
                *read_to = 0;
            }
            if length == *read_to {
                continue;
            }
            let Ok(bytes) = read_from(&path, *read_to) else { continue };
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            *read_to += whole as u64;
            events.extend(read_lines(&bytes[..whole], &path).events.into_iter().map(|(_, event)| event));
        }
        events
    }
}

/// The bytes of a file from this position on.
pub(super) fn read_from(path: &Path, place: u64) -> std::io::Result<Vec<u8>> {
    let mut file = input_file::open(path)?;
    file.seek(SeekFrom::Start(place))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The byte after the last newline. If there is none in the last `LONGEST` bytes, reading begins before them.
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
        let ids = |watch: &mut JournalWatch| watch.new_events().iter().map(|event| event.id).collect::<Vec<_>>();
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
