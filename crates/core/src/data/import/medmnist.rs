//! `import medmnist`: an npz of `{train,val,test}_{images,labels}`. The training split becomes the corpus, and cases
//! of the same images; a shared group keeps such a case from finding itself. Volumes are imported as slices.

use super::medmnist_arrays::{ImageArray, LabelArray, Npz};
use super::medmnist_sets::{KNOWN_SETS, SetDescription, described_set, known_set};
use super::{ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Case, Document, LabelIndex, Manifest, Split, TaskKind};
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use image::DynamicImage;
use std::io::BufReader;
use std::path::Path;
use zip::ZipArchive;

const SPLITS: [(&str, Split); 3] = [("train", Split::Train), ("val", Split::Validation), ("test", Split::Test)];

/// Which slices of a volume are imported, along the first axis of the volume (the second of the array).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Slices {
    /// The middle one: slice 14 (from 0) of 28.
    Middle,
    /// Every one, with the volume as group.
    All,
}

/// Descriptions for a set that is not known by its file name, and what becomes of volumes.
#[derive(Clone, Debug, Default)]
pub struct MedmnistOptions {
    /// Label names in the order of the array's numbers or columns; required for an unknown set.
    pub labels: Vec<String>,
    /// Question of an unknown set.
    pub question: Option<String>,
    /// The kind of images, for captions.
    pub modality: Option<String>,
    /// Required for volumes.
    pub slices: Option<Slices>,
}

/// Imports an npz file; holds one image in memory at a time.
///
/// # Errors
/// Fails if the file is not an npz file of MedMNIST, its arrays do not fit the set, or the target cannot be written.
pub fn import_medmnist(
    source: &Path,
    target: &Path,
    choices: &MedmnistOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let in_source = || source.display().to_string();
    check_options(source, choices)?;
    let file = input_file::open(source).with_context(|| format!("cannot open {}", source.display()))?;
    let mut npz = ZipArchive::new(BufReader::new(file)).with_context(|| {
        format!("{}: expected an npz file (a zip of arrays), found a damaged or different file", source.display())
    })?;
    check_names(source, &npz)?;
    let mut arrays = Vec::new();
    for (name, _) in SPLITS {
        arrays.push(LabelArray::read(&mut npz, name).with_context(in_source)?);
    }
    let set = describe(source, choices, arrays[0].columns)?;
    let mut labels = Vec::new();
    for array in &arrays {
        labels.push(array.labels(&set).with_context(in_source)?);
    }
    let total: usize = arrays.iter().map(LabelArray::len).sum();
    let session = ImportSession::start(target, options, RowsAs::Both)?;
    let mut import = Import { session, set: &set, slices: choices.slices, uniform: 0 };
    let mut done = 0;
    for ((name, split), labels) in SPLITS.into_iter().zip(&labels) {
        let mut images = ImageArray::open(&mut npz, name, labels.len(), set.is_3d).with_context(in_source)?;
        check_slices(&images, choices.slices, name).with_context(in_source)?;
        for (row, label) in labels.iter().enumerate() {
            import
                .row(&mut images, Row { split_name: name, split, number: row, labels: label })
                .with_context(in_source)?;
            done += 1;
            progress(done, total);
        }
        images.finish().with_context(in_source)?;
    }
    let mut session = import.session;
    if import.uniform > 0 {
        session.remark(format!("{} volumes have one value everywhere", import.uniform));
    }
    if let Some(slices) = choices.slices {
        let which = if slices == Slices::Middle { "the middle slice" } else { "every slice" };
        session.remark(format!("{which} of each volume, along its first axis; slices of one volume are one group"));
    }
    set.remark.into_iter().for_each(|remark| session.remark(remark));
    session.finish(Manifest { licence: set.licence, note: set.note, ..Manifest::new(set.name, vec![set.task]) })
}

