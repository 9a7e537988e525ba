//! The indexes of the containers in use, kept for the whole program within a bound. An index belongs to one state of
//! its file: after a change the file is read again.

use super::kind::ContainerKind;
use super::tar_members::TarMembers;
use super::zip_members::ZipMembers;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

/// Memory for all indexes, in bytes; the one used last is always kept.
const MOST_INDEX_BYTES: usize = 512 << 20;
/// Maximum number of indexes.
const MOST_CONTAINERS: usize = 4096;

/// The index of a container.
#[derive(Debug)]
pub(super) enum Container {
    Zip(ZipMembers),
    Tar(TarMembers),
    #[cfg(feature = "import")]
    Parquet(super::parquet_rows::ParquetRows),
    #[cfg(feature = "import")]
    Arrow(super::arrow_rows::ArrowRows),
}

impl Container {
    fn read_index(kind: ContainerKind, file: &File) -> io::Result<Self> {
        let mut file = file;
        match kind {
            ContainerKind::Zip => ZipMembers::read(&mut file).map(Self::Zip),
            ContainerKind::Tar => TarMembers::read(&mut file).map(Self::Tar),
            #[cfg(feature = "import")]
            ContainerKind::Parquet => super::parquet_rows::ParquetRows::read(file).map(Self::Parquet),
            #[cfg(feature = "import")]
            ContainerKind::Arrow => super::arrow_rows::ArrowRows::read(&mut file).map(Self::Arrow),
            #[cfg(not(feature = "import"))]
            ContainerKind::Parquet | ContainerKind::Arrow => {
                let message = format!("this build cannot read a {}; build it with the feature `import`", kind.name());
                Err(Error::new(ErrorKind::Unsupported, message))
            }
            ContainerKind::CompressedTar => Err(ContainerKind::compressed()),
        }
    }

    /// The content of a member of at most `most` bytes.
    pub fn read(&self, file: &mut File, member: &str, most: u64) -> io::Result<Vec<u8>> {
        match self {
            Self::Zip(members) => members.content(file, member, most),
            Self::Tar(members) => members.content(file, member, most),
            #[cfg(feature = "import")]
            Self::Parquet(rows) => rows.content(file, member, most),
            #[cfg(feature = "import")]
            Self::Arrow(rows) => rows.content(file, member, most),
        }
    }

    pub fn length(&self, file: &mut File, member: &str) -> io::Result<u64> {
        match self {
            Self::Zip(members) => members.length(file, member),
            Self::Tar(members) => members.length(file, member),
            #[cfg(feature = "import")]
            Self::Parquet(rows) => rows.length(file, member),
            #[cfg(feature = "import")]
            Self::Arrow(rows) => rows.length(file, member),
        }
    }

    /// Memory in bytes.
    fn size(&self) -> usize {
        match self {
            Self::Zip(members) => members.size(),
            Self::Tar(members) => members.size(),
            #[cfg(feature = "import")]
            Self::Parquet(rows) => rows.size(),
            #[cfg(feature = "import")]
            Self::Arrow(rows) => rows.size(),
        }
    }
}

/// What the file system changes together with the content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileState {
    length: u64,
    modified: Option<SystemTime>,
    numbers: [i64; 4],
}

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        Self { length: metadata.len(), modified: metadata.modified().ok(), numbers: Self::numbers_of(metadata) }
    }

    #[cfg(unix)]
    fn numbers_of(metadata: &Metadata) -> [i64; 4] {
        use std::os::unix::fs::MetadataExt;
        [metadata.dev() as i64, metadata.ino() as i64, metadata.ctime(), metadata.ctime_nsec()]
    }

    #[cfg(not(unix))]
    fn numbers_of(_metadata: &Metadata) -> [i64; 4] {
        [0; 4]
    }
}

/// The result of reading an index; the damage of a container is kept too, so that a million members do not read it again.
type Indexed = Result<Arc<Container>, String>;

/// The place of an index that one thread reads while others wait.
#[derive(Debug)]
struct Slot {
    state: FileState,
    index: Arc<Mutex<Option<Indexed>>>,
    size: usize,
    last_used: u64,
}

#[derive(Debug, Default)]
struct Opened {
    slots: HashMap<PathBuf, Slot>,
    clock: u64,
}

fn opened() -> &'static Mutex<Opened> {
    static OPENED: OnceLock<Mutex<Opened>> = OnceLock::new();
    OPENED.get_or_init(Mutex::default)
}

/// The index of this container, whose opened file is `file`.
///
/// # Errors
/// Fails if the file cannot be read or is damaged.
pub(super) fn container(path: &Path, kind: ContainerKind, file: &File) -> io::Result<Arc<Container>> {
    let state = FileState::of(&file.metadata()?);
    let index = opened().lock().unwrap_or_else(PoisonError::into_inner).index(path, &state);
    let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = &*index {
        return known.clone().map_err(|message| Error::new(ErrorKind::InvalidData, message));
    }
    match Container::read_index(kind, file) {
        Ok(container) => {
            let container = Arc::new(container);
            *index = Some(Ok(container.clone()));
            let size = container.size();
            opened().lock().unwrap_or_else(PoisonError::into_inner).make_room(path, size);
            Ok(container)
        }
        Err(error) => {
            // Other errors may be gone the next time.
            if error.kind() == ErrorKind::InvalidData {
                *index = Some(Err(error.to_string()));
            }
            Err(error)
        }
    }
}

impl Opened {
    fn index(&mut self, path: &Path, state: &FileState) -> Arc<Mutex<Option<Indexed>>> {
        self.clock += 1;
        if let Some(slot) = self.slots.get_mut(path)
            && slot.state == *state
        {
            slot.last_used = self.clock;
            return slot.index.clone();
        }
        let index = Arc::new(Mutex::new(None));
        let slot = Slot { state: state.clone(), index: index.clone(), size: 0, last_used: self.clock };
        self.slots.insert(path.into(), slot);
        index
    }

    fn make_room(&mut self, path: &Path, size: usize) {
        if let Some(slot) = self.slots.get_mut(path) {
            slot.size = size;
        }
        while self.slots.len() > MOST_CONTAINERS
            || (self.slots.len() > 1 && self.slots.values().map(|slot| slot.size).sum::<usize>() > MOST_INDEX_BYTES)
        {
            let others = self.slots.iter().filter(|(other, _)| *other != path);
            let oldest = others.min_by_key(|(_, slot)| slot.last_used).map(|(other, _)| other.clone());
            let Some(oldest) = oldest else { return };
            self.slots.remove(&oldest);
        }
    }
}
