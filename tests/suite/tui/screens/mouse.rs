//! Clicks and the wheel.

use super::{explorer, explorer_with};
use crate::support::explorer::{hits, other_run, screen, text};
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dissent::tui::action::Action;
use dissent::tui::state::image_panes::Enlarged;
use dissent::tui::state::selection::Side;

fn at(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
    MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
}

#[test]
fn the_mouse_chooses_cases_hits_and_images() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    screen(&mut app, 120, 40);
    let click = MouseEventKind::Down(MouseButton::Left);
    app.on_mouse(at(click, 5, 4)).unwrap();
    assert_eq!(app.current().unwrap().1.id, "us-test-0003");
    let shown = text(&screen(&mut app, 120, 40));
    let row = shown.lines().position(|line| line.contains("3 caption")).unwrap();
    app.on_mouse(at(click, 60, row as u16)).unwrap();
    assert_eq!(app.selection().hit(), 2);
    app.on_mouse(at(MouseEventKind::ScrollUp, 60, row as u16)).unwrap();
    assert_eq!(app.selection().hit(), 1);
    app.on_mouse(at(MouseEventKind::ScrollUp, 5, 10)).unwrap();
    assert_eq!(app.current().unwrap().1.id, "us-test-0002");
    screen(&mut app, 120, 40);
    app.on_mouse(at(click, 80, 10)).unwrap();
    assert!(app.images().enlarged() == Some(Enlarged::One) && app.selection().side() == Side::Document);
    assert!(app.on_mouse(at(MouseEventKind::Moved, 1, 1)).is_none());
    app.update(Action::BothImages);
    screen(&mut app, 120, 40);
    app.on_mouse(at(click, 5, 10)).unwrap();
    assert!(app.images().enlarged() == Some(Enlarged::Both) && app.selection().side() == Side::Query);
    app.update(Action::ContactSheet);
    let shown = text(&screen(&mut app, 120, 40));
    let row = shown.lines().position(|line| line.contains("4 us-doc-004")).unwrap() as u16;
    let column = shown.lines().nth(usize::from(row)).unwrap().find("4 us-doc-004").unwrap() as u16;
    app.on_mouse(at(click, column + 1, row + 3)).unwrap();
    assert!(app.images().enlarged() == Some(Enlarged::ContactSheet) && app.selection().hit() == 3);
    assert!(app.on_mouse(at(click, 1, 39)).is_none());
}

#[test]
fn a_click_in_the_table_of_two_runs_chooses_the_hit_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let other = other_run(&[(1, [0.2, 0.3, 0.4, 0.1])]);
    let mut app = explorer_with(folder.path(), |setting| setting.known.against = Some(other));
    let shown = text(&screen(&mut app, 120, 40));
    let click = MouseEventKind::Down(MouseButton::Left);
    let table = shown.lines().position(|line| line.contains("A says")).unwrap();
    let row_of = |document: &str| table + shown.lines().skip(table).position(|line| line.contains(document)).unwrap();
    for (slot, hit) in hits().iter().enumerate() {
        let row = row_of(&hit.document);
        app.on_mouse(at(click, 80, row as u16)).unwrap();
        assert_eq!(app.selection().hit(), slot);
        app.update(Action::First);
    }
    app.on_mouse(at(click, 80, row_of("us-doc-002") as u16)).unwrap();
    assert_eq!(app.selection().other_hit(), Some(3), "only the other run found it");
}
