//! The pictures of SLAKE: a folder `imgs`, or the `imgs.zip` of its Hugging Face copy, which is not unpacked.

use crate::files::archive_member;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where the pictures are.
pub(super) enum Pictures {
    Folder(PathBuf),
    /// The paths of the members by the number of their picture.
    Zip(HashMap<u32, PathBuf>),
}

impl Pictures {
    /// Finds the pictures beside the JSON files.
    ///
    /// # Errors
    /// Fails if there is neither `imgs` nor `imgs.zip`, or the zip file is damaged.
    pub fn find(source: &Path) -> Result<Self> {
        let folder = source.join("imgs");
        if folder.is_dir() {
            return Ok(Self::Folder(folder));
        }
        let zip = source.join("imgs.zip");
        if !zip.is_file() {
            bail!("{}: expected the folder imgs or the file imgs.zip, found neither", source.display());
        }
        let mut members = HashMap::new();
        archive_member::for_each_member(&zip, &mut |name, _| {
            if let Some(number) = picture_number(name) {
                members.entry(number).or_insert_with(|| PathBuf::from(format!("{}!/{name}", zip.display())));
            }
            Ok(())
        })
        .context("cannot list the pictures")?;
        if members.is_empty() {
            bail!("{}: expected members that end in xmlabN/source.jpg, found none", zip.display());
        }
        Ok(Self::Zip(members))
    }

    /// The path of a picture; `None` if it is not there.
    pub fn path_of(&self, picture: u32) -> Option<PathBuf> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(format!("xmlab{picture}")).join("source.jpg");
                path.is_file().then_some(path)
            }
            Self::Zip(members) => members.get(&picture).cloned(),
        }
    }
}

/// The number in `imgs/xmlab12/source.jpg`; `None` for masks, other files and what macOS adds.
fn picture_number(member: &str) -> Option<u32> {
    let mut parts = member.rsplit('/');
    if parts.next() != Some("source.jpg") || member.starts_with("__MACOSX/") {
        return None;
    }
    parts.next()?.strip_prefix("xmlab")?.parse().ok()
}
