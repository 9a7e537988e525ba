//! Vectors that another program computed: written by `export vectors`, read by `index`, searched without an encoder.

use crate::support::world::{Outcome, World, outcome_of};
use serde_json::Value;
use std::fs;
use std::path::Path;

const KINDS: [&str; 3] = ["images", "captions", "queries"];

/// `dissent ARGUMENTS` without an encoder.
fn alone(world: &World, arguments: &[&str]) -> Outcome {
    outcome_of(world.command(arguments).env_remove("DISSENT_ENCODER"))
}

fn doctor(world: &World) -> Outcome {
    outcome_of(world.command(&["doctor", "DATASET"]).env_remove("DISSENT_READER"))
}

/// The world's vectors as files `images.ENDING` and so on, beside the dataset.
fn export(world: &World, ending: &str) {
    for kind in KINDS {
        let out = world.path(&format!("{kind}.{ending}"));
        world
            .dissent(&["export", "vectors", "DATASET", "--of", kind, "--out", out.to_str().unwrap(), "--device", "cpu"])
            .succeeds();
    }
}

fn index(world: &World, files: [&str; 3], more: &[&str]) -> Outcome {
    let paths = files.map(|file| world.path(file).to_str().unwrap().to_owned());
    let mut arguments = vec!["index", "DATASET"];
    for ((flag, path), file) in
        ["--image-vectors", "--caption-vectors", "--query-vectors"].into_iter().zip(&paths).zip(files)
    {
        if !file.is_empty() {
            arguments.extend([flag, path.as_str()]);
        }
    }
    alone(world, &[&arguments[..], more].concat())
}

fn predict(world: &World, run: &str, more: &[&str]) -> Outcome {
    alone(world, &[&["predict", "DATASET", "--run", run, "--split", "test", "--device", "cpu"], more].concat())
}

/// The lines of a run without the fingerprint of its retriever, and without their checksums, which cover it.
fn lines(world: &World, run: &str) -> Vec<Value> {
    let text = fs::read_to_string(world.path(&format!(".dissent/runs/{run}/predictions.jsonl"))).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for field in ["retriever", "checksum"] {
            assert!(line.as_object_mut().unwrap().remove(field).is_some());
        }
        line
    };
    text.lines().map(line).collect()
}

/// The tables of a run, without its name.
fn tables(world: &World, run: &str) -> String {
    let said = world.dissent(&["evaluate", "DATASET", "--runs", run, "--csv", "--resamples", "100"]);
    assert!(said.succeeds().stdout.contains("fused"), "{said:#?}");
    said.stdout.replace(run, "RUN")
}

fn write_lines(path: &Path, vectors: &[(&str, [f32; 2])]) {
    let line = |(id, vector): &(&str, [f32; 2])| format!("{}\n", serde_json::json!({ "id": id, "vector": vector }));
    fs::write(path, vectors.iter().map(line).collect::<String>()).unwrap();
}

/// A world whose six documents and 20 cases have vectors of two numbers in `d.jsonl` and `q.jsonl`.
fn small_world() -> World {
    let world = World::new();
    let at = |number: usize| [(number as f32 / 20.0).cos(), (number as f32 / 20.0).sin()];
    let documents: Vec<String> = (0..6).map(|number| format!("d{number}")).collect();
    let cases: Vec<String> = (1..=20).map(|number| format!("c{number}")).collect();
    let of = |ids: &[String]| -> Vec<(String, [f32; 2])> {
        ids.iter().enumerate().map(|(number, id)| (id.clone(), at(number))).collect()
    };
    for (file, vectors) in [("d.jsonl", of(&documents)), ("q.jsonl", of(&cases))] {
        let vectors: Vec<(&str, [f32; 2])> = vectors.iter().map(|(id, vector)| (id.as_str(), *vector)).collect();
        write_lines(&world.path(file), &vectors);
    }
    world
}

