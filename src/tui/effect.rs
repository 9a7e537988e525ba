//! What an update asks of the world: the explorer's state itself touches no file, no engine and no terminal.

use crate::annotation::AnnotationEdit;
use crate::pipeline::Ticket;
use crate::worker::Request;
use std::path::PathBuf;

/// A wish of [`super::App::update`], carried out by the session before the next frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Engine(Request),
    /// Write to the journal and sync; the result comes back through [`super::App::recorded`].
    Record(AnnotationEdit),
    /// Count how far annotators agree; reports come back through [`super::App::on_agreement`] with this ticket.
    Agreement(Ticket),
    /// Write down place, views and opened cases.
    Remember,
    /// Put a text into the clipboard of the terminal.
    Copy(String),
    /// Write the screen as SVG and as text.
    SaveScreen,
    /// Show this image file over the whole screen until the next key.
    FullScreen(PathBuf),
    /// Have the terminal report the mouse, or no longer.
    Mouse(bool),
    /// Draw every cell again.
    Redraw,
    /// Give the terminal back and stop the program until it is continued.
    Suspend,
    /// Leave with this exit code.
    Quit(u8),
}
