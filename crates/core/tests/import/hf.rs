//! Hugging Face datasets: which files make which split, what the columns mean, and every value of them.

use crate::support::{grey_png, opened, rows_as};
use dissent_core::data::import::{ColumnMapping, HfOptions, ImportOptions, Imported, RowsAs, TaskMapping, import_hf};
use dissent_core::data::{Dataset, OnlyPart, Picture, Split, TaskKind};
use std::fs;
use std::path::{Path, PathBuf};

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/hf_fixtures").join(name)
}

fn import(source: &Path, hf: &HfOptions, options: &ImportOptions) -> anyhow::Result<(Imported, Dataset)> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    let imported = import_hf(source, &target, hf, options, &|_, _| {})?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

fn imported(name: &str) -> (Imported, Dataset) {
    import(&fixture(name), &HfOptions::default(), &ImportOptions::default()).unwrap()
}

fn error(source: &Path, hf: &HfOptions) -> String {
    let target = source.join("nowhere");
    let error = import_hf(source, &target, hf, &ImportOptions::default(), &|_, _| {}).unwrap_err();
    assert!(!target.exists());
    format!("{error:#}")
}

/// Copies a folder of fixtures, so that a test can change it.
pub(super) fn copied(name: &str) -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &target);
            } else {
                fs::copy(&path, &target).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture(name), folder.path());
    folder
}

pub(super) fn cases(dataset: &Dataset) -> Vec<(&str, &str, Split, &str)> {
    let fields =
        dataset.cases.iter().map(|case| (case.id.as_str(), case.task.as_str(), case.split, case.answer.as_str()));
    fields.collect()
}

pub(super) fn left_out(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(ToString::to_string).collect()
}

#[test]
fn questions_become_closed_and_open_cases() {
    let (imported, dataset) = imported("vqa");
    assert_eq!(
        cases(&dataset),
        [
            ("train-000000", "vqa-open", Split::Train, "a gland"),
            ("train-000001", "vqa", Split::Train, "yes"),
            ("train-000002", "vqa-open", Split::Train, "left lobe, upper part"),
            ("train-000003", "vqa", Split::Train, "no"),
            ("train-000004", "vqa", Split::Train, "yes"),
            ("train-000005", "vqa-open", Split::Train, "nan"),
            ("validation-000000", "vqa", Split::Validation, "no"),
            ("test-000000", "vqa", Split::Test, "yes"),
            ("test-000001", "vqa", Split::Test, "no"),
        ]
    );
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: column \"answer\" is empty (test-00000-of-00001-9e02ed5fdb28e7a3.parquet:2)",
            "2 left out: no image (test-00000-of-00001-9e02ed5fdb28e7a3.parquet:3, \
             test-00000-of-00001-9e02ed5fdb28e7a3.parquet:4)"
        ]
    );
    assert_eq!(dataset.cases[2].question.as_deref(), Some("where is the mass?"));
}

#[test]
fn the_group_is_the_picture_and_not_the_name_that_each_row_has() {
    let (imported, dataset) = imported("vqa");
    let group = |id: &str| dataset.cases.iter().find(|case| case.id == id).unwrap().group.clone().unwrap();
    assert_eq!(group("train-000001"), group("train-000002"));
    assert_eq!(group("train-000001"), group("train-000004"));
    // The same picture in the test split.
    assert_eq!(group("train-000001"), group("test-000001"));
    assert_ne!(group("train-000001"), group("train-000003"));
    assert!(imported.remarks.iter().any(|remark| remark == "1 groups have rows in several splits"), "{imported:?}");
    // One document per picture of training, with all its answers.
    assert_eq!(dataset.corpus.len(), 3);
    assert!(
        dataset.corpus.document(1).caption.contains("is there a mass? Yes. where is the mass? left lobe, upper part.")
    );
    assert!(dataset.corpus.document(1).caption.contains("is the mass large? Yes."));
    // Rows of one picture name its first row.
    let image = |row: usize| dataset.cases[row].image.to_string_lossy().into_owned();
    assert!(image(1).ends_with("vqa/data/train-00000-of-00002.parquet!/image/1"), "{}", image(1));
    assert_eq!(image(2), image(1));
    assert_eq!(image(4), image(1));
    assert!(image(8).ends_with("test-00000-of-00001-9e02ed5fdb28e7a3.parquet!/image/1"), "{}", image(8));
    assert_eq!(imported.summary.images, 6);
}

