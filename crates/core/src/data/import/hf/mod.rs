//! `import hf`: datasets of Hugging Face, as parquet files or as `save_to_disk` writes them (docs/how-to/import-data.md).
//!
//! Tables are read batch by batch. Images stay in them, and cases and documents name the column and the row
//! (`train-00000-of-00002.parquet!/image/12`).

mod cells;
mod features;
mod glob;
mod layout;
mod meaning;
mod pictures;
mod readme;
mod saved_to_disk;
mod shards;
mod split_names;
mod table_file;
mod yaml;

use super::{ColumnMapping, ImportOptions, ImportSession, Imported, MappedRows, ProgressReport, RowsAs, Value};
use crate::data::Split;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use features::ColumnKind;
use layout::{Layout, SplitFiles};
use meaning::{ADDED, PICTURE};
pub(super) use meaning::{GROUP, ID};
use pictures::Pictures;
use std::path::Path;
use std::sync::Arc;
use table_file::{Row, TableFile, Wanted};

/// How often progress is reported, in rows.
const REPORT_EVERY: usize = 256;

/// Choices of the Hugging Face import.
#[derive(Clone, Debug, Default)]
pub struct HfOptions {
    /// Name of the configuration, for datasets with several.
    pub config: Option<String>,
    /// Imports a dataset although some of its shards are missing.
    pub incomplete: bool,
    /// Splits by their name in the source, for names that do not say them.
    pub splits: Vec<(String, Split)>,
    /// Draws the splits by group, whatever the source says.
    pub draw_splits: bool,
    /// What the columns mean; what it leaves open is taken from the features and the usual names.
    pub mapping: ColumnMapping,
    /// The question of the only task.
    pub question: Option<String>,
}

/// Imports a file, a folder of files, a folder of `save_to_disk`, or a dataset in the cache of the hub.
///
/// # Errors
/// Fails if the files are incomplete or damaged, it is not clear what their columns mean, or the dataset cannot be written.
pub fn import_hf(
    source: &Path,
    target: &Path,
    hf: &HfOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let opened = OpenedSource::open(source, hf)?;
    opened.import(target, hf, options, &mut |_, _| Ok(()), progress)
}

/// A source whose files are known, and what their columns mean.
pub(super) struct OpenedSource {
    layout: Layout,
    pub mapping: ColumnMapping,
    remarks: Vec<String>,
}

/// The picture of a row, for importers that know more about the source than its columns say.
pub(super) struct RowPicture<'a> {
    /// Hash of the bytes; `None` if nothing needs it.
    pub hash: Option<Fingerprint>,
    pub bytes: Option<&'a [u8]>,
}

/// Changes a row before it becomes a case or document.
pub(super) type EditRow<'a> = &'a mut dyn FnMut(&mut super::Record, &RowPicture) -> Result<()>;

impl OpenedSource {
    /// Finds the files of a source and what their columns mean.
    ///
    /// # Errors
    /// Fails if the files are incomplete or damaged, or the columns are not clear.
    pub fn open(source: &Path, hf: &HfOptions) -> Result<Self> {
        let layout = Layout::find(source, hf)?;
        let first = layout.splits.first().and_then(|split| Some((split, split.files.first()?)));
        let (split, path) =
            first.with_context(|| format!("{}: expected files with rows, found none", source.display()))?;
        let table = TableFile::open(path, split.features.as_ref())?;
        let mut remarks = layout.remarks.clone();
        let mut mapping = meaning::completed(&hf.mapping, &table.columns, &mut remarks)
            .with_context(|| path.display().to_string())?;
        if mapping.name.is_empty() {
            mapping.name.clone_from(&layout.name);
        }
        if let Some(question) = &hf.question {
            mapping.ask(question)?;
        }
        mapping.licence = mapping.licence.or_else(|| layout.licence.clone());
        Ok(Self { layout, mapping, remarks })
    }

    /// Imports every row.
    ///
    /// # Errors
    /// Fails like [`import_hf`].
    pub fn import(
        self,
        target: &Path,
        hf: &HfOptions,
        options: &ImportOptions,
        edit: EditRow,
        progress: ProgressReport,
    ) -> Result<Imported> {
        let by_default = if self.mapping.tasks.is_empty() { RowsAs::Corpus } else { RowsAs::Both };
        let mut session = ImportSession::start(target, options, by_default)?;
        if self.mapping.tasks.is_empty() && session.wants_cases() {
            bail!("expected a question with its answer, or a label, for cases; only a caption was found (--as corpus)");
        }
        self.remarks.iter().for_each(|remark| session.remark(remark));
        let has_use = session.wants_cases() || session.chooses_splits();
        let needs_splits = has_use && !hf.draw_splits && self.mapping.split.is_none();
        let mut files = Vec::new();
        let mut total = 0;
        for split in &self.layout.splits {
            if split.split.is_none() && needs_splits {
                bail!(
                    "split {:?}: expected a name with train, validation or test in it; say what it is with --split-as \
                     {}=train",
                    split.name,
                    split.name
                );
            }
            for path in &split.files {
                let rows = TableFile::open(path, split.features.as_ref())?.rows.unwrap_or_default();
                total += usize::try_from(rows).unwrap_or_default();
                files.push((split, path));
            }
        }
        let all_training = files.iter().all(|(split, _)| split.split == Some(Split::Train));
        if all_training && needs_splits && session.wants_cases() {
            session
                .remark("every row is of the training split: predict with --split train, or import with --draw-splits");
        }
        let mut reading = Reading {
            asks: self.mapping.tasks.iter().any(|task| task.question_column.is_some()),
            needs_pictures: self.mapping.picture.as_deref() == Some(PICTURE),
            rows: MappedRows::new(self.mapping.clone(), None)?,
            mapping: &self.mapping,
            pictures: Pictures::default(),
            rows_of_split: (String::new(), 0),
            done: 0,
            total,
        };
        for (split, path) in files {
            let given =
                split.split.filter(|_| !hf.draw_splits).or((!needs_splits && !hf.draw_splits).then_some(Split::Train));
            reading.file(&mut session, split, path, given, edit, progress)?;
        }
        reading.rows.finish(session)
    }
}

