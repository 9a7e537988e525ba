//! Writes a pool: many small files, quickly. A lost pool can be drawn again from its seed, so nothing is synced.
//! `dataset.toml` is written last; a folder without it is no dataset.

use crate::data::{CASES_FILE, CORPUS_FILE, Case, Document, MANIFEST_FILE, Manifest, Task};
use crate::files::durable::make_folder;
use crate::phantom::LICENCE;
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

/// Stands beside `cases.jsonl` if each case is read with one given document: `{"case": id, "document": id}` lines.
pub const PAIRS_FILE: &str = "pairs.jsonl";
/// Items drawn at a time: enough for every core, few enough for little memory.
const CHUNK: usize = 1000;

/// A case and the one document it is read with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    pub case: String,
    pub document: String,
}

/// The images, cases and documents of one item of a pool.
#[derive(Default)]
pub struct Item {
    /// Path within the dataset, and the file's bytes.
    pub images: Vec<(String, Vec<u8>)>,
    pub cases: Vec<Case>,
    pub documents: Vec<Document>,
    pub pairs: Vec<Pair>,
}

/// Draws `total` items and writes them with their manifest.
pub fn write_folder(
    out: &Path,
    name: &str,
    tasks: Vec<Task>,
    total: usize,
    item: impl Fn(usize) -> Result<Item> + Sync,
) -> Result<()> {
    make_folder(out)?;
    let mut entries = fs::read_dir(out).with_context(|| format!("cannot read folder {}", out.display()))?;
    ensure!(entries.next().is_none(), "expected a new or empty folder for the pool, found files in {}", out.display());
    for thousand in 0..=(total - 1) / 1000 {
        let folder = out.join(format!("images/{thousand:03}"));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create folder {}", folder.display()))?;
    }
    let mut cases = lines_file(&out.join(CASES_FILE))?;
    let mut corpus = lines_file(&out.join(CORPUS_FILE))?;
    let mut pairs: Option<BufWriter<File>> = None;
    for start in (0..total).step_by(CHUNK) {
        let items = draw_items(start..(start + CHUNK).min(total), &item)?;
        items.par_iter().flat_map(|item| &item.images).try_for_each(|(path, bytes)| {
            let path = out.join(path);
            fs::write(&path, bytes).with_context(|| format!("cannot write {} (is the disk full?)", path.display()))
        })?;
        for item in &items {
            item.cases.iter().try_for_each(|case| write_line(&mut cases, case))?;
            item.documents.iter().try_for_each(|document| write_line(&mut corpus, document))?;
            for pair in &item.pairs {
                if pairs.is_none() {
                    pairs = Some(lines_file(&out.join(PAIRS_FILE))?);
                }
                if let Some(file) = &mut pairs {
                    write_line(file, pair)?;
                }
            }
        }
    }
    for file in [Some(cases), Some(corpus), pairs].into_iter().flatten() {
        file.into_inner().context("cannot write the last lines (is the disk full?)")?;
    }
    let manifest = Manifest {
        name: name.into(),
        licence: Some(LICENCE.into()),
        note: Some("Synthetic phantoms for training. The outcomes in it are random.".into()),
        only: None,
        tasks,
    };
    let path = out.join(MANIFEST_FILE);
    fs::write(&path, manifest.to_toml()?).with_context(|| format!("cannot write {}", path.display()))
}

fn lines_file(path: &Path) -> Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?))
}

fn write_line(file: &mut BufWriter<File>, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(&mut *file, value).context("cannot write a line (is the disk full?)")?;
    file.write_all(b"\n").context("cannot write a line (is the disk full?)")
}

/// Image file of an item; a folder holds a thousand.
pub(super) fn numbered_image(prefix: &str, index: usize) -> String {
    format!("images/{:03}/{prefix}{index:06}.png", index / 1000)
}

/// Draws items side by side, in order.
fn draw_items(indices: std::ops::Range<usize>, item: &(impl Fn(usize) -> Result<Item> + Sync)) -> Result<Vec<Item>> {
    indices.into_par_iter().map(item).collect()
}
