//! Keys for the taxonomy, for decisions and for agreement.

use super::{Binding, row};
use crate::tui::action::Action;
use crate::tui::action::Context::{Adjudication, Agreement, Definitions, Reason};

pub const ANNOTATION: &[Binding] = &[
    row(Definitions, Action::Down, "down", &["j", "down"], None, "Next category; a category's key selects it, too."),
    row(Definitions, Action::Up, "up", &["k", "up"], None, "Previous category."),
    row(
        Definitions,
        Action::Accept,
        "assign",
        &["enter"],
        Some("annotate with this"),
        "Annotate the case, or the hit that has the focus, with this category.",
    ),
    row(Definitions, Action::Cancel, "close", &["esc", "q", "D"], Some("close"), "Back to the case."),
    row(Definitions, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Quit at once, with exit code 130."),
    row(Adjudication, Action::Down, "down", &["j", "down"], None, "Next annotator."),
    row(Adjudication, Action::Up, "up", &["k", "up"], None, "Previous annotator."),
    row(
        Adjudication,
        Action::Reveal,
        "reveal",
        &["s"],
        Some("show annotations"),
        "Show the others' annotations before you have annotated the case yourself.",
    ),
    row(
        Adjudication,
        Action::Complete,
        "take",
        &["space"],
        Some("copy"),
        "Copy the categories of the selected annotator.",
    ),
    row(Adjudication, Action::Delete, "none", &["x"], Some("none"), "Choose that no category applies."),
    row(Adjudication, Action::Note, "reason", &["n"], Some("reason"), "Type the reason."),
    row(
        Adjudication,
        Action::Accept,
        "decide",
        &["enter"],
        Some("decide"),
        "Save the decision and go to the next case of the queue.",
    ),
    row(Adjudication, Action::NextHit, "next-case", &["l", "right"], None, "Next case of the queue."),
    row(Adjudication, Action::PreviousHit, "previous-case", &["h", "left"], None, "Previous case."),
    row(Adjudication, Action::Undo, "undo", &["u"], None, "Undo your latest decision or annotation."),
    row(Adjudication, Action::Redo, "redo", &["U", "ctrl-r"], None, "Redo what you undid last."),
    row(Adjudication, Action::Cancel, "close", &["esc", "q", "A"], Some("close"), "Back to the case."),
    row(Adjudication, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Quit at once, with exit code 130."),
    row(Reason, Action::Accept, "accept", &["enter"], Some("keep"), "Keep the reason for the decision."),
    row(Reason, Action::Cancel, "cancel", &["esc"], Some("leave as it was"), "Discard the change to the reason."),
    row(Reason, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Quit at once, with exit code 130."),
    row(Agreement, Action::Down, "down", &["j", "down"], Some("scroll"), "One line further."),
    row(Agreement, Action::Up, "up", &["k", "up"], None, "One line back."),
    row(Agreement, Action::PageDown, "page-down", &["pgdn", "space"], None, "Ten lines further."),
    row(Agreement, Action::PageUp, "page-up", &["pgup"], None, "Ten lines back."),
    row(Agreement, Action::SaveScreen, "save-screen", &["P"], None, "Save this screen as SVG and as text."),
    row(Agreement, Action::Cancel, "close", &["esc", "q", "G"], Some("close"), "Back to the cases."),
    row(Agreement, Action::Interrupt, "interrupt", &["ctrl-c"], None, "Quit at once, with exit code 130."),
];
