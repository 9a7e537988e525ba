//! Packs `sample-data/` into one compressed archive, which `dissent demo` carries inside the binary.
//!
//! The archive depends on names and contents alone: same files, same bytes.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("sample-data");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for part in ["dataset", "models"] {
        collect(&root.join(part), &mut files)?;
    }
    files.sort();
    let target = PathBuf::from(std::env::var("OUT_DIR")?).join("sample.tar.gz");
    // PNG files and weights hardly shrink: a higher level would only cost time at each build.
    let mut archive = Builder::new(GzEncoder::new(File::create(target)?, Compression::new(6)));
    for file in &files {
        append(&mut archive, &root, file)?;
    }
    archive.into_inner()?.finish()?;
    Ok(())
}

/// Every file below a folder, hidden ones left out (a workspace, say).
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn append(archive: &mut Builder<GzEncoder<File>>, root: &Path, file: &Path) -> Result<(), Box<dyn Error>> {
    let content = fs::read(file)?;
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_cksum();
    archive.append_data(&mut header, file.strip_prefix(root)?, content.as_slice())?;
    Ok(())
}
