//! `import roco`: order of the files, articles as groups, missing images, licences.

use crate::made_files::{failure, write};
use crate::support::{grey_png, opened, shared_data};
use dissent_core::data::import::{ImportOptions, Imported, RocoOptions, RowsAs, import_roco};
use dissent_core::data::{Dataset, OnlyPart};
use std::fs;
use std::path::Path;

const CAPTIONS: &str = "ROCO_00001\t Left  pleural effusion (a) and \"mass\" (b).\n\
                        ROCO_00002\t Distension digestive à gauche\r\n\
                        ROCO_00003\t One image, another licence\n\
                        ROCO_00004\t \n\
                        ROCO_00005\t never fetched\n";
const LICENCES: &str = "ROCO_ID,PMC_ID,CC\n\
                        ROCO_00001,PMC100_a-g01.jpg,CC BY\n\
                        ROCO_00002,PMC100_a-g02.jpg,CC BY\n\
                        ROCO_00003,PMC200_b.jpg,NO-CC CODE\n\
                        ROCO_00004,PMC300_c.jpg,CC BY\n\
                        ROCO_00005,PMC300_d.jpg,CC BY\n";

/// A source with rows in the test split and one row in non-radiology.
fn source() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let radiology = folder.path().join("data/test/radiology");
    write(&radiology.join("captions.txt"), CAPTIONS);
    write(&radiology.join("licences.txt"), LICENCES);
    for number in 1..=4_u8 {
        let path = radiology.join(format!("images/ROCO_0000{number}.jpg"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, grey_png(number)).unwrap();
    }
    let other = folder.path().join("data/train/non-radiology");
    write(&other.join("captions.txt"), "ROCO_00009\t A flow chart\n");
    write(&other.join("licences.txt"), "ROCO_ID,PMC_ID,CC\nROCO_00009,PMC900_x.jpg,CC0\n");
    fs::create_dir_all(other.join("images")).unwrap();
    fs::write(other.join("images/ROCO_00009.jpg"), grey_png(9)).unwrap();
    folder
}

fn import(source: &Path, options: &RocoOptions) -> anyhow::Result<(Imported, Dataset)> {
    let target = source.join("out");
    let imported = import_roco(source, &target, options, &ImportOptions::default(), &|_, _| ())?;
    let dataset = opened(&imported, &target);
    fs::remove_dir_all(target).unwrap();
    Ok((imported, dataset))
}

fn left_out(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(ToString::to_string).collect()
}

#[test]
fn captions_lose_their_first_space_and_articles_are_groups() {
    let source = source();
    let (imported, dataset) = import(source.path(), &RocoOptions::default()).unwrap();
    assert_eq!((dataset.only, dataset.corpus.len(), imported.summary.groups), (Some(OnlyPart::Corpus), 3, 2));
    let [first, second, third] = [0, 1, 2].map(|row| dataset.corpus.document(row));
    assert_eq!(first.caption, "Left  pleural effusion (a) and \"mass\" (b).");
    assert_eq!((second.id, second.caption), ("ROCO_00002", "Distension digestive à gauche"));
    assert_eq!((second.group, third.group), (Some("PMC100"), Some("PMC200")));
    assert_eq!(first.image, source.path().join("data/test/radiology/images/ROCO_00001.jpg"));
    assert_eq!(first.source, Some("roco radiology"));
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: no caption (test/radiology/captions.txt:4)",
            "1 left out: no image file (test/radiology/captions.txt:5)"
        ]
    );
    assert_eq!(dataset.licence.as_deref(), Some("of each article: CC BY 2, NO-CC CODE 1"));
    // The folder `data` itself is a source, too.
    let (again, _) = import(&source.path().join("data"), &RocoOptions::default()).unwrap();
    assert_eq!(again.summary, imported.summary);
}

#[test]
fn licences_and_classes_are_chosen() {
    let source = source();
    let options = RocoOptions { non_radiology: true, licences: vec!["cc0".into(), "CC  by".into()] };
    let (imported, dataset) = import(source.path(), &options).unwrap();
    let ids: Vec<&str> = dataset.corpus.iter().map(|document| document.id).collect();
    assert_eq!(ids, ["ROCO_00009", "ROCO_00001", "ROCO_00002"]);
    assert_eq!(imported.summary.sources["roco non-radiology"], 1);
    assert_eq!(imported.left_out[0].to_string(), "1 left out: licence NO-CC CODE (test/radiology/captions.txt:3)");
    let nothing = RocoOptions { licences: vec!["MIT".into()], ..RocoOptions::default() };
    let message = failure(import(source.path(), &nothing));
    assert!(message.contains("4 left out: licence CC BY"), "{message}");
}

