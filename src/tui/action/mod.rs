//! The actions of the explorer. One table ([`bindings()`]) lists them with their keys; keymap, help screen, hint bar,
//! palette and tests are all made from it.

mod bindings;
mod context;
mod everyday_words;

pub use bindings::{Binding, bindings};
pub use context::Context;
pub use everyday_words::everyday_words;

use crate::annotation::CategoryId;
use crate::terminal::images::ViewChange;

/// An action that a user can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    NextHit,
    PreviousHit,
    SwitchFocus,
    SwitchImage,
    Enlarge,
    /// Enlarge query and hit side by side, or one of them.
    BothImages,
    /// Show the query and all hits with their answers.
    ContactSheet,
    /// Show the image over the whole terminal, in its own pixels.
    FullScreen,
    /// The image in a window of another program.
    OpenInViewer,
    /// Change zoom, position, window or inversion of the image.
    View(ViewChange),
    /// Keep the view for the next cases, or start each as stored.
    LockView,
    /// Name the error of the case.
    Annotate(CategoryId),
    Note,
    Skip,
    /// Mark the case for labelling many at once.
    Mark,
    /// Label all marked or filtered cases.
    LabelMany,
    Unsure,
    Flag,
    Undo,
    Redo,
    Definitions,
    Adjudicate,
    /// Show the annotations of others.
    Reveal,
    Agreement,
    /// Show or hide the gold answer of this case.
    ToggleGold,
    /// Keep gold answers shown from case to case.
    KeepGold,
    /// Drop the selected hit from the fusion, or take it back.
    DropHit,
    WeighUp,
    WeighDown,
    NextFuser,
    Sharpen,
    Flatten,
    NextHead,
    ResetFusion,
    /// Write the changed fusion into the note of the case.
    KeepWhatIf,
    OnlyInconsistent,
    /// Type a filter.
    Filter,
    /// Lift the filter, or put the last one back.
    ToggleFilter,
    NextMatch,
    PreviousMatch,
    Order,
    Views,
    SaveView,
    Columns,
    Themes,
    Palette,
    CopyCase,
    CopyDocument,
    SaveScreen,
    /// Write the queue as an HTML page.
    ExportQueue,
    Mouse,
    Overview,
    /// Have the model answer every case that the figures, the order or the filter lack.
    ReadRest,
    /// Show the hits of both runs side by side, or of this run alone.
    Compare,
    /// Insert the offered completion into the line.
    Complete,
    /// Remove the selected item of a list.
    Delete,
    Search,
    SearchImages,
    /// Explain the prediction with the document shown.
    Why,
    WithoutCaption,
    WithoutImage,
    SwapCaption,
    Help,
    Accept,
    Cancel,
    Redraw,
    Suspend,
    Quit,
    Interrupt,
}
