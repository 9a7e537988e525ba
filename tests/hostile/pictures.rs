//! Image files: show, search, check, index.

use crate::ground::{Ground, project};
use crate::input::{Input, Random, text_of};
use crate::mutate;
use flate2::Crc;
use image::{DynamicImage, ImageFormat};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::io::Cursor;
use std::path::Path;

const DICOM: [&str; 5] = ["colour", "ct", "film", "pet", "plain"];

/// An image file with changed bytes; half of the PNG files get checksums that fit.
pub fn picture(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let original = ground.dataset().join("images");
    let names: Vec<_> = fs::read_dir(original).unwrap().map(|entry| entry.unwrap().path()).collect();
    let mut sorted = names;
    sorted.sort();
    let mut content = fs::read(sorted.choose(random).unwrap()).unwrap();
    if random.random() {
        let picture = image::load_from_memory(&content).unwrap();
        content = encoded(random, &picture);
    }
    let mut what = mutate::bytes(random, &mut content);
    if random.random() && mend_checksums(&mut content) {
        what.push_str(", checksums mended");
    }
    look_at(random, ground, folder, &content, what)
}

/// The picture as another kind of PNG or in another format.
fn encoded(random: &mut Random, picture: &DynamicImage) -> Vec<u8> {
    let kinds = [
        DynamicImage::ImageLuma16(picture.to_luma16()),
        DynamicImage::ImageRgba8(picture.to_rgba8()),
        DynamicImage::ImageRgb16(picture.to_rgb16()),
        DynamicImage::ImageLumaA8(picture.to_luma_alpha8()),
    ];
    let mut file = Cursor::new(Vec::new());
    if random.random() {
        let formats = [ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP];
        DynamicImage::ImageRgb8(picture.to_rgb8()).write_to(&mut file, *formats.choose(random).unwrap()).unwrap();
    } else {
        kinds.choose(random).unwrap().write_to(&mut file, ImageFormat::Png).unwrap();
    }
    file.into_inner()
}

/// A DICOM file with changed bytes or lengths.
pub fn dicom(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let name = DICOM.choose(random).unwrap();
    let mut content = fs::read(project().join("tests/fixtures/dicom").join(name).with_extension("dcm")).unwrap();
    let what = match random.random_range(0..6) {
        0 => {
            // Sequences in sequences, each open to the end.
            let depth = random.random_range(10..20_000);
            let level = [
                &[0x08, 0x00, 0x40, 0x11, b'S', b'Q', 0, 0, 255, 255, 255, 255][..],
                &[0xfe, 0xff, 0x00, 0xe0, 255, 255, 255, 255],
            ]
            .concat();
            content.extend(level.repeat(depth));
            format!("{name}: {depth} sequences")
        }
        1 => {
            // A tag of the group of the image: rows, columns, bits, frames, and what it says.
            let elements = [
                0x0002_u16, 0x0004, 0x0008, 0x0010, 0x0011, 0x0100, 0x0101, 0x0102, 0x0103, 0x1050, 0x1051, 0x1052,
                0x1053,
            ];
            let element = *elements.choose(random).unwrap();
            let tag = [0x28, 0x00, element as u8, (element >> 8) as u8];
            match content.windows(4).position(|window| window == tag) {
                Some(place) if place + 12 <= content.len() => {
                    let value: [u8; 2] =
                        *[[0, 0], [255, 255], [1, 0], [0, 128], [17, 0], [8, 0]].choose(random).unwrap();
                    content[place + 8..place + 10].copy_from_slice(&value);
                    format!("{name}: element {element:04x} = {value:?}")
                }
                _ => mutate::bytes(random, &mut content),
            }
        }
        2 => {
            content.drain(..132);
            format!("{name}: no preamble, {}", mutate::bytes(random, &mut content))
        }
        _ => format!("{name}: {}", mutate::bytes(random, &mut content)),
    };
    look_at(random, ground, folder, &content, what)
}

/// One of the commands that read a picture.
fn look_at(random: &mut Random, ground: &Ground, folder: &Path, content: &[u8], what: String) -> Input {
    let encoder = Ground::encoder();
    let encoder = text_of(&encoder);
    let file = folder.join("in.png");
    if random.random_range(0..3) > 0 {
        fs::write(&file, content).unwrap();
        let dataset = ground.dataset();
        let commands: [&[&str]; 4] = [
            &["show", text_of(&file), "--images", "half"],
            &["show", text_of(&file), "--json"],
            &["show", text_of(&file), "--images", "sixel"],
            &["search", text_of(&dataset), "--image", text_of(&file), "--encoder", encoder],
        ];
        return Input::new(what, commands.choose(random).unwrap());
    }
    let dataset = ground.bare_copy(folder);
    let lines = fs::read_to_string(dataset.join("corpus.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    fs::write(dataset.join(first["image"].as_str().unwrap()), content).unwrap();
    let commands: [&[&str]; 2] = [&["check", text_of(&dataset)], &["index", text_of(&dataset), "--encoder", encoder]];
    Input::new(what, commands.choose(random).unwrap())
}

/// Gives every chunk of a PNG file the checksum of its content; no other file is changed.
pub fn mend_checksums(file: &mut [u8]) -> bool {
    if !file.starts_with(b"\x89PNG\r\n\x1a\n") {
        return false;
    }
    let mut place = 8;
    while let Some(length) = file.get(place..place + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let end = place + 8 + length;
        if end + 4 > file.len() {
            break;
        }
        let mut crc = Crc::new();
        crc.update(&file[place + 4..end]);
        file[end..end + 4].copy_from_slice(&crc.sum().to_be_bytes());
        place = end + 4;
    }
    true
}