#[test]
fn pictures_are_the_bytes_of_the_row() {
    let (_, dataset) = imported("vqa");
    assert_eq!(Picture::read(&dataset.cases[3].image).unwrap().to_rgb8().get_pixel(0, 0).0, [20; 3]);
    assert_eq!(Picture::read(&dataset.cases[8].image).unwrap().to_rgb8().get_pixel(0, 0).0, [10; 3]);
    // A CMYK JPEG: Pillow makes (46, 207, 190) of it.
    let [red, green, blue] = Picture::read(&dataset.cases[0].image).unwrap().to_rgb8().get_pixel(3, 3).0;
    assert!(red.abs_diff(46) < 2 && green.abs_diff(207) < 2 && blue.abs_diff(190) < 2, "{red} {green} {blue}");
    let folder = tempfile::tempdir().unwrap();
    let copying = ImportOptions { copy: true, ..ImportOptions::default() };
    let target = folder.path().join("out");
    let imported = import_hf(&fixture("vqa"), &target, &HfOptions::default(), &copying, &|_, _| {}).unwrap();
    assert_eq!(imported.summary.images, 6, "each picture of a split is copied once");
    let copy = target.join(&opened(&imported, &target).cases[4].image);
    assert_eq!(fs::read(copy).unwrap(), Picture::read_bytes(&dataset.cases[4].image).unwrap());
}

