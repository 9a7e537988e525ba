//! How well a print finds copies of a picture, and how often it takes two pictures for one. `--nocapture` prints the table of
//! docs/reference/formats.md.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says why it does not run"
)]

#[path = "../../../tests/support/absent.rs"]
mod absent;

use absent::absent;
use dissent_core::data::{MOST_DIFFERENT_BITS, Picture, PicturePrint};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};
use rayon::prelude::*;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// Pictures per set whose copies are tried.
const COPIED: usize = 50;

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|ending| ["png", "jpg"].iter().any(|known| ending == *known)) {
            found.push(path);
        }
    }
}

fn decoded(bytes: &[u8]) -> Picture {
    Picture::decode(Path::new("copy"), bytes).unwrap()
}

fn jpeg(image: &DynamicImage, quality: u8) -> Picture {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&image.to_luma8()).unwrap();
    decoded(&bytes)
}

fn png(image: &DynamicImage) -> Picture {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    decoded(bytes.get_ref())
}

fn scaled(image: &DynamicImage, factor: f64) -> DynamicImage {
    let side = |length: u32| ((f64::from(length) * factor) as u32).max(1);
    image.resize_exact(side(image.width()), side(image.height()), FilterType::CatmullRom)
}

/// Stretches the middle 98 % of the grey values over the whole range, as a viewer's window does.
fn windowed(image: &DynamicImage) -> DynamicImage {
    let mut grey = image.to_luma8();
    let mut sorted = grey.as_raw().clone();
    sorted.sort_unstable();
    let (low, high) = (f64::from(sorted[sorted.len() / 100]), f64::from(sorted[sorted.len() * 99 / 100]));
    grey.iter_mut().for_each(|value| *value = ((f64::from(*value) - low) / (high - low).max(1.0) * 255.0) as u8);
    grey.into()
}

fn with_gamma(image: &DynamicImage) -> DynamicImage {
    let mut grey = image.to_luma8();
    grey.iter_mut().for_each(|value| *value = ((f64::from(*value) / 255.0).powf(0.8) * 255.0) as u8);
    grey.into()
}

/// Distances of the copies, with their names.
fn copies(image: &DynamicImage) -> Vec<(&'static str, Picture)> {
    let mut copies = vec![
        ("JPEG 95", jpeg(image, 95)),
        ("JPEG 75", jpeg(image, 75)),
        ("window", png(&windowed(image))),
        ("gamma 0.8", png(&with_gamma(image))),
        ("16 bit", png(&DynamicImage::ImageLuma16(image.to_luma16()))),
        ("double", png(&scaled(image, 2.0))),
    ];
    // A picture of 28 x 28 has nothing left after these.
    if image.width() >= 64 {
        copies.push(("JPEG 30", jpeg(image, 30)));
        copies.push(("half", png(&scaled(image, 0.5))));
        copies.push(("0.7, JPEG 60", jpeg(&scaled(image, 0.7), 60)));
    }
    copies
}

/// Copies found and tried, and pairs of different pictures taken for one and tried.
fn measure(name: &str, files: &[PathBuf]) -> (usize, usize, usize, usize) {
    let pictures: Vec<Picture> = files.par_iter().filter_map(|path| Picture::read(path).ok()).collect();
    let prints: Vec<Option<PicturePrint>> = pictures.par_iter().map(PicturePrint::of).collect();
    let step = (pictures.len() / COPIED).max(1);
    let distances: Vec<(&'static str, u32)> = (0..pictures.len())
        .step_by(step)
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|position| Some((position, prints[position]?)))
        .flat_map_iter(|(position, print)| {
            let copies = copies(&DynamicImage::ImageRgb8(pictures[position].to_rgb8()));
            copies.into_iter().map(move |(kind, copy)| {
                (kind, PicturePrint::of(&copy).map_or(u32::MAX, |of_copy| print.distance(&of_copy)))
            })
        })
        .collect();
    let mut worst = std::collections::BTreeMap::new();
    for (kind, distance) in &distances {
        let most: &mut u32 = worst.entry(*kind).or_default();
        *most = (*most).max(*distance);
    }
    let found = distances.iter().filter(|(_, distance)| *distance <= MOST_DIFFERENT_BITS).count();
    let mut nearest = Vec::new();
    let (mut false_pairs, mut pairs) = (0, 0);
    for (position, one) in prints.iter().enumerate() {
        for (later, other) in prints.iter().enumerate().skip(position + 1) {
            let (Some(one), Some(other)) = (one, other) else { continue };
            let distance = one.distance(other);
            if distance < 48 {
                if pictures[position].to_rgb8() == pictures[later].to_rgb8() {
                    continue;
                }
                nearest.push((distance, position, later));
            }
            pairs += 1;
            false_pairs += usize::from(one.is_same_picture(other));
        }
    }
    nearest.sort_unstable();
    let near: Vec<String> = nearest
        .iter()
        .take(5)
        .map(|(bits, one, other)| {
            let name = |position: &usize| pictures[*position].path.file_name().unwrap().to_string_lossy().into_owned();
            format!("{bits} ({} and {})", name(one), name(other))
        })
        .collect();
    println!("{name}: {} pictures, copies found {found} of {}, most bits {worst:?}", pictures.len(), distances.len());
    println!("  different pictures: {false_pairs} of {pairs} pairs taken for one; nearest {near:?}");
    (found, distances.len(), false_pairs, pairs)
}

#[test]
fn copies_of_the_sample_are_found_and_no_two_pictures_are_taken_for_one() {
    let mut files = Vec::new();
    files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample-data/dataset/images"), &mut files);
    let (found, copies, false_pairs, pairs) = measure("sample", &files);
    assert!(found * 100 >= copies * 98 && copies >= 400, "{found} of {copies}");
    assert!(false_pairs == 0 && pairs > 1_000_000, "{false_pairs} of {pairs}");
}

#[test]
fn copies_of_real_images_are_found_and_few_pictures_are_taken_for_one() {
    for set in ["nih-cxr-224", "vqa-rad"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(set);
        if !folder.is_dir() {
            absent(&format!("{} is not there", folder.display()), "DISSENT_REQUIRE_DATA");
            continue;
        }
        let mut files = Vec::new();
        files_below(&folder, &mut files);
        let (found, copies, false_pairs, pairs) = measure(set, &files);
        assert!(found * 100 >= copies * 98, "{set}: {found} of {copies}");
        assert!(false_pairs * 10_000 <= pairs, "{set}: {false_pairs} of {pairs}");
    }
}
