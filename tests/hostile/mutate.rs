//! Changes that make a good file a hostile one.

use crate::input::Random;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::Value;

/// A number in every escape sequence of a hostile text, by which it is known from the program's own.
pub const MARK: &str = "96969";

/// Texts that others could write into a name, a path, a caption, a key.
pub const TEXTS: &[&str] = &[
    "\u{1b}]52;c;Zm9v\u{7}",
    "\u{1b}[96969;31mred\u{1b}[96969;0m",
    "\u{9b}96969;31m",
    "a\rb\u{8}c",
    "\u{202e}txet\u{2066}",
    "zero\u{200b}width\u{feff}",
    "line\u{2028}separator\nnew",
    "\u{0}nul",
    " p13 ",
    "e\u{301}",
    "../../../../etc/passwd",
    "/dev/zero",
    "images",
    "",
    " ",
    "=1+1",
    "12.0",
    "9007199254740993",
    "NaN",
    "{question}{caption}{nothing}{",
    "{{ 7*7 }}{% for x in y %}",
    "\u{65e5}\u{672c}\u{8a9e}",
    "\u{1f469}\u{200d}\u{2695}\u{fe0f}",
    "%s%n%x",
    "a,b;c\td\"e'f",
];

/// JSON that stands where something else is expected.
const VALUES: &[&str] = &[
    "null",
    "true",
    "[]",
    "{}",
    "-1",
    "0",
    "1e999",
    "-1e999",
    "NaN",
    "-Infinity",
    "0.5",
    "12.0",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "1e400",
    "4294967296",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[null]",
    "[[[[1]]]]",
    "{\"a\":{\"a\":{\"a\":1}}}",
    "\"x\"",
    "1000000000000",
];

/// A text of [`TEXTS`], or a long one.
pub fn hostile_text(random: &mut Random) -> String {
    match random.random_range(0..12) {
        0 => "A".repeat(random.random_range(300..60_000)),
        1 => "\u{1b}]52;c;Zm9v\u{7}".repeat(random.random_range(1..400)),
        2 => "(".repeat(random.random_range(10..20_000)),
        _ => (*TEXTS.choose(random).unwrap()).to_string(),
    }
}

/// A JSON value that is not expected.
fn hostile_value(random: &mut Random) -> String {
    match random.random_range(0..10) {
        0..3 => serde_json::to_string(&hostile_text(random)).unwrap(),
        3 => {
            let depth = random.random_range(50..40_000);
            let (open, close) = if random.random() { ("[", "]") } else { ("{\"a\":", "}") };
            format!("{}1{}", open.repeat(depth), close.repeat(depth))
        }
        4 => format!("[{}]", vec!["0"; random.random_range(1..20_000)].join(",")),
        _ => (*VALUES.choose(random).unwrap()).to_string(),
    }
}

/// Changes some bytes: flipped, cut, doubled, inserted, the file cut short or nothing left.
pub fn bytes(random: &mut Random, content: &mut Vec<u8>) -> String {
    let mut done = Vec::new();
    for _ in 0..random.random_range(1..5) {
        if content.is_empty() {
            break;
        }
        let place = random.random_range(0..content.len());
        let length = random.random_range(1..=16.min(content.len() - place));
        let change = match random.random_range(0..8) {
            0 => {
                content[place] ^= 1 << random.random_range(0..8);
                "bit"
            }
            1 => {
                content[place] = random.random();
                "byte"
            }
            2 => {
                content.drain(place..place + length);
                "gap"
            }
            3 => {
                let part = content[place..place + length].to_vec();
                let times = random.random_range(1..50);
                content.splice(place..place, part.repeat(times));
                "repeat"
            }
            4 => {
                content.truncate(place);
                "cut short"
            }
            5 => {
                let numbers: [&[u8]; 6] =
                    [&[255; 4], &[0; 4], &[255, 255, 255, 127], &[0, 0, 0, 128], &[255; 8], &[0, 0, 1, 0]];
                let number = *numbers.choose(random).unwrap();
                let end = (place + number.len()).min(content.len());
                content[place..end].copy_from_slice(&number[..end - place]);
                "number"
            }
            6 => {
                content.splice(place..place, hostile_text(random).into_bytes());
                "text"
            }
            _ => {
                let from = random.random_range(0..content.len());
                let end = (from + random.random_range(1..200)).min(content.len());
                let part = content[from..end].to_vec();
                content.splice(place..place, part);
                "part"
            }
        };
        done.push(format!("{change} at {place}"));
    }
    done.join(", ")
}

