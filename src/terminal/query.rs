//! Queries to the terminal, with a time-out, because some terminals do not answer.
//!
//! Keys that are pressed meanwhile are kept for the explorer. terminal-colorsaurus would lose them: it reads them as the
//! beginning of the answer, which it then refuses, or drops them with the reply to DA1.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The device attributes query (DA1). Every terminal answers it, so its answer ends the answers to earlier queries.
const WHO: &[u8] = b"\x1b[c";
/// Additional time for the rest of an answer.
const REST: Duration = Duration::from_millis(500);
/// The characters of an answer arrive together; typed keys are slower.
const TOGETHER: Duration = Duration::from_millis(100);

/// Number of answers that are late and may still arrive.
static OWED: AtomicUsize = AtomicUsize::new(0);
/// Keys typed during a query.
static TYPED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// All bytes that answer these queries, each of which has one answer, and the DA1 query after them. `None` without a
/// terminal; incomplete after the time-out. Nothing else may read the keyboard meanwhile.
pub fn ask(questions: &[&[u8]], time_out: Duration) -> Option<Vec<u8>> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return None;
    }
    enable_raw_mode().ok()?;
    let answer = ask_raw(&questions.concat(), time_out);
    drop(disable_raw_mode());
    let answer = answer?;
    if attributes(&answer).is_none() {
        OWED.fetch_add(questions.len().saturating_sub(finished_answers(&answer)), Ordering::SeqCst);
    }
    if let Ok(mut typed) = TYPED.lock() {
        typed.extend(typed_among(&answer).0);
    }
    Some(answer)
}

fn ask_raw(question: &[u8], time_out: Duration) -> Option<Vec<u8>> {
    let mut out = stdout();
    out.write_all(question).ok()?;
    out.write_all(WHO).ok()?;
    out.flush().ok()?;
    let (input, begun) = (stdin(), Instant::now());
    let mut answer = Vec::new();
    loop {
        // The rest of an incomplete answer is on its way.
        let time_out = if typed_among(&answer).1 { time_out + REST } else { time_out };
        let left = time_out.saturating_sub(begun.elapsed());
        let mut wait = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut wait, PollTimeout::try_from(left).ok()?).ok()?;
        if ready == 0 {
            return Some(answer);
        }
        let mut bytes = [0; 256];
        let count = read(input.as_fd(), &mut bytes).ok()?;
        answer.extend_from_slice(&bytes[..count]);
        if count == 0 || attributes(&answer).is_some() {
            return Some(answer);
        }
    }
}

/// The typed bytes among these bytes, and whether the last answer is incomplete.
fn typed_among(bytes: &[u8]) -> (Vec<u8>, bool) {
    let (mut typed, mut rest) = (Vec::new(), bytes);
    while let [first, after @ ..] = rest {
        let end = match rest {
            // OSC, APC and DCS sequences end with ESC \ or BEL, all others with a letter.
            [0x1b, b']' | b'_' | b'P', ..] => {
                let end = rest.windows(2).position(|pair| pair == b"\x1b\\").map(|at| at + 2);
                end.or_else(|| rest.iter().position(|byte| *byte == 0x07).map(|at| at + 1))
            }
            [0x1b, b'[', parameters @ ..] => {
                parameters.iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|at| at + 3)
            }
            _ => {
                typed.push(*first);
                rest = after;
                continue;
            }
        };
        let Some(end) = end else { return (typed, true) };
        rest = &rest[end..];
    }
    (typed, false)
}

/// Number of answers that came before the time-out: each ends with ESC \ or BEL.
fn finished_answers(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|pair| *pair == b"\x1b\\" || pair[1] == 0x07).count()
}

/// Keys typed during queries, as key presses; each is returned once.
pub fn typed_meanwhile() -> Vec<KeyEvent> {
    let typed = TYPED.lock().map(|mut typed| std::mem::take(&mut *typed)).unwrap_or_default();
    String::from_utf8_lossy(&typed).chars().filter_map(key_of).collect()
}

fn key_of(character: char) -> Option<KeyEvent> {
    let (code, modifiers) = match character {
        '\r' | '\n' => (KeyCode::Enter, KeyModifiers::NONE),
        '\t' => (KeyCode::Tab, KeyModifiers::NONE),
        '\x1b' => (KeyCode::Esc, KeyModifiers::NONE),
        '\x7f' => (KeyCode::Backspace, KeyModifiers::NONE),
        '\x03' => (KeyCode::Char('c'), KeyModifiers::CONTROL),
        character if character.is_control() || character == char::REPLACEMENT_CHARACTER => return None,
        character => (KeyCode::Char(character), KeyModifiers::NONE),
    };
    Some(KeyEvent::new(code, modifiers))
}

/// Distinguishes keys from late answers. crossterm reads ESC ] as Alt-] and ESC P as Alt-P, and each character up to the
/// ESC \ at the end as a key; it recognises the answer to DA1.
pub struct LateAnswers {
    owed: usize,
    /// Time of the latest character of an incomplete answer.
    within: Option<Instant>,
}