fn stem(source: &Path) -> String {
    source.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// Checks what can be known before the file is read.
fn check_options(source: &Path, options: &MedmnistOptions) -> Result<()> {
    if options.labels.is_empty() && known_set(&stem(source)).is_none() {
        bail!(
            "{}: not a set known by name ({}); give --labels a,b,… in the order of the array's numbers (a JSON list if \
             names contain commas), and --question",
            source.display(),
            KNOWN_SETS.join(", ")
        );
    }
    if !options.labels.is_empty() && options.question.is_none() {
        bail!("expected --question with --labels, found none");
    }
    Ok(())
}

/// The set that the file name or the options describe; `columns` is the number of columns of the label arrays.
fn describe(source: &Path, options: &MedmnistOptions, columns: usize) -> Result<SetDescription> {
    let name = stem(source);
    if options.labels.is_empty() {
        let mut set = known_set(&name).context("the set is not known by name")?;
        if let Some(question) = &options.question {
            set.task.question = Some(question.clone());
        }
        return Ok(set);
    }
    let question = options.question.as_deref().unwrap_or_default();
    let modality = options.modality.as_deref().unwrap_or("image");
    Ok(described_set(&name, &options.labels, question, modality, columns > 1))
}

fn check_names(source: &Path, npz: &Npz) -> Result<()> {
    for (split, _) in SPLITS {
        for part in ["images", "labels"] {
            let name = format!("{split}_{part}.npy");
            if npz.index_for_name(&name).is_none() {
                let unreadable = |_| "a name that is not UTF-8".into();
                let found: Vec<_> = npz.file_names().map(|name| name.unwrap_or_else(unreadable)).collect();
                bail!(
                    "{}: expected the arrays train_images, train_labels, val_images, val_labels, test_images and \
                     test_labels; {split}_{part} is missing, found {}",
                    source.display(),
                    if found.is_empty() { "none".into() } else { found.join(", ") }
                );
            }
        }
    }
    Ok(())
}

fn check_slices(images: &ImageArray, slices: Option<Slices>, split: &str) -> Result<()> {
    match (images.depth, slices) {
        (Some(depth), None) => bail!(
            "{split}_images.npy: found volumes of {depth} slices; give --slices middle for the middle slice of each volume, \
             or --slices all for every slice"
        ),
        (None, Some(_)) => bail!("{split}_images.npy: expected volumes with --slices, found images"),
        _ => Ok(()),
    }
}

/// A row of the arrays.
struct Row<'a> {
    split_name: &'a str,
    split: Split,
    /// From 0.
    number: usize,
    labels: &'a [LabelIndex],
}

impl Row<'_> {
    /// The id of an image, or of a volume and its slices' group.
    fn id(&self) -> String {
        format!("{}-{:05}", self.split_name, self.number)
    }

    fn place(&self) -> String {
        format!("{}_images.npy:{}", self.split_name, self.number)
    }
}

struct Import<'a> {
    session: ImportSession,
    set: &'a SetDescription,
    slices: Option<Slices>,
    /// Volumes whose voxels all have one value other than 0.
    uniform: usize,
}

impl Import<'_> {
    fn row(&mut self, images: &mut ImageArray, row: Row) -> Result<()> {
        let Some(depth) = images.depth else {
            let pixels = images.next_pixels()?;
            return self.write(&row, None, &images.image(pixels)?);
        };
        let (mut lowest, mut highest) = (u8::MAX, u8::MIN);
        let mut blank = Vec::new();
        for slice in 0..depth {
            let pixels = images.next_pixels()?;
            let is_blank = pixels.iter().all(|value| *value == 0);
            lowest = lowest.min(pixels.iter().copied().min().unwrap_or(lowest));
            highest = highest.max(pixels.iter().copied().max().unwrap_or(highest));
            let is_wanted = self.slices == Some(Slices::All) || slice == depth / 2;
            if is_wanted && is_blank {
                blank.push(slice);
            } else if is_wanted {
                self.write(&row, Some(slice), &images.image(pixels)?)?;
            }
        }
        if highest == 0 {
            self.session.leave_out("blank volume (every voxel is 0)", &row.place());
            return Ok(());
        }
        self.uniform += usize::from(lowest == highest);
        for slice in blank {
            self.session.leave_out("blank slice (every pixel is 0)", &format!("{}, slice {slice}", row.place()));
        }
        Ok(())
    }

    /// Writes one image with its case and, in the training split, its document.
    fn write(&mut self, row: &Row, slice: Option<usize>, image: &DynamicImage) -> Result<()> {
        if !self.session.wants(row.split) {
            return Ok(());
        }
        let group = row.id();
        let (id, file) = match slice.filter(|_| self.slices == Some(Slices::All)) {
            None => (group.clone(), format!("{}/{:05}.png", row.split_name, row.number)),
            Some(slice) => {
                (format!("{group}-s{slice:03}"), format!("{}/{:05}-{slice:03}.png", row.split_name, row.number))
            }
        };
        let path = self.session.png(&file, image)?;
        let task = &self.set.task;
        let names: Vec<&str> = row.labels.iter().map(|label| task.labels[*label].name.as_str()).collect();
        self.session.case(Case {
            id: id.clone(),
            task: task.id.clone(),
            split: row.split,
            image: path.clone(),
            question: None,
            answer: match row.labels {
                [label] if task.kind != TaskKind::MultiLabel => task.labels[*label].id.clone(),
                labels => task.answer_text_of_set(labels),
            },
            unknown: Vec::new(),
            group: Some(group.clone()),
        })?;
        if row.split != Split::Train {
            return Ok(());
        }
        let findings = if names.is_empty() { "none".into() } else { names.join(", ") };
        self.session.document(Document {
            group: Some(group),
            id,
            image: path,
            caption: format!("{}{findings}", self.set.caption_start),
            source: Some(format!("{} train", self.set.name)),
        })
    }
}
