//! Training that cannot be done: every fault gives a message, none a panic or half a checkpoint.

use crate::support::small_disk;
use crate::support::world::{Outcome, World, case_line};
use std::fs;

/// A dual encoder small enough for a test.
fn train(world: &World, more: &[&str]) -> Outcome {
    let small = ["--epochs", "1", "--batch", "4", "--layers", "1", "--heads", "1", "--text-layers", "1"];
    let arguments = [&["train", "dual-encoder", "DATASET"], more, &small].concat();
    world.dissent(&arguments)
}

/// A reader that starts from the world's own.
fn train_reader(world: &World, out: &str) -> Outcome {
    let (init, encoder) = (world.path("checkpoints/reader"), world.path("checkpoints/dual-encoder"));
    let models = ["--init", init.to_str().unwrap(), "--encoder", encoder.to_str().unwrap()];
    let arguments =
        [&["train", "reader", "DATASET", "--out", out, "--epochs", "1", "--batch", "4"], &models[..]].concat();
    world.dissent(&arguments)
}

#[test]
fn sizes_that_make_no_model_are_refused() {
    let world = World::trainable();
    let out = world.path("out");
    let wrong = [
        ("--image-size", "0"),
        ("--image-size", "7"),
        ("--patch-size", "0"),
        ("--patch-size", "128"),
        ("--embedding", "0"),
        ("--learning-rate", "nan"),
        ("--learning-rate", "-1"),
        ("--weight-decay", "inf"),
        ("--clip", "0"),
    ];
    for (flag, value) in wrong {
        let outcome = train(&world, &["--out", out.to_str().unwrap(), flag, value]);
        assert!(matches!(outcome.code, 1 | 2), "{flag} {value}: {outcome:#?}");
        assert!(outcome.stderr.contains("error: "), "{flag} {value}: {outcome:#?}");
        assert!(!out.exists(), "{flag} {value}");
    }
    for (model, flag) in [
        ("dual-encoder", "--batch"),
        ("dual-encoder", "--heads"),
        ("reader", "--batch"),
        ("reader", "--hidden"),
        ("reader", "--vision-hidden"),
        ("reader", "--patch-size"),
        ("reader", "--image-size"),
    ] {
        let outcome =
            world.dissent(&["train", model, "DATASET", "--epochs", "1", "--out", out.to_str().unwrap(), flag, "0"]);
        assert!(matches!(outcome.code, 1 | 2), "{model} {flag} 0: {outcome:#?}");
        assert!(outcome.stderr.contains("error: "), "{model} {flag} 0: {outcome:#?}");
        assert!(!out.exists(), "{model} {flag} 0");
    }
}

#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn a_full_disk_leaves_no_half_checkpoint() {
    let world = World::trainable();
    let disk = small_disk::mount(64);
    for name in ["encoder", "reader"] {
        let out = disk.path().join(name);
        let place = out.to_str().unwrap();
        let outcome = if name == "encoder" { train(&world, &["--out", place]) } else { train_reader(&world, place) };
        outcome.fails_with(&["No space left on device", place]);
        assert!(!out.exists(), "{:?}", fs::read_dir(&out).unwrap().collect::<Vec<_>>());
    }
    disk.resize(8192);
    let out = disk.path().join("encoder");
    train(&world, &["--out", out.to_str().unwrap()]).succeeds();
    assert!(out.join("model.safetensors").is_file());
}

