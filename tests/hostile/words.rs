//! Searches on the command line; themes and keys.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::mutate;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::path::Path;

const PARTS: [&str; 22] = [
    "mass",
    "effusion",
    "Mass",
    "mas~",
    "mass~2",
    "\"large mass\"",
    "-mass",
    "+mass",
    "AND",
    "OR",
    "NOT",
    "source:ultrasound-b",
    "caption:mass",
    "row:abc",
    "row:[1 TO 5]",
    "id:x",
    "*",
    "mas*",
    "mass^2",
    "T2-w",
    "3.5",
    "\u{80ba}\u{708e}",
];

/// A search of operators in any order, or of a hostile text.
pub fn query(random: &mut Random) -> String {
    if random.random_range(0..3) == 0 {
        return mutate::hostile_text(random).replace('\0', "");
    }
    let mut words: Vec<&str> = Vec::new();
    for _ in 0..random.random_range(1..8) {
        words.push(PARTS.choose(random).unwrap());
        if random.random_range(0..4) == 0 {
            words.push(["(", ")", "\"", "[", "]", "{", "~", ":", "^", "\\"].choose(random).unwrap());
        }
    }
    words.join(if random.random_range(0..5) == 0 { "" } else { " " })
}

/// `dissent search --text`.
pub fn search(random: &mut Random, ground: &Ground, _: &Path) -> Input {
    let (dataset, encoder) = (ground.dataset(), Ground::encoder());
    let query = query(random);
    let text = format!("--text={query}");
    let words = format!("--words={query}");
    let commands: [&[&str]; 4] = [
        &["search", text_of(&dataset), &text],
        &["search", text_of(&dataset), &text, "--json"],
        &["search", text_of(&dataset), &text, "--by", "captions", "--encoder", text_of(&encoder)],
        &["search", text_of(&dataset), "--text=mass", "--by", "captions", "--encoder", text_of(&encoder), &words],
    ];
    Input::new(format!("{query:.80?}"), commands.choose(random).unwrap())
}

/// A changed file of keys or a theme, given to the explorer.
pub fn settings(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.dataset();
    let (option, text) = if random.random() {
        ("--keys", ground.run(&["keys"]))
    } else {
        ("--theme", fs::read_to_string(crate::ground::project().join("themes/light.toml")).unwrap())
    };
    let (content, what) = mutate::toml(random, &text);
    let file = folder.join("settings.toml");
    fs::write(&file, content).unwrap();
    let workspace = folder.join("ws");
    let arguments = ["explore", text_of(&dataset), "--workspace", text_of(&workspace), option, text_of(&file)];
    // The quit key may be bound elsewhere, so the last resort is the interrupt.
    Input::new(format!("{option} {what}"), &arguments).typing("j").typing("\u{3}").typing("\u{3}")
}