#[test]
fn minus_one_and_null_are_no_class_and_the_empty_list_is_an_answer() {
    for name in ["classes", "old"] {
        let (imported, dataset) = imported(name);
        let of_task = |task: &str| -> Vec<(&str, &str)> {
            let cases = dataset.cases.iter().filter(|case| case.task == task);
            cases.map(|case| (case.id.as_str(), case.answer.as_str())).collect()
        };
        assert_eq!(
            of_task("label"),
            [
                ("train-000000-label", "CT"),
                ("train-000001-label", "X-Ray, chest"),
                ("train-000004-label", "MRI"),
                ("train-000005-label", "MRI"),
            ],
            "{name}"
        );
        assert_eq!(
            of_task("findings"),
            [
                ("train-000000-findings", "mass"),
                ("train-000001-findings", "[]"),
                ("train-000002-findings", "mass, edema"),
                ("train-000004-findings", "edema"),
                ("train-000005-findings", "mass"),
            ],
            "{name}"
        );
        let task = dataset.tasks.iter().find(|task| task.id == "label").unwrap();
        assert_eq!(task.kind, TaskKind::Classification);
        let names: Vec<&str> = task.labels.iter().map(|label| label.id.as_str()).collect();
        assert_eq!(names, ["CT", "MRI", "X-Ray, chest"], "in the order of their numbers");
        let expected = [
            "2 left out: label: column \"label\" is empty (train.parquet:2, train.parquet:3)",
            "1 left out: findings: column \"findings\" is empty (train.parquet:3)",
        ];
        let mut found = left_out(&imported);
        found.sort_by_key(|line| line.contains("findings"));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn large_offsets_and_a_list_of_one_feature_are_read() {
    let (_, dataset) = imported("large");
    let answers: Vec<&str> = dataset.cases.iter().map(|case| case.answer.as_str()).collect();
    assert_eq!(answers, ["mass", "[]", "mass, edema", "edema", "mass"]);
    assert_eq!(Picture::read(&dataset.cases[4].image).unwrap().to_rgb8().get_pixel(0, 0).0, [5; 3]);
}

#[test]
fn a_class_that_is_not_there_is_named_by_file_row_and_column() {
    let error = error(&fixture("wrong_class"), &HfOptions::default());
    assert!(error.contains("train.parquet: row 2, column label: expected a class of 0 to 2 (CT, MRI"), "{error}");
    assert!(error.ends_with("found 7"), "{error}");
}

#[test]
fn paths_of_the_author_are_never_opened() {
    let error = error(&fixture("only_paths"), &HfOptions::default());
    assert!(error.contains("column image: expected images, found only their paths"), "{error}");
    let (imported, dataset) = imported("saved_one");
    assert_eq!(dataset.cases.len(), 2);
    assert!(left_out(&imported)[0].contains("no image (data-00000-of-00002.arrow:1)"), "{imported:?}");
}

#[test]
fn tables_of_other_writers_need_to_be_told_what_a_label_is() {
    let path = fixture("plain/table.parquet");
    let (imported, dataset) = import(&path, &HfOptions::default(), &ImportOptions::default()).unwrap();
    assert_eq!((dataset.only, dataset.corpus.len()), (Some(OnlyPart::Corpus), 3));
    assert_eq!(dataset.corpus.document(2).caption, "three");
    assert!(imported.remarks.iter().any(|remark| remark.contains("byte for byte")), "{imported:?}");
    let mut mapping = ColumnMapping { name: "grades".into(), ..ColumnMapping::default() };
    mapping.tasks.push(TaskMapping::new("grade", TaskKind::Classification, "grade"));
    mapping.tasks.push(TaskMapping::new("kind", TaskKind::Classification, "kind"));
    mapping.tasks.push(TaskMapping::new("score", TaskKind::Classification, "score"));
    let hf = HfOptions { mapping, ..HfOptions::default() };
    let (imported, dataset) = import(&path, &hf, &ImportOptions::default()).unwrap();
    let answers: Vec<_> = dataset.cases.iter().map(|case| (case.task.as_str(), case.answer.as_str())).collect();
    assert_eq!(
        answers,
        [
            ("grade", "0"),
            ("kind", "a"),
            ("score", "1.0"),
            ("grade", "1"),
            ("kind", "b"),
            ("kind", "a"),
            ("score", "0.5")
        ]
    );
    assert_eq!(left_out(&imported).len(), 2, "{imported:?}");
    assert_eq!(dataset.name, "grades");
}

#[test]
fn captions_become_a_corpus_with_their_own_ids() {
    let (imported, dataset) = imported("captions");
    let documents: Vec<_> = dataset.corpus.iter().map(|document| (document.id, document.caption)).collect();
    assert_eq!(
        documents,
        [
            ("ROCOv2_2023_train_000000", "CT of 0, \"large\"\nwith a line break."),
            ("ROCOv2_2023_train_000001", "CT of 1, \"large\"\nwith a line break."),
            ("ROCOv2_2023_test_000000", "CT of 10, \"large\"\nwith a line break."),
            ("ROCOv2_2023_test_000001", "CT of 11, \"large\"\nwith a line break."),
        ]
    );
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: no caption, so no document (train-00000-of-00001.parquet:2)",
            "1 left out: no image (train-00000-of-00001.parquet:3)"
        ]
    );
    assert_eq!(Picture::read(dataset.corpus.document(3).image).unwrap().to_rgb8().get_pixel(0, 0).0, [11; 3]);
    let cases = import(&fixture("captions"), &HfOptions::default(), &rows_as(RowsAs::Cases)).unwrap_err().to_string();
    assert!(cases.contains("only a caption"), "{cases}");
}

#[test]
fn a_group_column_spares_reading_the_images() {
    let mapping = ColumnMapping { group: Some("image_id".into()), ..ColumnMapping::default() };
    let hf = HfOptions { mapping, ..HfOptions::default() };
    let (imported, dataset) = import(&fixture("captions"), &hf, &ImportOptions::default()).unwrap();
    assert_eq!(dataset.corpus.document(0).group, Some("ROCOv2_2023_train_000000"));
    // The image that is null is found all the same.
    assert_eq!(left_out(&imported).len(), 2, "{imported:?}");
}

