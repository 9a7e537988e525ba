//! Datasets whose images stay in zip, tar, parquet and Arrow files.

use super::support::{TinyDataset, shared_data};
use crate::support::pictures::grey_png;
use dissent::data::{Dataset, Picture, check};
use dissent::files::archive_member;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The tiny dataset, with the images of its documents in `corpus.zip`.
fn zipped_corpus() -> TinyDataset {
    let tiny = TinyDataset::new();
    let mut zip = ZipWriter::new(fs::File::create(tiny.root().join("corpus.zip")).unwrap());
    for (name, value) in [("d1.png", 3), ("d2.png", 4), ("d3.png", 1)] {
        zip.start_file(format!("img/{name}"), SimpleFileOptions::default()).unwrap();
        zip.write_all(&grey_png(4, 4, value)).unwrap();
        fs::remove_file(tiny.root().join("images").join(name)).unwrap();
    }
    zip.finish().unwrap();
    let corpus = fs::read_to_string(tiny.root().join("corpus.jsonl")).unwrap();
    fs::write(tiny.root().join("corpus.jsonl"), corpus.replace("\"images/", "\"corpus.zip!/img/")).unwrap();
    tiny
}

#[test]
fn a_corpus_in_a_zip_file_has_the_same_contents_as_in_a_folder() {
    let (tiny, zipped) = (TinyDataset::new(), zipped_corpus());
    let (plain, inside) = (Dataset::open(tiny.root()).unwrap(), Dataset::open(zipped.root()).unwrap());
    assert_eq!(inside.corpus.document(0).image, Path::new("corpus.zip!/img/d1.png"));
    let contents = |dataset: &Dataset| dataset.image_contents(dataset.corpus.iter().map(|document| document.image));
    assert_eq!(contents(&plain), contents(&inside));
    assert!(contents(&inside).iter().all(Option::is_some));
    let pixels = |dataset: &Dataset| dataset.picture(dataset.corpus.document(1).image).unwrap().to_rgb8();
    assert_eq!(pixels(&plain), pixels(&inside));
    // Document d3 has the bytes of the image of case c1.
    let allowed = |dataset: &Dataset| [0, 1, 2].map(|row| dataset.may_retrieve(&dataset.cases[0], row));
    assert_eq!(allowed(&plain), allowed(&inside));
    assert!(allowed(&inside)[0] && !allowed(&inside)[2]);
}

#[test]
fn check_decodes_members_and_names_the_missing_one() {
    let tiny = zipped_corpus();
    assert_eq!(check(tiny.root(), &|_, _| {}).errors(), 0);
    let line = r#"{"id":"d2","image":"corpus.zip!/img/none.png","caption":"no lesion"}"#;
    tiny.replace_line("corpus.jsonl", 2, line);
    let problems = check(tiny.root(), &|_, _| {}).problems;
    let named = problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(named[0].contains("corpus.jsonl:2") && named[0].contains("\"img/none.png\""), "{named:?}");
    // Without the container every image is missing.
    fs::remove_file(tiny.root().join("corpus.zip")).unwrap();
    assert_eq!(check(tiny.root(), &|_, _| {}).errors(), 3);
}

#[test]
fn the_content_of_a_replaced_container_is_read_again() {
    let tiny = zipped_corpus();
    let dataset = Dataset::open(tiny.root()).unwrap();
    let contents = || dataset.image_contents(dataset.corpus.iter().map(|document| document.image));
    let before = contents();
    let aside = tiny.root().join("new.zip");
    let mut zip = ZipWriter::new(fs::File::create(&aside).unwrap());
    for (name, value) in [("d1.png", 3), ("d2.png", 5), ("d3.png", 1)] {
        zip.start_file(format!("img/{name}"), SimpleFileOptions::default()).unwrap();
        zip.write_all(&grey_png(4, 4, value)).unwrap();
    }
    zip.finish().unwrap();
    fs::rename(aside, tiny.root().join("corpus.zip")).unwrap();
    let after = contents();
    assert_eq!((&before[0], &before[2]), (&after[0], &after[2]));
    assert_ne!(before[1], after[1]);
}

#[test]
fn images_of_files_written_by_datasets_are_read() {
    let Some(folder) = shared_data("formats/hf-synthetic") else { return };
    let read = |path: PathBuf| Picture::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
    let mut files = 0;
    for (pattern, column) in [("classlabel-parquet", "image"), ("vqa-parquet", "image"), ("vqa-3col-parquet", "image")]
    {
        for entry in fs::read_dir(folder.join(pattern).join("data")).unwrap() {
            let path = entry.unwrap().path();
            let picture = read(format!("{}!/{column}/0", path.display()).into());
            assert!(picture.width() > 100, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 3);
    let stream = folder.join("save_to_disk/train/data-00000-of-00001.arrow");
    read(format!("{}!/image/0", stream.display()).into());
    let shard = fs::read_dir(folder.join("webdataset")).unwrap().map(|entry| entry.unwrap().path());
    let shard = shard.filter(|path| path.extension().is_some_and(|ending| ending == "tar")).min().unwrap();
    let mut pictures = Vec::new();
    archive_member::for_each_member(&shard, &mut |name, length| {
        if Path::new(name).extension().is_some_and(|ending| ending == "jpg") {
            pictures.push((format!("{}!/{name}", shard.display()), length));
        }
        Ok(())
    })
    .unwrap();
    assert!(!pictures.is_empty());
    for (path, length) in pictures {
        assert_eq!(Picture::read_bytes(path.as_ref()).unwrap().len() as u64, length);
        read(path.into());
    }
}
