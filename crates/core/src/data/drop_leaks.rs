//! Takes the leaking rows that a check found out of a dataset, and keeps them in a file beside it.

use super::{CASES_FILE, CORPUS_FILE, CheckReport};
use crate::files::durable::write_file;
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Where the dropped lines go, each with the name of its file before it.
pub const DROPPED_FILE: &str = "dropped-leaks.jsonl";

/// Rewrites `cases.jsonl` and `corpus.jsonl` without the rows that leak; returns how many cases and documents were dropped. The
/// dropped lines are on disk in [`DROPPED_FILE`] before a file changes.
///
/// # Errors
/// Fails if the report has errors, if nobody would be left, if there are annotations, or if a file cannot be written.
pub fn drop_leaks(root: &Path, report: &CheckReport) -> Result<(usize, usize)> {
    if report.errors() > 0 {
        bail!("{}: expected a dataset without errors before leaks are dropped", root.display());
    }
    let annotations = root.join(".dissent").join("annotations");
    if fs::read_dir(&annotations).is_ok_and(|mut files| files.next().is_some()) {
        bail!("{} contains annotations; move them away before cases are dropped", annotations.display());
    }
    let lines_of = |file: &str| -> BTreeSet<usize> {
        report.leaks.iter().filter(|counts| counts.file == file).flat_map(|counts| counts.lines.clone()).collect()
    };
    let (cases, documents) = (lines_of(CASES_FILE), lines_of(CORPUS_FILE));
    if let Some(summary) = &report.summary
        && summary.documents > 0
        && summary.documents == documents.len()
    {
        bail!("every document shares a picture or group with test or validation cases; expected some that do not");
    }
    let mut dropped = Vec::new();
    let new_cases = split_off(root, CASES_FILE, &cases, &mut dropped)?;
    let new_corpus = split_off(root, CORPUS_FILE, &documents, &mut dropped)?;
    let kept = root.join(DROPPED_FILE);
    let mut earlier = if input_file::is_there(&kept) { fs::read(&kept)? } else { Vec::new() };
    earlier.extend(dropped);
    write_file(&kept, &earlier)?;
    for (new, name) in [(new_corpus, CORPUS_FILE), (new_cases, CASES_FILE)] {
        new.persist(root.join(name)).with_context(|| format!("cannot replace {name} of {}", root.display()))?;
    }
    Ok((cases.len(), documents.len()))
}

/// Copies the other lines into a file beside the old one; adds the lines to `dropped`.
fn split_off(root: &Path, name: &str, lines: &BTreeSet<usize>, dropped: &mut Vec<u8>) -> Result<NamedTempFile> {
    let path = root.join(name);
    let cannot_write = || format!("cannot write in {} (is the disk full?)", root.display());
    let mut reader =
        BufReader::new(input_file::open(&path).with_context(|| format!("cannot read {}", path.display()))?);
    let new = NamedTempFile::new_in(root).with_context(cannot_write)?;
    new.as_file().set_permissions(fs::metadata(&path)?.permissions()).with_context(cannot_write)?;
    let mut writer: BufWriter<&File> = BufWriter::new(new.as_file());
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).with_context(|| format!("cannot read {}", path.display()))? == 0 {
            break;
        }
        if lines.contains(&number) {
            dropped.extend_from_slice(format!("{{\"file\":{name:?},\"line\":").as_bytes());
            dropped.extend_from_slice(line.trim_ascii());
            dropped.extend_from_slice(b"}\n");
        } else {
            writer.write_all(&line).with_context(cannot_write)?;
        }
    }
    writer.flush().with_context(cannot_write)?;
    drop(writer);
    new.as_file().sync_all().with_context(cannot_write)?;
    Ok(new)
}
