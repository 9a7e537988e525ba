//! Journals, taxonomies and Prodigy's files, and lines typed to `annotate`.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::{judge, mutate};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::path::Path;

/// A journal of every kind of event.
pub fn journal_text(annotator: &str) -> String {
    let events = [
        r#""kind":"annotate","categories":["retrieval-error"]"#,
        r#""kind":"note","note":"the margin is copied""#,
        r#""kind":"unsure","unsure":true"#,
        r#""kind":"flag","flag":true"#,
        r#""kind":"skip""#,
        r#""kind":"annotate","categories":[],"document":"us-d0001","pass":2,"blind":true,"seconds":1.5"#,
        r#""kind":"adjudicate","categories":["reader-error"],"reason":"seen together""#,
        r#""kind":"undo","undoes":"01890000-0000-7000-8000-000000000001""#,
        r#""kind":"redo","redoes":"01890000-0000-7000-8000-000000000001""#,
    ];
    let mut text = String::new();
    for (number, event) in events.iter().enumerate() {
        text.push_str(&format!(
            r#"{{"v":2,"id":"01890000-0000-7000-8000-0000000000{number:02}","ts":"2026-01-01T00:00:{number:02}Z","annotator":"{annotator}","host":"vm","case":"us-t0001",{event}}}"#
        ));
        text.push('\n');
    }
    text
}

/// A changed journal or taxonomy: list, agreement, export, merge, annotate, the explorer's queue.
pub fn journal(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let place = dataset.join(".dissent/annotations");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("ada@vm.jsonl"), journal_text("ada")).unwrap();
    let what = if random.random_range(0..5) == 0 {
        let taxonomy = "several = true\n[[category]]\nkey = \"1\"\nid = \"a\"\nname = \"A\"\ndefinition = \"d\"\nlevel = \"case\"\n";
        let (content, what) = mutate::toml(random, taxonomy);
        fs::write(place.join("taxonomy.toml"), content).unwrap();
        format!("taxonomy.toml {what}")
    } else {
        let (content, what) = mutate::json_lines(random, &journal_text("eve"));
        fs::write(place.join("eve@vm.jsonl"), content).unwrap();
        format!("eve@vm.jsonl {what}")
    };
    let (dataset, other) = (text_of(&dataset), folder.join("other"));
    fs::create_dir(&other).unwrap();
    fs::copy(place.join("ada@vm.jsonl"), other.join("bob@vm.jsonl")).unwrap();
    let (bob, folder) = (text_of(&other), text_of(&place));
    let mine = ground.dataset();
    let commands: [&[&str]; 9] = [
        &["annotations", "list", dataset],
        &["annotations", "list", dataset, "--final"],
        &["annotations", "agreement", dataset],
        &["annotations", "export", dataset, "--format", "csv"],
        &["annotations", "export", dataset, "--format", "jsonl"],
        &["annotations", "export", dataset, "--format", "label-studio"],
        &["annotations", "merge", dataset, bob],
        &["annotations", "merge", text_of(&mine), folder, "--workspace", "ws"],
        &["annotations", "disagreements", dataset],
    ];
    Input::new(what, commands.choose(random).unwrap())
}

/// Lines of Prodigy's `db-out`.
pub fn prodigy(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let lines = [
        r#"{"id":"us-t0001","_annotator_id":"set-ada","_timestamp":1700000000,"answer":"accept","label":"retrieval-error","options":[],"accept":["retrieval-error"],"user_input":"so"}"#,
        r#"{"meta":{"case":"us-t0001"},"_session_id":"set-bob","_timestamp":1700000001,"answer":"reject","label":"reader-error"}"#,
        r#"{"image":"images/us-t0001.png","answer":"ignore"}"#,
    ];
    let (content, what) = mutate::json_lines(random, &(lines.join("\n") + "\n"));
    let file = folder.join("prodigy.jsonl");
    fs::write(&file, content).unwrap();
    Input::new(what, &["annotations", "import", "prodigy", text_of(&file), text_of(&dataset), "--annotator", "eve"])
}

/// Lines typed to `annotate`.
pub fn annotate(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let words = [
        "1",
        "clear",
        "hit 1",
        "hit 99999999999999999999",
        "n",
        "skip",
        "undo",
        "redo",
        "gold",
        "people",
        "decide",
        "? ",
        "go",
        "again",
        "back",
    ];
    let name = ["ada", "eve", "../x", "a b", "\u{1b}[96969m", "\u{202e}x"].choose(random).unwrap();
    let mut input = Input::new("lines", &["annotate", text_of(&dataset), "--run", "a", "--annotator", name]);
    for _ in 0..3 {
        let word = words.choose(random).unwrap();
        // A terminal's line is shorter than 4096 bytes, its control characters are keys, and it writes what is typed itself.
        let text: String =
            mutate::hostile_text(random).chars().filter(|letter| !judge::is_hidden(*letter)).take(1000).collect();
        input = input.typing(format!("{word} {text}\n"));
    }
    input.what = format!("{name:?}: {:.80?}", input.typed);
    input.typing("quit\n").typing("\u{4}")
}
