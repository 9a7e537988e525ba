//! DICOM files against pydicom (fixtures/dicom/generate.py beside them), and files that only call themselves DICOM.

use crate::support::{TinyDataset, error_text};
use dissent::data::Picture;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Of 255: the window's ends are rounded in another order.
const TOLERANCE: i64 = 1;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom")
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
            assert!((found - wanted).abs() <= TOLERANCE, "{name}, value {place}: {found}, pydicom shows {wanted}");
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
