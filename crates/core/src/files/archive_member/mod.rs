//! Files inside a zip or tar file, and cells of a parquet or Arrow file, read as if they were files of their own.
//!
//! `PATH/images.zip!/folder/a.jpg` names a member of a zip file, `PATH/shard.tar!/key.jpg` one of a tar file,
//! `PATH/train.parquet!/image/17` the value of column `image` in row 17 (from 0, over the whole file), and
//! `PATH/data.arrow!/image/17` the same in a stream of Arrow IPC messages, as `datasets` writes it. A folder on disk that
//! is really called `images.zip!` is read as a folder.
//!
//! The index of a container stays in memory until the file changes. No member is unpacked to disk.

#[cfg(feature = "import")]
mod arrow_rows;
mod kind;
mod name_index;
mod opened;
#[cfg(feature = "import")]
mod page_cache;
#[cfg(feature = "import")]
mod page_headers;
#[cfg(feature = "import")]
mod parquet_rows;
mod tar_members;
mod zip_directory;
mod zip_members;

use super::input_file;
use kind::ContainerKind;
use opened::Container;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Separates the container from the name of the member.
const SEPARATOR: &str = "!/";

/// The parts of a path that leads into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPath {
    /// The file on disk.
    pub container: PathBuf,
    /// Name in a zip or tar file, `COLUMN/ROW` in a parquet or Arrow file.
    pub member: String,
    kind: ContainerKind,
}

impl MemberPath {
    /// The parts of `path`; `None` if it is the path of an ordinary file.
    pub fn of(path: &Path) -> Option<Self> {
        let text = path.to_str()?;
        for (at, _) in text.match_indices(SEPARATOR) {
            let Some(kind) = ContainerKind::of(&text[..at]) else { continue };
            // A folder that is really called so wins.
            if input_file::is_there(Path::new(&text[..=at])) {
                return None;
            }
            let member = text[at + SEPARATOR.len()..].to_owned();
            return Some(Self { container: text[..at].into(), member, kind });
        }
        None
    }

    fn open(&self) -> io::Result<(File, std::sync::Arc<Container>)> {
        if self.member.split('/').any(|part| part == "..") {
            let message = format!("expected a member without `..` in its name, found {:?}", self.member);
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let file = input_file::open(&self.container)?;
        let container = opened::container(&self.container, self.kind, &file)?;
        Ok((file, container))
    }

    fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        let (mut file, container) = self.open()?;
        container.read(&mut file, &self.member, most)
    }

    fn length(&self) -> io::Result<u64> {
        let (mut file, container) = self.open()?;
        container.length(&mut file, &self.member)
    }

    /// Adds the container and the member to an error.
    fn named(&self, error: &Error) -> Error {
        let (member, container) = (&self.member, self.container.display());
        Error::new(error.kind(), format!("member {member:?} of {} {container}: {error}", self.kind.name()))
    }
}

/// Reads a file, or a member of a container, of at most `most` bytes.
///
/// # Errors
/// Fails like [`input_file::read`], and if the container is damaged, of an unsupported kind or has no such member.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    match MemberPath::of(path) {
        None => input_file::read(path, most),
        Some(member) => member.read(most).map_err(|error| member.named(&error)),
    }
}

/// Length in bytes of a file or a member of a container.
///
/// # Errors
/// Fails if there is no such file or member.
pub fn length(path: &Path) -> io::Result<u64> {
    match MemberPath::of(path) {
        None => Ok(std::fs::metadata(path)?.len()),
        Some(member) => member.length().map_err(|error| member.named(&error)),
    }
}

/// The file on disk that holds this file or member: if it is unchanged, so is the member.
pub fn on_disk(path: &Path) -> Cow<'_, Path> {
    MemberPath::of(path).map_or(Cow::Borrowed(path), |member| Cow::Owned(member.container))
}

/// Calls `visit` with the name and the length of every file in a zip or tar file, in the order of the file. The names
/// are those that a path takes after `!/`.
///
/// # Errors
/// Fails if `container` is another file or damaged, and with the first error of `visit`.
pub fn for_each_member(container: &Path, visit: &mut dyn FnMut(&str, u64) -> io::Result<()>) -> io::Result<()> {
    let named = |error: Error| Error::new(error.kind(), format!("{}: {error}", container.display()));
    let mut file = input_file::open(container).map_err(named)?;
    match ContainerKind::of(&container.to_string_lossy()) {
        Some(ContainerKind::Zip) => zip_members::for_each(&mut file, visit).map_err(named),
        Some(ContainerKind::Tar) => tar_members::for_each(&mut file, visit).map_err(named),
        _ => Err(named(damaged("expected a zip or tar file".into()))),
    }
}

fn damaged(message: String) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}

fn no_member() -> Error {
    Error::new(ErrorKind::NotFound, "there is no file with this name in it")
}

fn too_long(length: u64, most: u64) -> Error {
    damaged(format!("expected at most {most} bytes, found {length}"))
}

#[cfg(test)]
mod tests;
