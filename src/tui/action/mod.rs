//! What a person can ask for. The one table of actions ([`bindings`]) says with which keys: keymap, help screen, hint bar,
//! palette and tests are all made from it.

mod context;
mod table;

pub use context::Context;
pub use table::{Binding, bindings};

use crate::annotation::CategoryId;
use crate::terminal::images::ViewChange;

/// Something a person can ask for.
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
    /// The image over the whole terminal, in its own pixels.
    FullScreen,
    /// Zoom, pan, window, inversion.
    View(ViewChange),
    /// Name the error of the case.
    Annotate(CategoryId),
    Note,
    Skip,
    Unsure,
    Flag,
    Undo,
    Redo,
    Definitions,
    Adjudicate,
    /// Show what others said.
    Reveal,
    Agreement,
    ToggleGold,
    /// Leave the selected hit out of the fusion, or take it in again.
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
    Mouse,
    Overview,
    /// Show both runs' hits side by side, or this run's alone.
    Compare,
    /// Take what is offered into the line.
    Complete,
    /// Remove what is selected in a list.
    Delete,
    Search,
    SearchImages,
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
