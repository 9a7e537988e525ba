//! Imports with `--copy` that fail in the middle: the next one goes on from the pictures that were copied, and the dataset is that
//! of an import which nothing disturbed. `tests/suite/data/import_killed.rs` kills them.

use crate::made_files::{tar_of, write, zip_of};
use arrow_array::{ArrayRef, BinaryArray, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field};
use dissent_core::data::import::{
    BiomedicaOptions, ColumnMapping, FolderOptions, HfOptions, ImportOptions, Imported, MimicCxrOptions, RocoOptions,
    RowsAs, TableOptions, Target, import_biomedica, import_folder, import_hf, import_mimic_cxr, import_pmc_oa,
    import_roco, import_rocov2, import_table,
};
use dissent_core::data::{Existing, kept_copies_of};
use parquet::arrow::ArrowWriter;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Pictures of a source, and the first that a damaged source cannot give.
const PICTURES: usize = 600;
const DAMAGED: usize = 400;
/// Pictures that are noted together; those after the last whole number of them are copied again.
const NOTED: usize = 256;

/// Writes a source below the folder; a damaged one fails at picture [`DAMAGED`].
type Write = fn(&Path, bool);
type Import = fn(&Path, &Path, &ImportOptions) -> anyhow::Result<Imported>;

const FORMATS: [(&str, Write, Import); 8] = [
    ("mimic-cxr", write_mimic, |source, target, options| {
        import_mimic_cxr(source, target, &MimicCxrOptions::default(), options, &|_, _| {})
    }),
    ("roco", write_roco, |source, target, options| {
        import_roco(source, target, &RocoOptions::default(), options, &|_, _| {})
    }),
    ("rocov2", write_rocov2, |source, target, options| import_rocov2(source, target, options, &|_, _| {})),
    ("pmc-oa", write_pmc_oa, |source, target, options| import_pmc_oa(source, target, options, &|_, _| {})),
    ("biomedica", write_shards, |source, target, options| {
        import_biomedica(source, target, &BiomedicaOptions::default(), options, &|_, _| {})
    }),
    ("webdataset", write_shards, |source, target, options| {
        import_folder(source, target, &FolderOptions::default(), options, &|_, _| {})
    }),
    ("parquet", write_parquet, |source, target, options| {
        import_hf(source, target, &HfOptions::default(), options, &|_, _| {})
    }),
    ("table", write_table, |source, target, options| {
        let mapping = ColumnMapping::parse("image = 'file'\ncaption = 'text'\ngroup = 'text'").unwrap();
        let table = TableOptions { mapping: Some(mapping), images: None };
        import_table(&source.join("t.csv"), target, &table, options, &|_, _| {})
    }),
];

fn picture(number: usize) -> Vec<u8> {
    format!("picture {number:0>width$}", width = 5 + number % 40).into_bytes()
}

/// Writes a picture as a file; the damaged one is longer than any picture may be.
fn write_picture(path: &Path, number: usize, damaged: bool) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if damaged && number == DAMAGED {
        fs::File::create(path).unwrap().set_len((512 << 20) + 1).unwrap();
    } else if number == DAMAGED || !path.exists() {
        // Whoever mends a source leaves the other files as they are.
        fs::write(path, picture(number)).unwrap();
    }
}

fn write_mimic(source: &Path, damaged: bool) {
    let mut metadata = String::from("dicom_id,subject_id,study_id,ViewPosition\n");
    for number in 0..PICTURES {
        let study = 50_000_000 + number;
        metadata.push_str(&format!("{number:08x},10000001,{study},PA\n"));
        let folder = source.join(format!("files/p10/p10000001/s{study}"));
        write_picture(&folder.join(format!("{number:08x}.jpg")), number, damaged);
        write(&folder.with_extension("txt"), &format!(" IMPRESSION:  Number {number}.\n"));
    }
    write(&source.join("mimic-cxr-2.0.0-metadata.csv"), &metadata);
}

fn write_roco(source: &Path, damaged: bool) {
    let folder = source.join("data/train/radiology");
    let (mut captions, mut licences) = (String::new(), String::from("ROCO_ID,PMC_ID,CC\n"));
    for number in 0..PICTURES {
        captions.push_str(&format!("ROCO_{number:05}\t Number {number}\n"));
        licences.push_str(&format!("ROCO_{number:05},PMC{number}_a.jpg,CC BY\n"));
        write_picture(&folder.join(format!("images/ROCO_{number:05}.jpg")), number, damaged);
    }
    write(&folder.join("captions.txt"), &captions);
    write(&folder.join("licences.txt"), &licences);
}

fn write_rocov2(source: &Path, damaged: bool) {
    let (mut captions, mut licences) = (String::from("ID,Caption\n"), String::from("ID,PMCID\n"));
    for number in 0..PICTURES {
        captions.push_str(&format!("R_{number:06},Number {number}\n"));
        licences.push_str(&format!("R_{number:06},PMC{number}\n"));
        write_picture(&source.join(format!("train/R_{number:06}.jpg")), number, damaged);
    }
    write(&source.join("train_captions.csv"), &captions);
    write(&source.join("license_information.csv"), &licences);
}

