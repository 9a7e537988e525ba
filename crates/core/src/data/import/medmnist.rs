//! `import medmnist`: an npz of `{train,val,test}_{images,labels}`. The training split becomes the corpus, and cases
//! of the same images; a shared group keeps such a case from finding itself.

use super::medmnist_sets::{SetDescription, described_set, known_set};
use super::npy::{Element, NpyReader};
use super::{ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Case, Document, Manifest, Split};
use crate::files::input_file;
use anyhow::{Context, Result, bail};
use image::{DynamicImage, GrayImage, RgbImage};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use zip::ZipArchive;

const SPLITS: [(&str, Split); 3] = [("train", Split::Train), ("val", Split::Validation), ("test", Split::Test)];

/// Descriptions for a set that is not known by its file name.
#[derive(Clone, Debug, Default)]
pub struct MedmnistOptions {
    /// Label names in the order of the array's numbers; required for an unknown set.
    pub labels: Vec<String>,
    /// Question of an unknown set.
    pub question: Option<String>,
    /// The kind of images, for captions.
    pub modality: Option<String>,
}

/// Imports an npz file; holds one image in memory at a time.
pub fn import_medmnist(
    source: &Path,
    target: &Path,
    set: &MedmnistOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let set = describe(source, set)?;
    let file = input_file::open(source).with_context(|| format!("cannot open {}", source.display()))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).with_context(|| {
        format!("{}: expected an npz file (a zip of arrays), found a damaged or different file", source.display())
    })?;
    check_names(source, &archive)?;

    let mut labels = Vec::new();
    for (name, _) in SPLITS {
        labels.push(read_labels(&mut archive, name, &set).with_context(|| source.display().to_string())?);
    }
    let total: usize = labels.iter().map(Vec::len).sum();
    let mut session = ImportSession::start(target, options, RowsAs::Both)?;
    let mut done = 0;
    for ((name, split), labels) in SPLITS.into_iter().zip(&labels) {
        let mut images =
            ImageArray::open(&mut archive, name, labels.len()).with_context(|| source.display().to_string())?;
        for (row, label) in labels.iter().enumerate() {
            let image = images.next_image().with_context(|| source.display().to_string())?;
            write_row(&mut session, &set, name, split, row, *label, &image)?;
            done += 1;
            progress(done, total);
        }
        images.array.finish().with_context(|| source.display().to_string())?;
    }
    let manifest = Manifest {
        name: set.name.clone(),
        licence: set.licence.clone(),
        note: set.note.clone(),
        only: None,
        tasks: vec![set.task.clone()],
    };
    session.finish(manifest)
}

fn describe(source: &Path, options: &MedmnistOptions) -> Result<SetDescription> {
    let stem = source.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    if options.labels.is_empty() {
        let Some(mut set) = known_set(&stem) else {
            bail!(
                "{}: not a set known by name (pneumoniamnist, breastmnist, dermamnist, retinamnist); \
                 give --labels a,b,… in the order of the array's numbers, and --question",
                source.display()
            );
        };
        if let Some(question) = &options.question {
            set.task.question = Some(question.clone());
        }
        return Ok(set);
    }
    let Some(question) = &options.question else {
        bail!("expected --question with --labels, found none");
    };
    Ok(described_set(&stem, &options.labels, question, options.modality.as_deref().unwrap_or("image")))
}

