//! What the terminal says about itself: its background colour, its name and version. Both are asked in one query, once,
//! with a time-out.

use super::environment::Environment;
use super::query::ask;
use std::sync::OnceLock;
use std::time::Duration;

/// A terminal on the same machine answers within a millisecond or two.
const TIME_OUT: Duration = Duration::from_millis(100);
/// Background colour (OSC 11), then name and version (XTVERSION).
const QUESTIONS: [&[u8]; 2] = [b"\x1b]11;?\x1b\\", b"\x1b[>q"];

static ANSWER: OnceLock<Option<Vec<u8>>> = OnceLock::new();

/// The answer's bytes. `None` if the terminal is not asked: over SSH an answer would usually miss the time-out, and the
/// Linux console reads the second question as a command for the keyboard's lights.
pub fn self_description(environment: Environment) -> Option<&'static [u8]> {
    let far = ["SSH_CONNECTION", "SSH_TTY", "MOSH_CONNECTION"].iter().any(|name| environment(name).is_some());
    if far || environment("TERM").is_some_and(|term| term == "linux") {
        return None;
    }
    ANSWER.get_or_init(|| ask(&QUESTIONS, TIME_OUT)).as_deref()
}

/// The terminal's name and version in its own words, such as "foot(1.20.2)".
pub fn name_and_version(environment: Environment) -> Option<String> {
    version_in(self_description(environment)?)
}

/// The text of "ESC P > | text ESC \".
fn version_in(answer: &[u8]) -> Option<String> {
    const START: &[u8] = b"\x1bP>|";
    let start = answer.windows(START.len()).position(|part| part == START)? + START.len();
    let length = answer[start..].iter().position(u8::is_ascii_control)?;
    String::from_utf8(answer[start..start + length].to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_among_other_answers() {
        let answer = b"\x1b]11;rgb:00/00/00\x1b\\\x1bP>|foot(1.20.2)\x1b\\\x1b[?62;4c";
        assert_eq!(version_in(answer).as_deref(), Some("foot(1.20.2)"));
        assert_eq!(version_in(b"\x1bP>|foot(1.2"), None, "not whole yet");
        assert_eq!(version_in(b"\x1b[?62;c"), None);
    }
}
