//! The arrays of a MedMNIST file: labels, and images or volumes slice by slice.

use super::medmnist_sets::SetDescription;
use super::npy::{Element, NpyReader};
use crate::data::{LabelIndex, MOST_LABELS_IN_SETS, TaskKind};
use anyhow::{Context, Result, bail};
use image::{DynamicImage, GrayImage, RgbImage};
use std::fs::File;
use std::io::BufReader;
use zip::ZipArchive;

/// An npz file.
pub(super) type Npz = ZipArchive<BufReader<File>>;

/// The label numbers of one split.
pub(super) struct LabelArray {
    name: String,
    shape: Vec<usize>,
    /// Numbers of one row: 1, or as many as there are labels if an image has several.
    pub columns: usize,
    values: Vec<i64>,
}

impl LabelArray {
    /// # Errors
    /// Fails if the array is damaged or has another shape than (n), (n, 1) or (n, labels).
    pub fn read(npz: &mut Npz, split: &str) -> Result<Self> {
        let name = format!("{split}_labels.npy");
        let entry = npz.by_name(&name).with_context(|| format!("cannot read {name}"))?;
        let array = NpyReader::open(&name, entry)?;
        let shape = array.shape.clone();
        let (count, columns) = match shape[..] {
            [count] => (count, 1),
            [count, columns @ 1..=1024] => (count, columns),
            _ => bail!("{name}: expected labels of shape (n, 1) or (n, number of labels), found {shape:?}"),
        };
        let Some(length) = count.checked_mul(columns) else { bail!("{name}: the shape {shape:?} is too large") };
        Ok(Self { name, shape, columns, values: array.read_integers(length)? })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.columns
    }

    /// The labels of each row: one, or those whose column is 1.
    ///
    /// # Errors
    /// Fails if the shape or a number is not what the set needs.
    pub fn labels(&self, set: &SetDescription) -> Result<Vec<Vec<LabelIndex>>> {
        let (name, labels) = (&self.name, &set.task.labels);
        if set.task.kind == TaskKind::MultiLabel {
            if self.columns != labels.len() {
                let (names, shape) = (names_of(set), &self.shape);
                bail!(
                    "{name}: expected a column for each of {} labels ({names}), found shape {shape:?}; is this {}?",
                    labels.len(),
                    set.name
                );
            }
            return self.label_sets(set);
        }
        if self.columns != 1 {
            bail!(
                "{name}: expected one label per image, shape (n, 1), found shape {:?}; is this {}?",
                self.shape,
                set.name
            );
        }
        let mut rows = Vec::new();
        for (row, value) in self.values.iter().enumerate() {
            match usize::try_from(*value) {
                Ok(label) if label < labels.len() => rows.push(vec![label]),
                _ => bail!(
                    "{name}: label {value} in row {row} (from 0); expected 0 to {} ({})",
                    labels.len() - 1,
                    names_of(set)
                ),
            }
        }
        Ok(rows)
    }

    fn label_sets(&self, set: &SetDescription) -> Result<Vec<Vec<LabelIndex>>> {
        if self.columns > MOST_LABELS_IN_SETS {
            bail!("{}: expected at most {MOST_LABELS_IN_SETS} labels, found {}", self.name, self.columns);
        }
        let mut rows = Vec::new();
        for (row, values) in self.values.chunks_exact(self.columns).enumerate() {
            if let Some(column) = values.iter().position(|value| !(0..=1).contains(value)) {
                bail!(
                    "{}: {} in row {row}, column {column} (from 0, {}); expected 0 or 1",
                    self.name,
                    values[column],
                    set.task.labels[column].name
                );
            }
            rows.push((0..self.columns).filter(|column| values[*column] == 1).collect());
        }
        Ok(rows)
    }
}

fn names_of(set: &SetDescription) -> String {
    let names: Vec<&str> = set.task.labels.iter().map(|label| label.name.as_str()).collect();
    names.join(", ")
}

/// The images of one split as a stream: `u8` of shape (n, height, width), (n, height, width, 3) or, for volumes,
/// (n, depth, height, width).
pub(super) struct ImageArray<'a> {
    array: NpyReader<zip::read::ZipFile<'a, BufReader<File>>>,
    /// Number of slices of a volume; `None` for images.
    pub depth: Option<usize>,
    height: u32,
    width: u32,
    colour: bool,
}

impl<'a> ImageArray<'a> {
    /// Opens the images of a split. `are_volumes` says what the rows are; without it, the last axis of colour images has
    /// three values.
    ///
    /// # Errors
    /// Fails if the array is damaged, has another shape or other elements, or not one row per label.
    pub fn open(npz: &'a mut Npz, split: &str, labels: usize, are_volumes: Option<bool>) -> Result<Self> {
        let name = format!("{split}_images.npy");
        let entry = npz.by_name(&name).with_context(|| format!("cannot read {name}"))?;
        let array = NpyReader::open(&name, entry)?;
        if array.element != Element::U8 {
            bail!("{name}: expected bytes (u1), found {:?}", array.element);
        }
        let (count, depth, height, width, colour) = match (&array.shape[..], are_volumes) {
            (&[count, height, width], Some(false) | None) => (count, None, height, width, false),
            (&[count, height, width, 3], Some(false) | None) => (count, None, height, width, true),
            (&[count, depth, height, width], Some(true) | None) => (count, Some(depth), height, width, false),
            (shape, Some(true)) => {
                bail!("{name}: expected volumes of shape (n, depth, height, width), found {shape:?}")
            }
            (shape, _) => {
                bail!("{name}: expected images of shape (n, height, width) or (n, height, width, 3), found {shape:?}")
            }
        };
        if count != labels {
            bail!("{name}: expected as many images as labels, found {count} images and {labels} labels");
        }
        let side = |length: usize| u32::try_from(length).ok().filter(|side| (1..=4096).contains(side));
        let (Some(height), Some(width)) = (side(height), side(width)) else {
            bail!("{name}: expected sides of 1 to 4096 pixels, found {height} × {width}");
        };
        if depth.is_some_and(|depth| side(depth).is_none()) {
            bail!("{name}: expected 1 to 4096 slices, found shape {:?}", array.shape);
        }
        Ok(Self { array, depth, height, width, colour })
    }

    /// The pixels of the next image or slice.
    ///
    /// # Errors
    /// Fails if the array is cut short or damaged.
    pub fn next_pixels(&mut self) -> Result<Vec<u8>> {
        let channels = if self.colour { 3 } else { 1 };
        let mut pixels = vec![0_u8; self.height as usize * self.width as usize * channels];
        self.array.read_bytes(&mut pixels)?;
        Ok(pixels)
    }

    /// Pixels of this array as an image.
    ///
    /// # Errors
    /// Fails if there are too few.
    pub fn image(&self, pixels: Vec<u8>) -> Result<DynamicImage> {
        let image = if self.colour {
            RgbImage::from_raw(self.width, self.height, pixels).map(DynamicImage::ImageRgb8)
        } else {
            GrayImage::from_raw(self.width, self.height, pixels).map(DynamicImage::ImageLuma8)
        };
        image.context("the image has too few bytes")
    }

    /// Checks that the array ends here.
    ///
    /// # Errors
    /// Fails if it has more bytes, or its checksum is wrong.
    pub fn finish(self) -> Result<()> {
        self.array.finish()
    }
}