fn write_pmc_oa(source: &Path, damaged: bool) {
    let mut lines = String::new();
    for number in 0..PICTURES {
        let caption = if damaged && number == DAMAGED { "[]" } else { "\"Caption\"" };
        lines.push_str(&format!("{{\"image\":\"PMC{number}_a.jpg\",\"caption\":{caption}}}\n"));
    }
    write(&source.join("pmc_oa.jsonl"), &lines);
    if source.join("images.zip").exists() {
        // Only the table is mended.
        return;
    }
    let members: Vec<(String, Vec<u8>)> =
        (0..PICTURES).map(|number| (format!("PMC{number}_a.jpg"), picture(number))).collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    zip_of(&source.join("images.zip"), &members);
}

/// Two shards; a damaged second one is cut short, and only that is written when the source is mended.
fn write_shards(source: &Path, damaged: bool) {
    for (shard, rows) in [0..DAMAGED, DAMAGED..PICTURES].into_iter().enumerate() {
        let path = source.join(format!("x-{shard:06}.tar"));
        if shard == 0 && path.exists() {
            continue;
        }
        let mut members: Vec<(String, Vec<u8>)> = Vec::new();
        for number in rows {
            members.push((format!("{number}.jpg"), picture(number)));
            members.push((format!("{number}.txt"), format!("Number {number}").into()));
            members.push((format!("{number}.json"), br#"{"article_accession_id":"PMC7"}"#.to_vec()));
        }
        let members: Vec<(&str, &[u8])> =
            members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        tar_of(&path, &members);
        if damaged && shard == 1 {
            let whole = fs::read(&path).unwrap();
            fs::write(&path, &whole[..1500]).unwrap();
        }
    }
}

/// Two files, of which the second is damaged in its first page.
fn write_parquet(source: &Path, damaged: bool) {
    for (shard, rows) in [0..DAMAGED, DAMAGED..PICTURES].into_iter().enumerate() {
        let path = source.join(format!("train-{shard:05}-of-00002.parquet"));
        if shard == 0 && path.exists() {
            continue;
        }
        let pictures: Vec<Vec<u8>> = rows.clone().map(picture).collect();
        let bytes: ArrayRef = Arc::new(BinaryArray::from_iter_values(&pictures));
        let no_path: ArrayRef = Arc::new(StringArray::new_null(pictures.len()));
        let image = StructArray::from(vec![
            (Arc::new(Field::new("bytes", DataType::Binary, true)), bytes),
            (Arc::new(Field::new("path", DataType::Utf8, true)), no_path),
        ]);
        let caption = StringArray::from_iter_values(rows.map(|number| format!("Number {number}")));
        let columns: [(&str, ArrayRef); 2] = [("image", Arc::new(image)), ("caption", Arc::new(caption))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut content = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut content, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        if damaged && shard == 1 {
            content[4..64].fill(0xFF);
        }
        fs::write(path, content).unwrap();
    }
}

fn write_table(source: &Path, damaged: bool) {
    let mut table = String::from("file,text\n");
    for number in 0..PICTURES {
        table.push_str(&format!("{number}.png,Number {number}\n"));
        write_picture(&source.join(format!("{number}.png")), number, damaged);
    }
    write(&source.join("t.csv"), &table);
}

fn copying() -> ImportOptions {
    ImportOptions { rows: Some(RowsAs::Corpus), copy: true, ..ImportOptions::default() }
}

/// Every file below a folder with its content.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                files.insert(format!("{name}/"), Vec::new());
                folders.push(path);
            } else {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn every_corpus_goes_on_from_what_was_copied() {
    for (format, write, import) in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::create_dir(&source).unwrap();
        let (target, undisturbed) = (folder.path().join("out"), folder.path().join("undisturbed"));
        write(&source, true);
        let error = format!("{:#}", import(&source, &target, &copying()).expect_err(format));
        assert!(!target.exists(), "{format}: {error}");
        let kept = kept_copies_of(&target).unwrap_or_else(|| panic!("{format}: nothing is kept after {error}"));
        assert_eq!(kept, folder.path().join(".out.copying"), "{format}");

        write(&source, false);
        let imported = import(&source, &target, &copying()).expect(format);
        let expected = format!("{NOTED} of {PICTURES} pictures were copied before; this import went on from them");
        assert!(imported.remarks.contains(&expected), "{format}: {:?}", imported.remarks);
        assert!(kept_copies_of(&target).is_none() && !kept.exists(), "{format}");
        import(&source, &undisturbed, &copying()).expect(format);
        assert!(tree(&target) == tree(&undisturbed), "{format}: the dataset differs from an undisturbed one");
        assert_eq!(
            tree(&target).keys().filter(|name| name.starts_with("images/") && !name.ends_with('/')).count(),
            PICTURES
        );
    }
}

/// A table of pictures whose import was stopped by the damaged one.
fn stopped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("source")).unwrap();
    write_table(&folder.path().join("source"), true);
    table(&folder, &copying()).unwrap_err();
    write_picture(&folder.path().join(format!("source/{DAMAGED}.png")), DAMAGED, false);
    folder
}

