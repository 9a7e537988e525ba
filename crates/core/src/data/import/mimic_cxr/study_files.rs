//! The files of a study: its images in the folder of the release, and its report beside it, in another folder or in a zip file.

use super::report_sections::caption_of;
use super::tables::StudyId;
use crate::files::archive_member::{self, for_each_member};
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Maximum length of a report; the longest has less than 10 KB.
const LONGEST_REPORT: u64 = 1 << 20;
const ZIP_OF_REPORTS: &str = "mimic-cxr-reports.zip";
const FOLDER_OF_REPORTS: &str = "mimic-cxr-reports";

/// Where reports may be: each is the beginning of `p10/p10000032/s50414267.txt`.
pub(super) struct Reports {
    places: Vec<PathBuf>,
}

/// What is known about a study's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    Caption(String),
    Missing,
    WithoutText,
    NotUtf8,
}

impl Reports {
    /// The reports at `given`, a folder or zip file; or those beside the images or in `mimic-cxr-reports`.
    ///
    /// # Errors
    /// Fails if a zip file has no report.
    pub fn find(root: &Path, given: Option<&Path>) -> Result<Self> {
        if let Some(given) = given {
            if !input_file::is_there(given) {
                bail!("{}: expected a folder or zip file of reports, found nothing", given.display());
            }
            return Ok(Self { places: vec![place_in(given)?] });
        }
        let mut places = Vec::new();
        for name in [ZIP_OF_REPORTS, FOLDER_OF_REPORTS] {
            let path = root.join(name);
            if input_file::is_there(&path) {
                places.push(place_in(&path)?);
            }
        }
        places.push(root.join("files"));
        Ok(Self { places })
    }

    /// The caption from the report of a study.
    ///
    /// # Errors
    /// Fails if a report is there but cannot be read.
    pub fn of(&self, id: StudyId) -> Result<Report> {
        for place in &self.places {
            let path = place.join(id.patient_folder()).join(format!("s{}.txt", id.study));
            let bytes = match archive_member::read(&path, LONGEST_REPORT) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error).with_context(|| format!("cannot read the report {}", path.display())),
            };
            let Ok(text) = input_file::text(&bytes) else { return Ok(Report::NotUtf8) };
            return Ok(caption_of(text).map_or(Report::WithoutText, Report::Caption));
        }
        Ok(Report::Missing)
    }
}

/// The beginning of the paths of reports in a folder or zip file.
fn place_in(path: &Path) -> Result<PathBuf> {
    if path.is_dir() {
        let files = path.join("files");
        return Ok(if files.is_dir() { files } else { path.into() });
    }
    let mut start = None;
    for_each_member(path, &mut |member, _| {
        if start.is_none() {
            start = start_of_report(member).map(str::to_owned);
        }
        Ok(())
    })
    .with_context(|| format!("cannot read the reports in {}", path.display()))?;
    match start {
        Some(start) => Ok(PathBuf::from(format!("{}!/{start}", path.display()))),
        None => {
            bail!("{}: expected reports such as files/p10/p10000032/s50414267.txt in it, found none", path.display())
        }
    }
}

/// `files/` of `files/p10/p10000032/s50414267.txt`.
fn start_of_report(member: &str) -> Option<&str> {
    let is_digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = member.rsplit('/');
    let is_report = parts.next()?.strip_prefix('s')?.strip_suffix(".txt").is_some_and(|digits| is_digits(digits, 8))
        && parts.next()?.strip_prefix('p').is_some_and(|digits| is_digits(digits, 8))
        && parts.next()?.strip_prefix('p').is_some_and(|digits| is_digits(digits, 2));
    is_report.then(|| &member[..member.len() - "p10/p10000032/s50414267.txt".len()])
}

/// The images of a study that are on disk, as base names.
pub(super) struct StudyFolder {
    path: PathBuf,
    names: Vec<String>,
}

/// Where an image is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ImageFile {
    At(PathBuf),
    Missing,
    Compressed,
}

impl StudyFolder {
    /// Lists the folder of a study: one call for all its images.
    ///
    /// # Errors
    /// Fails if the folder is there but cannot be listed.
    pub fn list(root: &Path, id: StudyId) -> Result<Self> {
        let path = root.join("files").join(id.patient_folder()).join(format!("s{}", id.study));
        let cannot_list = || format!("cannot list the folder {}", path.display());
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self { path, names: Vec::new() }),
            Err(error) => return Err(error).with_context(cannot_list),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.with_context(cannot_list)?.file_name().to_string_lossy().into_owned());
        }
        Ok(Self { path, names })
    }

    /// The file of an image: JPEG or PNG, else DICOM.
    pub fn image(&self, dicom_id: &str) -> ImageFile {
        let has = |ending: &str| {
            let length = dicom_id.len() + ending.len();
            self.names.iter().find(|name| name.len() == length && name.starts_with(dicom_id) && name.ends_with(ending))
        };
        match [".jpg", ".png", ".dcm"].into_iter().find_map(has) {
            Some(name) => ImageFile::At(self.path.join(name)),
            None if has(".dcm.gz").is_some() => ImageFile::Compressed,
            None => ImageFile::Missing,
        }
    }
}
