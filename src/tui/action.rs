//! The one table of actions: keymap, help screen, hint bar and tests are all made from it.

use super::images::{ViewChange, WindowStart};

/// Something a person can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Name the error of the case: position of the category in the taxonomy.
    Annotate(usize),
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

/// What the keys act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Explore,
    Search,
    Note,
    Help,
    Filter,
    Picker,
    /// The name of a view to be saved.
    Name,
    Overview,
    Definitions,
    Adjudication,
    /// The reason of a decision.
    Reason,
    Agreement,
    /// An image over the whole screen.
    Image,
}

impl Context {
    pub const ALL: [Self; 13] = [
        Self::Explore,
        Self::Image,
        Self::Definitions,
        Self::Adjudication,
        Self::Reason,
        Self::Agreement,
        Self::Overview,
        Self::Filter,
        Self::Picker,
        Self::Name,
        Self::Search,
        Self::Note,
        Self::Help,
    ];

    /// Name in a file of keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Search => "search",
            Self::Note => "note",
            Self::Help => "help",
            Self::Filter => "filter",
            Self::Picker => "picker",
            Self::Name => "name",
            Self::Overview => "overview",
            Self::Definitions => "definitions",
            Self::Adjudication => "adjudication",
            Self::Reason => "reason",
            Self::Agreement => "agreement",
            Self::Image => "image",
        }
    }

    /// Is text typed there?
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Search | Self::Note | Self::Filter | Self::Picker | Self::Name | Self::Reason)
    }

    /// Do the taxonomy's keys count there?
    pub fn takes_categories(self) -> bool {
        matches!(self, Self::Explore | Self::Definitions | Self::Adjudication)
    }

    /// Heading on the help screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Explore => "Cases and hits",
            Self::Search => "Caption search",
            Self::Note => "Note",
            Self::Help => "This page",
            Self::Filter => "Filter",
            Self::Picker => "Lists to pick from",
            Self::Name => "Name of a view",
            Self::Overview => "Overview",
            Self::Definitions => "Definitions",
            Self::Adjudication => "Adjudication: a category's key chooses it",
            Self::Reason => "Reason of a decision",
            Self::Agreement => "Agreement",
            Self::Image => "Enlarged image",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub action: Action,
    /// Short name in kebab-case.
    pub name: &'static str,
    pub context: Context,
    /// Names as [`super::keymap::key_name`] gives them; the first is the one shown in hints.
    pub keys: &'static [&'static str],
    /// Word for the hint bar; `None` keeps the action out of it.
    pub hint: Option<&'static str>,
    /// One sentence.
    pub description: &'static str,
}

const fn row(
    context: Context,
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    hint: Option<&'static str>,
    description: &'static str,
) -> Binding {
    Binding { action, name, context, keys, hint, description }
}

use Context::{
    Adjudication, Agreement, Definitions, Explore, Filter, Help, Image, Name, Note, Overview, Picker, Reason, Search,
};

