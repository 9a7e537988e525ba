//! `dissent index` and `dissent search` with an encoder of each family.

use super::fixture::{FAMILIES, Loaded, OF_IMAGES, copy_of, fixture};
use crate::support::dataset::{self, case, closed_task, document, manifest};
use crate::support::{fixtures, program};
use dissent::data::{Case, Document};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Exit code, standard output and standard error.
fn dissent(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = program::dissent().args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The fixture's pictures with its texts as captions.
fn write_dataset(loaded: &Loaded, root: &Path) {
    let mass = closed_task("mass", "Is there a mass?", [("Yes", "yes"), ("No", "no")]);
    let of = |(row, text): (usize, &str)| document(&format!("d{row}"), text);
    let corpus: Vec<Document> = loaded.texts().into_iter().enumerate().map(of).collect();
    let case = Case { image: "images/d0.png".into(), ..case("c", "mass", "Yes") };
    dataset::write_dataset(root, &manifest("small", vec![mass]), &[case], &corpus);
    for (picture, document) in loaded.pictures().iter().zip(&corpus) {
        picture.save(root.join(&document.image)).unwrap();
    }
}

fn ids(output: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(output).unwrap();
    value["results"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap().to_string()).collect()
}

#[test]
fn every_family_indexes_and_searches() {
    for name in FAMILIES {
        let aside = tempfile::tempdir().unwrap();
        let root: PathBuf = aside.path().join("scans");
        let loaded = Loaded::new(name);
        write_dataset(&loaded, &root);
        let (root, encoder) = (root.to_str().unwrap(), fixture(name));
        let encoder = encoder.to_str().unwrap();
        let (code, built, errors) = dissent(&["index", root, "--encoder", encoder]);
        assert_eq!(code, Some(0), "{name}: {errors}");
        let vectors = format!("3 vectors of {}", loaded.encoder.dimension());
        assert!(built.contains(&vectors) && built.contains(name), "{name}: {built}");

        // An image and a caption are their own nearest neighbours.
        let image = format!("{root}/images/d2.png");
        let search = ["search", root, "--encoder", encoder, "--json"];
        let (code, found, errors) = dissent(&[&search[..], &["--image", &image]].concat());
        assert_eq!(code, Some(0), "{name}: {errors}");
        assert_eq!(ids(&found)[0], "d2", "{name}: {found}");
        let caption = loaded.texts()[1];
        let (code, found, errors) = dissent(&[&search[..], &["--text", caption, "--by", "captions"]].concat());
        assert_eq!(code, Some(0), "{name}: {errors}");
        assert_eq!(ids(&found)[0], "d1", "{name}: {found}");
    }
}

/// Captions are found by their words alone, and the caption head is missing, which is said.
#[test]
fn an_encoder_of_images_makes_an_index_without_caption_vectors() {
    for name in OF_IMAGES {
        let aside = tempfile::tempdir().unwrap();
        let root: PathBuf = aside.path().join("scans");
        let loaded = Loaded::new(name);
        write_dataset(&loaded, &root);
        let (root, encoder) = (root.to_str().unwrap(), fixture(name));
        let encoder = encoder.to_str().unwrap();
        let (code, built, errors) = dissent(&["index", root, "--encoder", encoder]);
        assert_eq!(code, Some(0), "{name}: {errors}");
        assert!(built.contains("3 vectors of 48") && built.contains("captions  no vectors"), "{name}: {built}");
        let (_, again, _) = dissent(&["index", root, "--encoder", encoder]);
        assert!(again.contains("up to date"), "{name}: {again}");

        let image = format!("{root}/images/d2.png");
        let search = ["search", root, "--encoder", encoder, "--json"];
        let (code, found, errors) = dissent(&[&search[..], &["--image", &image]].concat());
        assert_eq!(code, Some(0), "{name}: {errors}");
        assert_eq!(ids(&found)[0], "d2", "{name}: {found}");
        let caption = loaded.texts()[1];
        let (code, found, errors) = dissent(&[&search[..], &["--text", caption]].concat());
        assert_eq!((code, ids(&found)[0].as_str()), (Some(0), "d1"), "{name}: {errors}");
        let (code, _, errors) = dissent(&[&search[..], &["--text", caption, "--by", "captions"]].concat());
        assert_eq!(code, Some(1), "{name}");
        assert!(errors.contains("embeds images alone"), "{name}: {errors}");

        let (_, _, errors) =
            dissent(&["predict", root, "--encoder", encoder, "--reader", &sample_reader(), "--run", "r"]);
        assert!(errors.contains("the caption head is left out"), "{name}: {errors}");
    }
}

/// The folder of the sample's reader.
fn sample_reader() -> String {
    fixtures::sample("models/reader").to_str().unwrap().to_string()
}

#[test]
fn an_encoder_in_the_workspace_may_be_of_any_family() {
    let aside = tempfile::tempdir().unwrap();
    let root = aside.path().join("scans");
    write_dataset(&Loaded::new("open_clip"), &root);
    let models = root.join(".dissent/models");
    fs::create_dir_all(&models).unwrap();
    fs::rename(copy_of("open_clip", aside.path()), models.join("encoder")).unwrap();
    let (code, built, errors) = dissent(&["index", root.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(built.contains("3 vectors of 14"), "{built}");
}

#[test]
fn what_is_wrong_with_a_checkpoint_is_one_line() {
    let aside = tempfile::tempdir().unwrap();
    let root = aside.path().join("scans");
    write_dataset(&Loaded::new("siglip"), &root);
    let folder = copy_of("siglip", aside.path());
    fs::write(folder.join("config.json"), "{\"model_type\": \"vit_mae\"}").unwrap();
    let (code, _, errors) = dissent(&["index", root.to_str().unwrap(), "--encoder", folder.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("\"vit_mae\"") && errors.contains("known are clip"), "{errors}");
    assert!(!errors.contains("stack backtrace"), "{errors}");
}
