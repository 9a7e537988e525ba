//! Two runs side by side, and the overview.

use super::annotators::three_annotators;
use super::{assert_screen, explorer, with_other_run, with_two_runs};
use crate::support::explorer::{answer, screen, text};
use dissent::annotation::CaseReview;
use dissent::tui::action::Action;
use dissent::tui::state::overlay::Overlay;
use dissent::tui::state::overview::Overview;
use dissent::tui::state::overview::table::{Cell, Row, Section};
use std::time::Duration;

#[test]
fn two_runs_on_one_case() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    for size in [(80, 24), (120, 40), (200, 60)] {
        assert_screen(&mut app, size, "against");
    }
}

/// A document that only the other run found is selected like a hit, with its own image, caption and answer.
#[test]
fn a_document_that_only_the_other_run_found() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    app.update(Action::SwitchFocus);
    for _ in 0..4 {
        app.update(Action::Down);
    }
    for size in [(80, 24), (120, 40), (200, 60)] {
        assert_screen(&mut app, size, "only-in-b");
    }
}

/// Documents that only B found stand as B's reader was given them, and below the table stands what it was given with the
/// selected hit.
#[test]
fn a_run_with_other_evidence_beside_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |ablation: &str| {
        let mut app = with_other_run(folder.path(), ablation.parse().unwrap());
        text(&screen(&mut app, 200, 60))
    };
    let whole = shown("none");
    // Only B found the second document; A's reader was given the first one with its own caption.
    assert!(whole.contains("A 0.90     Oval circumscribed mass") && !whole.contains("B: "), "{whole}");
    assert!(whole.contains("B 0.90     Irregular") && !whole.contains("A: "), "{whole}");
    for (ablation, row, below) in [
        ("no-caption", "A 0.90     B: caption withheld", "B: caption withheld"),
        ("no-image", "A 0.90     B: image withheld · Oval circumscribed", "B: image withheld · Irregular hypoechoic"),
        ("no-image, no-caption", "A 0.90     B: image and caption withheld", "B: image and caption withheld"),
        ("swapped-captions", "A 0.90     B: ⇄ Round anechoic lesion", "B: ⇄ Hypoechoic mass, indistinct"),
    ] {
        let shown = shown(ablation);
        assert!(shown.contains(row) && shown.contains(below), "{ablation}: {shown}");
        assert!(shown.contains("caption as A's reader had it, else B's"), "{shown}");
        assert!(
            shown.contains("B 0.90     A: Irregular") && shown.contains("A: Irregular hypoechoic mass with"),
            "{shown}"
        );
    }
}

#[test]
fn the_overview() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    app.update(Action::Overview);
    for size in [(80, 24), (120, 40), (200, 60)] {
        assert_screen(&mut app, size, "overview");
    }
}

#[test]
fn named_errors_in_the_overview() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.set_review(1, three_annotators());
        app.set_review(2, CaseReview { decision: None, ..three_annotators() });
        app.update(Action::Overview);
        for _ in 0..40 {
            app.update(Action::Down);
        }
        assert_screen(&mut app, (width, height), "named-errors");
    }
}

#[test]
fn a_wide_table_of_the_overview_cuts_no_figure_and_follows_the_selected_cell() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    let cell = |row: usize, column: usize| Cell {
        text: (10_000 + row * 100 + column).to_string(),
        share: Some(0.5),
        filter: String::new(),
    };
    let labels: Vec<String> = (0..14).map(|label| format!("Finding {label}")).collect();
    let rows =
        (0..14).map(|row| Row { name: labels[row].clone(), cells: (0..14).map(|column| cell(row, column)).collect() });
    let section = Section { title: "gold and fused".into(), columns: labels.clone(), rows: rows.collect() };
    for (column, place) in [(0, "1-9 of 14"), (13, "6-14 of 14")] {
        app.open(Overlay::Overview(Overview {
            sections: vec![section.clone()],
            selected: (0, 13, column),
            read: 14,
            cases: 14,
        }));
        let shown = text(&screen(&mut app, 80, 24));
        assert!(shown.contains(&format!("▸{}", cell(13, column).text)), "{shown}");
        assert!(shown.contains(place), "{shown}");
        assert!(!shown.contains("1…") && !shown.contains("10…"), "a figure is cut: {shown}");
    }
}

/// A part of the cases is never passed off as the whole: the title and the queue say how many are answered.
#[test]
fn an_overview_of_a_part() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.set_filter("verdict:consistent".parse().unwrap());
        assert_screen(&mut app, size, "part");
        app.update(Action::Overview);
        assert_screen(&mut app, size, "part-overview");
        app.set_filter("".parse().unwrap());
        app.update(Action::Overview);
        app.update(Action::Overview);
        app.update(Action::ReadRest);
        for case in 3..6 {
            app.set_clock(Duration::from_secs(40 * (case as u64 - 2)));
            answer(&mut app, case, &[0.8; 4]);
        }
        assert_screen(&mut app, size, "reading-rest-overview");
        app.update(Action::Overview);
        assert_screen(&mut app, size, "reading-rest");
    }
}

#[test]
fn what_is_asked_again_is_shown_beside_two_runs_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    app.update(Action::WithoutCaption);
    let shown = text(&screen(&mut app, 120, 40));
    assert!(shown.contains("5 no caption") && shown.contains("── what if: Space"), "{shown}");
    app.update(Action::PreviousHit);
    assert!(text(&screen(&mut app, 120, 40)).contains("A says"));
}
