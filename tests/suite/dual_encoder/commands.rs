//! `dissent index` and `dissent search` with an encoder of each family.

use super::fixture::{FAMILIES, Loaded, copy_of, fixture};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit code, standard output and standard error.
fn dissent(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dissent"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DISSENT_")) {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The fixture's pictures with its texts as captions.
fn write_dataset(loaded: &Loaded, root: &Path) {
    fs::create_dir_all(root.join("images")).unwrap();
    let manifest = "name = \"small\"\n\n[[task]]\nid = \"mass\"\nkind = \"closed-vqa\"\nquestion = \"Is there a mass?\"\n\
                    labels = [{ id = \"Yes\", name = \"yes\" }, { id = \"No\", name = \"no\" }]\n";
    fs::write(root.join("dataset.toml"), manifest).unwrap();
    let mut corpus = String::new();
    for (row, (picture, text)) in loaded.pictures().iter().zip(loaded.texts()).enumerate() {
        let image = format!("images/{row}.png");
        picture.save(root.join(&image)).unwrap();
        corpus.push_str(&format!("{}\n", json!({"id": format!("d{row}"), "image": image, "caption": text})));
    }
    fs::write(root.join("corpus.jsonl"), corpus).unwrap();
    let case = json!({"id": "c", "task": "mass", "split": "test", "image": "images/0.png", "answer": "Yes"});
    fs::write(root.join("cases.jsonl"), format!("{case}\n")).unwrap();
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
        let image = format!("{root}/images/2.png");
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
