//! DICOM files against pydicom (fixtures/dicom/generate.py beside them), and files that only call themselves DICOM.

use super::support::{TinyDataset, error_text};
use crate::support::fixtures;
use dissent::data::Picture;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Tolerance in grey levels of 255: the window's ends are rounded in another order.
const TOLERANCE: i64 = 1;
/// JPEG decoders round their transforms in different ways.
const TOLERANCE_IN_JPEG: i64 = 3;

fn folder() -> PathBuf {
    fixtures::path("dicom")
}

fn expected() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap()
}

#[test]
fn readers_see_what_pydicom_shows() {
    let expected = expected();
    for (name, pixels) in expected["pictures"].as_object().unwrap() {
        let picture = Picture::read(&folder().join(format!("{name}.dcm"))).unwrap();
        let size = (expected["columns"].as_u64(), expected["rows"].as_u64());
        assert_eq!((Some(picture.width().into()), Some(picture.height().into())), size, "{name}");
        let rgb = picture.to_rgb8();
        let channels = pixels.as_array().unwrap().len() / (rgb.len() / 3);
        for (place, wanted) in pixels.as_array().unwrap().iter().enumerate() {
            let found = i64::from(rgb.as_raw()[if channels == 3 { place } else { 3 * place }]);
            let wanted = wanted.as_i64().unwrap();
            let tolerance = if name.starts_with("jpeg") { TOLERANCE_IN_JPEG } else { TOLERANCE };
            assert!((found - wanted).abs() <= tolerance, "{name}, value {place}: {found}, pydicom shows {wanted}");
        }
    }
}

#[test]
fn all_bits_are_kept_until_the_window() {
    let picture = Picture::read(&folder().join("ct.dcm")).unwrap();
    let deep = picture.image.as_luma16().unwrap();
    // -200 to 3000 as stored: the darkest is 0, whatever the rescale says.
    assert_eq!((deep.as_raw()[0], *deep.as_raw().last().unwrap()), (0, 3200));
    let window = picture.window.unwrap();
    // Centre 40, width 400 in Hounsfield units; the darkest value is -1224 of them.
    assert_eq!((window.low, window.high), (40.0 - 0.5 - 199.5 + 1224.0, 40.0 - 0.5 + 199.5 + 1224.0));
}

#[test]
fn damaged_files_say_what_is_wrong() {
    let whole = std::fs::read(folder().join("ct.dcm")).unwrap();
    let error = |bytes: &[u8]| error_text(Picture::decode(Path::new("scan.dcm"), bytes));
    for length in [132, 150, 400, whole.len() - 100] {
        let message = error(&whole[..length]);
        assert!(message.starts_with("scan.dcm: "), "{length} bytes: {message}");
        assert!(message.contains("DICOM"), "{length} bytes: {message}");
    }
    let text = String::from_utf8_lossy(&whole).into_owned();
    assert!(text.contains("MONOCHROME2"));
    let mut other = whole;
    let at = other.windows(11).position(|part| part == b"MONOCHROME2").unwrap();
    other[at..at + 11].copy_from_slice(b"XYZ_CHROME2");
    assert!(
        error(&other).contains("expected a DICOM image in grey, RGB, YBR_FULL or PALETTE COLOR, found XYZ_CHROME2")
    );
}

#[test]
fn a_dataset_of_dicom_files_passes_the_check() {
    let tiny = TinyDataset::new();
    std::fs::copy(folder().join("film.dcm"), tiny.root().join("images/film.dcm")).unwrap();
    let case = r#"{"id":"c3","task":"lesion","split":"test","image":"images/film.dcm","answer":"Yes"}"#;
    tiny.replace_line("cases.jsonl", 3, case);
    let report = dissent::data::check(tiny.root(), &|_, _| ());
    assert!(report.problems.iter().all(|problem| !problem.is_error()), "{:?}", report.problems);
}

#[test]
fn a_modality_table_in_a_sequence_of_unknown_representation_is_applied() {
    // Explicit little endian; the sequence is called UN and has a length, and is implicit inside (PS3.5, 6.2.2).
    let element = |tag: [u8; 4], vr: &[u8], value: &[u8]| {
        let length = value.len() as u32;
        let mut bytes = [&tag[..], vr].concat();
        match vr {
            b"UN" | b"OW" | b"OB" => bytes.extend([[0, 0, 0, 0][..2].to_vec(), length.to_le_bytes().to_vec()].concat()),
            b"" => bytes.extend(length.to_le_bytes()),
            _ => bytes.extend((length as u16).to_le_bytes()),
        }
        [&bytes, value].concat()
    };
    let word = |tag: [u8; 4], value: u16| element(tag, b"US", &value.to_le_bytes());
    let entries: Vec<u8> = (0..256_u16).rev().flat_map(|value| (value * 257).to_le_bytes()).collect();
    let descriptor: Vec<u8> = [256_u16, 0, 16].into_iter().flat_map(u16::to_le_bytes).collect();
    let item = [element([0x28, 0, 2, 0x30], b"", &descriptor), element([0x28, 0, 6, 0x30], b"", &entries)].concat();
    let sequence = [&[0xFE, 0xFF, 0, 0xE0][..], &(item.len() as u32).to_le_bytes(), &item].concat();
    let file = [
        vec![0; 128],
        b"DICM".to_vec(),
        element([2, 0, 0x10, 0], b"UI", b"1.2.840.10008.1.2.1\0"),
        word([0x28, 0, 2, 0], 1),
        element([0x28, 0, 4, 0], b"CS", b"MONOCHROME2 "),
        word([0x28, 0, 0x10, 0], 1),
        word([0x28, 0, 0x11, 0], 2),
        word([0x28, 0, 0, 1], 8),
        word([0x28, 0, 1, 1], 8),
        word([0x28, 0, 2, 1], 7),
        word([0x28, 0, 3, 1], 0),
        element([0x28, 0, 0, 0x30], b"UN", &sequence),
        element([0xE0, 0x7F, 0x10, 0], b"OB", &[0, 255]),
    ]
    .concat();
    let rgb = Picture::decode(Path::new("un.dcm"), &file).unwrap().to_rgb8();
    assert_eq!((rgb.get_pixel(0, 0).0[0], rgb.get_pixel(1, 0).0[0]), (255, 0), "0 is white in this table");
}

#[test]
fn a_jpeg_that_breaks_off_inside_a_dicom_file_is_refused() {
    let whole = std::fs::read(folder().join("jpeg_rgb.dcm")).unwrap();
    let start = whole.windows(2).position(|pair| pair == [0xFF, 0xD8]).unwrap();
    let end = start + whole[start..].windows(2).rposition(|pair| pair == [0xFF, 0xD9]).unwrap();
    // The length stays; the coded data ends early, with an end marker behind it.
    for kept in [30, 60] {
        let mut cut = whole.clone();
        let place = end - kept;
        cut[place..end + 2].fill(0);
        cut[place..place + 2].copy_from_slice(&[0xFF, 0xD9]);
        let message = error_text(Picture::decode(Path::new("cut.dcm"), &cut));
        assert!(message.contains("JPEG pixels of the DICOM file are cut short"), "{message}");
    }
}
