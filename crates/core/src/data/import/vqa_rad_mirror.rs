//! `import vqa-rad` of a parquet copy (`flaviagiammarino/vqa-rad` on the Hugging Face hub). The copy has neither ids nor
//! patients; with the folder of the OSF release they are joined by picture and question.

use super::hf::{GROUP, HfOptions, ID, OpenedSource, RowPicture, has_tables, set_added};
use super::vqa_rad::{find_parts, groups_of, names_of};
use super::vqa_rad_rows::{Row, read_rows};
use super::{ImportOptions, Imported, LONGEST_IMAGE, ProgressReport, Record, TaskMapping, Value};
use crate::data::{Picture, TaskKind};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file;
use anyhow::{Context, Result};
use std::collections::{HashMap, HashSet};
use std::path::Path;

const QUESTION: &str = "question";
const ANSWER: &str = "answer";

/// Whether a source is a parquet copy rather than the folder of the OSF release.
pub fn is_vqa_rad_mirror(source: &Path) -> bool {
    has_tables(source)
}

/// Imports a parquet copy. With `osf`, the folder of the OSF release, its ids and patients are joined.
///
/// # Errors
/// Fails like [`super::import_hf`], and if the folder of the release is not one.
pub fn import_vqa_rad_mirror(
    source: &Path,
    osf: Option<&Path>,
    target: &Path,
    hf: &HfOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let mut hf = hf.clone();
    let mapping = &mut hf.mapping;
    mapping.name = "VQA-RAD".into();
    mapping.licence = Some("CC0 1.0".into());
    mapping.note = Some(
        "VQA-RAD (Lau et al., Scientific Data 2018), images from MedPix, in its parquet copy; for research, not for diagnosis"
            .into(),
    );
    mapping.image = "image".into();
    mapping.tasks = vec![TaskMapping {
        question_column: Some(QUESTION.into()),
        ..TaskMapping::new("vqa-rad", TaskKind::ClosedVqa, ANSWER)
    }];
    if osf.is_some() {
        mapping.group = Some(GROUP.into());
    }
    let opened = OpenedSource::open(source, &hf)?;
    let Some(osf) = osf else {
        let mut imported = opened.import(target, &hf, options, &mut |_, _| Ok(()), progress)?;
        imported.remarks.push(
            "the copy names no patients: --osf DIR joins ids and patients of the OSF release by picture and question"
                .into(),
        );
        return Ok(imported);
    };
    let (json, images, _) = find_parts(osf)?;
    let rows = read_rows(&json)?;
    let mut release = Release::read(&rows, &images)?;
    let mut edit = |record: &mut Record, picture: &RowPicture| {
        release.join(record, picture);
        Ok(())
    };
    let mut imported = opened.import(target, &hf, options, &mut edit, progress)?;
    imported.remarks.extend(release.remarks());
    Ok(imported)
}

/// The OSF release, for lookups.
struct Release<'a> {
    /// Image names by the hash of the file, and by the hash of the pixels.
    by_bytes: HashMap<u64, &'a str>,
    by_pixels: HashMap<u64, &'a str>,
    /// Patients, or the first picture of each, by image name.
    groups: HashMap<&'a str, &'a str>,
    /// Rows by image name and question, as the copy spells it.
    rows: HashMap<(&'a str, String), Vec<&'a Row>>,
    used: HashSet<&'a str>,
    /// Images that are not in the folder.
    missing: usize,
    joined: usize,
    only_picture: usize,
    seen: usize,
}

impl<'a> Release<'a> {
    fn read(rows: &'a [Row], folder: &Path) -> Result<Self> {
        let names = names_of(rows);
        let (mut by_bytes, mut by_pixels) = (HashMap::new(), HashMap::new());
        let mut missing = 0;
        for image in names.keys() {
            let path = folder.join(image);
            if !input_file::is_there(&path) {
                missing += 1;
                continue;
            }
            let bytes =
                input_file::read(&path, LONGEST_IMAGE).with_context(|| format!("cannot read {}", path.display()))?;
            by_bytes.insert(Fingerprint::of_bytes(&bytes).number(), *image);
            by_pixels.insert(pixels_of(&path, &bytes)?, *image);
        }
        let groups = groups_of(rows, &names);
        let mut by_question: HashMap<_, Vec<&Row>> = HashMap::new();
        for row in rows {
            by_question.entry((row.image.as_str(), as_in_the_copy(&row.question))).or_default().push(row);
        }
        let (joined, only_picture, seen) = (0, 0, 0);
        Ok(Self {
            by_bytes,
            by_pixels,
            groups,
            rows: by_question,
            used: HashSet::new(),
            missing,
            joined,
            only_picture,
            seen,
        })
    }

    /// Gives a row the id and the patient of the release, if it has the row.
    fn join(&mut self, record: &mut Record, picture: &RowPicture) {
        self.seen += 1;
        let Some(image) = self.image_of(picture) else { return };
        if let Some(group) = self.groups.get(image) {
            set_added(record, GROUP, (*group).to_owned());
        }
        let text = |column: &str| as_in_the_copy(record.value(column).and_then(Value::text).unwrap_or_default());
        let rows = self.rows.get(&(image, text(QUESTION))).map(Vec::as_slice).unwrap_or_default();
        let answer = text(ANSWER);
        let free = || rows.iter().filter(|row| !self.used.contains(row.qid.as_str()));
        // A question may be asked twice with different answers.
        let Some(row) = free().find(|row| as_in_the_copy(&row.answer) == answer).or_else(|| free().next()) else {
            self.only_picture += 1;
            return;
        };
        self.used.insert(&row.qid);
        self.joined += 1;
        set_added(record, ID, format!("q{}", row.qid));
    }

    fn image_of(&self, picture: &RowPicture) -> Option<&'a str> {
        let hash = picture.hash.as_ref()?.number();
        self.by_bytes.get(&hash).copied().or_else(|| {
            let pixels = pixels_of(Path::new("image"), picture.bytes?).ok()?;
            self.by_pixels.get(&pixels).copied()
        })
    }

    fn remarks(&self) -> Vec<String> {
        let unknown = self.seen - self.joined - self.only_picture;
        let mut remarks = vec![format!(
            "{} of {} rows joined to the OSF release by picture and question; {} more only by picture (patient, no id); {unknown} \
             not at all",
            self.joined, self.seen, self.only_picture
        )];
        if self.missing > 0 {
            remarks.push(format!("{} images of the OSF release are not in its folder", self.missing));
        }
        remarks
    }
}

/// Hash of the pixels and the size of an image.
fn pixels_of(path: &Path, bytes: &[u8]) -> Result<u64> {
    let picture = Picture::decode(path, bytes)?;
    let size = format!("{} {} ", picture.width(), picture.height());
    Ok(Fingerprint::of_bytes(&[size.as_bytes(), picture.to_rgb8().as_raw()].concat()).number())
}

/// The text as the copy has it: in lower case, single spaces, none before a question mark.
fn as_in_the_copy(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").replace(" ?", "?")
}