fn check_names(source: &Path, archive: &ZipArchive<BufReader<File>>) -> Result<()> {
    for (split, _) in SPLITS {
        for part in ["images", "labels"] {
            let name = format!("{split}_{part}.npy");
            if archive.index_for_name(&name).is_none() {
                let unreadable = |_| "a name that is not UTF-8".into();
                let found: Vec<_> = archive.file_names().map(|name| name.unwrap_or_else(unreadable)).collect();
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

/// Reads the label numbers of a split and checks that each is in the label set.
fn read_labels(archive: &mut ZipArchive<BufReader<File>>, split: &str, set: &SetDescription) -> Result<Vec<usize>> {
    let name = format!("{split}_labels.npy");
    let entry = archive.by_name(&name).with_context(|| format!("cannot read {name}"))?;
    let array = NpyReader::open(&name, entry)?;
    let ([count] | [count, 1]) = array.shape[..] else {
        bail!(
            "{name}: expected one label per image, shape (n, 1), found shape {:?}; multi-label sets are not supported",
            array.shape
        );
    };
    let known = set.task.labels.len();
    let mut labels = Vec::new();
    for (row, value) in array.read_integers(count)?.into_iter().enumerate() {
        match usize::try_from(value) {
            Ok(label) if label < known => labels.push(label),
            _ => {
                let names: Vec<&str> = set.task.labels.iter().map(|label| label.name.as_str()).collect();
                bail!(
                    "{name}: label {value} in row {row} (from 0); expected 0 to {} ({})",
                    known - 1,
                    names.join(", ")
                );
            }
        }
    }
    Ok(labels)
}

/// The images of one split, `u8` of shape (n, height, width) or (n, height, width, 3).
struct ImageArray<'a> {
    array: NpyReader<zip::read::ZipFile<'a, BufReader<File>>>,
    height: u32,
    width: u32,
    colour: bool,
}

impl<'a> ImageArray<'a> {
    fn open(archive: &'a mut ZipArchive<BufReader<File>>, split: &str, labels: usize) -> Result<Self> {
        let name = format!("{split}_images.npy");
        let entry = archive.by_name(&name).with_context(|| format!("cannot read {name}"))?;
        let array = NpyReader::open(&name, entry)?;
        if array.element != Element::U8 {
            bail!("{name}: expected bytes (u1), found {:?}", array.element);
        }
        let (count, height, width, colour) = match array.shape[..] {
            [count, height, width] => (count, height, width, false),
            [count, height, width, 3] => (count, height, width, true),
            _ => bail!(
                "{name}: expected shape (n, height, width) or (n, height, width, 3), found {:?}; volumes are not supported",
                array.shape
            ),
        };
        if count != labels {
            bail!("{name}: expected as many images as labels, found {count} images and {labels} labels");
        }
        let side = |length: usize| u32::try_from(length).ok().filter(|side| (1..=4096).contains(side));
        let (Some(height), Some(width)) = (side(height), side(width)) else {
            bail!("{name}: expected sides of 1 to 4096 pixels, found {height} × {width}");
        };
        Ok(Self { array, height, width, colour })
    }

    fn next_image(&mut self) -> Result<DynamicImage> {
        let channels = if self.colour { 3 } else { 1 };
        let mut pixels = vec![0_u8; self.height as usize * self.width as usize * channels];
        self.array.read_bytes(&mut pixels)?;
        let image = if self.colour {
            RgbImage::from_raw(self.width, self.height, pixels).map(DynamicImage::ImageRgb8)
        } else {
            GrayImage::from_raw(self.width, self.height, pixels).map(DynamicImage::ImageLuma8)
        };
        image.context("the image has too few bytes")
    }
}

/// Writes one image with its case and, in the training split, its document.
fn write_row(
    session: &mut ImportSession,
    set: &SetDescription,
    split_name: &str,
    split: Split,
    row: usize,
    label: usize,
    image: &DynamicImage,
) -> Result<()> {
    let id = format!("{split_name}-{row:05}");
    let path = session.png(&format!("{split_name}/{row:05}.png"), image)?;
    let label = &set.task.labels[label];
    session.case(Case {
        id: id.clone(),
        task: set.task.id.clone(),
        split,
        image: path.clone(),
        question: None,
        answer: label.id.clone(),
        unknown: Vec::new(),
        group: Some(id.clone()),
    })?;
    if split != Split::Train {
        return Ok(());
    }
    session.document(Document {
        group: Some(id.clone()),
        id,
        image: path,
        caption: format!("{}{}", set.caption_start, label.name),
        source: Some(format!("{} train", set.name)),
    })
}
