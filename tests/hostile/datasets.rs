//! Manifest, cases and corpus that others wrote: check, index, predict, show.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::mutate;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::path::Path;

/// A changed file of the dataset, and a command that reads it.
pub fn dataset(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.bare_copy(folder);
    let file = *["cases.jsonl", "corpus.jsonl", "corpus.jsonl", "dataset.toml"].choose(random).unwrap();
    let path = dataset.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let (content, what) =
        if file == "dataset.toml" { mutate::toml(random, &text) } else { mutate::json_lines(random, &text) };
    fs::write(&path, content).unwrap();
    let (dataset, encoder, reader) = (text_of(&dataset), Ground::encoder(), Ground::reader());
    let (encoder, reader) = (text_of(&encoder), text_of(&reader));
    let commands: [&[&str]; 7] = [
        &["check", dataset],
        &["check", dataset, "--json"],
        &["index", dataset, "--encoder", encoder],
        &["predict", dataset, "--run", "x", "--encoder", encoder, "--reader", reader],
        &["show", dataset, "us-t0001"],
        &["export", "sft", dataset, "--out", "out"],
        &["annotations", "list", dataset],
    ];
    Input::new(format!("{file} {what}"), commands.choose(random).unwrap())
}

/// A file name or text of the command line.
pub fn arguments(random: &mut Random, ground: &Ground, _: &Path) -> Input {
    // The system takes no zero byte in an argument, and less than 128 KiB in one.
    let text = mutate::hostile_text(random).replace('\0', "");
    let dataset = ground.dataset();
    let dataset = text_of(&dataset);
    let encoder = Ground::encoder();
    let commands: [&[&str]; 9] = [
        &["show", dataset, &text],
        &["check", &text],
        &["evaluate", dataset, "--runs", &text],
        &["evaluate", dataset, "--runs", "a", "--tables", &text],
        &["search", dataset, "--text", "mass", "--source", &text],
        &["search", dataset, "--text", "mass", "--by", "captions", "--encoder", &text],
        &["doctor", "--reader", &text],
        &["download", &text],
        &["predict", dataset, "--run", &text, "--encoder", text_of(&encoder), "--reader", &text],
    ];
    let place = random.random_range(0..commands.len());
    Input::new(format!("argument {text:.60?}"), commands[place]).with_variable("HF_HUB_OFFLINE", "1")
}
