//! Asking the terminal something, with a time-out: one that does not answer must not keep a person waiting.

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::read;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// "Who are you", which every terminal answers (DA1): after that nothing more will come.
const WHO: &[u8] = b"\x1b[c";

/// All that came back on the question and on "who are you", which is asked after it. `None` where there is no terminal;
/// incomplete where the time is over. Nothing else may read the keyboard meanwhile.
pub fn ask(question: &[u8], time_out: Duration) -> Option<Vec<u8>> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return None;
    }
    enable_raw_mode().ok()?;
    let answer = ask_raw(question, time_out);
    drop(disable_raw_mode());
    answer
}

fn ask_raw(question: &[u8], time_out: Duration) -> Option<Vec<u8>> {
    let mut out = stdout();
    out.write_all(question).ok()?;
    out.write_all(WHO).ok()?;
    out.flush().ok()?;
    let (input, begun) = (stdin(), Instant::now());
    let mut answer = Vec::new();
    loop {
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

/// The numbers of the answer to "who are you": ESC [ ? 62 ; 4 c.
pub fn attributes(answer: &[u8]) -> Option<Vec<u32>> {
    let start = answer.windows(3).position(|part| part == b"\x1b[?")? + 3;
    let end = start + answer[start..].iter().position(|byte| *byte == b'c')?;
    let numbers = std::str::from_utf8(&answer[start..end]).ok()?;
    Some(numbers.split(';').filter_map(|number| number.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_numbers_between_their_signs() {
        assert_eq!(attributes(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4;22c"), Some(vec![62, 4, 22]));
        assert_eq!(attributes(b"\x1b[?62;4"), None, "not whole yet");
        assert_eq!(attributes(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"), None);
    }
}