#[test]
fn folders_of_save_to_disk_are_read_in_the_order_of_their_state() {
    let (_, dataset) = imported("saved");
    assert_eq!(cases(&dataset)[5], ("test-000000", "label", Split::Test, "yes"));
    assert_eq!(dataset.cases.len(), 8);
    assert_eq!(Picture::read(&dataset.cases[6].image).unwrap().to_rgb8().get_pixel(0, 0).0, [6; 3]);
    let (imported, dataset) = imported("saved_one");
    // `_split` of state.json; the row with -1 has no class.
    assert_eq!(
        cases(&dataset),
        [("test-000000", "label", Split::Test, "yes"), ("test-000002", "label", Split::Test, "yes")]
    );
    assert!(left_out(&imported)[1].contains("data-00001-of-00002.arrow:0"), "{imported:?}");
    assert!(dataset.cases[1].image.ends_with("data-00000-of-00002.arrow!/image/2"), "{:?}", dataset.cases[1]);

    let folder = copied("saved");
    fs::remove_file(folder.path().join("test/data-00000-of-00001.arrow")).unwrap();
    let missing = error(folder.path(), &HfOptions::default());
    assert!(missing.contains("expected the file data-00000-of-00001.arrow, found none"), "{missing}");
    let state = r#"{"_data_files": [{"filename": "../train/data-00000-of-00001.arrow"}]}"#;
    fs::write(folder.path().join("test/state.json"), state).unwrap();
    assert!(error(folder.path(), &HfOptions::default()).contains("expected a file name"));
    let state = r#"{"_data_files": [{"filename": "a.arrow"}], "_indices_data_files": [{"filename": "i.arrow"}]}"#;
    fs::write(folder.path().join("test/state.json"), state).unwrap();
    assert!(error(folder.path(), &HfOptions::default()).contains("flatten_indices"));
    fs::write(folder.path().join("dataset_dict.json"), r#"{"splits": ["../x"]}"#).unwrap();
    assert!(error(folder.path(), &HfOptions::default()).contains("expected names of folders"));
}

#[test]
fn missing_shards_are_named() {
    let folder = copied("vqa");
    fs::remove_file(folder.path().join("data/train-00001-of-00002.parquet")).unwrap();
    let message = error(folder.path(), &HfOptions::default());
    assert!(message.contains("1 missing: train-00001-of-00002.parquet"), "{message}");
    assert!(message.contains("--incomplete"), "{message}");
    let hf = HfOptions { incomplete: true, ..HfOptions::default() };
    let (imported, dataset) = import(folder.path(), &hf, &ImportOptions::default()).unwrap();
    assert_eq!(dataset.cases.len(), 6);
    assert!(imported.remarks.iter().any(|remark| remark.contains("1 shards are missing: train-00001")), "{imported:?}");
    let file = folder.path().join("data/train-00000-of-00002.parquet");
    let (imported, dataset) = import(&file, &HfOptions::default(), &ImportOptions::default()).unwrap();
    assert_eq!(dataset.cases.len(), 3);
    assert!(imported.remarks.iter().any(|remark| remark.contains("shard 0 (from 0) of 2")), "{imported:?}");
    // Another upload of the same split.
    let other = folder.path().join("data/test-00000-of-00001-0e02ed5fdb28e7a3.parquet");
    fs::copy(folder.path().join("data/test-00000-of-00001-9e02ed5fdb28e7a3.parquet"), other).unwrap();
    assert!(error(folder.path(), &hf).contains("expected the shards of one upload"));
}

#[cfg(unix)]
#[test]
fn the_cache_of_the_hub_is_followed_to_its_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let cached = folder.path().join("datasets--ada--scans");
    let snapshot = cached.join("snapshots/0123abcd/data");
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(cached.join("blobs")).unwrap();
    fs::create_dir_all(cached.join("refs")).unwrap();
    fs::write(cached.join("refs/main"), "0123abcd").unwrap();
    fs::create_dir_all(cached.join("snapshots/older")).unwrap();
    for (blob, name) in [("aa", "train-00000-of-00001.parquet"), ("bb", "test-00000-of-00001.parquet")] {
        let split = name.split('-').next().unwrap();
        fs::copy(fixture(&format!("captions/data/{split}-00000-of-00001.parquet")), cached.join("blobs").join(blob))
            .unwrap();
        std::os::unix::fs::symlink(format!("../../../blobs/{blob}"), snapshot.join(name)).unwrap();
    }
    let (_, dataset) = import(&cached, &HfOptions::default(), &ImportOptions::default()).unwrap();
    assert_eq!((dataset.name.as_str(), dataset.corpus.len()), ("ada/scans", 4));
    assert!(dataset.corpus.document(0).image.starts_with(&cached), "{:?}", dataset.corpus.document(0).image);
    assert!(Picture::read(dataset.corpus.document(0).image).is_ok());
    // A blob that was not downloaded.
    fs::remove_file(cached.join("blobs/bb")).unwrap();
    let message = error(&cached, &HfOptions::default());
    assert!(message.contains("test-00000-of-00001.parquet"), "{message}");
    fs::remove_file(cached.join("refs/main")).unwrap();
    assert!(error(&cached, &HfOptions::default()).contains("0123abcd, older"));
}

