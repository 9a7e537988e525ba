//! Taking the terminal and giving it back: [`restore`] is the one way back, for exit, error, panic and signal.

use super::guard;
use super::restoring::write_restoring;
use crossterm::cursor::Hide;
use crossterm::event::{DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::style::force_color_output;
use crossterm::terminal::{EnterAlternateScreen, disable_raw_mode, enable_raw_mode};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Is the terminal ours? Drawing looks at this too, so that nothing is drawn after it was given back.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Were images left in kitty's memory?
static KITTY: AtomicBool = AtomicBool::new(false);

/// Does the terminal report the mouse?
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Takes the terminal: raw mode, alternate screen, bracketed paste, no cursor. `kitty` says that images will be sent by
/// kitty's protocol.
pub fn enter(kitty: bool) -> io::Result<()> {
    // We strip colours ourselves: crossterm's way of honouring NO_COLOR also strips the selection.
    force_color_output(true);
    guard::taken(kitty);
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    KITTY.store(kitty, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if MOUSE.load(Ordering::SeqCst) { report_mouse(true) } else { Ok(()) }
}

/// Has the terminal report the mouse, or no longer; it stays so when the terminal is taken again.
pub fn report_mouse(on: bool) -> io::Result<()> {
    MOUSE.store(on, Ordering::SeqCst);
    if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
}

/// Gives the terminal back as it was; does nothing where it is not ours. Errors are of no use here: where the terminal
/// is gone, nobody is left to see it restored.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = write_restoring(&mut out, KITTY.load(Ordering::SeqCst), MOUSE.load(Ordering::SeqCst));
    let _ = out.flush();
    let _ = disable_raw_mode();
    guard::given_back();
}

/// Is the terminal ours?
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Holds the terminal; dropping it gives the terminal back.
pub struct Taken;

impl Taken {
    /// See [`enter`].
    pub fn take(kitty: bool) -> io::Result<Self> {
        let taken = Self;
        enter(kitty)?;
        Ok(taken)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        restore();
    }
}
