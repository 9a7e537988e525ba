//! A journal's file: one writer, whole lines, and nothing lost if locks do not work or somebody replaces the file.

use anyhow::{Context, Result};
use dissent_core::files::input_file;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// An open file, and the lines that this process wrote to it.
#[derive(Debug)]
pub(super) struct JournalFile {
    folder: PathBuf,
    stem: String,
    path: PathBuf,
    file: File,
    /// Length of the file after our last write. If it has changed, another program writes to it.
    length: u64,
    /// The file ends in an incomplete line; a newline must be written before the next line.
    torn: bool,
    /// The lines acknowledged so far. They are written again if we have to continue in another file: the old one may
    /// be gone, and repeated lines are harmless.
    acknowledged: Vec<u8>,
    /// The acknowledged lines are not in this file yet.
    owes_acknowledged: bool,
}

impl JournalFile {
    /// Opens `<stem>.jsonl`, or a new file if another process has locked that one or locks do not work there.
    pub fn open(folder: &Path, stem: &str) -> Result<Self> {
        let plain = folder.join(format!("{stem}.jsonl"));
        let file = open_append(&plain)?;
        let (path, mut file) = if file.try_lock().is_ok() { (plain, file) } else { open_own(folder, stem)? };
        let (length, torn) = end_of(&mut file).with_context(|| format!("cannot read journal {}", path.display()))?;
        Ok(Self {
            folder: folder.into(),
            stem: stem.into(),
            path,
            file,
            length,
            torn,
            acknowledged: Vec::new(),
            owes_acknowledged: false,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one line, newline included, and returns once it is on disk.
    ///
    /// # Errors
    /// Fails if the line could not be written; the file then has its old length.
    pub fn append(&mut self, line: &[u8]) -> Result<()> {
        if !self.is_ours() {
            self.move_on()?;
        }
        self.write(line)?;
        if !self.is_ours() {
            // Another program wrote at the same time, so the line may be in pieces. Repeating it is harmless.
            self.move_on()?;
            self.write(line)?;
        }
        self.acknowledged.extend_from_slice(line);
        Ok(())
    }

    /// Whether the open file still has this name and the length we left it with. A lock that does not reach another
    /// machine, a restored copy and a `git checkout` all break one of these.
    fn is_ours(&self) -> bool {
        let (Ok(open), Ok(named)) = (self.file.metadata(), fs::metadata(&self.path)) else { return false };
        open.len() == self.length && is_same_file(&open, &named)
    }

    /// Continues in a new file that no other program shares.
    fn move_on(&mut self) -> Result<()> {
        let (path, file) = open_own(&self.folder, &self.stem)?;
        let _ = self.file.unlock();
        (self.path, self.file, self.length, self.torn) = (path, file, 0, false);
        self.owes_acknowledged = !self.acknowledged.is_empty();
        Ok(())
    }

    /// Writes the line, after what must precede it. On an error the file has its old length.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut bytes = if self.torn { vec![b'\n'] } else { Vec::new() };
        if self.owes_acknowledged {
            bytes.extend_from_slice(&self.acknowledged);
        }
        bytes.extend_from_slice(line);
        let whole = self.length + bytes.len() as u64;
        if let Err(error) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            // Never cut off another program's bytes.
            let may_cut = self.file.metadata().is_ok_and(|metadata| metadata.len() <= whole);
            if !may_cut || self.file.set_len(self.length).is_err() {
                self.torn = true;
                self.length = self.file.metadata().map_or(u64::MAX, |metadata| metadata.len());
            }
            return Err(error);
        }
        self.torn = false;
        self.owes_acknowledged = false;
        self.length = whole;
        Ok(())
    }
}

impl Drop for JournalFile {
    /// Releases the lock now. Closing the file is not enough: a process that is just being started may still have the
    /// handle that it inherited.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// A new file with a name that no other process can choose.
fn open_own(folder: &Path, stem: &str) -> Result<(PathBuf, File)> {
    let own = folder.join(format!("{stem}-{}.jsonl", Uuid::now_v7()));
    let file = open_append(&own)?;
    // The unique name keeps others out; the lock is for programs that check for one.
    let _ = file.try_lock();
    Ok((own, file))
}

/// Opens for appending and makes the name itself survive a power loss.
fn open_append(path: &Path) -> Result<File> {
    let is_new = !path.exists();
    if !is_new {
        // A FIFO or device of this name is no journal, and writing to it acknowledges nothing.
        input_file::open(path).with_context(|| format!("cannot open journal {}", path.display()))?;
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .open(path)
        .with_context(|| format!("cannot open journal {} for writing", path.display()))?;
    if is_new && let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|handle| handle.sync_all())
            .with_context(|| format!("cannot sync folder {}", folder.display()))?;
    }
    Ok(file)
}

/// Length of the file, and whether it ends inside a line.
fn end_of(file: &mut File) -> io::Result<(u64, bool)> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok((0, false));
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok((length, last != *b"\n"))
}

#[cfg(unix)]
fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    one.dev() == other.dev() && one.ino() == other.ino()
}

/// Other systems do not allow replacing an open file.
#[cfg(not(unix))]
fn is_same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}
