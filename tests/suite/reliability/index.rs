//! An index of other documents, of another encoder, or damaged: named and built anew, never used in silence.

use crate::support::world::World;
use std::fs;

#[test]
fn an_index_of_another_corpus_is_named_and_built_anew() {
    let world = World::new();
    world.predict().succeeds();
    let before = fs::read(world.path(".dissent/index/index.toml")).unwrap();
    world.replace_line("corpus.jsonl", 3, r#"{"id":"d2","image":"images/d2.png","caption":"another caption"}"#);
    let outcome = world.dissent(&["predict", "DATASET", "--run", "second", "--split", "test", "--device", "cpu"]);
    outcome.succeeds();
    assert!(outcome.stderr.contains("corpus"), "{outcome:#?}");
    assert!(outcome.stderr.contains("building"), "{outcome:#?}");
    assert_ne!(fs::read(world.path(".dissent/index/index.toml")).unwrap(), before);
    let outcome = world.dissent(&["predict", "DATASET", "--run", "third", "--split", "test", "--device", "cpu"]);
    assert!(!outcome.succeeds().stderr.contains("building"), "once is enough: {outcome:#?}");
}

#[test]
fn an_index_put_in_from_another_dataset_is_not_used() {
    let (world, other) = (World::new(), World::new());
    other.replace_line("corpus.jsonl", 1, r#"{"id":"elsewhere","image":"images/d0.png","caption":"elsewhere"}"#);
    other.predict().succeeds();
    fs::create_dir(world.path(".dissent")).unwrap();
    fs::rename(other.path(".dissent/index"), world.path(".dissent/index")).unwrap();
    let outcome = world.predict();
    assert!(outcome.succeeds().stderr.contains("building"), "{outcome:#?}");
    let predictions = fs::read_to_string(world.path(".dissent/runs/r/predictions.jsonl")).unwrap();
    assert!(!predictions.contains("elsewhere"));
}

#[test]
fn a_damaged_index_is_named_and_built_anew_or_refused() {
    let world = World::new();
    world.predict().succeeds();
    let whole: Vec<_> =
        fs::read_dir(world.path(".dissent/index")).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The content hashes only spare the next build some work.
    let files = whole.iter().filter(|path| path.is_file() && !path.ends_with("contents.tsv"));
    for (number, path) in files.enumerate() {
        let content = fs::read(path).unwrap();
        fs::write(path, &content[..content.len() / 2]).unwrap();
        let run = format!("run{number}");
        let outcome = world.dissent(&["predict", "DATASET", "--run", &run, "--split", "test", "--device", "cpu"]);
        let name = path.file_name().unwrap().to_str().unwrap();
        match outcome.code {
            0 => assert!(outcome.stderr.contains("building"), "{name}: {outcome:#?}"),
            _ => outcome.fails_with(&[name]),
        }
        fs::write(path, content).unwrap();
    }
}

#[test]
fn a_run_of_another_reader_is_not_continued() {
    let world = World::new();
    world.predict().succeeds();
    let config = world.path("checkpoints/reader/preprocessor_config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replacen('{', "{ ", 1)).unwrap();
    let outcome = world.predict();
    outcome.fails_with(&["r", "reader"]);
}

#[test]
fn the_index_command_names_what_it_leaves_out_and_what_is_stale() {
    let world = World::new();
    fs::remove_file(world.path("images/d2.png")).unwrap();
    let outcome = world.index();
    assert!(outcome.succeeds().stderr.contains("warning: document d2"), "{outcome:#?}");
    assert!(world.index().succeeds().stdout.contains("up to date"));
    world.replace_line("corpus.jsonl", 1, r#"{"id":"d0","image":"images/d0.png","caption":"new"}"#);
    let outcome = world.index();
    assert!(outcome.succeeds().stderr.contains("corpus"), "{outcome:#?}");
    assert!(outcome.stdout.contains("index built"), "{outcome:#?}");
}

#[test]
fn a_search_that_cannot_be_done_is_named() {
    let world = World::new();
    world.index().succeeds();
    world.dissent(&["search", "DATASET", "--text", "cyst", "--device", "cpu"]).succeeds();
    world.dissent(&["search", "DATASET", "--text", "(((", "--device", "cpu"]).fails_with(&["((("]);
    let image = world.path("no.png");
    world
        .dissent(&["search", "DATASET", "--image", image.to_str().unwrap(), "--device", "cpu"])
        .fails_with(&["no.png"]);
    fs::write(&image, "no image").unwrap();
    world
        .dissent(&["search", "DATASET", "--image", image.to_str().unwrap(), "--device", "cpu"])
        .fails_with(&["no.png"]);
}
