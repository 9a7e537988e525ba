//! The sequences that restore a terminal.

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture};
use crossterm::queue;
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{EndSynchronizedUpdate, LeaveAlternateScreen};
use std::io::{self, Write};

/// Deletes every image that kitty stores, without asking for an answer.
pub fn delete_kitty_images(out: &mut impl Write) -> io::Result<()> {
    queue!(out, Print("\x1b_Ga=d,d=A,q=2\x1b\\"))
}

/// Writes the sequences that restore a terminal taken by [`super::screen::enter`], except its line modes.
pub(super) fn write_restoring(out: &mut impl Write, kitty: bool, mouse: bool) -> io::Result<()> {
    if kitty {
        delete_kitty_images(out)?;
    }
    if mouse {
        queue!(out, DisableMouseCapture)?;
    }
    queue!(out, EndSynchronizedUpdate, ResetColor, DisableBracketedPaste, LeaveAlternateScreen, Show)
}