/// Calls `visit` with every row of a parquet file that has no images, and the names of its columns.
///
/// # Errors
/// Fails if the file is damaged or no table of texts, numbers and lists, or with the first error of `visit`.
pub(super) fn for_each_row(path: &Path, visit: &mut dyn FnMut(super::Record) -> Result<()>) -> Result<()> {
    let table = TableFile::open(path, None)?;
    let columns = plain_columns(&table);
    let names = columns.iter().map(|column| table.columns[*column].name.clone()).collect();
    let wanted = Wanted { names, columns, has_image: false, image_bytes: false };
    table.read(&wanted, &mut |row| visit(row.record))
}

/// The names of the columns that [`for_each_row`] gives.
///
/// # Errors
/// Fails if the file is damaged.
pub(super) fn columns_without_images(path: &Path) -> Result<Arc<[String]>> {
    let table = TableFile::open(path, None)?;
    Ok(plain_columns(&table).iter().map(|column| table.columns[*column].name.clone()).collect())
}

fn plain_columns(table: &TableFile) -> Vec<usize> {
    let is_plain =
        |kind: &ColumnKind| matches!(kind, ColumnKind::Plain | ColumnKind::Class(_) | ColumnKind::Classes(_));
    table.columns.iter().enumerate().filter(|(_, column)| is_plain(&column.kind)).map(|(at, _)| at).collect()
}

/// Sets one of the columns that the importer adds to every row.
pub(super) fn set_added(record: &mut super::Record, name: &str, text: String) {
    if let Some(position) = record.columns.iter().position(|column| column == name) {
        record.values[position] = Value::Text(text);
    }
}

/// The state while rows are read.
struct Reading<'a> {
    rows: MappedRows,
    mapping: &'a ColumnMapping,
    /// Whether rows ask questions: then many rows have the same picture.
    asks: bool,
    /// Whether rows are grouped by their pictures.
    needs_pictures: bool,
    pictures: Pictures,
    /// Name of the split and the number of its rows so far.
    rows_of_split: (String, usize),
    done: usize,
    total: usize,
}

impl Reading<'_> {
    fn file(
        &mut self,
        session: &mut ImportSession,
        files: &SplitFiles,
        path: &Path,
        split: Option<Split>,
        edit: EditRow,
        progress: ProgressReport,
    ) -> Result<()> {
        let table = TableFile::open(path, files.features.as_ref())?;
        let wanted = self.wanted(&table).with_context(|| path.display().to_string())?;
        if self.rows_of_split.0 != files.name {
            self.rows_of_split = (files.name.clone(), 0);
            self.pictures = Pictures::default();
        }
        let mut is_checked = false;
        table.read(&wanted, &mut |Row { mut record, image_bytes }| {
            let image = record.values.first().cloned().unwrap_or(Value::Missing);
            if let Value::Image(path) = &image
                && !is_checked
            {
                TableFile::check_in_place(path, image_bytes)?;
                is_checked = true;
            }
            let hash = if self.needs_pictures { image_bytes.map(Fingerprint::of_bytes) } else { None };
            if let (Value::Image(path), Some(hash), true) = (image, &hash, self.asks) {
                record.values[0] = Value::Image(self.pictures.first(hash, path));
            }
            record.values.push(Value::Text(format!("{}-{:06}", files.name, self.rows_of_split.1)));
            record.values.push(hash.as_ref().map_or(Value::Missing, |hash| Value::Text(hash.to_string())));
            record.values.push(Value::Missing);
            self.rows_of_split.1 += 1;
            edit(&mut record, &RowPicture { hash, bytes: image_bytes })?;
            self.rows.add(session, &record, split)?;
            self.done += 1;
            if self.done.is_multiple_of(REPORT_EVERY) {
                progress(self.done, self.total.max(self.done));
            }
            Ok(())
        })
    }

    /// The columns of a table that the mapping names; the image comes first, and what is made here last.
    fn wanted(&self, table: &TableFile) -> Result<Wanted> {
        let mut names: Vec<String> = Vec::new();
        let mut columns = Vec::new();
        for (field, name) in self.mapping.columns() {
            if names.iter().any(|known| known == name) || ADDED.contains(&name) {
                continue;
            }
            columns.push(meaning::usable(&table.columns, field, name)?);
            names.push(name.into());
        }
        names.extend(ADDED.map(String::from));
        Ok(Wanted { names: Arc::from(names), columns, has_image: true, image_bytes: self.needs_pictures })
    }
}

/// Whether a source holds parquet or Arrow files.
pub(super) fn has_tables(source: &Path) -> bool {
    if source.is_file() {
        return layout::is_table(source);
    }
    layout::files_below(source).is_ok_and(|files| files.iter().any(|(_, path)| layout::is_table(path)))
}

/// The pickles of a source, by their paths below it.
pub(super) fn pickles_in(source: &Path) -> Vec<String> {
    let is_pickle = |path: &Path| {
        let ending = path.extension().unwrap_or_default();
        ["pkl", "pickle"].iter().any(|pickle| ending.eq_ignore_ascii_case(pickle))
    };
    if source.is_file() {
        return if is_pickle(source) { vec![layout::file_name(source)] } else { Vec::new() };
    }
    let files = layout::files_below(source).unwrap_or_default();
    files.into_iter().filter(|(_, path)| is_pickle(path)).map(|(name, _)| name).collect()
}