fn table(folder: &tempfile::TempDir, options: &ImportOptions) -> anyhow::Result<Imported> {
    FORMATS[7].2(&folder.path().join("source"), &folder.path().join("out"), options)
}

fn said(imported: &Imported) -> Vec<&str> {
    imported.remarks.iter().map(String::as_str).filter(|remark| remark.contains("pictures")).collect()
}

#[test]
fn what_is_half_made_changed_or_no_longer_named_is_not_taken_over() {
    let folder = stopped();
    let kept = folder.path().join(".out.copying");
    // A kill in the middle of a line, of a picture and of a noted picture; and somebody's change of a source.
    let mut noted = fs::read(kept.join("copied")).unwrap();
    noted.extend_from_slice(b"{\"name\":\"300.png\",\"byt");
    fs::write(kept.join("copied"), noted).unwrap();
    fs::write(kept.join("dataset/images/300.png"), "half").unwrap();
    fs::write(kept.join("dataset/images/5.png"), "cut").unwrap();
    fs::create_dir_all(kept.join("dataset/images/deeper/still")).unwrap();
    fs::write(kept.join("dataset/images/deeper/still/x.png"), "x").unwrap();
    fs::write(folder.path().join("source/7.png"), "another picture").unwrap();
    let rows = fs::read_to_string(folder.path().join("source/t.csv")).unwrap();
    fs::write(folder.path().join("source/t.csv"), rows.replace("8.png,Number 8\n", "8.png,\n")).unwrap();

    let imported = table(&folder, &copying()).unwrap();
    assert_eq!(
        said(&imported),
        [
            // 256 without those of rows 5 (cut), 7 (changed) and 8 (without a caption now).
            "253 of 599 pictures were copied before; this import went on from them",
            "1 pictures were copied before, but their files have changed: copied again",
            "1 pictures were copied before, but are not in this import: removed",
        ]
    );
    let source = folder.path().join("source");
    let undisturbed = folder.path().join("undisturbed");
    FORMATS[7].2(&source, &undisturbed, &copying()).unwrap();
    assert!(tree(&folder.path().join("out")) == tree(&undisturbed));
    assert_eq!(fs::read(folder.path().join("out/images/7.png")).unwrap(), b"another picture");
}

#[test]
fn a_picture_that_two_rows_would_share_by_name_is_still_refused() {
    let folder = stopped();
    let mut session =
        dissent_core::data::import::ImportSession::start(&folder.path().join("out"), &copying(), RowsAs::Corpus)
            .unwrap();
    let path = folder.path().join("source/1.png");
    session.image(&path, "1.png").unwrap();
    let error = format!("{:#}", session.image(&path, "1.png").unwrap_err());
    assert!(error.contains("cannot write images/1.png"), "{error}");
}

#[test]
fn a_second_import_at_the_same_time_is_refused() {
    let folder = stopped();
    let target = folder.path().join("out");
    let _session = dissent_core::data::import::ImportSession::start(&target, &copying(), RowsAs::Corpus).unwrap();
    let error = format!("{:#}", table(&folder, &copying()).unwrap_err());
    assert!(error.contains("another import is copying pictures into") && error.contains(".out.copying"), "{error}");
    // An import that copies nothing needs no lock, and leaves the pictures of the one at work.
    table(&folder, &ImportOptions { copy: false, ..copying() }).unwrap();
    assert!(kept_copies_of(&target).is_some());
}

#[test]
fn an_import_without_copies_removes_them_and_a_dry_run_does_not() {
    let folder = stopped();
    let target = folder.path().join("out");
    table(&folder, &ImportOptions { dry_run: true, ..copying() }).unwrap();
    assert!(kept_copies_of(&target).is_some());
    let imported = table(&folder, &ImportOptions { copy: false, ..copying() }).unwrap();
    assert_eq!(said(&imported), ["pictures that a stopped import with --copy had copied were removed"]);
    assert!(!folder.path().join(".out.copying").exists());
}

#[test]
fn an_import_into_a_dataset_goes_on_too() {
    let folder = stopped();
    let (source, target) = (folder.path().join("source"), folder.path().join("out"));
    // The first import of the dataset copied nothing.
    table(&folder, &ImportOptions { copy: false, ..copying() }).unwrap();
    let into = ImportOptions { target: Target::Into { source: "b".into(), existing: Existing::Refuse }, ..copying() };
    write_picture(&source.join(format!("{DAMAGED}.png")), DAMAGED, true);
    let before = tree(&target);
    table(&folder, &into).unwrap_err();
    assert!(tree(&target) == before);
    write_picture(&source.join(format!("{DAMAGED}.png")), DAMAGED, false);
    let imported = table(&folder, &into).unwrap();
    assert_eq!(said(&imported), ["256 of 600 pictures were copied before; this import went on from them"]);
    assert_eq!(fs::read(target.join("images/b/3.png")).unwrap(), picture(3));
    assert!(!folder.path().join(".out.copying").exists());
}
