//! `import path-vqa`: PathVQA as parquet (the copy `flaviagiammarino/path-vqa` on the Hugging Face hub). The original release
//! has pickles, which run code when they are read: they are never read.

use super::hf::{HfOptions, OpenedSource, has_tables, pickles_in};
use super::{ImportOptions, Imported, ProgressReport, TaskMapping};
use crate::data::TaskKind;
use anyhow::{Result, bail};
use std::path::Path;

const TASK: &str = "path-vqa";
/// What the copy has for an answer that was empty: its texts were made with Python's `str`.
const EMPTY: &str = "nan";

/// Imports the parquet files of PathVQA. Yes and no are a closed task; other answers are open.
///
/// # Errors
/// Fails if there are only pickles, and like [`super::import_hf`].
pub fn import_path_vqa(
    source: &Path,
    target: &Path,
    hf: &HfOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let pickles = pickles_in(source);
    if !has_tables(source) {
        if let Some(first) = pickles.first() {
            bail!(
                "{}: expected the parquet files of PathVQA, found {} pickles ({first}); a pickle can run any code, so none is \
                 read; download the copy flaviagiammarino/path-vqa of the Hugging Face hub and give its folder",
                source.display(),
                pickles.len()
            );
        }
        bail!(
            "{}: expected the parquet files of PathVQA, found none; the copy flaviagiammarino/path-vqa of the Hugging Face hub \
             has them",
            source.display()
        );
    }
    let mut hf = hf.clone();
    let mapping = &mut hf.mapping;
    mapping.name = "PathVQA".into();
    mapping.licence = Some("MIT; figures belong to their publishers and PEIR".into());
    mapping.note =
        Some("PathVQA (He et al. 2020), pictures of textbooks and of PEIR; for research, not for diagnosis".into());
    mapping.image = "image".into();
    mapping.tasks = vec![TaskMapping {
        question_column: Some("question".into()),
        unknown: vec![EMPTY.into()],
        ..TaskMapping::new(TASK, TaskKind::ClosedVqa, "answer")
    }];
    let opened = OpenedSource::open(source, &hf)?;
    let mut imported = opened.import(target, &hf, options, &mut |_, _| Ok(()), progress)?;
    if !pickles.is_empty() {
        imported.remarks.push(format!("{} pickles are not read: they can run any code", pickles.len()));
    }
    Ok(imported)
}
