//! Runs, journals and indexes that somebody changed: evaluate, rerank, annotations, search.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::mutate;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::path::Path;

/// A run whose identity or lines are changed; lines without checksums, as other software writes them.
pub fn run(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let place = dataset.join(".dissent/runs/a");
    let file = *["run.toml", "predictions.jsonl", "predictions.jsonl", "predictions.jsonl"].choose(random).unwrap();
    let text = fs::read_to_string(place.join(file)).unwrap();
    let (content, what) = if file == "run.toml" {
        mutate::toml(random, &text)
    } else {
        let plain: Vec<String> = text.lines().map(without_checksum).collect();
        let text = if random.random_range(0..4) == 0 { text } else { plain.join("\n") };
        mutate::json_lines(random, &text)
    };
    fs::write(place.join(file), content).unwrap();
    let (dataset, out) = (text_of(&dataset), folder.join("out.html"));
    let commands: [&[&str]; 4] = [
        &["evaluate", dataset, "--runs", "a", "--resamples", "200"],
        &["evaluate", dataset, "--runs", "a", "--json", "--resamples", "200"],
        &["evaluate", dataset, "--runs", "a,a", "--markdown", "--resamples", "200", "--html", text_of(&out)],
        &["annotations", "disagreements", dataset, "--run", "a"],
    ];
    Input::new(format!("{file} {what}"), commands.choose(random).unwrap())
}

fn without_checksum(line: &str) -> String {
    line.split(",\"checksum\":").next().map_or_else(String::new, |line| format!("{}}}", line.trim_end_matches('}')))
}

/// A file of the index with changed bytes.
pub fn index(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let place = dataset.join(".dissent/index");
    let mut files: Vec<_> = fs::read_dir(&place)
        .unwrap()
        .chain(fs::read_dir(place.join("text")).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.is_file());
    // Tantivy's own names are random.
    files.sort_by_key(|path| (path.extension().map(ToOwned::to_owned), fs::metadata(path).unwrap().len()));
    let file = files.choose(random).unwrap();
    let mut content = fs::read(file).unwrap();
    let what = mutate::bytes(random, &mut content);
    fs::write(file, content).unwrap();
    let (dataset, encoder) = (text_of(&dataset), Ground::encoder());
    let image = ground.dataset().join("images/us-t0001.png");
    let commands: [&[&str]; 3] = [
        &["search", dataset, "--text", "mass"],
        &["search", dataset, "--image", text_of(&image), "--encoder", text_of(&encoder)],
        &["index", dataset, "--encoder", text_of(&encoder)],
    ];
    Input::new(format!("{} {what}", file.file_name().unwrap().display()), commands.choose(random).unwrap())
}
