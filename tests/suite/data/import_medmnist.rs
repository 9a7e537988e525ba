//! The MedMNIST importer on small npz files made here in the real layout.

use super::support::{Done, done, error_text, shared_data};
use dissent::data::import::{ImportOptions, MedmnistOptions, import_medmnist};
use dissent::data::{Dataset, Split, Summary, check};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An array as numpy writes it: version 1, header padded to 64 bytes.
fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(elements);
    bytes
}

/// Splits of 4, 2 and 3 images of 6 × 5 pixels, every pixel of image i being 10 × i; labels 0, 1, 0, 1 …
fn arrays(colour: bool) -> Vec<(String, Vec<u8>)> {
    let mut arrays = Vec::new();
    for (split, count) in [("train", 4_usize), ("val", 2), ("test", 3)] {
        let (channels, tail) = if colour { (3, ", 3") } else { (1, "") };
        let mut pixels = Vec::new();
        for image in 0..count {
            for pixel in 0..30 * channels {
                // In colour, channels differ, so that a wrong order would show.
                pixels.push((image * 10 + pixel % channels) as u8);
            }
        }
        let labels: Vec<u8> = (0..count).map(|image| (image % 2) as u8).collect();
        arrays.push((format!("{split}_images.npy"), npy("|u1", &format!("({count}, 6, 5{tail})"), &pixels)));
        arrays.push((format!("{split}_labels.npy"), npy("|u1", &format!("({count}, 1)"), &labels)));
    }
    arrays
}