#[test]
fn exported_vectors_give_the_same_hits_and_figures_to_the_last_digit() {
    let world = World::trainable();
    world.dissent(&["predict", "DATASET", "--run", "by-encoder", "--device", "cpu"]).succeeds();
    let (expected, expected_tables) = (lines(&world, "by-encoder"), tables(&world, "by-encoder"));
    assert!(expected.iter().any(|line| line["score"].is_number()));
    for ending in ["npy", "safetensors", "parquet", "jsonl"] {
        export(&world, ending);
    }
    for ending in ["npy", "safetensors", "parquet", "jsonl"] {
        let said = index(&world, KINDS.map(|kind| format!("{kind}.{ending}")).each_ref().map(String::as_str), &[]);
        let said = &said.succeeds().stdout;
        assert!(said.contains("images    24 vectors of 64") && said.contains("cases     20 vectors of"), "{said}");
        assert!(!said.contains("set to 1"), "{said}");
        let run = format!("by-{ending}");
        predict(&world, &run, &[]).succeeds();
        assert_eq!(lines(&world, &run), expected, "{ending}");
        assert_eq!(tables(&world, &run), expected_tables, "{ending}");
    }
    // Exported once more, from the given vectors.
    let again = world.path("again.npy");
    for (kind, file) in [("queries", "queries.npy"), ("captions", "captions.npy")] {
        alone(&world, &["export", "vectors", "DATASET", "--of", kind, "--out", again.to_str().unwrap()]).succeeds();
        assert_eq!(fs::read(&again).unwrap(), fs::read(world.path(file)).unwrap(), "{kind}");
    }
}

#[test]
fn the_index_says_what_it_holds_and_is_up_to_date() {
    let world = small_world();
    write_lines(&world.path("c.jsonl"), &[("d0", [3.0, 4.0]); 1]);
    index(&world, ["d.jsonl", "c.jsonl", ""], &[]).fails_with(&[
        "c.jsonl",
        "a vector for each document",
        "document d1 (5 have none)",
    ]);
    let built = index(&world, ["d.jsonl", "", "q.jsonl"], &[]);
    let said = &built.succeeds().stdout;
    assert!(said.starts_with("index built in ") && said.contains("images    6 vectors of 2"), "{said}");
    assert!(said.contains("captions  no vectors") && said.contains("cases     20 vectors of 2"), "{said}");
    let again = alone(&world, &["index", "DATASET"]);
    assert!(again.succeeds().stdout.starts_with("index up to date"), "{again:#?}");
    // An encoder of the environment does not replace it unasked.
    let kept = world.dissent(&["index", "DATASET", "--device", "cpu"]);
    assert!(kept.succeeds().stderr.contains("which --force replaces"), "{kept:#?}");
    // Nor do other settings, which the index then keeps; asked for again they change nothing.
    for state in ["built", "up to date"] {
        let other =
            world.dissent(&["index", "DATASET", "--device", "cpu", "--recall", "0.9", "--exact-up-to", "50", "--json"]);
        assert!(other.succeeds().stderr.contains("which --force replaces"), "{other:#?}");
        let report: Value = serde_json::from_str(&other.stdout).unwrap();
        assert_eq!((&report["state"], &report["given"]["query"]["vectors"]), (&state.into(), &20.into()));
    }
    let report: Value =
        serde_json::from_str(&alone(&world, &["index", "DATASET", "--force", "--json"]).stdout).unwrap();
    assert_eq!((&report["state"], &report["given"]["query"]["vectors"]), (&"built".into(), &20.into()));
    let report = doctor(&world);
    assert!(report.succeeds().stdout.contains("of another program: "), "{report:#?}");
    let replaced = world.dissent(&["index", "DATASET", "--device", "cpu", "--force"]);
    assert!(replaced.succeeds().stderr.contains("had vectors of another program"), "{replaced:#?}");
    assert!(replaced.stdout.contains("encoder   dual-encoder"), "{replaced:#?}");
}

