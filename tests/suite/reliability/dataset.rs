//! Datasets with something wrong: `check` lists it, `predict` refuses or passes it over.

use crate::support::pictures::png;
use crate::support::world::{World, case_line, predictions};
use image::DynamicImage;
use std::fs;

#[test]
fn a_dataset_with_nothing_wrong_is_predicted() {
    let world = World::new();
    world.dissent(&["check", "DATASET"]).succeeds();
    world.predict().succeeds();
    for case in ["c3", "c17"] {
        // At least closed-book and one document.
        assert!(predictions(&world.path(".dissent"), case) >= 2, "{case}");
    }
}

#[test]
fn a_missing_case_image_costs_that_case() {
    let world = World::new();
    fs::remove_file(world.path("images/c3.png")).unwrap();
    world.dissent(&["check", "DATASET"]).fails_with(&["cases.jsonl:3: image", "c3.png"]);
    world.predict().fails_with(&["1 of 2 cases", "c3.png"]);
    assert!(predictions(&world.path(".dissent"), "c17") >= 2, "the other case is kept");
    assert_eq!(predictions(&world.path(".dissent"), "c3"), 0);
}

#[test]
fn a_missing_document_image_is_named_and_passed_over() {
    let world = World::new();
    fs::remove_file(world.path("images/d2.png")).unwrap();
    world.dissent(&["check", "DATASET"]).fails_with(&["corpus.jsonl:3: image", "d2.png"]);
    let outcome = world.predict();
    assert!(outcome.succeeds().stderr.contains("document d2 is skipped"), "{outcome:#?}");
    assert!(outcome.stderr.contains("d2.png"), "{outcome:#?}");
    let predictions = fs::read_to_string(world.path(".dissent/runs/r/predictions.jsonl")).unwrap();
    assert!(!predictions.contains("d2.png"), "{predictions}");

    // Images that go later make the index stale, so that they are passed over, too.
    let again = ["predict", "DATASET", "--run", "later", "--split", "test", "--device", "cpu"];
    fs::remove_file(world.path("images/d0.png")).unwrap();
    let outcome = world.dissent(&again);
    assert!(outcome.succeeds().stderr.contains("document d0 is skipped"), "{outcome:#?}");
    for other in ["d1", "d3", "d4", "d5"] {
        fs::remove_file(world.path(&format!("images/{other}.png"))).unwrap();
    }
    world.dissent(&again).fails_with(&["none of the 6 corpus images can be read", "d0.png"]);
}

#[test]
fn a_truncated_png_is_named() {
    let world = World::new();
    for name in ["images/c3.png", "images/d2.png"] {
        let whole = fs::read(world.path(name)).unwrap();
        fs::write(world.path(name), &whole[..whole.len() / 2]).unwrap();
    }
    let outcome = world.dissent(&["check", "DATASET"]);
    outcome.fails_with(&["cases.jsonl:3: image", "c3.png", "corpus.jsonl:3: image", "d2.png", "cut short"]);
    world.predict().fails_with(&["1 of 2 cases", "c3.png", "cut short"]);
    assert!(predictions(&world.path(".dissent"), "c17") >= 2);
}

#[test]
fn a_file_that_is_no_image_is_named() {
    let world = World::new();
    fs::write(world.path("images/c3.png"), "<html>404</html>").unwrap();
    world.dissent(&["check", "DATASET"]).fails_with(&["cases.jsonl:3: image", "c3.png"]);
    world.predict().fails_with(&["1 of 2 cases", "c3.png"]);
}

#[test]
fn sixteen_bit_pngs_are_read() {
    let world = World::new();
    let grey = image::ImageBuffer::from_fn(40, 30, |x, y| image::Luma([(x * y * 50) as u16]));
    let colour = image::ImageBuffer::from_fn(40, 30, |x, y| image::Rgb([(x * 1600) as u16, (y * 2000) as u16, 9]));
    fs::write(world.path("images/c3.png"), png(&DynamicImage::ImageLuma16(grey))).unwrap();
    fs::write(world.path("images/d2.png"), png(&DynamicImage::ImageRgb16(colour))).unwrap();
    world.dissent(&["check", "DATASET"]).succeeds();
    world.predict().succeeds();
    assert!(predictions(&world.path(".dissent"), "c3") >= 2);
}

#[test]
fn a_bad_line_17_is_named() {
    let world = World::new();
    world.replace_line("cases.jsonl", 17, r#"{"id":"c17","task":"lesion","split""#);
    world.dissent(&["check", "DATASET"]).fails_with(&["cases.jsonl:17: "]);
    world.predict().fails_with(&["cases.jsonl:17: "]);
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let world = World::new();
    let mut bytes = fs::read(world.path("cases.jsonl")).unwrap();
    bytes.extend(b"{\"id\":\"\xff\xfe\"}\n\0\0\0\n");
    fs::write(world.path("cases.jsonl"), bytes).unwrap();
    world.dissent(&["check", "DATASET"]).fails_with(&["cases.jsonl:21: ", "cases.jsonl:22: "]);
}

#[test]
fn a_second_case_with_the_same_id_is_named() {
    let world = World::new();
    world.replace_line("cases.jsonl", 17, &case_line("c4", "test", "images/c17.png", "Yes"));
    world.dissent(&["check", "DATASET"]).fails_with(&["cases.jsonl:17: id", "c4", "line 4"]);
    world.predict().fails_with(&["cases.jsonl:17: id", "line 4"]);
}

#[test]
fn a_second_document_with_the_same_id_is_named() {
    let world = World::new();
    world.replace_line("corpus.jsonl", 3, r#"{"id":"d0","image":"images/d2.png","caption":"x"}"#);
    world.dissent(&["check", "DATASET"]).fails_with(&["corpus.jsonl:3: id", "d0", "line 1"]);
    world.predict().fails_with(&["corpus.jsonl:3: id"]);
}

#[test]
fn an_unknown_label_is_named_with_the_known_ones() {
    let world = World::new();
    world.replace_line("cases.jsonl", 3, &case_line("c3", "test", "images/c3.png", "Maybe"));
    world.dissent(&["check", "DATASET"]).fails_with(&["cases.jsonl:3: answer", "Maybe", "\"Yes\", \"No\""]);
    world.predict().fails_with(&["cases.jsonl:3: answer", "Maybe"]);
}

#[test]
fn an_empty_corpus_is_named() {
    let world = World::new();
    fs::write(world.path("corpus.jsonl"), "").unwrap();
    world.dissent(&["check", "DATASET"]).fails_with(&["corpus.jsonl", "the corpus is empty"]);
    world.predict().fails_with(&["corpus.jsonl", "the corpus is empty"]);
}

#[test]
fn a_broken_manifest_is_named_with_line_and_field() {
    let world = World::new();
    let manifest = fs::read_to_string(world.path("dataset.toml")).unwrap();
    fs::write(world.path("dataset.toml"), manifest.replace("kind =", "kinds =")).unwrap();
    for outcome in [world.dissent(&["check", "DATASET"]), world.predict()] {
        outcome.fails_with(&["dataset.toml", "kinds"]);
    }
    fs::remove_file(world.path("dataset.toml")).unwrap();
    world.predict().fails_with(&["dataset.toml"]);
}
