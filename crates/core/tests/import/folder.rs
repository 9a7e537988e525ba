//! Image folders: classes, metadata files, zip files of a split; WebDataset shards.

use crate::support::{grey_png, left_out, opened, put, put_image};
use arrow_array::{ArrayRef, BinaryArray, RecordBatch, StringArray};
use dissent_core::data::import::{ColumnMapping, FolderOptions, ImportOptions, Imported, import_folder};
use dissent_core::data::{Dataset, OnlyPart, Split};
use parquet::arrow::ArrowWriter;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

fn import_to(source: &Path, target: &Path) -> anyhow::Result<Imported> {
    import_folder(source, target, &FolderOptions::default(), &ImportOptions::default(), &|_, _| {})
}

fn import(source: &Path) -> (Imported, Dataset) {
    let target = source.parent().unwrap().join("out");
    let imported = import_to(source, &target).unwrap();
    let dataset = opened(&imported, &target);
    (imported, dataset)
}

fn refused(source: &Path) -> String {
    let target = source.parent().unwrap().join("out");
    let error = format!("{:#}", import_to(source, &target).unwrap_err());
    assert!(!target.exists());
    error
}

fn tar_of(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn class_folders_are_labels_in_sorted_order() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("scans");
    for name in ["train/MRI/a.png", "train/CT/a.png", "train/CT/b.jpg", "validation/CT/c.png", "test/XR/d.png"] {
        put_image(&source, name);
    }
    for name in ["train/CT/Thumbs.db", "train/.DS_Store", "__MACOSX/train/CT/._a.png", "train/CT/notes.txt"] {
        put(&source, name, "x");
    }
    let (imported, dataset) = import(&source);
    let labels: Vec<_> = dataset.tasks[0].labels.iter().map(|label| label.id.as_str()).collect();
    assert_eq!(labels, ["CT", "MRI", "XR"]);
    let found: Vec<_> = dataset.cases.iter().map(|case| (case.id.as_str(), case.split, case.answer.as_str())).collect();
    assert_eq!(
        found,
        [
            ("d", Split::Test, "XR"),
            ("a", Split::Train, "CT"),
            ("b", Split::Train, "CT"),
            ("a-2", Split::Train, "MRI"),
            ("c", Split::Validation, "CT"),
        ]
    );
    let groups: std::collections::BTreeSet<_> = dataset.cases.iter().map(|case| case.group.clone()).collect();
    assert_eq!(groups.len(), 5, "the same name in two folders is another picture");
    assert!(groups.iter().flatten().all(|group| !group.contains("CT")), "a group must not say the answer: {groups:?}");
    assert_eq!(imported.remarks, ["1 files are no images and were skipped"]);
}

#[test]
fn folders_that_are_no_classes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("scans");
    put_image(&source, "train/CT/a.png");
    assert!(refused(&source).contains("at least two classes"));
    put_image(&source, "train/MRI/deep/b.png");
    assert!(refused(&source).contains("found train/CT/a.png and train/MRI/deep/b.png"), "{}", refused(&source));
    let flat = folder.path().join("flat");
    put_image(&flat, "train/a.png");
    put_image(&flat, "test/b.png");
    assert!(refused(&flat).contains("found images without classes"), "{}", refused(&flat));
    let empty = folder.path().join("empty");
    put(&empty, "readme.txt", "x");
    assert!(refused(&empty).ends_with("found no image"), "{}", refused(&empty));
    put(&empty, "captions_val.json", "{}");
    let message = refused(&empty);
    assert!(message.contains("captions_val.json` reads captions") && message.contains("--images-from"), "{message}");
}

#[test]
fn zip_files_are_splits() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("scans");
    for (zip, members) in
        [("train.zip", ["MRI/a.png", "CT/b.png"]), ("test.zip", ["test/MRI/c.png", "__MACOSX/MRI/._c.png"])]
    {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (value, name) in members.iter().enumerate() {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(&grey_png(value as u8 * 90)).unwrap();
        }
        put(&source, zip, archive.finish().unwrap().into_inner());
    }
    let (_, dataset) = import(&source);
    let found: Vec<_> = dataset.cases.iter().map(|case| (case.split, case.answer.as_str())).collect();
    assert_eq!(found, [(Split::Test, "MRI"), (Split::Train, "CT"), (Split::Train, "MRI")]);
    assert!(dataset.cases[0].image.ends_with("test.zip!/test/MRI/c.png"));
}

