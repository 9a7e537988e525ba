//! `import table`: rows of CSV, TSV or JSONL files that name images, by a mapping.

mod delimited_rows;
mod guess;
mod guess_columns;
mod json_objects;
mod shipped;
mod table_rows;
mod tables_of;
mod text_file;

pub use guess::guess_mapping;
pub use shipped::{shipped_mapping, shipped_names, shipped_text};

pub(super) use delimited_rows::Row;
pub(crate) use json_objects::JsonObjects;
pub(super) use json_objects::fields_of;
pub(super) use table_rows::{TableRows, is_json};

use super::{ColumnMapping, ImageFiles, ImportOptions, ImportSession, Imported, MappedRows, ProgressReport, RowsAs};
use anyhow::{Context, Result, bail};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use tables_of::{Table, tables_of};

/// How often the progress is reported.
const REPORT_EVERY: usize = 1000;

/// Choices of the table import.
#[derive(Clone, Debug, Default)]
pub struct TableOptions {
    /// What the columns mean; `None` recognises a well-known table by its header.
    pub mapping: Option<ColumnMapping>,
    /// Folder or archive of the images; default: the mapping's folders, or the table's own.
    pub images: Option<PathBuf>,
}

/// Imports the table `source`, or the tables in the folder `source`, row by row.
///
/// # Errors
/// Fails if there is no table, its columns are not those of the mapping, its header is not known and there is no mapping, or the
/// dataset cannot be written. A row that cannot be used is left out with its reason.
pub fn import_table(
    source: &Path,
    target: &Path,
    choices: &TableOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let (mapping, recognised, tables) = what_to_read(source, choices)?;
    let folder = if source.is_dir() { source } else { source.parent().unwrap_or(Path::new("")) };
    let images = ImageFiles::new(&image_roots(folder, &mapping, choices), mapping.image_prefix.as_deref())?;
    let rows_as = if mapping.tasks.is_empty() { RowsAs::Corpus } else { RowsAs::Both };
    let lists = mapping.split_lists.clone();
    let mut mapped = MappedRows::new(mapping, Some(images))?;
    let mut session = ImportSession::start(target, options, rows_as)?;
    for list in &lists {
        let path = folder.join(&list.file);
        if let (Some(split), true) = (list.split, path.is_file()) {
            let text = text_file::open_text(&path)?;
            for line in text.lines() {
                let line = line.with_context(|| format!("cannot read {}", path.display()))?;
                if !line.trim().is_empty() {
                    mapped.list_image(line.trim(), split)?;
                }
            }
        }
    }
    if let Some(name) = recognised {
        session.remark(format!("the header is that of {name}; --mapping or --image says otherwise"));
    }
    let mut done = 0;
    for Table { path, split } in &tables {
        if let Some(split) = split {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            session.remark(format!("rows of {name} without a split column are of the {split} split"));
        }
        let mut rows = TableRows::open(path)?;
        while let Some(row) = rows.next_row()? {
            match row {
                Ok(record) => mapped.add(&mut session, &record, *split)?,
                Err((place, reason)) => session.leave_out(&reason, &place),
            }
            done += 1;
            if done % REPORT_EVERY == 0 {
                progress(done, done);
            }
        }
    }
    progress(done, done);
    mapped.finish(session)
}

/// The mapping, the name under which it was recognised, and the tables to read.
fn what_to_read(source: &Path, choices: &TableOptions) -> Result<(ColumnMapping, Option<&'static str>, Vec<Table>)> {
    if let Some(mapping) = &choices.mapping {
        let mut mapping = mapping.clone();
        if mapping.name.trim().is_empty() {
            mapping.name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        }
        let tables = tables_of(source, &mapping.tables)?;
        return Ok((mapping, None, tables));
    }
    for Table { path, .. } in tables_of(source, &[]).or_else(|error| known_tables(source).ok_or(error))? {
        let columns = TableRows::open(&path)?.columns().clone();
        if let Some((name, mapping)) = shipped::recognised(&columns)? {
            let tables = tables_of(source, &mapping.tables)?;
            return Ok((mapping, Some(name), tables));
        }
        if !source.is_dir() {
            let shown: Vec<&str> = columns.iter().take(40).map(String::as_str).collect();
            bail!(
                "{}: the columns are {}; say what they mean: --image COLUMN and --label, --answer or --caption COLUMN, or \
                 --mapping FILE (--guess FILE writes one from this table)",
                path.display(),
                shown.join(", ")
            );
        }
    }
    bail!(
        "{}: no table has a header that is known; name one table, with --image and --label, --answer or --caption, or with \
         --mapping FILE (--guess FILE writes one)",
        source.display()
    )
}

/// The tables of all shipped mappings that are in the folder.
fn known_tables(source: &Path) -> Option<Vec<Table>> {
    let mut found = Vec::new();
    for name in shipped_names() {
        let mapping = shipped_mapping(name).ok()?;
        found.extend(tables_of(source, &mapping.tables).unwrap_or_default());
    }
    (!found.is_empty()).then_some(found)
}

/// Where the images are: as the user says, else those folders of the mapping that are there, else the table's folder.
fn image_roots(folder: &Path, mapping: &ColumnMapping, choices: &TableOptions) -> Vec<PathBuf> {
    if let Some(images) = &choices.images {
        return vec![images.clone()];
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let there: Vec<PathBuf> =
        mapping.image_folders.iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect();
    if there.is_empty() { vec![folder.to_owned()] } else { there }
}