fn npz(arrays: &[(String, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A grey set of nine images, for other tests.
pub fn small_npz() -> Vec<u8> {
    npz(&arrays(false), CompressionMethod::Deflated)
}

struct Import {
    folder: tempfile::TempDir,
    result: anyhow::Result<Done>,
}

fn import(file: &str, bytes: &[u8], options: &MedmnistOptions) -> Import {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join(file);
    fs::write(&source, bytes).unwrap();
    let target = folder.path().join("out");
    let result = done(import_medmnist(&source, &target, options, &ImportOptions::default(), &|_, _| {}), &target);
    Import { folder, result }
}

/// Imports what must fail, and makes sure that only the source file is left.
fn refusal(file: &str, bytes: &[u8]) -> String {
    let import = import(file, bytes, &MedmnistOptions::default());
    assert_eq!(fs::read_dir(import.folder.path()).unwrap().count(), 1, "nothing is left behind");
    error_text(import.result)
}

fn replaced(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    let mut arrays = arrays(false);
    arrays.iter_mut().find(|array| array.0 == name).unwrap().1 = bytes;
    npz(&arrays, CompressionMethod::Deflated)
}

#[test]
fn a_known_grey_set_becomes_cases_and_corpus() {
    for method in [CompressionMethod::Deflated, CompressionMethod::Stored] {
        let import = import("pneumoniamnist.npz", &npz(&arrays(false), method), &MedmnistOptions::default());
        let dataset = import.result.unwrap().dataset;
        let counts: Vec<usize> = [Split::Train, Split::Validation, Split::Test]
            .iter()
            .map(|split| dataset.cases.iter().filter(|case| case.split == *split).count())
            .collect();
        assert_eq!(counts, [4, 2, 3]);
        assert_eq!(dataset.corpus.len(), 4);
        assert_eq!(dataset.corpus.document(1).caption, "chest x-ray, finding: pneumonia");
        assert_eq!(dataset.question_of(&dataset.cases[0]), "Does this chest X-ray show pneumonia?");
        assert_eq!((dataset.cases[0].answer.as_str(), dataset.cases[1].answer.as_str()), ("No", "Yes"));
        let last = dataset.picture(&dataset.cases[8].image).unwrap();
        assert_eq!((last.width(), last.height()), (5, 6));
        assert!(last.image.as_luma8().unwrap().pixels().all(|pixel| pixel.0 == [20]));
        // Training case 1 finds every document but its own; a test case with other content finds all.
        let found: Vec<bool> = (0..4).map(|row| dataset.may_retrieve(&dataset.cases[1], row)).collect();
        assert_eq!(found, [true, false, true, true]);
        assert_eq!(check(&dataset.root, &|_, _| {}).errors(), 0);
    }
}

#[test]
fn a_known_colour_set_keeps_channels_and_its_label_key() {
    let bytes = npz(&arrays(true), CompressionMethod::Deflated);
    let dataset = import("dermamnist_64.npz", &bytes, &MedmnistOptions::default()).result;
    let Done { dataset, .. } = dataset.unwrap();
    assert_eq!(dataset.tasks[0].labels.len(), 7);
    assert!(dataset.tasks[0].prompt.with_document.contains("4 - 'melanoma'\n"));
    assert!(dataset.tasks[0].prompt.closed_book.ends_with("{question}"));
    assert_eq!(dataset.corpus.document(1).caption, "dermatoscopic image, lesion: basal cell carcinoma");
}

#[test]
fn colour_is_stored_in_order() {
    let import = import("retinamnist.npz", &npz(&arrays(true), CompressionMethod::Stored), &MedmnistOptions::default());
    let dataset = import.result.unwrap().dataset;
    let image = dataset.picture(&dataset.cases[1].image).unwrap().to_rgb8();
    assert_eq!(image.get_pixel(4, 5).0, [10, 11, 12]);
}

#[test]
fn in_the_breast_set_zero_is_malignant() {
    let import =
        import("breastmnist.npz", &npz(&arrays(false), CompressionMethod::Deflated), &MedmnistOptions::default());
    let dataset = import.result.unwrap().dataset;
    assert_eq!((dataset.cases[0].answer.as_str(), dataset.cases[1].answer.as_str()), ("Yes", "No"));
    assert_eq!(dataset.corpus.document(0).caption, "breast ultrasound, finding: malignant");
}

#[test]
fn an_unknown_set_asks_for_labels_and_takes_them() {
    let bytes = npz(&arrays(false), CompressionMethod::Deflated);
    let error = refusal("mine.npz", &bytes);
    assert!(error.contains("--labels") && error.contains("--question"), "{error}");

    let labels = vec!["benign".to_string(), "malignant".to_string()];
    let only_labels = MedmnistOptions { labels: labels.clone(), ..MedmnistOptions::default() };
    assert!(error_text(import("mine.npz", &bytes, &only_labels).result).contains("--question"));

    let (question, modality) = (Some("What is it?".into()), Some("skin photo".into()));
    let whole = MedmnistOptions { labels, question, modality, slices: None };
    let import = import("mine.npz", &bytes, &whole);
    let dataset = import.result.unwrap().dataset;
    assert_eq!(dataset.cases[1].answer, "malignant");
    assert_eq!(dataset.corpus.document(1).caption, "skin photo, finding: malignant");
}

#[test]
fn wrong_arrays_are_named() {
    let grey = |count: usize| vec![0_u8; count * 30];
    for (name, array, expected) in [
        (
            "test_labels.npy",
            npy("|u1", "(3, 1)", &[0, 1, 2]),
            "test_labels.npy: label 2 in row 2 (from 0); expected 0 to 1 (normal, pneumonia)",
        ),
        ("test_labels.npy", npy("<i8", "(1,)", &(-1_i64).to_le_bytes()), "label -1 in row 0"),
        (
            "val_labels.npy",
            npy("|u1", "(2, 14)", &[0; 28]),
            "expected one label per image, shape (n, 1), found shape [2, 14]; is this pneumoniamnist?",
        ),
        (
            "val_labels.npy",
            npy("|u1", "(3, 1)", &[0; 3]),
            "val_images.npy: expected as many images as labels, found 2 images and 3",
        ),
        (
            "train_images.npy",
            npy("|u1", "(4, 6, 5, 6)", &[0; 720]),
            "expected images of shape (n, height, width) or (n, height, width, 3), found [4, 6, 5, 6]",
        ),
        ("train_images.npy", npy("<f4", "(4, 6, 5)", &[0; 480]), "expected bytes (u1), found F32"),
        ("train_images.npy", npy("|u1", "(4, 0, 5)", &[]), "expected sides of 1 to 4096 pixels, found 0 × 5"),
        ("train_images.npy", npy("|u1", "(4, 6, 5)", &grey(3)), "train_images.npy: the array is cut short"),
        ("train_images.npy", npy("|u1", "(4, 6, 5)", &grey(5)), "found more bytes than shape [4, 6, 5]"),
        ("train_images.npy", b"not an array at all".to_vec(), "train_images.npy: cannot read the array's header"),
    ] {
        let error = refusal("pneumoniamnist.npz", &replaced(name, array));
        assert!(error.contains("pneumoniamnist.npz") && error.contains(expected), "{expected}\n{error}");
    }
}

#[test]
fn a_missing_array_is_named() {
    let mut fewer = arrays(false);
    fewer.retain(|(name, _)| name != "val_images.npy");
    let error = refusal("pneumoniamnist.npz", &npz(&fewer, CompressionMethod::Deflated));
    assert!(error.contains("val_images is missing, found train_images.npy, "), "{error}");
}

#[test]
fn a_torn_npz_is_refused_wherever_it_is_torn() {
    let whole = npz(&arrays(false), CompressionMethod::Deflated);
    for parts in 0..10 {
        let error = refusal("pneumoniamnist.npz", &whole[..whole.len() * parts / 10]);
        assert!(error.contains("pneumoniamnist.npz: expected an npz file"), "{error}");
    }
}

#[test]
fn a_flipped_byte_is_found_by_the_checksum() {
    let whole = npz(&arrays(false), CompressionMethod::Stored);
    // Stored, the pixels of the third training image lie bare in the file.
    let position = whole.windows(30).position(|window| window == [20; 30]).unwrap();
    let mut damaged = whole;
    damaged[position] ^= 1;
    let error = refusal("pneumoniamnist.npz", &damaged);
    assert!(error.contains("train_images.npy: the array is cut short or damaged"), "{error}");
}

#[test]
fn the_real_pneumonia_set_is_imported_whole() {
    let Some(source) = shared_data("pneumoniamnist.npz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("set");
    import_medmnist(&source, &target, &MedmnistOptions::default(), &ImportOptions::default(), &|_, _| {}).unwrap();
    let dataset = Dataset::open(Path::new(&target)).unwrap();
    let summary = Summary::of(&dataset).unwrap();
    let test = &summary.cases["pneumoniamnist"][&Split::Test];
    assert_eq!((test["No"], test["Yes"]), (234, 390), "the official test split");
    assert_eq!((summary.documents, summary.images), (3882, 3882 + 524 + 624));
    for (row, case) in dataset.cases.iter().enumerate().filter(|(_, case)| case.split == Split::Train) {
        assert_eq!(dataset.corpus.document(row).id, case.id);
        assert!(!dataset.may_retrieve(case, row), "{} finds itself", case.id);
    }
}
