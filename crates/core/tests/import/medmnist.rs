//! MedMNIST: several labels at once, label names with commas, volumes as slices. Files are made here with the keys, shapes and
//! types of the release.

use crate::support::{opened, shared_data};
use dissent_core::data::import::{ImportOptions, Imported, MedmnistOptions, Slices, import_medmnist};
use dissent_core::data::{Answer, Dataset, LabelSet, Split, TaskKind};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

/// An array of bytes as numpy writes it.
fn npy(shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(elements);
    bytes
}

/// Writes an npz file whose splits all have these arrays.
fn npz(folder: &Path, name: &str, images: &[u8], labels: &[u8]) -> PathBuf {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for split in ["train", "val", "test"] {
        for (part, bytes) in [("images", images), ("labels", labels)] {
            zip.start_file(format!("{split}_{part}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
    }
    let path = folder.join(name);
    fs::write(&path, zip.finish().unwrap().into_inner()).unwrap();
    path
}

fn import(source: &Path, choices: &MedmnistOptions) -> anyhow::Result<(Imported, Dataset)> {
    let target = source.with_extension("out");
    let imported = import_medmnist(source, &target, choices, &ImportOptions::default(), &|_, _| {})?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

fn refusal(source: &Path, choices: &MedmnistOptions) -> String {
    let error = format!("{:#}", import(source, choices).unwrap_err());
    assert!(!source.with_extension("out").exists());
    error
}

/// Two images of 2 x 3 pixels.
fn two_images() -> Vec<u8> {
    npy("(2, 2, 3)", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
}

#[test]
fn chestmnist_has_several_labels_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut labels = vec![0; 28];
    (labels[14 + 2], labels[14 + 13]) = (1, 1);
    let source = npz(folder.path(), "chestmnist_64.npz", &two_images(), &npy("(2, 14)", &labels));
    let (_, dataset) = import(&source, &MedmnistOptions::default()).unwrap();
    let task = &dataset.tasks[0];
    assert_eq!((task.kind, task.labels.len()), (TaskKind::MultiLabel, 14));
    assert_eq!((dataset.cases[0].answer.as_str(), dataset.cases[1].answer.as_str()), ("[]", "effusion, hernia"));
    // The empty set is an answer, not a missing one.
    assert_eq!(task.gold_of(&dataset.cases[0]), Some(Answer::Set(LabelSet::default())));
    assert_eq!(dataset.corpus.document(0).caption, "chest x-ray, findings: none");
    assert_eq!(dataset.corpus.document(1).caption, "chest x-ray, findings: effusion, hernia");

    labels[3] = 2;
    let source = npz(folder.path(), "chestmnist.npz", &two_images(), &npy("(2, 14)", &labels));
    let error = refusal(&source, &MedmnistOptions::default());
    assert!(
        error.contains("train_labels.npy: 2 in row 0, column 3 (from 0, infiltration); expected 0 or 1"),
        "{error}"
    );
    let source = npz(folder.path(), "chestmnist (1).npz", &two_images(), &npy("(2, 1)", &[0, 1]));
    let error = refusal(&source, &MedmnistOptions::default());
    assert!(
        error.contains("expected a column for each of 14 labels") && error.contains("is this chestmnist?"),
        "{error}"
    );
}

#[test]
fn names_with_commas_are_whole_labels() {
    let folder = tempfile::tempdir().unwrap();
    let source = npz(folder.path(), "tissuemnist_224.npz", &two_images(), &npy("(2, 1)", &[0, 7]));
    let (_, dataset) = import(&source, &MedmnistOptions::default()).unwrap();
    assert_eq!(
        dataset.corpus.document(0).caption,
        "kidney cortex microscopy, cell: Collecting Duct, Connecting Tubule"
    );
    assert_eq!(dataset.tasks[0].labels.len(), 8);
    assert!(dataset.tasks[0].prompt.closed_book.contains("0 - 'Collecting Duct, Connecting Tubule'\n"));

    let choices = MedmnistOptions {
        labels: vec!["normal, benign".into(), "malignant".into()],
        question: Some("Which?".into()),
        ..MedmnistOptions::default()
    };
    let source = npz(folder.path(), "mine.npz", &two_images(), &npy("(2, 2)", &[1, 1, 0, 0]));
    let (_, dataset) = import(&source, &choices).unwrap();
    assert_eq!(dataset.cases[0].answer, r#"["normal, benign","malignant"]"#);
    let task = &dataset.tasks[0];
    assert_eq!(task.gold_of(&dataset.cases[0]), Some(Answer::Set(LabelSet::of([0, 1]))));
    assert_eq!(task.gold_of(&dataset.cases[1]), Some(Answer::Set(LabelSet::default())));
}

#[test]
fn the_grades_of_the_retina_stay_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..36).collect();
    let source = npz(folder.path(), "retinamnist (1).npz", &npy("(2, 2, 3, 3)", &pixels), &npy("(2, 1)", &[4, 0]));
    let (_, dataset) = import(&source, &MedmnistOptions::default()).unwrap();
    let ids: Vec<&str> = dataset.tasks[0].labels.iter().map(|label| label.id.as_str()).collect();
    assert_eq!((ids, dataset.cases[0].answer.as_str()), (vec!["0", "1", "2", "3", "4"], "4"));
    assert_eq!(dataset.picture(&dataset.cases[1].image).unwrap().to_rgb8().get_pixel(0, 0).0, [18, 19, 20]);
}

/// Three volumes of 4 slices of 2 x 2 pixels: the first is blank, the slices of the second are 0, 11, 12 and 13, the third is
/// 9 everywhere.
fn volumes() -> Vec<u8> {
    let mut voxels = vec![0; 16];
    voxels.extend([0, 11, 12, 13].iter().flat_map(|value| [*value; 4]));
    voxels.extend([9; 16]);
    npy("(3, 4, 2, 2)", &voxels)
}

#[test]
fn volumes_become_slices_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let labels = npy("(3, 1)", &[0, 1, 0]);
    let source = npz(folder.path(), "nodulemnist3d.npz", &volumes(), &labels);
    let error = refusal(&source, &MedmnistOptions::default());
    assert!(error.contains("train_images.npy: found volumes of 4 slices; give --slices middle"), "{error}");

    let middle = MedmnistOptions { slices: Some(Slices::Middle), ..MedmnistOptions::default() };
    let (imported, dataset) = import(&source, &middle).unwrap();
    let ids: Vec<&str> = dataset.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["train-00001", "train-00002", "val-00001", "val-00002", "test-00001", "test-00002"]);
    assert_eq!(dataset.cases[0].answer, "Yes");
    let picture = dataset.picture(&dataset.cases[0].image).unwrap();
    assert_eq!(picture.image.as_luma8().unwrap().get_pixel(1, 1).0, [12], "slice 2 of 4");
    assert_eq!(
        imported.left_out[0].to_string(),
        "3 left out: blank volume (every voxel is 0) (train_images.npy:0, val_images.npy:0, test_images.npy:0)"
    );
    assert_eq!(imported.remarks[0], "3 volumes have one value everywhere");
    fs::remove_dir_all(source.with_extension("out")).unwrap();

    let all = MedmnistOptions { slices: Some(Slices::All), ..MedmnistOptions::default() };
    let (imported, dataset) = import(&source, &all).unwrap();
    assert_eq!((dataset.cases.len(), dataset.corpus.len()), (21, 7));
    let first = &dataset.cases[0];
    assert_eq!((first.id.as_str(), first.group.as_deref()), ("train-00001-s001", Some("train-00001")));
    assert!(!dataset.may_retrieve(first, 1), "another slice of the same volume");
    assert!(dataset.may_retrieve(first, 3));
    let blank = imported.left_out[1].to_string();
    assert!(blank.starts_with("3 left out: blank slice (every pixel is 0) (train_images.npy:1, slice 0,"), "{blank}");
}

#[test]
fn slices_are_for_volumes() {
    let folder = tempfile::tempdir().unwrap();
    let middle = MedmnistOptions { slices: Some(Slices::Middle), ..MedmnistOptions::default() };
    let source = npz(folder.path(), "octmnist.npz", &two_images(), &npy("(2, 1)", &[0, 3]));
    let error = refusal(&source, &middle);
    assert!(error.contains("train_images.npy: expected volumes with --slices, found images"), "{error}");
    let source = npz(folder.path(), "organmnist3d_64.npz", &two_images(), &npy("(2, 1)", &[0, 3]));
    let error = refusal(&source, &middle);
    assert!(error.contains("expected volumes of shape (n, depth, height, width), found [2, 2, 3]"), "{error}");
    let source = npz(folder.path(), "octmnist_64.npz", &volumes(), &npy("(3, 1)", &[0, 3, 1]));
    let error = refusal(&source, &middle);
    assert!(error.contains("expected images of shape (n, height, width) or (n, height, width, 3)"), "{error}");
}

#[test]
fn the_files_with_the_real_keys_come_in() {
    let Some(source) = shared_data("formats/medmnist-synthetic") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (file, slices, cases) in [
        ("chestmnist.npz", None, 9),
        ("chestmnist_64.npz", None, 9),
        ("pathmnist.npz", None, 9),
        ("retinamnist_128.npz", None, 9),
        // The first volume of each split is blank.
        ("nodulemnist3d.npz", Some(Slices::Middle), 6),
        ("nodulemnist3d_64.npz", Some(Slices::All), 6 * 64),
    ] {
        let target = folder.path().join(file);
        let choices = MedmnistOptions { slices, ..MedmnistOptions::default() };
        let imported =
            import_medmnist(&source.join(file), &target, &choices, &ImportOptions::default(), &|_, _| {}).unwrap();
        let dataset = opened(&imported, &target);
        assert_eq!(dataset.cases.len(), cases, "{file}");
        assert!(dataset.corpus.iter().all(|document| dataset.cases.iter().any(|case| case.id == document.id)));
        assert!(dataset.cases.iter().any(|case| case.split == Split::Validation));
    }
}