#[test]
fn rows_are_joined_by_id_even_if_the_files_have_other_orders() {
    let source = source();
    let licences = source.path().join("data/test/radiology/licences.txt");
    let mut lines: Vec<&str> = LICENCES.lines().collect();
    lines[1..].reverse();
    lines.pop();
    write(&licences, &lines.join("\n"));
    let (imported, dataset) = import(source.path(), &RocoOptions::default()).unwrap();
    let groups: Vec<_> = dataset.corpus.iter().map(|document| document.group).collect();
    assert_eq!(groups, [Some("PMC100"), Some("PMC200")]);
    assert_eq!(imported.left_out[0].reason, "no row in licences.txt, so that its article is unknown");
    assert_eq!(imported.left_out[0].first, ["test/radiology/captions.txt:1"]);
}

#[test]
fn what_cannot_be_read_is_named_with_its_row_and_column() {
    let source = source();
    let radiology = source.path().join("data/test/radiology");
    let import = || failure(import(source.path(), &RocoOptions::default()));
    write(&radiology.join("licences.txt"), &LICENCES.replace("PMC200_b.jpg", "b.jpg"));
    let message = import();
    assert!(
        message.contains("licences.txt:4, column PMC_ID: expected a name that begins with an article"),
        "{message}"
    );
    write(&radiology.join("licences.txt"), &LICENCES.replace("CC\n", "Licence\n"));
    assert!(import().contains("expected a column \"CC\", found only \"ROCO_ID\", \"PMC_ID\", \"Licence\""));
    write(&radiology.join("licences.txt"), &LICENCES.replace("ROCO_00002,PMC100_a-g02.jpg,CC BY", "ROCO_00002,PMC100"));
    assert!(import().contains("licences.txt further"));
    fs::remove_file(radiology.join("licences.txt")).unwrap();
    assert!(import().contains("expected the articles and licences of the images"));
    write(&radiology.join("licences.txt"), LICENCES);
    write(&radiology.join("captions.txt"), "ROCO_00001 no tab\n");
    assert!(import().contains("captions.txt:1: expected an id, a tab and a caption"));
    write(&radiology.join("captions.txt"), CAPTIONS);
    fs::remove_dir_all(radiology.join("images")).unwrap();
    let message = import();
    assert!(message.contains("4 left out: no image file") && message.contains("scripts/fetch.py"), "{message}");
    assert!(!source.path().join("out").exists());
    let cases = ImportOptions { rows: Some(RowsAs::Both), ..ImportOptions::default() };
    let refused = import_roco(source.path(), &source.path().join("o"), &RocoOptions::default(), &cases, &|_, _| ());
    assert!(failure(refused).contains("neither questions nor labels"));
}

#[test]
fn the_real_cut_has_captions_of_several_languages_and_no_images() {
    let Some(source) = shared_data("formats/roco") else { return };
    let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let options = RocoOptions { non_radiology: true, ..RocoOptions::default() };
    let message = failure(import_roco(&source, Path::new("unused"), &options, &dry, &|_, _| ()));
    let rows: usize = ["test/radiology", "test/non-radiology", "train/non-radiology", "validation/radiology"]
        .iter()
        .chain(&["train/radiology", "validation/non-radiology"])
        .filter_map(|part| fs::read_to_string(source.join("data").join(part).join("captions.txt")).ok())
        .map(|text| text.lines().count())
        .sum();
    assert!(message.contains(&format!("found none: {rows} left out: no image file")), "{message}");

    let copy = tempfile::tempdir().unwrap();
    let radiology = source.join("data/test/radiology");
    let inside = copy.path().join("test/radiology");
    fs::create_dir_all(inside.join("images")).unwrap();
    for name in ["captions.txt", "licences.txt"] {
        fs::copy(radiology.join(name), inside.join(name)).unwrap();
    }
    for id in ["ROCO_00016", "ROCO_00153"] {
        fs::write(inside.join("images").join(format!("{id}.jpg")), grey_png(1)).unwrap();
    }
    let (_, dataset) = import(copy.path(), &RocoOptions::default()).unwrap();
    assert_eq!(
        dataset.corpus.document(1).caption,
        "Distension digestive avec niveaux hydro-aériques coliques et vacuité pelvienne"
    );
    assert_eq!(dataset.corpus.document(0).group, Some("PMC5665693"));
}