impl LateAnswers {
    /// A filter for the answers that are late now.
    pub fn owed() -> Self {
        Self { owed: OWED.load(Ordering::SeqCst), within: None }
    }

    /// Whether this event is a part of an answer and not a key.
    pub fn takes(&mut self, event: &Event, now: Instant) -> bool {
        let Event::Key(key) = event else { return false };
        if self.owed == 0 {
            return false;
        }
        let is_within = self.within.is_some_and(|latest| now.saturating_duration_since(latest) < TOGETHER);
        let with = |modifier: KeyModifiers| key.modifiers.contains(modifier);
        let begins = matches!(key.code, KeyCode::Char(']' | '_' | 'P')) && with(KeyModifiers::ALT);
        if !begins && !is_within {
            return false;
        }
        let ends = match key.code {
            KeyCode::Char('\\') => with(KeyModifiers::ALT),
            KeyCode::Char('g') => with(KeyModifiers::CONTROL),
            _ => false,
        };
        self.within = if ends { None } else { Some(now) };
        if ends {
            self.owed -= 1;
        }
        true
    }
}

/// The numbers of the answer to DA1: ESC [ ? 62 ; 4 c.
pub fn attributes(answer: &[u8]) -> Option<Vec<u32>> {
    let start = answer.windows(3).position(|part| part == b"\x1b[?")? + 3;
    let end = start + answer[start..].iter().position(|byte| *byte == b'c')?;
    let numbers = std::str::from_utf8(&answer[start..end]).ok()?;
    Some(numbers.split(';').filter_map(|number| number.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use crate::terminal::query::*;

    #[test]
    fn attributes_are_numbers_between_their_signs() {
        assert_eq!(attributes(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4;22c"), Some(vec![62, 4, 22]));
        assert_eq!(attributes(b"\x1b[?62;4"), None, "not whole yet");
        assert_eq!(attributes(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"), None);
    }

    #[test]
    fn what_a_person_typed_is_told_from_the_answers_around_it() {
        let typed = |bytes: &[u8]| typed_among(bytes);
        assert_eq!(typed(b"j\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\k\x1b[?62;4c\r"), (b"jk\r".to_vec(), false));
        assert_eq!(typed(b"\x1b]11;rgb:00/00/00\x07x"), (b"x".to_vec(), false));
        assert_eq!(typed(b"a\x1bP>|foot(1.20)\x1b\\b\x1b[?62c"), (b"ab".to_vec(), false));
        assert_eq!(typed(b"x\x1b]11;rgb:1e"), (b"x".to_vec(), true));
        assert_eq!(key_of('j'), Some(KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE)));
        assert_eq!(key_of('\x02'), None);
    }

    #[test]
    fn an_answer_that_came_is_not_awaited() {
        assert_eq!(finished_answers(b"\x1b]11;rgb:00/00/00\x07\x1bP>|foot(1.2"), 1);
        assert_eq!(finished_answers(b"\x1b]11;rgb:00/00/00\x1b\\\x1bP>|foot(1.20)\x1b\\"), 2);
        assert_eq!(finished_answers(b"jk"), 0);
    }

    #[test]
    fn both_answers_of_one_query_may_be_late() {
        let key = |code: char, modifiers| Event::Key(KeyEvent::new(KeyCode::Char(code), modifiers));
        let (none, alt) = (KeyModifiers::NONE, KeyModifiers::ALT);
        let mut late = LateAnswers { owed: 2, within: None };
        let now = Instant::now();
        for begin in [']', 'P'] {
            let answer = [(begin, alt), ('>', none), ('f', none), ('\\', alt)];
            assert!(answer.iter().all(|(code, modifiers)| late.takes(&key(*code, *modifiers), now)), "{begin}");
        }
        assert!(!late.takes(&key('P', alt), now));
    }

    #[test]
    fn a_late_answer_is_no_key_and_keys_after_it_are() {
        let key = |code: char, modifiers| Event::Key(KeyEvent::new(KeyCode::Char(code), modifiers));
        let (none, alt) = (KeyModifiers::NONE, KeyModifiers::ALT);
        let mut late = LateAnswers { owed: 1, within: None };
        let now = Instant::now();
        assert!(!late.takes(&key('1', none), now), "nothing has begun");
        let answer = [(']', alt), ('1', none), ('1', none), (';', none), ('r', none), ('\\', alt)];
        assert!(answer.iter().all(|(code, modifiers)| late.takes(&key(*code, *modifiers), now)));
        assert!(!late.takes(&key('1', none), now));
        assert!(!late.takes(&key(']', alt), now), "no other answer is owed");
        let mut late = LateAnswers { owed: 1, within: None };
        assert!(late.takes(&key(']', alt), now));
        assert!(!late.takes(&key('1', none), now + TOGETHER), "typed by a person");
    }
}