#[test]
fn an_image_that_cannot_be_read_is_left_out_as_by_an_encoder() {
    let world = World::new();
    fs::write(world.path("images/d1.png"), b"not a picture").unwrap();
    let out = world.path("images.jsonl");
    let arguments = ["export", "vectors", "DATASET", "--out", out.to_str().unwrap(), "--json", "--device", "cpu"];
    let exported = world.dissent(&arguments);
    let report: Value = serde_json::from_str(&exported.succeeds().stdout).unwrap();
    assert_eq!((&report["vectors"], &report["dimension"]), (&5.into(), &64.into()));
    assert!(exported.stderr.contains("1 documents have no vector"), "{exported:#?}");
    let built = index(&world, ["images.jsonl", "", ""], &[]);
    assert!(built.succeeds().stderr.contains("document d1 can only be found by its caption"), "{built:#?}");
    // A vector that the file has for it is not used: no reader could be shown the image.
    let more = fs::read_to_string(&out).unwrap().lines().next().unwrap().replace("\"d0\"", "\"d1\"");
    fs::write(&out, format!("{}{more}\n", fs::read_to_string(&out).unwrap())).unwrap();
    let again = index(&world, ["images.jsonl", "", ""], &[]);
    assert!(again.succeeds().stdout.contains("6 vectors of 64"), "{again:#?}");
    let image = world.path("images/d0.png");
    let found = alone(&world, &["search", "DATASET", "--image", image.to_str().unwrap(), "--json"]);
    assert!(!found.succeeds().stdout.contains("\"d1\""), "{found:#?}");
}

#[test]
fn one_side_is_searched_and_the_other_head_left_out() {
    let world = small_world();
    for (files, head, missing) in
        [(["d.jsonl", "", "q.jsonl"], "image", "caption"), (["", "d.jsonl", "q.jsonl"], "caption", "image")]
    {
        index(&world, files, &[]).succeeds();
        let said = predict(&world, head, &[]);
        let expected = format!("the {missing} head is left out: the index has no {missing} vectors");
        assert!(said.succeeds().stderr.contains(&expected), "{said:#?}");
        for line in lines(&world, head) {
            let heads = line["heads"].as_array().unwrap();
            assert!(heads.iter().all(|found| found["head"] == head), "{line}");
        }
        predict(&world, "none", &["--heads", missing]).fails_with(&["none of the chosen heads has vectors"]);
        // Words are searched all the same.
        predict(&world, &format!("words-{head}"), &["--heads", &format!("{head},lexical")]).succeeds();
    }
}

#[test]
fn what_needs_an_encoder_says_so() {
    let world = small_world();
    index(&world, ["d.jsonl", "d.jsonl", "q.jsonl"], &[]).succeeds();
    let ids = |outcome: &Outcome| -> Vec<String> {
        let found: Value = serde_json::from_str(&outcome.succeeds().stdout).unwrap();
        found["results"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&alone(&world, &["search", "DATASET", "--text", "cyst", "--json"])), ["d1"]);
    let image = world.path("images/d3.png");
    let image = image.to_str().unwrap();
    let similar = ids(&alone(&world, &["search", "DATASET", "--image", image, "-k", "3", "--json"]));
    assert_eq!((similar.len(), similar[0].as_str()), (3, "d3"), "an image of the corpus has a vector");
    let other = world.path("images/c3.png");
    alone(&world, &["search", "DATASET", "--image", other.to_str().unwrap()])
        .fails_with(&["c3.png has no vector", "--encoder DIR --force"]);
    alone(&world, &["search", "DATASET", "--text", "cyst", "--by", "captions"])
        .fails_with(&["a text cannot be compared", "--by words"]);
    // The encoder that is there does not search the vectors of another model.
    let said = world.dissent(&["predict", "DATASET", "--run", "r", "--split", "test", "--device", "cpu"]);
    assert!(said.succeeds().stderr.contains("is not used: the index has vectors of another program"), "{said:#?}");
    let record = fs::read_to_string(world.path(".dissent/runs/r/run.toml")).unwrap();
    assert!(record.contains("encoder_name = \"vectors of d.jsonl, d.jsonl, q.jsonl\""), "{record}");
}

#[test]
fn without_query_vectors_nothing_is_retrieved_for_a_case() {
    let world = small_world();
    index(&world, ["d.jsonl", "", ""], &[]).succeeds();
    predict(&world, "r", &[]).fails_with(&["has no vectors of the cases", "--query-vectors FILE"]);
    // Only the cases in the file are answered.
    write_lines(&world.path("few.jsonl"), &[("c3", [1.0, 0.0])]);
    let few = index(&world, ["d.jsonl", "", "few.jsonl"], &[]);
    assert!(few.succeeds().stdout.contains("1 vectors of 2"), "{few:#?}");
    predict(&world, "few", &[]).fails_with(&["1 of 2 cases could not be answered", "case c17 has no vector"]);
    assert!(lines(&world, "few").iter().all(|line| line["case"] == "c3"));
}