#[test]
fn metadata_wins_over_class_folders() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("scans");
    for name in ["train/CT/a.png", "train/CT/b.png", "train/CT/unused.png", "test/images/c.png"] {
        put_image(&source, name);
    }
    put_image(folder.path(), "secret.png");
    let absolute = folder.path().join("secret.png").display().to_string();
    let rows = format!(
        "file_name,text,label\nCT/a.png,\"one, \"\"quoted\"\"\nline\",x\nCT/missing.png,t,x\n../../secret.png,t,x\n{absolute},t,x\nhttps://example.org/a.png,t,x\nCT/b.png,t,y\n"
    );
    put(&source, "train/metadata.csv", rows);
    put(&source, "test/metadata.csv", "label,text,file_name\ny,three,images/c.png\n");
    let (imported, dataset) = import(&source);
    let found: Vec<_> = dataset.cases.iter().map(|case| (case.split, case.answer.as_str())).collect();
    assert_eq!(found, [(Split::Test, "y"), (Split::Train, "x"), (Split::Train, "y")]);
    assert_eq!(dataset.corpus.document(0).caption, "one, \"quoted\"\nline");
    assert_eq!(dataset.cases[0].group.as_deref(), Some("test/images/c.png"));
    let left_out = left_out(&imported);
    assert_eq!(left_out[0], "1 left out: no image file (metadata.csv:4 has \"CT/missing.png\")");
    assert!(
        left_out[1]
            .starts_with("3 left out: the image's path is absolute, a URL, or leads out of the folder (metadata.csv:5")
    );
    assert_eq!(imported.remarks, ["1 images have no row and were skipped (train/CT/unused.png first)"]);

    std::fs::remove_dir_all(folder.path().join("out")).unwrap();
    put(&source, "test/metadata.csv", "text,file_name\nthree,images/c.png\n");
    assert!(refused(&source).contains("expected the same columns in all metadata files"));
    put(&source, "test/metadata.jsonl", "{\"file_name\": \"images/c.png\"}\n");
    assert!(refused(&source).contains("metadata files of one kind"));
}

#[test]
fn metadata_may_be_parquet() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("scans");
    put_image(&source, "CT/a.png");
    put_image(&source, "CT/b.png");
    let texts = |texts: &[&str]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
    let rows = RecordBatch::try_from_iter([
        ("file_name", texts(&["CT/a.png", "CT/gone.png", "CT/b.png"])),
        ("label", texts(&["x", "x", "y"])),
        ("split", texts(&["train", "train", "test"])),
        ("boxes", Arc::new(BinaryArray::from(vec![&[1_u8][..], &[2], &[3]]))),
    ])
    .unwrap();
    let file = std::fs::File::create(source.join("metadata.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let (imported, dataset) = import(&source);
    let found: Vec<_> = dataset.cases.iter().map(|case| (case.split, case.answer.as_str())).collect();
    assert_eq!(found, [(Split::Train, "x"), (Split::Test, "y")]);
    assert_eq!(left_out(&imported), ["1 left out: no image file (metadata.parquet:1 has \"CT/gone.png\")"]);

    std::fs::remove_dir_all(folder.path().join("out")).unwrap();
    std::fs::write(source.join("metadata.parquet"), "no parquet").unwrap();
    assert!(refused(&source).contains("expected a whole parquet file"));
}

#[test]
fn a_choice_that_a_layout_does_not_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("scans");
    put_image(&source, "CT/a.png");
    put_image(&source, "MRI/b.png");
    let import_with = |choices: FolderOptions| {
        let target = folder.path().join("out");
        let imported = import_folder(&source, &target, &choices, &ImportOptions::default(), &|_, _| {});
        imported.map(|imported| opened(&imported, &target)).map_err(|error| format!("{error:#}"))
    };
    let mapping = || {
        let (caption, group) = (Some("text".into()), Some("patient".into()));
        Some(ColumnMapping { caption, group, ..ColumnMapping::default() })
    };
    let error = import_with(FolderOptions { mapping: mapping(), ..FolderOptions::default() }).unwrap_err();
    assert!(error.contains("class folders have no columns"), "{error}");
    let images = Some(folder.path().to_owned());
    let error = import_with(FolderOptions { images, ..FolderOptions::default() }).unwrap_err();
    assert!(error.contains("--images-from: expected with a JSON file"), "{error}");
    let question = Some("Which scan is this?".to_owned());
    let dataset = import_with(FolderOptions { question: question.clone(), ..FolderOptions::default() }).unwrap();
    assert_eq!(dataset.tasks[0].question, question);

    std::fs::remove_dir_all(folder.path().join("out")).unwrap();
    put(&source, "metadata.csv", "file_name,text\nCT/a.png,one\n");
    let error = import_with(FolderOptions { question, ..FolderOptions::default() }).unwrap_err();
    assert!(error.contains("--question: expected a task"), "{error}");
    let error = import_with(FolderOptions { mapping: mapping(), ..FolderOptions::default() }).unwrap_err();
    assert!(error.contains("patient"), "{error}");
}

