//! GIF, BMP, TIFF and WebP files, CMYK and turned files, against what Pillow reads in them (tests/fixtures/rasters/generate.py).

use super::support::shared_data;
use crate::support::fixtures;
use dissent::data::{CONVERSION_VERSION, Picture, PictureRemark};
use dissent::files::fingerprint::Fingerprint;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Expected {
    size: [u32; 2],
    rgb: String,
    tolerance: u8,
    frames: u64,
    orientation: u8,
}

fn expected() -> BTreeMap<String, Expected> {
    serde_json::from_str(&std::fs::read_to_string(fixtures::path("rasters/expected.json")).unwrap()).unwrap()
}

fn path(name: &str) -> PathBuf {
    fixtures::path("rasters").join(name)
}

/// The largest difference of a channel.
fn difference(found: &[u8], expected: &str) -> u8 {
    let pairs = expected.as_bytes().chunks_exact(2).map(|two| std::str::from_utf8(two).unwrap());
    let expected: Vec<u8> = pairs.map(|two| u8::from_str_radix(two, 16).unwrap()).collect();
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| found.abs_diff(expected)).max().unwrap()
}

#[test]
fn pixels_frames_and_orientation_are_those_that_pillow_reads() {
    let mut wrong = Vec::new();
    let all = expected();
    assert!(all.len() > 35);
    for (name, expected) in &all {
        let (picture, remarks) = match Picture::read_with_remarks(&path(name)) {
            Ok(read) => read,
            Err(error) => {
                wrong.push(format!("{name}: {error:#}"));
                continue;
            }
        };
        if [picture.width(), picture.height()] != expected.size {
            wrong.push(format!("{name}: {} × {}", picture.width(), picture.height()));
            continue;
        }
        let difference = difference(picture.to_rgb8().as_raw(), &expected.rgb);
        if difference > expected.tolerance {
            wrong.push(format!("{name}: differs by {difference}"));
        }
        let frames = remarks.iter().find_map(|remark| match remark {
            PictureRemark::FirstOfFrames(frames) => Some(*frames),
            _ => None,
        });
        if frames.unwrap_or(1) != expected.frames {
            wrong.push(format!("{name}: {frames:?} frames"));
        }
        let turned = remarks.iter().any(|remark| matches!(remark, PictureRemark::Turned(_)));
        if turned != (expected.orientation != 1) {
            wrong.push(format!("{name}: turned is {turned}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused_or_has_all_its_pixels() {
    for (name, expected) in expected() {
        let whole = std::fs::read(path(&name)).unwrap();
        for length in (0..whole.len()).step_by(if whole.len() > 3000 { 13 } else { 3 }) {
            let Ok(picture) = Picture::decode(&path(&name), &whole[..length]) else { continue };
            let difference = difference(picture.to_rgb8().as_raw(), &expected.rgb);
            assert!(difference <= expected.tolerance, "{name} of {length} bytes differs by {difference}");
        }
    }
}

#[test]
fn changed_bytes_give_a_picture_or_an_error_but_no_panic() {
    for name in expected().keys() {
        let whole = std::fs::read(path(name)).unwrap();
        for place in (0..whole.len()).step_by(if whole.len() > 3000 { 17 } else { 5 }) {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut changed = whole.clone();
                changed[place] = value;
                if let Err(error) = Picture::decode(&path(name), &changed) {
                    assert!(!format!("{error:#}").contains(['\n', '\x1b', '\0']), "{name}: {error:#}");
                }
            }
        }
    }
}

#[test]
fn samples_without_a_black_and_a_white_are_refused_by_name() {
    for (name, kind) in [("float", "floating-point"), ("signed", "signed ones of 16 bits"), ("32_bit", "of 32 bits")] {
        let error = format!("{:#}", Picture::read(&path(&format!("refused_{name}.tiff"))).unwrap_err());
        assert!(error.contains(kind) && error.contains("convert it"), "{error}");
    }
}

#[test]
fn conversions_are_part_of_the_fingerprint_of_new_formats_and_of_no_cmyk_jpeg() {
    let print = |name: &str| {
        let bytes = std::fs::read(path(name)).unwrap();
        (Picture::fingerprint_of(&bytes), Fingerprint::of_bytes(&bytes))
    };
    for name in ["plain.gif", "rgb.bmp", "grey.tiff", "lossless.webp", "big_offsets.tiff", "turned.png", "turned.jpg"] {
        let (found, content) = print(name);
        assert_eq!(found, Fingerprint::of_parts([CONVERSION_VERSION, content.as_str()]), "{name}");
    }
    let (found, content) = print("cmyk.jpg");
    assert_eq!(found, content);
}

/// The mean of each channel, as SOURCE.txt beside the files gives them.
#[test]
fn cmyk_and_ycck_files_have_the_colours_that_pillow_reads() {
    let Some(folder) = shared_data("formats/odd-images") else { return };
    let mean = |name: &str| {
        let image = Picture::read(&folder.join(name)).unwrap().to_rgb8();
        let pixels = f64::from(image.width() * image.height());
        [0, 1, 2].map(|channel| image.pixels().map(|pixel| f64::from(pixel.0[channel])).sum::<f64>() / pixels)
    };
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "SOURCE.txt");
    assert_eq!(names.len(), 3, "{names:?}");
    for name in names {
        let expected = if name.contains("ycck") { [247.4, 121.0, 248.0] } else { [21.4; 3] };
        let found = mean(&name);
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 0.2, "{name}: {found} for {expected}");
        }
    }
}
