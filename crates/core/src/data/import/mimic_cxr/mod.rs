//! `import mimic-cxr`: chest X-rays of MIMIC-CXR or MIMIC-CXR-JPG with their reports as captions, and the labels of CheXpert or
//! NegBio as cases.

mod labels;
mod report_sections;
mod study_files;
mod tables;

use super::{ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Case, Document, Manifest, Split};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file::is_there;
use anyhow::{Result, bail};
use labels::Labels;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use study_files::{ImageFile, Report, Reports, StudyFolder};
use tables::{StudyColumns, StudyId, dicom_id, find_table, read_splits};

use super::known_table::KnownTable;

const FORMAT: &str = "mimic-cxr";
/// Rows whose files are looked up together, on all cores.
const BATCH: usize = 4096;
/// Most names of views that a remark lists.
const NAMED_VIEWS: usize = 12;

/// The program that made a table of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Labeller {
    #[default]
    Chexpert,
    Negbio,
}

/// Choices for [`import_mimic_cxr`].
#[derive(Clone, Debug, Default)]
pub struct MimicCxrOptions {
    /// Also takes images that are not frontal (PA or AP), or whose view is not known.
    pub all_views: bool,
    /// Folder or zip file of the reports; by default beside the images.
    pub reports: Option<PathBuf>,
    pub labeller: Labeller,
    /// Takes the labeller's labels for the test split, too, although the release has some of a radiologist.
    pub no_radiologist: bool,
    /// Takes a finding that the table does not mention as absent; by default nobody knows.
    pub unmentioned_is_no: bool,
}

/// An image of the release.
struct Row {
    dicom_id: String,
    study: StudyId,
    place: String,
}

struct Importer<'a> {
    root: PathBuf,
    session: ImportSession,
    reports: Option<Reports>,
    splits: FxHashMap<u64, Split>,
    labels: Option<Labels>,
    without_report: FxHashSet<StudyId>,
    options: &'a MimicCxrOptions,
    /// Images by view, whether they come in or not.
    views: BTreeMap<String, usize>,
}

/// Imports the folder that holds `files` and the tables. Rows are read one after the other; splits and labels are in memory.
///
/// # Errors
/// Fails if a table is missing or not as expected, a report cannot be read, or the target cannot be written.
pub fn import_mimic_cxr(
    source: &Path,
    target: &Path,
    options: &MimicCxrOptions,
    choices: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let root = std::path::absolute(source)?;
    if !root.join("files").is_dir() {
        bail!("{}: expected the folder of MIMIC-CXR or MIMIC-CXR-JPG with `files` in it, found none", source.display());
    }
    let (path, has_views) = find_rows(&root, options.all_views)?;
    let session = ImportSession::start(target, choices, RowsAs::Corpus)?;
    let rows = session.rows();
    let splits = match find_table(&root, "-split")? {
        Some(path) => read_splits(&path)?,
        None if rows == RowsAs::Corpus && choices.splits.is_empty() => FxHashMap::default(),
        None => bail!(
            "{}: expected mimic-cxr-2.0.0-split.csv.gz of MIMIC-CXR-JPG for the cases and for --splits, found none",
            root.display()
        ),
    };
    let mut importer = Importer {
        labels: if session.wants_cases() { Some(Labels::find(&root, options)?) } else { None },
        reports: if rows == RowsAs::Cases { None } else { Some(Reports::find(&root, options.reports.as_deref())?) },
        session,
        splits,
        root,
        without_report: FxHashSet::default(),
        options,
        views: BTreeMap::new(),
    };
    importer.read_rows(&path, has_views, progress)?;
    importer.finish(has_views)
}

/// The table with a row for each image, and whether it has their views.
fn find_rows(root: &Path, all_views: bool) -> Result<(PathBuf, bool)> {
    if let Some(path) = find_table(root, "-metadata")? {
        return Ok((path, true));
    }
    let records = ["cxr-record-list.csv", "cxr-record-list.csv.gz"]
        .map(|name| root.join(name))
        .into_iter()
        .find(|path| is_there(path));
    match records {
        Some(path) if all_views => Ok((path, false)),
        Some(path) => bail!(
            "{} does not say which images are frontal: expected mimic-cxr-2.0.0-metadata.csv.gz of MIMIC-CXR-JPG beside it, or \
             --all-views to take all",
            path.display()
        ),
        None => bail!(
            "{}: expected mimic-cxr-2.0.0-metadata.csv.gz or cxr-record-list.csv.gz (unpacked or not), found neither",
            root.display()
        ),
    }
}