#[test]
fn metadata_without_a_usual_name_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("scans");
    put_image(&source, "a.png");
    put(&source, "metadata.jsonl", "{\"file_name\": \"a.png\", \"grade\": 3}\n");
    assert!(refused(&source).contains("found file_name, grade; --label, --answer or --caption COLUMN"));
    put(&source, "metadata.jsonl", "{\"one_file_name\": \"a.png\", \"two_file_name\": \"a.png\", \"text\": \"t\"}\n");
    assert!(refused(&source).contains("a case has one image"));
}

#[test]
fn webdataset_samples_are_members_with_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("shards");
    let png = |value| grey_png(value);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"second caption").unwrap();
    let first = tar_of(&[
        ("x/0001.png", png(1)),
        ("x/0001.txt", b" first caption\n".to_vec()),
        ("x/0001.json", br#"{"article_accession_id": "PMC7", "size": [4, 4]}"#.to_vec()),
        ("x/0002.png", png(2)),
        ("x/0002.txt.gz", packed.finish().unwrap()),
        ("x/0003.txt", b"no image".to_vec()),
        // Both names end their key at the first dot, so this is one sample with two images.
        ("x/img.1.png", png(3)),
        ("x/img.1.txt", b"a".to_vec()),
        ("x/img.2.png", png(4)),
        ("x/img.2.txt", b"b".to_vec()),
    ]);
    put(&source, "train-000000.tar", first);
    put(&source, "train-000002.tar", tar_of(&[("0009.jpg", png(9)), ("0009.txt", b"ninth".to_vec())]));
    let (imported, dataset) = import(&source);
    assert_eq!((dataset.only, dataset.corpus.len()), (Some(OnlyPart::Corpus), 3));
    let captions: Vec<_> = dataset.corpus.iter().map(|document| document.caption).collect();
    assert_eq!(captions, ["first caption", "second caption", "ninth"]);
    assert_eq!(dataset.corpus.document(0).group, Some("PMC7"));
    assert!(dataset.corpus.document(0).image.ends_with("train-000000.tar!/x/0001.png"));
    let left_out = left_out(&imported);
    assert_eq!(left_out[0], "1 left out: no image in the sample (train-000000.tar:2 \"x/0003\")");
    assert!(left_out[1].contains("a dot in the names of its files ends the key"));
    assert!(
        imported.remarks.contains(&"1 shards train-… are missing up to 2, 1 first".into()),
        "{:?}",
        imported.remarks
    );
}

#[test]
fn webdataset_classes_become_cases_and_compressed_shards_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("shards");
    let members = |split: u8| {
        tar_of(&[
            ("a.png", grey_png(split)),
            ("a.cls", b"0".to_vec()),
            ("b.png", grey_png(split + 1)),
            ("b.cls", b"10\n".to_vec()),
        ])
    };
    put(&source, "set-train-0.tar", members(1));
    put(&source, "set-val-0.tar", members(9));
    let (_, dataset) = import(&source);
    let found: Vec<_> = dataset.cases.iter().map(|case| (case.id.as_str(), case.split, case.answer.as_str())).collect();
    assert_eq!(
        found,
        [
            ("a", Split::Train, "0"),
            ("b", Split::Train, "10"),
            ("a-2", Split::Validation, "0"),
            ("b-2", Split::Validation, "10")
        ]
    );
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("packed");
    put(&packed, "train-0.tar.gz", b"\x1f\x8b");
    assert!(refused(&packed).contains("decompress it"), "{}", refused(&packed));
}
