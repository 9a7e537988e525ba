//! Effects: what an update asks the session to do. The explorer's state itself uses no file, worker or terminal.

use crate::annotation::AnnotationEdit;
use crate::casebook::Casebook;
use crate::pipeline::Ticket;
use crate::worker::Request;
use std::path::PathBuf;

/// An effect of [`super::App::update`], carried out by the session before the next frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Worker(Request),
    /// Writes to the journal and syncs; the result comes back through [`super::App::recorded`].
    Record(AnnotationEdit),
    /// Writes these edits as one step, which one undo takes back; the result comes back through
    /// [`super::App::recorded_many`].
    RecordMany(Vec<AnnotationEdit>),
    /// Computes agreement; the reports come back through [`super::App::on_agreement`] with this ticket.
    Agreement(Ticket),
    /// Saves place, views and opened cases.
    Remember,
    /// Copies a text to the clipboard of the terminal.
    Copy(String),
    /// Writes the screen as SVG and as text.
    SaveScreen,
    /// Writes this page into the workspace; the outcome comes back through [`super::App::on_casebook`].
    WriteCasebook(Box<Casebook>),
    /// Shows this image file over the whole screen until the next key.
    FullScreen(PathBuf),
    /// Opens this image file in a window of another program.
    OpenInViewer(PathBuf),
    /// Turns the terminal's mouse reports on or off.
    Mouse(bool),
    /// Draws every cell again.
    Redraw,
    /// Gives the terminal back and stops the program until it is continued.
    Suspend,
    /// Ends with this exit code.
    Quit(u8),
}
