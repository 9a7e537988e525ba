//! Image folders with `metadata.csv`, `.jsonl` or `.parquet`: rows name images by `file_name`, relative to the file.

use super::Job;
use super::default_mapping::{PICTURE, mapping_for};
use super::files_in_folder::FilesInFolder;
use crate::data::import::hf;
use crate::data::import::table::{Row, TableRows};
use crate::data::import::{ImportSession, Imported, MappedRows, Record, RowsAs, Value, split_of_word};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::sync::Arc;

/// Imports the rows of all metadata files. Class folders beside them mean nothing then, as in Hugging Face's `imagefolder`.
///
/// # Errors
/// Fails if the files differ in kind or columns, or no column names images.
pub(super) fn import(job: &Job, files: &FilesInFolder) -> Result<Imported> {
    let kinds: BTreeSet<_> = files.metadata.iter().filter_map(|path| path.extension()).collect();
    if kinds.len() > 1 {
        bail!("{}: expected metadata files of one kind, found .csv and others", job.source.display());
    }
    let first = files.metadata.first().context("expected a metadata file")?;
    let header = columns_of(first)?;
    let given = job.choices.mapping.as_ref().map(|mapping| mapping.image.as_str()).filter(|name| !name.is_empty());
    let image = image_column(&header, given).with_context(|| format!("{}", first.display()))?;
    let mapping = mapping_for(job, &image, &header).with_context(|| format!("{}", first.display()))?;
    let rows_as = if mapping.tasks.is_empty() { RowsAs::Corpus } else { RowsAs::Both };
    let columns: Arc<[String]> = header.iter().cloned().chain([PICTURE.to_owned()]).collect();
    let position = header.iter().position(|name| *name == image).unwrap_or_default();
    let mut mapped = MappedRows::new(mapping, None)?;
    let mut session = ImportSession::start(job.target, job.options, rows_as)?;
    let (mut used, mut done) = (BTreeSet::new(), 0);
    for path in &files.metadata {
        let own = columns_of(path)?;
        if own.iter().collect::<BTreeSet<_>>() != header.iter().collect::<BTreeSet<_>>() {
            bail!(
                "expected the same columns in all metadata files, found {} in {} and {} in {}",
                header.join(", "),
                first.display(),
                own.join(", "),
                path.display()
            );
        }
        let folder = path.parent().unwrap_or(job.source);
        let below = folder.strip_prefix(job.source).unwrap_or(Path::new(""));
        let split = below.iter().find_map(|part| split_of_word(&part.to_string_lossy()));
        for_each_row(path, &mut |row| {
            done += 1;
            (job.progress)(done, done);
            let record = match row {
                Ok(record) => record,
                Err((place, reason)) => {
                    session.leave_out(&reason, &place);
                    return Ok(());
                }
            };
            // The files may have the columns in another order.
            let mut values: Vec<Value> =
                header.iter().map(|name| record.value(name).cloned().unwrap_or(Value::Missing)).collect();
            let Some(name) = values[position].text().map(str::to_owned) else {
                session.leave_out("no image", &record.place);
                return Ok(());
            };
            let place = format!("{} has {name:?}", record.place);
            if !stays_inside(&name) {
                session.leave_out("the image's path is absolute, a URL, or leads out of the folder", &place);
                return Ok(());
            }
            let image = folder.join(&name);
            if !image.is_file() {
                session.leave_out("no image file", &place);
                return Ok(());
            }
            let relative = below.join(&name).to_string_lossy().into_owned();
            values[position] = Value::Image(image);
            values.push(Value::Text(relative.clone()));
            used.insert(relative);
            mapped.add(&mut session, &Record { columns: Arc::clone(&columns), values, place: record.place }, split)
        })?;
    }
    let unused: Vec<&str> =
        files.images.iter().map(|image| image.name.as_str()).filter(|name| !used.contains(*name)).collect();
    if let Some(first) = unused.first() {
        session.remark(format!("{} images have no row and were skipped ({first} first)", unused.len()));
    }
    mapped.finish(session)
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

fn columns_of(path: &Path) -> Result<Arc<[String]>> {
    if is_parquet(path) { hf::columns_without_images(path) } else { Ok(TableRows::open(path)?.columns().clone()) }
}

/// Calls `visit` with every row, or with the reason why a row cannot be read.
fn for_each_row(path: &Path, visit: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
    if is_parquet(path) {
        return hf::for_each_row(path, &mut |record| visit(Ok(record)));
    }
    let mut rows = TableRows::open(path)?;
    while let Some(row) = rows.next_row()? {
        visit(row)?;
    }
    Ok(())
}

/// The column that the user named, `file_name`, or the only column that ends so.
fn image_column(columns: &[String], given: Option<&str>) -> Result<String> {
    if let Some(given) = given {
        if !columns.iter().any(|name| name == given) {
            bail!("image: expected the column {given:?}, found {}", columns.join(", "));
        }
        return Ok(given.into());
    }
    if columns.iter().any(|name| name == "file_name") {
        return Ok("file_name".into());
    }
    let others: Vec<&String> = columns.iter().filter(|name| name.ends_with("file_name")).collect();
    match others[..] {
        [only] => Ok(only.clone()),
        [] => bail!("expected the column file_name, found {}", columns.join(", ")),
        _ => bail!("expected one column of images, found several; a case has one image"),
    }
}

/// Whether the path is relative and stays in its folder; what Hugging Face's reader accepts.
fn stays_inside(name: &str) -> bool {
    !name.contains("://")
        && !name.contains('\\')
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
