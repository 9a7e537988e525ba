//! Takes and restores the terminal. Exit, error, panic and signal all use [`restore`].

use super::guard;
use super::restoring::write_restoring;
use crossterm::cursor::Hide;
use crossterm::event::{DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::style::force_color_output;
use crossterm::terminal::{EnterAlternateScreen, disable_raw_mode, enable_raw_mode};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether we have taken the terminal. Drawing checks this, too, so that nothing is drawn after [`restore`].
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether images are left in kitty's memory.
static KITTY: AtomicBool = AtomicBool::new(false);

/// Whether the terminal reports the mouse.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Takes the terminal: raw mode, alternate screen, bracketed paste, no cursor. `kitty`: images will be sent with
/// kitty's protocol.
pub fn enter(kitty: bool) -> io::Result<()> {
    // We strip colours ourselves: crossterm's NO_COLOR mode also strips the selection.
    force_color_output(true);
    guard::taken(kitty);
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    KITTY.store(kitty, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if MOUSE.load(Ordering::SeqCst) { report_mouse(true) } else { Ok(()) }
}

/// Turns mouse reports on or off; the choice survives a suspend.
pub fn report_mouse(on: bool) -> io::Result<()> {
    MOUSE.store(on, Ordering::SeqCst);
    if on { execute!(io::stdout(), EnableMouseCapture) } else { execute!(io::stdout(), DisableMouseCapture) }
}

/// Restores the terminal; does nothing if we have not taken it. Errors are ignored: if the terminal
/// is gone, nothing needs to be restored.
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

/// Whether we have taken the terminal.
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Holds the terminal; dropping it restores the terminal.
pub struct Taken;

impl Taken {
    /// Takes the terminal; see [`enter`].
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
