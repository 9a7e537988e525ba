//! Picture files that lie or are damaged (issue 18): an error in one line, or a picture of the size that the file declares.

use crate::support::fixtures;
use crate::support::pictures::{grey_png, png};
use dissent::data::Picture;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgb};
use proptest::prelude::*;
use std::io::Cursor;
use std::path::Path;

fn dicom_files() -> Vec<Vec<u8>> {
    let folder = fixtures::path("dicom");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "dcm"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn jpeg() -> Vec<u8> {
    let image = ImageBuffer::from_fn(40, 24, |x, y| Rgb([(x * 6) as u8, (y * 10) as u8, (x * y) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn deep_png() -> Vec<u8> {
    png(&DynamicImage::ImageLuma16(ImageBuffer::from_fn(40, 24, |x, y| Luma([(x * 100 + y) as u16]))))
}

/// Decodes; what comes is checked, panics fail the test by themselves.
fn try_one(bytes: &[u8]) {
    match Picture::decode(Path::new("a"), bytes) {
        Ok(picture) => {
            let rgb = picture.to_rgb8();
            assert_eq!((rgb.width(), rgb.height()), (picture.width(), picture.height()));
            assert_eq!(DynamicImage::ImageRgb8(rgb), DynamicImage::ImageRgb8(picture.as_models_see().to_rgb8()));
        }
        Err(error) => {
            let text = format!("{error:#}");
            assert!(!text.contains(['\n', '\x1b', '\0']), "{text:?}");
            assert!(!text.contains("the decoder failed"), "a panic: {text}");
        }
    }
}

#[test]
fn every_element_of_a_dicom_file_may_lie_about_its_length() {
    for whole in dicom_files() {
        for position in 132..whole.len().min(1400) - 4 {
            for length in [0_u32, 1, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFE, 0xFFFF_FFFF] {
                let mut lying = whole.clone();
                lying[position..position + 4].copy_from_slice(&length.to_le_bytes());
                try_one(&lying);
            }
        }
        for length in (0..whole.len()).step_by(7) {
            try_one(&whole[..length]);
        }
    }
}

#[test]
fn sequences_nested_ten_thousand_deep_are_an_error() {
    let whole = std::fs::read(fixtures::path("dicom/ct.dcm")).unwrap();
    let start = whole.windows(4).position(|part| part == [8, 0, 0x16, 0]).unwrap();
    for implicit_within in [false, true] {
        let mut nested = whole[..start].to_vec();
        for _ in 0..10_000 {
            let vr = if implicit_within { b"UN" } else { b"SQ" };
            nested.extend([8, 0, 0x40, 0x11]);
            nested.extend(vr);
            nested.extend([0, 0, 255, 255, 255, 255, 0xFE, 0xFF, 0, 0xE0, 255, 255, 255, 255]);
        }
        let error = format!("{:#}", Picture::decode(Path::new("a"), &nested).unwrap_err());
        assert!(error.contains(if implicit_within { "DICOM" } else { "deeper than 32" }), "{error}");
    }
}

#[test]
fn sizes_are_refused_before_they_cost_anything() {
    let error = |width, height| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        drop(encoder.write_header().unwrap());
        format!("{:#}", Picture::decode(Path::new("a.png"), &bytes).unwrap_err())
    };
    assert!(error(16384, 16384).contains("found 16384 × 16384"), "{}", error(16384, 16384));
    assert!(error(60000, 2).contains("200 times"), "{}", error(60000, 2));
    // A mammogram: its header passes, and only then are pixels missed.
    assert!(!error(5928, 4728).contains("expected a picture"), "{}", error(5928, 4728));
}

#[test]
fn a_text_that_inflates_to_hundreds_of_megabytes_is_not_inflated() {
    let bomb = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 64 << 20), &mut encoder).unwrap();
        encoder.finish().unwrap()
    };
    let plain = grey_png(3, 2, 9);
    for (kind, head) in [(b"iCCP", &b"a\0\0"[..]), (b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\x01\0\0\0")] {
        let data = [head, &bomb].concat();
        let mut bytes = plain[..33].to_vec();
        bytes.extend((data.len() as u32).to_be_bytes());
        let body = [&kind[..], &data].concat();
        let mut sum = flate2::Crc::new();
        sum.update(&body);
        bytes.extend(&body);
        bytes.extend(sum.sum().to_be_bytes());
        bytes.extend(&plain[33..]);
        assert_eq!(Picture::decode(Path::new("a.png"), &bytes).unwrap().to_rgb8().get_pixel(2, 1).0, [9; 3]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn bits_may_flip_anywhere(flips in prop::collection::vec((0_usize..1 << 20, 0_u8..8), 1..6), cut in 0_usize..40) {
        let files = dicom_files().into_iter().chain([jpeg(), deep_png(), png(&DynamicImage::new_rgb8(9, 7))]);
        for mut bytes in files {
            for (place, bit) in &flips {
                let place = place % bytes.len();
                bytes[place] ^= 1 << bit;
            }
            // Now and then the end is missing, too.
            if cut > 30 {
                bytes.truncate(bytes.len() * cut / 40);
            }
            try_one(&bytes);
        }
    }
}