/// Every action with its keys. The order is that of the help screen and of the hint bar.
pub const TABLE: &[Binding] = &[
    row(Explore, Action::Down, "down", &["j", "down"], None, "Next case, or next hit where the hits have the focus."),
    row(Explore, Action::Up, "up", &["k", "up"], None, "Previous case, or previous hit where the hits have the focus."),
    row(Explore, Action::PageDown, "page-down", &["pgdn", "ctrl-d"], None, "Ten cases or hits further."),
    row(Explore, Action::PageUp, "page-up", &["pgup", "ctrl-u"], None, "Ten cases or hits back."),
    row(Explore, Action::First, "first", &["home"], None, "First case or hit."),
    row(Explore, Action::Last, "last", &["end"], None, "Last case or hit."),
    row(Explore, Action::NextHit, "next-hit", &["l", "right"], None, "Next hit, whatever has the focus."),
    row(Explore, Action::PreviousHit, "previous-hit", &["h", "left"], None, "Previous hit, whatever has the focus."),
    row(
        Explore,
        Action::SwitchFocus,
        "switch-focus",
        &["tab"],
        Some("hits"),
        "Give the focus to the hits, or back to the queue.",
    ),
    row(
        Explore,
        Action::SwitchImage,
        "switch-image",
        &["enter", "b"],
        None,
        "Change between the query image and the document's.",
    ),
    row(
        Explore,
        Action::DropHit,
        "drop-hit",
        &["space"],
        Some("drop"),
        "Leave the selected hit out of the fusion, or take it back.",
    ),
    row(Explore, Action::WeighUp, "weigh-up", &["+", "="], None, "Give the selected hit more weight."),
    row(Explore, Action::WeighDown, "weigh-down", &["-"], None, "Give the selected hit less weight."),
    row(
        Explore,
        Action::NextFuser,
        "next-fuser",
        &["m"],
        None,
        "Fuse by another method: mean, majority, top-1, most confident.",
    ),
    row(
        Explore,
        Action::Sharpen,
        "sharpen",
        &["["],
        None,
        "Lower the temperature of the weights: the best score counts for more.",
    ),
    row(
        Explore,
        Action::Flatten,
        "flatten",
        &["]"],
        None,
        "Raise the temperature of the weights: all hits count alike.",
    ),
    row(
        Explore,
        Action::NextHead,
        "next-head",
        &["H"],
        None,
        "Let the hits of one head alone count, then of the next, then all.",
    ),
    row(Explore, Action::ResetFusion, "reset-fusion", &["r"], None, "Undo every change to the fusion."),
    row(
        Explore,
        Action::KeepWhatIf,
        "keep-what-if",
        &["w"],
        None,
        "Write the changed fusion and its answer into the note of this case.",
    ),
    row(Explore, Action::Note, "note", &["n"], None, "Write a note on this case, or change it."),
    row(Explore, Action::Unsure, "unsure", &["d"], None, "Say that you doubt what you say of this case, or no longer."),
    row(Explore, Action::Flag, "flag", &["t"], None, "Flag this case for somebody to look at, or take the flag off."),
    row(Explore, Action::Undo, "undo", &["u"], None, "Take back what you said last."),
    row(Explore, Action::Redo, "redo", &["U", "ctrl-r"], None, "Bring back what you took back last."),
    row(
        Explore,
        Action::Definitions,
        "definitions",
        &["D"],
        None,
        "The categories with definition and examples; one can be given there.",
    ),
    row(
        Explore,
        Action::Adjudicate,
        "adjudicate",
        &["A"],
        None,
        "What everybody said of this case side by side, and deciding it.",
    ),
    row(Explore, Action::Agreement, "agreement", &["G"], None, "How far annotators agree, and on what they differ."),
    row(Explore, Action::ToggleGold, "toggle-gold", &["g"], Some("gold"), "Show the gold answers, or hide them."),
    row(Explore, Action::Search, "search", &["/"], None, "Search the captions of the corpus."),
    row(
        Explore,
        Action::SearchImages,
        "search-images",
        &["s"],
        None,
        "Search images like the one shown, or like a file.",
    ),
    row(
        Explore,
        Action::WithoutCaption,
        "without-caption",
        &["c"],
        None,
        "Read the selected hit once more without its caption.",
    ),
    row(
        Explore,
        Action::WithoutImage,
        "without-image",
        &["p"],
        None,
        "Read the selected hit once more without its picture.",
    ),
    row(
        Explore,
        Action::SwapCaption,
        "swap-caption",
        &["e"],
        None,
        "Read the selected hit with another's caption, which contradicts it.",
    ),
    row(
        Explore,
        Action::Filter,
        "filter",
        &["f"],
        Some("filter"),
        "Type a filter, such as fused:wrong rescued-by:any task:fundus.",
    ),
    row(Explore, Action::ToggleFilter, "toggle-filter", &["F"], None, "Lift the filter, or put the last one back."),
    row(
        Explore,
        Action::NextMatch,
        "next-match",
        &["."],
        None,
        "Next case that passes the last filter, also while all are shown.",
    ),
    row(Explore, Action::PreviousMatch, "previous-match", &[","], None, "Previous case that passes the last filter."),
    row(
        Explore,
        Action::Order,
        "order",
        &["o"],
        None,
        "Choose the order of the queue; the same again sorts in what was read since.",
    ),
    row(
        Explore,
        Action::Overview,
        "overview",
        &["O"],
        None,
        "Figures and tables of the cases in the queue; a cell opens its cases.",
    ),
    row(
        Explore,
        Action::Compare,
        "compare",
        &["a"],
        None,
        "With --against: both runs side by side, or this one alone.",
    ),
    row(Explore, Action::Views, "views", &["v"], None, "Open a saved view: a filter and an order by name."),
    row(Explore, Action::SaveView, "save-view", &["V"], None, "Save filter and order as a view."),
    row(Explore, Action::Columns, "columns", &["C"], None, "Choose the columns of the queue."),
    row(Explore, Action::Themes, "themes", &["T"], None, "Choose the colours, seen at once."),
    row(
        Explore,
        Action::Enlarge,
        "enlarge",
        &["z"],
        Some("enlarge"),
        "Let the image fill the screen, or shrink it again.",
    ),
    row(
        Explore,
        Action::FullScreen,
        "full-screen",
        &["Z"],
        None,
        "The image over the whole screen, in pixels of kitty, iTerm2 or sixel.",
    ),
    row(Explore, Action::Skip, "skip", &["x"], None, "Mark this case as skipped and go to the next."),
    row(Explore, Action::Cancel, "back", &["esc"], None, "Leave the enlarged image or the document found by search."),
    row(
        Explore,
        Action::CopyCase,
        "copy-case",
        &["y"],
        None,
        "Copy the id of the case to your own clipboard (OSC 52).",
    ),
    row(Explore, Action::CopyDocument, "copy-document", &["Y"], None, "Copy the id of the document that is shown."),
    row(
        Explore,
        Action::SaveScreen,
        "save-screen",
        &["P"],
        None,
        "Write this screen as SVG and as text into the workspace.",
    ),
    row(Explore, Action::Mouse, "mouse", &["M"], None, "Let the mouse choose cases, hits and images, or give it back."),
    row(Explore, Action::Redraw, "redraw", &["ctrl-l"], None, "Draw the whole screen anew."),
    row(Explore, Action::Suspend, "suspend", &["ctrl-z"], None, "Stop the program; `fg` in the shell brings it back."),
    row(Explore, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(
        Explore,
        Action::OnlyInconsistent,
        "only-inconsistent",
        &["i"],
        Some("only !"),
        "Keep only cases known to be inconsistent, or all again.",
    ),
    row(Explore, Action::Palette, "palette", &[":"], Some("commands"), "Find any of these commands by its words."),
    row(Explore, Action::Help, "help", &["?"], Some("help"), "Show this page."),
    row(Explore, Action::Quit, "quit", &["q"], Some("quit"), "Leave; everything you marked is on disk already."),
    row(
        Image,
        Action::View(ViewChange::ZoomIn),
        "zoom-in",
        &["+", "="],
        Some("zoom"),
        "Nearer, up to one pixel of the image for one of the screen.",
    ),
    row(Image, Action::View(ViewChange::ZoomOut), "zoom-out", &["-"], None, "Further away."),
    row(
        Image,
        Action::View(ViewChange::Reset),
        "reset",
        &["0"],
        Some("as stored"),
        "The whole image as stored, through its own window (DICOM).",
    ),
    row(
        Image,
        Action::View(ViewChange::Left),
        "left",
        &["h", "left"],
        None,
        "Show what is further left; with the whole image in view, the previous hit.",
    ),
    row(
        Image,
        Action::View(ViewChange::Right),
        "right",
        &["l", "right"],
        None,
        "Show what is further right, or the next hit.",
    ),
    row(
        Image,
        Action::View(ViewChange::Up),
        "up",
        &["k", "up"],
        None,
        "Show what is further up, or the previous case.",
    ),
    row(
        Image,
        Action::View(ViewChange::Down),
        "down",
        &["j", "down"],
        None,
        "Show what is further down, or the next case.",
    ),
    row(Image, Action::View(ViewChange::Invert), "invert", &["i"], Some("invert"), "Exchange black and white."),
    row(
        Image,
        Action::View(ViewChange::Level(1)),
        "level-up",
        &["]"],
        None,
        "Raise the level of the window by 1 %: darker.",
    ),
    row(
        Image,
        Action::View(ViewChange::Level(-1)),
        "level-down",
        &["["],
        Some("level"),
        "Lower the level of the window by 1 %: lighter.",
    ),
    row(Image, Action::View(ViewChange::Level(10)), "level-up-coarse", &["}"], None, "Raise the level by 10 %."),
    row(Image, Action::View(ViewChange::Level(-10)), "level-down-coarse", &["{"], None, "Lower the level by 10 %."),
    row(Image, Action::View(ViewChange::Width(1)), "width-up", &["."], None, "Widen the window by 1 %: less contrast."),
    row(
        Image,
        Action::View(ViewChange::Width(-1)),
        "width-down",
        &[","],
        Some("width"),
        "Narrow the window by 1 %: more contrast.",
    ),
    row(Image, Action::View(ViewChange::Width(10)), "width-up-coarse", &[">"], None, "Widen the window by 10 %."),
    row(Image, Action::View(ViewChange::Width(-10)), "width-down-coarse", &["<"], None, "Narrow the window by 10 %."),
    row(
        Image,
        Action::View(ViewChange::Window(WindowStart::Full)),
        "window-full",
        &["1"],
        None,
        "The full range of values.",
    ),
    row(
        Image,
        Action::View(ViewChange::Window(WindowStart::Auto)),
        "window-auto",
        &["2", "a"],
        Some("auto"),
        "Without the darkest and the lightest hundredth.",
    ),
    row(
        Image,
        Action::View(ViewChange::Window(WindowStart::Darker)),
        "window-dark",
        &["3"],
        None,
        "The darker half of the values.",
    ),
    row(
        Image,
        Action::View(ViewChange::Window(WindowStart::Lighter)),
        "window-light",
        &["4"],
        None,
        "The lighter half of the values.",
    ),
    row(
        Image,
        Action::SwitchImage,
        "switch-image",
        &["b", "enter"],
        Some("query/hit"),
        "Change between query and document in the same place.",
    ),
    row(Image, Action::FullScreen, "full-screen", &["Z"], None, "This part of the image in the terminal's own pixels."),
    row(Image, Action::NextHit, "next-hit", &["n"], None, "Next hit."),
    row(Image, Action::PreviousHit, "previous-hit", &["p"], None, "Previous hit."),
    row(Image, Action::Help, "help", &["?"], Some("help"), "Show the help page."),
    row(Image, Action::SaveScreen, "save-screen", &["P"], None, "Write this screen as SVG and as text."),
    row(Image, Action::Cancel, "close", &["esc", "z", "q"], Some("close"), "Back to the case."),
    row(Image, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Definitions, Action::Down, "down", &["j", "down"], None, "Next category; its own key goes there, too."),
    row(Definitions, Action::Up, "up", &["k", "up"], None, "Previous category."),
    row(
        Definitions,
        Action::Accept,
        "assign",
        &["enter"],
        Some("give this category"),
        "Give this category to the case, or to the hit that has the focus.",
    ),
    row(Definitions, Action::Cancel, "close", &["esc", "q", "D"], Some("close"), "Back to the case."),
    row(Definitions, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Adjudication, Action::Down, "down", &["j", "down"], None, "Next annotator."),
    row(Adjudication, Action::Up, "up", &["k", "up"], None, "Previous annotator."),
    row(
        Adjudication,
        Action::Reveal,
        "reveal",
        &["s"],
        Some("show words"),
        "Show what others said, where you have not said anything yourself.",
    ),
    row(
        Adjudication,
        Action::Complete,
        "take",
        &["space"],
        Some("take"),
        "Choose the categories of the selected annotator.",
    ),
    row(Adjudication, Action::Delete, "none", &["x"], Some("none"), "Choose that no category applies."),
    row(Adjudication, Action::Note, "reason", &["n"], Some("reason"), "Type why."),
    row(
        Adjudication,
        Action::Accept,
        "decide",
        &["enter"],
        Some("decide"),
        "Write the decision to disk and go to the next case of the queue.",
    ),
    row(Adjudication, Action::NextHit, "next-case", &["l", "right"], None, "Next case of the queue."),
    row(Adjudication, Action::PreviousHit, "previous-case", &["h", "left"], None, "Previous case."),
    row(Adjudication, Action::Undo, "undo", &["u"], None, "Take back your latest decision or annotation."),
    row(Adjudication, Action::Redo, "redo", &["U", "ctrl-r"], None, "Bring back what you took back last."),
    row(Adjudication, Action::Cancel, "close", &["esc", "q", "A"], Some("close"), "Back to the case."),
    row(Adjudication, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Reason, Action::Accept, "accept", &["enter"], Some("keep"), "Keep the reason for the decision."),
    row(Reason, Action::Cancel, "cancel", &["esc"], Some("leave as it was"), "Leave the reason as it was."),
    row(Reason, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Agreement, Action::Down, "down", &["j", "down"], Some("scroll"), "One line further."),
    row(Agreement, Action::Up, "up", &["k", "up"], None, "One line back."),
    row(Agreement, Action::PageDown, "page-down", &["pgdn", "space"], None, "Ten lines further."),
    row(Agreement, Action::PageUp, "page-up", &["pgup"], None, "Ten lines back."),
    row(Agreement, Action::SaveScreen, "save-screen", &["P"], None, "Write this screen as SVG and as text."),
    row(Agreement, Action::Cancel, "close", &["esc", "q", "G"], Some("close"), "Back to the cases."),
    row(Agreement, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Overview, Action::Down, "down", &["j", "down"], None, "Next row."),
    row(Overview, Action::Up, "up", &["k", "up"], None, "Previous row."),
    row(Overview, Action::NextHit, "right", &["l", "right"], None, "Next cell."),
    row(Overview, Action::PreviousHit, "left", &["h", "left"], None, "Previous cell."),
    row(Overview, Action::Accept, "open", &["enter"], Some("open these cases"), "Show the cases behind this cell."),
    row(Overview, Action::SaveScreen, "save-screen", &["P"], None, "Write this screen as SVG and as text."),
    row(Overview, Action::Cancel, "close", &["esc", "q", "O"], Some("close"), "Back to the cases."),
    row(Overview, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Filter, Action::Down, "down", &["down", "ctrl-n"], None, "Next of what is offered."),
    row(Filter, Action::Up, "up", &["up", "ctrl-p"], None, "Previous of what is offered."),
    row(Filter, Action::Complete, "complete", &["tab"], Some("complete"), "Take what is offered into the line."),
    row(
        Filter,
        Action::Accept,
        "accept",
        &["enter"],
        Some("filter"),
        "Show the cases that pass; an empty line shows all.",
    ),
    row(Filter, Action::Cancel, "cancel", &["esc"], Some("leave as it was"), "Leave the queue as it was."),
    row(Filter, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Picker, Action::Down, "down", &["down", "ctrl-n"], None, "Next line."),
    row(Picker, Action::Up, "up", &["up", "ctrl-p"], None, "Previous line."),
    row(Picker, Action::PageDown, "page-down", &["pgdn"], None, "Ten lines further."),
    row(Picker, Action::PageUp, "page-up", &["pgup"], None, "Ten lines back."),
    row(Picker, Action::Delete, "delete", &["ctrl-x"], None, "Remove the saved view."),
    row(Picker, Action::Accept, "accept", &["enter"], Some("choose"), "Choose this line."),
    row(Picker, Action::Cancel, "cancel", &["esc"], Some("close"), "Close the list."),
    row(Picker, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Name, Action::Accept, "accept", &["enter"], Some("save"), "Save the view under this name."),
    row(Name, Action::Cancel, "cancel", &["esc"], Some("do not save"), "Save nothing."),
    row(Name, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Search, Action::Down, "down", &["down", "ctrl-n"], None, "Next caption."),
    row(Search, Action::Up, "up", &["up", "ctrl-p"], None, "Previous caption."),
    row(Search, Action::PageDown, "page-down", &["pgdn"], None, "Ten captions further."),
    row(Search, Action::PageUp, "page-up", &["pgup"], None, "Ten captions back."),
    row(
        Search,
        Action::Accept,
        "accept",
        &["enter"],
        Some("put it in"),
        "Put the document beside the hits and read the case with it.",
    ),
    row(Search, Action::Cancel, "cancel", &["esc"], Some("close"), "Close the search."),
    row(Search, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Note, Action::Accept, "accept", &["enter"], Some("keep"), "Write the note to disk; an empty one removes it."),
    row(Note, Action::Cancel, "cancel", &["esc"], Some("leave as it was"), "Leave the note as it was."),
    row(Note, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
    row(Help, Action::Down, "down", &["j", "down"], Some("scroll"), "One line further."),
    row(Help, Action::Up, "up", &["k", "up"], None, "One line back."),
    row(Help, Action::PageDown, "page-down", &["pgdn", "space"], None, "Ten lines further."),
    row(Help, Action::PageUp, "page-up", &["pgup"], None, "Ten lines back."),
    row(Help, Action::Cancel, "close", &["esc", "q", "?", "enter"], Some("close"), "Close this page."),
    row(Help, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Leave at once, with exit code 130."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_key_and_a_sentence() {
        for binding in TABLE {
            assert!(!binding.keys.is_empty(), "{} has no key", binding.name);
            assert!(binding.description.ends_with('.'), "{} has no sentence", binding.name);
        }
    }

    #[test]
    fn every_context_can_be_left() {
        for context in Context::ALL {
            assert!(
                TABLE.iter().any(|row| row.context == context && row.action == Action::Interrupt),
                "{context:?} has no way out"
            );
        }
    }
}