#[test]
fn a_changed_dataset_or_file_is_named_and_never_searched() {
    let world = small_world();
    let built = || index(&world, ["d.jsonl", "", "q.jsonl"], &[]).succeeds().code;
    built();
    // The vectors of one case are of its image as it was.
    let image = world.path("images/c3.png");
    let before = fs::read(&image).unwrap();
    fs::copy(world.path("images/c5.png"), &image).unwrap();
    predict(&world, "image", &[]).fails_with(&["case c3: its image has changed since its vector was given"]);
    fs::write(&image, before).unwrap();
    predict(&world, "again", &[]).succeeds();

    let vectors = fs::read_to_string(world.path("d.jsonl")).unwrap();
    fs::write(world.path("d.jsonl"), vectors.replace("0.99875", "0.99")).unwrap();
    let command =
        format!("dissent index {} --image-vectors {}", world.root().display(), world.path("d.jsonl").display());
    for arguments in [&["index", "DATASET"][..], &["predict", "DATASET", "--run", "x", "--device", "cpu"]] {
        alone(&world, arguments).fails_with(&["d.jsonl has changed since", &command]);
    }
    let report = doctor(&world);
    assert!(report.succeeds().stdout.contains("has changed since the index was built"), "{report:#?}");
    built();
    // A file that is gone is no longer needed.
    fs::remove_file(world.path("d.jsonl")).unwrap();
    predict(&world, "gone", &[]).succeeds();
    fs::write(world.path("d.jsonl"), vectors).unwrap();
    built();

    world.replace_line("corpus.jsonl", 2, r#"{"id":"d1","image":"images/d1.png","caption":"another caption"}"#);
    for environment in [alone, World::dissent] {
        let run = ["predict", "DATASET", "--run", "stale", "--split", "test", "--device", "cpu"];
        environment(&world, &run).fails_with(&["the corpus or its images have changed since", &command]);
    }
    let words = world.dissent(&["search", "DATASET", "--text", "another", "--json", "--device", "cpu"]);
    assert!(words.succeeds().stderr.contains("the captions alone are indexed"), "{words:#?}");
    built();

    // A damaged index is not replaced by one of the encoder that is there.
    for file in ["index.toml", "queries.safetensors", "queries.jsonl", "vectors.safetensors", "image.faiss"] {
        let path = world.path(".dissent/index").join(file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        world.dissent(&["predict", "DATASET", "--run", "d", "--device", "cpu"]).fails_with(&[file, "dissent index"]);
        fs::write(&path, whole).unwrap();
    }
    predict(&world, "whole", &[]).succeeds();
}

#[test]
fn files_that_do_not_fit_are_named_by_row_and_id() {
    let world = small_world();
    let good = fs::read_to_string(world.path("d.jsonl")).unwrap();
    let first = good.lines().next().unwrap();
    let refused = |content: &str, parts: &[&str]| {
        fs::write(world.path("bad.jsonl"), content).unwrap();
        index(&world, ["bad.jsonl", "", "q.jsonl"], &[]).fails_with(parts);
        assert!(!world.path(".dissent/index").exists());
    };
    refused(&good.replace("\"d2\"", "\"d0\""), &["bad.jsonl: line 3, id d0: the id is there already in row 0"]);
    refused(&good.replace("\"d2\"", "\"x\""), &["line 3, id x: corpus.jsonl has no such id"]);
    refused(first, &["expected a vector for each document, found none for document d1 (5 have none)"]);
    refused(&good.replacen("[1.0,0.0]", "[0,0]", 1), &["line 1, id d0: expected a vector with a direction"]);
    refused(&good.replacen("[1.0,0.0]", "[1e300,0]", 1), &["line 1, id d0: expected finite numbers, found inf"]);
    refused(&good.replacen("[1.0,0.0]", "[NaN,0]", 1), &["line 1: field vector", "found NaN"]);
    refused(&good.replacen("[1.0,0.0]", "[1.0]", 1), &["line 2, id d1: expected 1 numbers"]);
    // By order the number of rows decides.
    let without_id = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        row.as_object_mut().unwrap().remove("id").unwrap();
        format!("{row}\n")
    };
    let without_ids: String = good.lines().map(without_id).collect();
    let rest = without_ids.split_once('\n').unwrap().1;
    refused(&format!("{first}\n{rest}"), &["expected an id in every row or in none"]);
    // A field of another name may be the id, so nothing is joined by order then.
    refused(&good.replace("\"id\"", "\"no\""), &["line 1: expected the field id, or the vector alone; found no"]);
    refused(
        without_ids.lines().next().unwrap(),
        &["expected 6 vectors, one for each of the documents of corpus.jsonl", "found 1"],
    );
    for (files, parts) in [
        (["", "", "q.jsonl"], &["expected --image-vectors or --caption-vectors"][..]),
        (["missing.npy", "", ""], &["missing.npy"]),
        (["dataset.toml", "", ""], &["ending in .npy"]),
        (["d.jsonl", "", "d.jsonl"], &["id d0: cases.jsonl has no such id (5 more"]),
    ] {
        index(&world, files, &[]).fails_with(parts);
    }
    let three = "{\"id\": \"c3\", \"vector\": [1, 0, 0]}\n";
    fs::write(world.path("three.jsonl"), three).unwrap();
    index(&world, ["d.jsonl", "", "three.jsonl"], &[]).fails_with(&["vectors of one length", "2 (image), 3 (query)"]);
    assert_eq!(alone(&world, &["index", "DATASET", "--image-ids", "x"]).code, 2);

    // Other lengths are set to 1, and said.
    fs::write(world.path("long.jsonl"), good.replace("[1.0,0.0]", "[2.0,0.0]")).unwrap();
    let said = index(&world, ["long.jsonl", "", "q.jsonl"], &[]);
    assert!(
        said.succeeds().stdout.contains("1 of 6 had lengths from 2.0000 to 2.0000, which were set to 1"),
        "{said:#?}"
    );
}

#[test]
fn adapters_learn_on_given_vectors_and_other_kinds_are_refused() {
    let world = World::trainable();
    export(&world, "npy");
    index(&world, KINDS.map(|kind| format!("{kind}.npy")).each_ref().map(String::as_str), &[]).succeeds();
    let out = world.path("heads");
    let train = |more: &[&str]| {
        let small = ["--steps", "4", "--validate-every", "2", "--batch", "5", "--candidates", "6", "-k", "2"];
        let arguments = ["train", "retriever", "DATASET", "--out", out.to_str().unwrap()];
        alone(&world, &[&arguments[..], &small, more].concat())
    };
    for (kind, needs) in [("tower", "image tower"), ("question", "text tower")] {
        train(&["--kind", kind]).fails_with(&[needs, "--kind adapter"]);
    }
    let trained = train(&[]);
    assert!(trained.succeeds().stdout.contains("standard → trained"), "{trained:#?}");
    assert!(trained.stderr.contains("4096 trained parameters per head"), "{trained:#?}");
    let heads = out.to_str().unwrap();
    predict(&world, "standard", &[]).succeeds();
    predict(&world, "trained", &["--retriever", heads]).succeeds();
    let scores =
        |run: &str| -> Vec<Value> { lines(&world, run).into_iter().map(|line| line["score"].clone()).collect() };
    assert_ne!(scores("standard"), scores("trained"));
    // Heads belong to the vectors that they learned on.
    index(&world, ["images.npy", "", "queries.npy"], &[]).succeeds();
    predict(&world, "other", &["--retriever", heads])
        .fails_with(&["were trained on vectors of images.npy", "cannot search"]);
    // One side alone is trained, too.
    train(&["--restart"]).succeeds();
    predict(&world, "image", &["--retriever", heads]).succeeds();
    index(&world, ["", "captions.npy", "queries.npy"], &[]).succeeds();
    train(&["--restart"]).succeeds();
    predict(&world, "caption", &["--retriever", heads]).succeeds();
}
