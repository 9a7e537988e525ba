//! Judges the outcome of any input.

use crate::program::Outcome;
use std::path::Path;

/// Longest line of an error or warning in bytes.
const LONGEST_LINE: usize = 4096;

/// Kind of failure; the order is that of the report's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Signal,
    Panic,
    Hang,
    Code,
    Control,
    Long,
    Value,
}

/// Their headings.
pub const KINDS: [(Kind, &str); 7] = [
    (Kind::Signal, "signal"),
    (Kind::Panic, "panic"),
    (Kind::Hang, "hang"),
    (Kind::Code, "code"),
    (Kind::Control, "control"),
    (Kind::Long, "long"),
    (Kind::Value, "value"),
];

const FALLEN: [&str; 4] = ["panicked at", "RUST_BACKTRACE", "has overflowed its stack", "memory allocation of"];

/// Everything wrong with an outcome, in words.
pub fn judge(outcome: &Outcome, look: Option<&crate::input::Look>, folder: &Path) -> Vec<(Kind, String)> {
    let mut wrong = Vec::new();
    let text = outcome.text();
    if outcome.timed_out {
        wrong.push((Kind::Hang, format!("not done after {:.0} s", outcome.seconds)));
    } else if let Some(signal) = &outcome.signal {
        wrong.push((Kind::Signal, format!("ended by {signal}")));
    } else if !matches!(outcome.code, Some(0 | 1 | 2 | 130)) {
        wrong.push((Kind::Code, format!("exit code {:?}", outcome.code)));
    }
    if let Some(found) = FALLEN.iter().find(|words| text.contains(**words)) {
        let line = text.lines().find(|line| line.contains(found)).unwrap_or_default();
        wrong.push((Kind::Panic, line.escape_debug().take(200).collect()));
    }
    if let Some(found) = control_character(&outcome.output) {
        wrong.push((Kind::Control, found));
    }
    // A progress bar begins its line again with a carriage return.
    for line in text.split(['\n', '\r']) {
        let is_message = line.contains("error: ") || line.contains("warning: ") || line.contains("mistake: ");
        if is_message && line.len() > LONGEST_LINE {
            wrong.push((Kind::Long, format!("a line of {} bytes", line.len())));
            break;
        }
    }
    if let (Some(look), true) = (look, wrong.is_empty())
        && let Err(reason) = look(outcome, folder)
    {
        wrong.push((Kind::Value, reason));
    }
    wrong
}

/// The first character that has no business on a terminal. Our own are colours, movements and modes (CSI), questions to the
/// terminal (OSC 10 and 11, kitty's APC, DCS) and its title's absence: an OSC of any other number is not ours.
fn control_character(output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(output);
    let letters: Vec<char> = text.chars().collect();
    let mut place = 0;
    while let Some(letter) = letters.get(place) {
        // Persian, Hindi and emoji are written with joiners (src/printable.rs).
        let before = place.checked_sub(1).map_or('\0', |before| letters[before]);
        let joins = matches!(letter, '\u{200c}' | '\u{200d}') && !before.is_ascii() && !is_hidden(before);
        place += match letter {
            _ if joins => 1,
            '\u{1b}' => match escape(&letters[place..]) {
                Some(length) => length,
                None => return Some(around(&letters, place)),
            },
            '\n' | '\r' | '\t' | '\u{8}' => 1,
            _ if is_hidden(*letter) => return Some(around(&letters, place)),
            _ => 1,
        };
    }
    None
}

/// Controls, and characters that are not seen but change what is: bidi marks, zero widths, tags, line separators.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(letter, '\u{e0000}'..='\u{e007f}')
}

/// Length of an escape sequence of our own.
fn escape(letters: &[char]) -> Option<usize> {
    let until_end = |start: usize| {
        let rest = letters.get(start..)?;
        rest.iter().position(|letter| matches!(letter, '\u{7}' | '\\')).map(|end| start + end + 1)
    };
    match letters.get(1)? {
        '[' => {
            let end = letters[2..].iter().position(|letter| ('@'..='~').contains(letter))?;
            let body: String = letters[2..2 + end].iter().collect();
            // Hostile texts contain this number.
            let is_ours = body.chars().all(|letter| letter.is_ascii_digit() || ";?:>=$ ".contains(letter));
            (is_ours && !body.contains(crate::mutate::MARK)).then_some(end + 3)
        }
        ']' => {
            let head: String = letters[2..].iter().take(3).collect();
            if ["10;", "11;"].contains(&head.as_str()) { until_end(2) } else { None }
        }
        '_' if letters.get(2) == Some(&'G') => until_end(2),
        'P' => until_end(2),
        '7' | '8' | '=' | '>' | 'M' | 'c' => Some(2),
        '(' | ')' => Some(3),
        _ => None,
    }
}

fn around(letters: &[char], place: usize) -> String {
    let start = place.saturating_sub(30);
    let part: String = letters[start..(place + 20).min(letters.len())].iter().collect();
    part.escape_debug().to_string()
}