impl Importer<'_> {
    fn read_rows(&mut self, path: &Path, has_views: bool, progress: ProgressReport) -> Result<()> {
        let length = path.metadata().map_or(0, |found| found.len());
        let mut table = KnownTable::open(path)?;
        let (image, study) = (table.column("dicom_id")?, StudyColumns::of(&table)?);
        let view = if has_views { Some(table.column("ViewPosition")?) } else { None };
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let row = table.next_row()?;
            if batch.len() == BATCH || row.is_none() {
                self.import_batch(&batch)?;
                batch.clear();
            }
            let Some(row) = row else { return Ok(()) };
            let found =
                Row { dicom_id: dicom_id(&row, image)?.to_owned(), study: study.study(&row)?, place: row.to_string() };
            if view.is_none_or(|view| self.is_wanted(row.text(view), &found.place)) {
                batch.push(found);
            }
            if batch.len() == BATCH {
                progress((table.bytes_read() >> 10) as usize, (length >> 10) as usize);
            }
        }
    }

    /// Whether the view is frontal, or all are wanted.
    fn is_wanted(&mut self, view: &str, place: &str) -> bool {
        let name = if view.is_empty() { "not known" } else { view };
        let is_named = self.views.contains_key(name) || self.views.len() < NAMED_VIEWS;
        let name = if is_named { name } else { "others" };
        *self.views.entry(name.to_owned()).or_default() += 1;
        if self.options.all_views || matches!(view, "PA" | "AP") {
            return true;
        }
        let reason = if view.is_empty() {
            "the view is not known (--all-views takes it)"
        } else {
            "the view is neither PA nor AP (--all-views takes it)"
        };
        self.session.leave_out(reason, &place);
        false
    }

    /// Looks up the files of the rows' studies on all cores, then imports the rows in order.
    fn import_batch(&mut self, batch: &[Row]) -> Result<()> {
        let mut ids: Vec<StudyId> = batch.iter().map(|row| row.study).collect();
        ids.sort_unstable();
        ids.dedup();
        let (root, reports) = (&self.root, &self.reports);
        let studies: FxHashMap<StudyId, (StudyFolder, Report)> = ids
            .into_par_iter()
            .map(|id| {
                let report = reports.as_ref().map_or(Ok(Report::Missing), |reports| reports.of(id))?;
                Ok((id, (StudyFolder::list(root, id)?, report)))
            })
            .collect::<Result<_>>()?;
        for row in batch {
            if let Some((folder, report)) = studies.get(&row.study) {
                self.import_row(row, folder, report)?;
            }
        }
        Ok(())
    }

    fn import_row(&mut self, row: &Row, folder: &StudyFolder, report: &Report) -> Result<()> {
        let path = match folder.image(&row.dicom_id) {
            ImageFile::At(path) => path,
            ImageFile::Compressed => {
                self.session.leave_out("the image is compressed (.dcm.gz): `gunzip` it", &row.place);
                return Ok(());
            }
            ImageFile::Missing => {
                self.session.leave_out("no image file", &row.place);
                return Ok(());
            }
        };
        let split = self.splits.get(&Fingerprint::number_of(row.dicom_id.as_bytes())).copied();
        if !self.session.takes_split(split, &row.place) {
            return Ok(());
        }
        let answer = self.labels.as_mut().map(|labels| labels.of(row.study, split));
        let wants_document = match self.session.rows() {
            RowsAs::Cases => false,
            RowsAs::Corpus => true,
            RowsAs::Both => split == Some(Split::Train),
        };
        let mut image = None;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{}/s{}/{name}", row.study.patient_folder(), row.study.study);
        if let Some(answer) = answer {
            match (split, answer) {
                (None, _) => self.session.leave_out("no case: the split table does not have the image", &row.place),
                (_, Err(reason)) => self.session.leave_out(reason, &row.place),
                (Some(split), Ok((answer, unknown))) => {
                    let path = self.session.image(&path, &name)?;
                    image = Some(path.clone());
                    self.session.case(Case {
                        id: row.dicom_id.clone(),
                        task: FORMAT.into(),
                        split,
                        image: path,
                        question: None,
                        answer,
                        unknown,
                        group: Some(row.study.subject.to_string()),
                    })?;
                }
            }
        }
        if !wants_document {
            return Ok(());
        }
        let caption = match report {
            Report::Caption(caption) => caption,
            Report::Missing => {
                self.without_report.insert(row.study);
                self.session.leave_out("no document: its study has no report", &row.place);
                return Ok(());
            }
            Report::WithoutText => {
                let reason = "no document: the report has neither findings nor impression nor a last paragraph";
                self.session.leave_out(reason, &row.place);
                return Ok(());
            }
            Report::NotUtf8 => {
                self.session.leave_out("no document: the report is not UTF-8", &row.place);
                return Ok(());
            }
        };
        let image = match image {
            Some(image) => image,
            None => self.session.image(&path, &name)?,
        };
        self.session.document(Document {
            id: row.dicom_id.clone(),
            image,
            caption: caption.clone(),
            source: Some(FORMAT.into()),
            group: Some(row.study.subject.to_string()),
        })
    }

    fn finish(mut self, has_views: bool) -> Result<Imported> {
        if !self.without_report.is_empty() {
            self.session.leave_out_help(format!(
                "{} studies have no report; MIMIC-CXR-JPG has none: put mimic-cxr-reports.zip of MIMIC-CXR beside `files`, or \
                 name it with --reports",
                self.without_report.len()
            ));
        }
        if has_views {
            let views: Vec<String> = self.views.iter().map(|(name, count)| format!("{name} {count}")).collect();
            self.session.remark(format!("views of all images: {}", views.join(", ")));
        } else {
            self.session.remark("the views of the images are not known: lateral ones came in, too");
        }
        let mut tasks = Vec::new();
        if let Some(labels) = self.labels {
            labels.remarks().into_iter().for_each(|remark| self.session.remark(remark));
            tasks.push(labels.task);
        }
        self.session.finish(Manifest {
            licence: Some("PhysioNet Credentialed Health Data License; never redistribute".into()),
            note: Some("MIMIC-CXR (Johnson et al., Scientific Data 2019); captions are findings and impression".into()),
            ..Manifest::new("MIMIC-CXR", tasks)
        })
    }
}