/// Changes one value of a JSON text; the text may not be JSON afterwards.
pub fn json(random: &mut Random, text: &str) -> (String, String) {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        let mut content = text.as_bytes().to_vec();
        let what = bytes(random, &mut content);
        return (String::from_utf8_lossy(&content).into_owned(), what);
    };
    let mut paths = Vec::new();
    paths_of(&value, "", &mut paths);
    let path = paths.choose(random).cloned().unwrap_or_default();
    let hostile = hostile_value(random);
    // A value that is not valid JSON replaces a word that is in no file.
    let word = Value::String("@@hostile@@".into());
    let what = match random.random_range(0..8) {
        0 => {
            remove(&mut value, &path);
            format!("{path} removed")
        }
        1 => {
            if let Some(Value::Object(map)) = value.pointer_mut(parent(&path)) {
                map.insert(hostile_text(random), word);
            }
            format!("a key added beside {path}")
        }
        2 => return (doubled(random, text, &path), format!("{path} doubled")),
        _ => {
            if let Some(place) = value.pointer_mut(&path) {
                *place = word;
            }
            format!("{path} = {}", hostile.chars().take(40).collect::<String>())
        }
    };
    (value.to_string().replacen("\"@@hostile@@\"", &hostile, 1), what)
}

/// The same key a second time, with another value.
fn doubled(random: &mut Random, text: &str, path: &str) -> String {
    let key = path.rsplit('/').next().unwrap_or_default();
    let quoted = format!("\"{key}\"");
    match text.find(&quoted) {
        Some(place) => {
            let hostile = hostile_value(random);
            format!("{}{quoted}:{hostile},{}", &text[..place], &text[place..])
        }
        None => text.to_string(),
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn remove(value: &mut Value, path: &str) {
    let key = path.rsplit('/').next().unwrap_or_default().to_string();
    match value.pointer_mut(parent(path)) {
        Some(Value::Object(map)) => drop(map.remove(&key)),
        Some(Value::Array(list)) => drop(list.pop()),
        _ => {}
    }
}

fn paths_of(value: &Value, path: &str, paths: &mut Vec<String>) {
    // A vocabulary has thousands of entries that are all alike.
    const MOST_ALIKE: usize = 12;
    paths.push(path.to_string());
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter().take(MOST_ALIKE) {
                paths_of(inner, &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), paths);
            }
        }
        Value::Array(list) => {
            for (place, inner) in list.iter().enumerate().take(MOST_ALIKE) {
                paths_of(inner, &format!("{path}/{place}"), paths);
            }
        }
        _ => {}
    }
}

/// Changes one line of a file of JSON lines, or the file's bytes.
pub fn json_lines(random: &mut Random, text: &str) -> (Vec<u8>, String) {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    if lines.is_empty() || random.random_range(0..6) == 0 {
        let mut content = text.as_bytes().to_vec();
        let what = bytes(random, &mut content);
        return (content, what);
    }
    let place = random.random_range(0..lines.len());
    let what = match random.random_range(0..8) {
        0 => {
            let line = lines[place].clone();
            lines.insert(place, line);
            "the line doubled".to_string()
        }
        1 => {
            lines[place] = hostile_value(random);
            "another value".to_string()
        }
        _ => {
            let (line, what) = json(random, &lines[place]);
            lines[place] = line;
            what
        }
    };
    let start = ["", "", "", "\u{feff}"].choose(random).unwrap();
    (format!("{start}{}\n", lines.join("\n")).into_bytes(), format!("line {}: {what}", place + 1))
}

/// Changes a TOML text: a quoted text, a value, a line, or bytes.
pub fn toml(random: &mut Random, text: &str) -> (Vec<u8>, String) {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let place = random.random_range(0..lines.len().max(1));
    let Some(line) = lines.get(place).cloned() else { return (hostile_text(random).into_bytes(), "a text".into()) };
    let what = match random.random_range(0..7) {
        0 => {
            lines.insert(place, line);
            "line doubled"
        }
        1 => {
            lines.remove(place);
            "line removed"
        }
        2 => {
            let mut content = text.as_bytes().to_vec();
            let what = bytes(random, &mut content);
            return (content, what);
        }
        3 => {
            lines[place] = format!("{}1", "[".repeat(random.random_range(1..30_000)));
            "brackets"
        }
        _ => {
            let key = line.split('=').next().unwrap_or_default().trim();
            let hostile = hostile_value(random);
            lines[place] = if random.random_range(0..4) == 0 {
                format!("{} = {hostile}", serde_json::to_string(&hostile_text(random)).unwrap())
            } else {
                format!("{key} = {hostile}")
            };
            "value"
        }
    };
    (lines.join("\n").into_bytes(), format!("line {}: {what}", place + 1))
}
