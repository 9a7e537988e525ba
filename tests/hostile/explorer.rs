//! The explorer: filters, searches, notes and keys typed into it, and a window of any size.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::mutate;
use crate::words::query;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::path::Path;

const FILTERS: [&str; 14] = [
    "gold:Yes",
    "verdict:inconsistent",
    "-gold:Yes",
    "task:malignancy",
    "text:\"mass",
    "rank:0",
    "margin:>1e999",
    "margin:<NaN",
    "hits:>-1",
    "note:",
    ":",
    "\"",
    "x:y",
    "annotated:1,2,3",
];

/// Something typed where the explorer takes words, then the way out.
pub fn typed(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let mut input =
        Input::new("", &["explore", text_of(&dataset), "--run", "a", "--annotator", "ada", "--images", "half"]);
    let (key, text) = match random.random_range(0..4) {
        0 => ("f", FILTERS.choose(random).unwrap().to_string()),
        1 => ("f", mutate::hostile_text(random)),
        2 => ("/", query(random)),
        _ => ("n", mutate::hostile_text(random)),
    };
    // Pasted, as a terminal hands it over: control characters would be keys.
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(6000).collect();
    input.what = format!("{key} {text:.80?}");
    input
        .typing(key)
        .typing(format!("\u{1b}[200~{text}\u{1b}[201~"))
        .typing("\r")
        .typing("\u{1b}")
        .typing("\u{3}")
        .typing("\u{3}")
}

/// A dataset with hostile names and captions on the screen.
pub fn shown(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.bare_copy(folder);
    let text = mutate::hostile_text(random);
    let path = dataset.join("corpus.jsonl");
    let lines = fs::read_to_string(&path).unwrap();
    let mut changed = Vec::new();
    for line in lines.lines() {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["caption"] = format!("{} {text}", value["caption"].as_str().unwrap()).into();
        value["source"] = text.clone().into();
        changed.push(value.to_string());
    }
    fs::write(&path, changed.join("\n")).unwrap();
    let (encoder, reader) = (Ground::encoder(), Ground::reader());
    let arguments = [
        "explore",
        text_of(&dataset),
        "--encoder",
        text_of(&encoder),
        "--reader",
        text_of(&reader),
        "--images",
        "half",
    ];
    Input::new(format!("captions {text:.60?}"), &arguments).typing("j").typing("\t").typing("\u{3}").typing("\u{3}")
}