#[test]
fn the_readme_says_which_files_are_which_split() {
    let folder = copied("captions");
    fs::rename(folder.path().join("data"), folder.path().join("files")).unwrap();
    let readme = "---\nlicense: cc-by-nc-4.0\nconfigs:\n- config_name: default\n  data_files:\n  - split: validation\n    path: \
                  files/test-*\n  - split: fold1\n    path: files/train-*\n---\n";
    fs::write(folder.path().join("README.md"), readme).unwrap();
    let mut mapping = ColumnMapping::default();
    mapping.tasks.push(TaskMapping::new("id", TaskKind::Classification, "image_id"));
    let mut hf = HfOptions { mapping, ..HfOptions::default() };
    let message = error(folder.path(), &hf);
    assert!(message.contains("split \"fold1\"") && message.contains("--split-as fold1=train"), "{message}");
    hf.splits = vec![("fold1".into(), Split::Test)];
    let (_, dataset) = import(folder.path(), &hf, &ImportOptions::default()).unwrap();
    let splits: Vec<(Split, &str)> = dataset.cases.iter().map(|case| (case.split, case.answer.as_str())).collect();
    assert_eq!(splits[0], (Split::Validation, "ROCOv2_2023_test_000000"));
    assert_eq!(splits[2], (Split::Test, "ROCOv2_2023_train_000000"));
    assert_eq!(dataset.licence.as_deref(), Some("cc-by-nc-4.0"));

    let escapes = readme.replace("files/train-*", "../files/train-*");
    fs::write(folder.path().join("README.md"), escapes).unwrap();
    assert!(error(folder.path(), &hf).contains("a path that leads elsewhere"));
    fs::write(folder.path().join("README.md"), readme.replace("files/train-*", "https://x.y/a.parquet")).unwrap();
    assert!(error(folder.path(), &hf).contains("nothing is fetched"));
    fs::write(folder.path().join("README.md"), readme.replace("files/train-*", "files/more-*")).unwrap();
    assert!(error(folder.path(), &hf).contains("found none"));
}

#[test]
fn several_configurations_are_listed() {
    let folder = copied("captions");
    let two = "---\nconfigs:\n- config_name: large\n  data_files: data/train-*\n- config_name: small\n  data_dir: data\n  \
               data_files: 'test-*'\n---\n";
    fs::write(folder.path().join("README.md"), two).unwrap();
    assert!(error(folder.path(), &HfOptions::default()).contains("large, small; choose one with --config NAME"));
    let hf = |name: &str| HfOptions { config: Some(name.into()), ..HfOptions::default() };
    assert_eq!(import(folder.path(), &hf("large"), &ImportOptions::default()).unwrap().1.corpus.len(), 2);
    assert_eq!(import(folder.path(), &hf("small"), &ImportOptions::default()).unwrap().1.corpus.len(), 2);
    assert!(error(folder.path(), &hf("tiny")).contains("found \"tiny\""));

    // Folders of the converted branch, without a README.
    let folder = copied("captions");
    for (config, split) in [("default", "train"), ("default", "test"), ("other", "train")] {
        let target = folder.path().join(config).join(split);
        fs::create_dir_all(&target).unwrap();
        fs::copy(fixture(&format!("captions/data/{split}-00000-of-00001.parquet")), target.join("0000.parquet"))
            .unwrap();
    }
    fs::remove_dir_all(folder.path().join("data")).unwrap();
    assert!(error(folder.path(), &HfOptions::default()).contains("default, other; choose one"));
    let (_, dataset) = import(folder.path(), &hf("default"), &ImportOptions::default()).unwrap();
    assert_eq!(dataset.corpus.len(), 4);
    fs::rename(folder.path().join("default/train"), folder.path().join("default/partial-train")).unwrap();
    let (imported, _) = import(folder.path(), &hf("default"), &ImportOptions::default()).unwrap();
    assert!(imported.remarks.iter().any(|remark| remark.contains("only a part of the split")), "{imported:?}");
}