#[test]
fn a_damaged_state_is_named() {
    let world = World::trainable();
    let out = world.path("out");
    let place = out.to_str().unwrap();
    train(&world, &["--out", place]).succeeds();
    let state: Vec<_> = fs::read_dir(world.path("out.training")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let tensors = state.iter().find(|path| path.extension().is_some_and(|ending| ending == "safetensors")).unwrap();
    let whole = fs::read(tensors).unwrap();
    fs::write(tensors, &whole[..whole.len() / 2]).unwrap();
    train(&world, &["--out", place]).fails_with(&[tensors.file_name().unwrap().to_str().unwrap()]);
    train(&world, &["--out", place, "--restart"]).succeeds();
}

#[test]
fn a_finished_training_writes_its_model_again() {
    let world = World::trainable();
    let out = world.path("out");
    let place = out.to_str().unwrap();
    train(&world, &["--out", place]).succeeds();
    let weights = fs::read(out.join("model.safetensors")).unwrap();
    fs::remove_dir_all(&out).unwrap();
    train(&world, &["--out", place]).succeeds();
    assert_eq!(fs::read(out.join("model.safetensors")).unwrap(), weights);
    fs::remove_file(out.join("tokenizer.json")).unwrap();
    train(&world, &["--out", place]).succeeds();
    assert!(out.join("tokenizer.json").is_file());
    fs::remove_dir_all(&out).unwrap();
    fs::write(&out, "a file").unwrap();
    train(&world, &["--out", place]).fails_with(&["out: expected a folder or nothing, found a file"]);
}

#[test]
fn a_finished_reader_is_written_again() {
    let world = World::trainable();
    let out = world.path("reader");
    let place = out.to_str().unwrap();
    train_reader(&world, place).succeeds();
    let weights = fs::read(out.join("model.safetensors")).unwrap();
    fs::remove_dir_all(&out).unwrap();
    train_reader(&world, place).succeeds();
    assert_eq!(fs::read(out.join("model.safetensors")).unwrap(), weights);
}

#[test]
fn nothing_to_learn_from_is_named() {
    let world = World::trainable();
    let out = world.path("out");
    for line in 1..=20 {
        let case = case_line(&format!("c{line}"), "test", &format!("images/c{line}.png"), "Yes");
        world.replace_line("cases.jsonl", line, &case);
    }
    train_reader(&world, out.to_str().unwrap()).fails_with(&["train"]);
    fs::write(world.path("corpus.jsonl"), "").unwrap();
    train(&world, &["--out", out.to_str().unwrap()]).fails_with(&["the corpus is empty"]);
    assert!(!out.exists());
}

#[test]
fn a_reader_needs_cases_to_choose_its_best_epoch_by() {
    let world = World::trainable();
    for line in 19..=20 {
        let case = case_line(&format!("c{line}"), "train", &format!("images/c{line}.png"), "Yes");
        world.replace_line("cases.jsonl", line, &case);
    }
    train_reader(&world, world.path("out").to_str().unwrap()).fails_with(&["split validation"]);
    assert!(!world.path("out").exists());
}

#[test]
fn a_given_pair_of_a_case_and_its_own_image_is_refused() {
    let world = World::trainable();
    let pairs = "{\"case\":\"c1\",\"document\":\"d0\"}\n{\"case\":\"c2\",\"document\":\"t2\"}\n";
    fs::write(world.path("pairs.jsonl"), pairs).unwrap();
    train_reader(&world, world.path("out").to_str().unwrap()).fails_with(&["pairs.jsonl:2", "c2", "t2"]);
}

#[test]
fn a_missing_image_is_named_before_or_passed_over() {
    let world = World::trainable();
    fs::remove_file(world.path("images/c5.png")).unwrap();
    fs::remove_file(world.path("images/d2.png")).unwrap();
    let out = world.path("out");
    let outcome = train(&world, &["--out", out.to_str().unwrap()]);
    assert!(outcome.stderr.contains("d2.png"), "{outcome:#?}");
    let outcome = train_reader(&world, world.path("reader").to_str().unwrap());
    assert!(outcome.stderr.contains("c5.png"), "{outcome:#?}");
}

#[test]
fn a_place_that_is_no_folder_is_named() {
    let world = World::trainable();
    fs::write(world.path("out"), "a file").unwrap();
    let out = world.path("out/deep");
    train(&world, &["--out", out.to_str().unwrap()]).fails_with(&["out/deep"]);
}
