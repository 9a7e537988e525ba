//! Captions in the table of hits: labels' names are not cut off, and words that the selected caption lacks are marked.

use super::{assert_screen, explorer_with};
use crate::support::explorer::{dataset, screen, text};
use dissent::data::Corpus;
use dissent::tui::action::Action;
use dissent::tui::theme::{Role, Theme};
use dissent::tui::{App, Setting};
use ratatui::style::Modifier;
use std::sync::Arc;

/// The captions of the sample end so.
const ENDINGS: [&str; 5] = ["biopsy malignant", "biopsy benign", "not malignant", "biopsy benign", "biopsy malignant"];

fn explorer_with_outcomes(root: &std::path::Path, change: impl FnOnce(&mut Setting)) -> App {
    explorer_with(root, |setting| {
        let mut dataset = dataset(root, 12);
        for (label, name) in dataset.tasks[0].labels.iter_mut().zip(["benign", "malignant"]) {
            label.named_as = vec![name.into()];
        }
        let mut documents = dataset.corpus.to_documents();
        for (document, ending) in documents.iter_mut().zip(ENDINGS) {
            document.caption = format!("{}; {ending}", document.caption.trim_end_matches('.'));
        }
        dataset.corpus = Corpus::of(&documents);
        setting.known.dataset = Arc::new(dataset);
        change(setting);
    })
}

#[test]
fn names_of_labels_are_not_cut_off() {
    for size in [(80, 24), (100, 30), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer_with_outcomes(folder.path(), |_| {});
        assert_screen(&mut app, size, "outcomes");
        let shown = text(&screen(&mut app, size.0, size.1));
        let table: Vec<&str> = shown.lines().skip_while(|line| !line.contains("# head")).skip(1).take(4).collect();
        // "not" stays with the name; at 80x24 the two do not fit.
        let second = if size.0 == 80 { "…not malign…" } else { "not malignant" };
        for (line, ending) in table.iter().zip(["malignant", second, "malignant", "benign"]) {
            assert!(line.trim_end().ends_with(ending), "{size:?}: {line}");
        }
    }
}

/// Bold is seen without colours, too.
#[test]
fn words_that_the_selected_caption_lacks_are_bold() {
    for name in Theme::names() {
        let folder = tempfile::tempdir().unwrap();
        let theme = Theme::load(name).unwrap();
        assert!(theme.style(Role::Unlike).add_modifier.contains(Modifier::BOLD), "{name}");
        let mut app = explorer_with_outcomes(folder.path(), |setting| setting.theme = theme);
        app.update(Action::NextHit);
        let terminal = screen(&mut app, 200, 40);
        let buffer = terminal.backend().buffer();
        let shown = text(&terminal);
        // The second hit is now selected, so its own row has no such word.
        let row = shown.lines().position(|line| line.contains("3 caption")).unwrap();
        let line: Vec<char> = shown.lines().nth(row).unwrap().chars().collect();
        let is_bold = |word: &str| {
            let letters: Vec<char> = word.chars().collect();
            let column = line.windows(letters.len()).position(|window| window == letters).unwrap();
            let cell = &buffer[(u16::try_from(column).unwrap(), u16::try_from(row).unwrap())];
            cell.modifier.contains(Modifier::BOLD)
        };
        assert!(is_bold("Hypoechoic") && is_bold("indistinct"), "{name}: {shown}");
        assert!(!is_bold("mass") && !is_bold("site") && !is_bold("malignant"), "{name}: {shown}");
    }
}