#[test]
fn damaged_files_are_errors_that_name_them() {
    let folder = copied("captions");
    let path = folder.path().join("data/train-00000-of-00001.parquet");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(
        error(folder.path(), &HfOptions::default()).contains("train-00000-of-00001.parquet: expected a whole parquet")
    );
    fs::write(&path, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n").unwrap();
    assert!(error(folder.path(), &HfOptions::default()).contains("git lfs pull"));
    // Damage anywhere gives an error or the same rows, and never a panic.
    let folder = copied("classes");
    let path = folder.path().join("train.parquet");
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(37) {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        fs::write(&path, broken).unwrap();
        let target = folder.path().join("out");
        let options = ImportOptions { dry_run: true, ..ImportOptions::default() };
        let _ = import_hf(&path, &target, &HfOptions::default(), &options, &|_, _| {});
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(error(empty.path(), &HfOptions::default()).contains("found no file"));
    fs::write(empty.path().join("a.csv"), "x").unwrap();
    assert!(error(empty.path(), &HfOptions::default()).contains("found 1 of .csv"));
}

#[test]
fn grey_values_survive() {
    // The fixtures and the tests mean the same by a grey image.
    let (_, dataset) = imported("saved");
    let ours = Picture::decode(Path::new("x"), &grey_png(3)).unwrap().to_rgb8();
    assert_eq!(Picture::read(&dataset.cases[3].image).unwrap().to_rgb8(), ours);
}

#[test]
fn rows_count_over_row_groups_and_fields_of_structs_are_columns() {
    let mut mapping = ColumnMapping { group: Some("meta.patient_id".into()), ..ColumnMapping::default() };
    let hf = HfOptions { mapping: mapping.clone(), ..HfOptions::default() };
    let (imported, dataset) = import(&fixture("nested"), &hf, &ImportOptions::default()).unwrap();
    assert_eq!(dataset.tasks[0].id, "boxes.kind");
    let found: Vec<_> = dataset
        .cases
        .iter()
        .map(|case| {
            let grey = Picture::read(&case.image).unwrap().to_rgb8().get_pixel(0, 0).0[0];
            (case.group.as_deref().unwrap(), case.answer.as_str(), grey)
        })
        .collect();
    assert_eq!(found, [("p0", "mass", 1), ("p0", "[]", 2), ("p1", "mass, edema", 3), ("p2", "mass", 5)]);
    assert_eq!(left_out(&imported), ["1 left out: no image (train.parquet:3)"]);
    mapping.group = Some("meta".into());
    let message = error(&fixture("nested"), &HfOptions { mapping, ..HfOptions::default() });
    assert!(message.contains("group: expected the column \"meta\", found image (image), meta.patient_id"), "{message}");
}

#[test]
fn splits_are_drawn_for_a_source_that_is_all_training() {
    let (imported, _) = imported("classes");
    assert!(imported.remarks.iter().any(|remark| remark.contains("--draw-splits")), "{imported:?}");
    let hf = HfOptions { draw_splits: true, ..HfOptions::default() };
    let (drawn, dataset) = import(&fixture("classes"), &hf, &ImportOptions::default()).unwrap();
    assert!(dataset.cases.iter().any(|case| case.split != Split::Train), "{dataset:?}");
    assert!(drawn.remarks.iter().any(|remark| remark.contains("drawn by")), "{drawn:?}");
}

#[test]
fn a_label_column_that_is_a_list_of_classes_has_several_labels() {
    let mut mapping = ColumnMapping::default();
    mapping.tasks.push(TaskMapping::new("label", TaskKind::Classification, "findings"));
    let hf = HfOptions { mapping, ..HfOptions::default() };
    let (imported, dataset) = import(&fixture("classes"), &hf, &ImportOptions::default()).unwrap();
    assert_eq!((dataset.tasks[0].kind, dataset.cases.len()), (TaskKind::MultiLabel, 5));
    assert!(imported.remarks.iter().any(|remark| remark.contains("several labels at once")), "{imported:?}");
}
