//! The screen as an artefact: literal screens at the sizes that people have.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::single_range_in_vec_init, reason = "one highlight is a list of one range")]

mod support;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dissent::annotation::CaseAnnotation;
use dissent::annotation::CaseReview;
use dissent::annotation::agreement::{AgreementReport, RatedCases, Ratings, usual_agreement_table_keys};
use dissent::data::TaskKind;
use dissent::index::CaptionResult;
use dissent::pipeline::Event;
use dissent::run::Prediction;
use dissent::terminal::images::{ImageMode, ViewChange};
use dissent::tui::App;
use dissent::tui::action::{Action, TABLE};
use dissent::tui::effect::Effect;
use dissent::tui::state::overview::{Cell, Overview, Row, Section};
use dissent::tui::state::session_state::SavedView;
use dissent::tui::update::app::{Overlay, Side};
use dissent::worker::Request;
use std::sync::Arc;
use support::annotations::{annotation, category_id, category_ids, decision, review, reworded, toggle, written};
use support::{answer, app, ready, screen, text};
use tui_input::InputRequest;

/// Three cases read (the second inconsistent), one being read, the second annotated and selected.
fn explorer(root: &std::path::Path) -> App {
    let mut app = app(root, 12);
    app.on_engine_event(ready());
    answer(&mut app, 0, &[0.2, 0.3, 0.1, 0.4]);
    answer(&mut app, 1, &[0.91, 0.72, 0.33, 0.86]);
    answer(&mut app, 2, &[0.81, 0.7, 0.9, 0.6]);
    app.on_engine_event(Event::Hits { case: 3, hits: support::hits() });
    let own = CaseAnnotation { note: Some("margin copied".into()), ..annotation(&[0]) };
    app.marks.insert(1, own.into());
    app.update(Action::Down);
    app
}

#[test]
fn the_design_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    insta::assert_snapshot!("80x24", text(&screen(&mut app, 80, 24)));
}

#[test]
fn the_document_at_the_design_size() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::NextHit);
    app.update(Action::ToggleGold);
    insta::assert_snapshot!("80x24-document", text(&screen(&mut app, 80, 24)));
}

#[test]
fn two_images_from_120_columns() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::ToggleGold);
    insta::assert_snapshot!("120x40", text(&screen(&mut app, 120, 40)));
}

#[test]
fn a_case_that_is_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Down);
    app.update(Action::Down);
    app.on_engine_event(Event::Prediction { case: 3, slot: 1, prediction: support::scores(0.7).into() });
    insta::assert_snapshot!("100x24-reading", text(&screen(&mut app, 100, 24)));
}

#[test]
fn the_help_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.left_out.push("line 17 of cases.jsonl was left out: unknown label".into());
    app.update(Action::Help);
    // The dataset's folder has another name each time.
    let root = folder.path().display().to_string();
    let page = text(&screen(&mut app, 100, 256));
    let lines: Vec<&str> = page.lines().filter(|line| !line.contains(&root)).collect();
    insta::assert_snapshot!("help", lines.join("\n"));
}

#[test]
fn the_help_page_names_every_action() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Help);
    let help = text(&screen(&mut app, 140, 290));
    for binding in TABLE {
        assert!(help.contains(binding.description), "help says nothing of {}", binding.name);
    }
}

#[test]
fn the_caption_search() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Search);
    let mut effects = Vec::new();
    for character in "mass".chars() {
        effects = app.edit(InputRequest::InsertChar(character));
    }
    let [Effect::Engine(Request::SearchCaptions { ticket, .. })] = effects.as_slice() else {
        panic!("no search in {effects:?}")
    };
    let results = vec![
        CaptionResult { row: 4, score: 1.31, highlights: vec![11..15] },
        CaptionResult { row: 0, score: 1.02, highlights: vec![21..25] },
    ];
    app.on_engine_event(Event::SearchResults { ticket: *ticket, results });
    insta::assert_snapshot!("80x24-search", text(&screen(&mut app, 80, 24)));
}

#[test]
fn the_note_editor() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Note);
    app.paste(", see hit\n3");
    insta::assert_snapshot!("80x24-note", text(&screen(&mut app, 80, 24)));
}

#[test]
fn a_label_that_could_not_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    let edit = toggle(1, 3);
    app.recorded(&edit, Err("No space left on device".into()));
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("not saved: No space left on device"), "{shown}");
    assert_eq!(app.marks[&1].categories, category_ids(&[0]), "the old annotation stands");
    app.recorded(&edit, written(1, annotation(&[3])));
    assert!(!text(&screen(&mut app, 80, 24)).contains("not saved"));
}

#[test]
fn a_missing_image_costs_one_pane() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    std::fs::remove_file(folder.path().join("images/q1.png")).unwrap();
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("No such"), "{shown}");
    assert!(shown.contains("Lobulated"), "the hits are still there: {shown}");
}

#[test]
fn a_window_too_small_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    for (width, height) in [(59, 14), (59, 40), (200, 14), (20, 1)] {
        let shown = text(&screen(&mut app, width, height));
        assert!(
            shown.starts_with("dissent needs 60x15") || width < 20 || shown.starts_with("dissent needs"),
            "{shown}"
        );
        assert_eq!(shown.lines().filter(|line| !line.is_empty()).count(), 1, "{shown}");
    }
    insta::assert_snapshot!(text(&screen(&mut app, 59, 14)).trim_end(), @"dissent needs 60x15 characters; this window has 59x14");
}

#[test]
fn every_size_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    let (none, enlarged): (&[Action], &[Action]) = (&[], &[Action::Enlarge, Action::View(ViewChange::ZoomIn)]);
    let views: [&[Action]; 10] = [
        none,
        &[Action::Compare],
        enlarged,
        &[Action::Help],
        &[Action::Search],
        &[Action::Note],
        &[Action::Filter],
        &[Action::Overview],
        &[Action::Order],
        &[Action::SaveView],
    ];
    for actions in views {
        for action in actions {
            app.update(action.clone());
        }
        every_size(&mut app);
        app.update(Action::Cancel);
    }
    // More hits than any screen has rows, the last selected: the table and the grid scroll.
    let many: Vec<_> = support::hits().into_iter().cycle().take(40).collect();
    app.on_engine_event(Event::Hits { case: 1, hits: many });
    for _ in 0..40 {
        app.update(Action::NextHit);
    }
    assert_eq!(app.hit, 39);
    every_size(&mut app);
    app.update(Action::Compare);
    every_size(&mut app);
}

fn every_size(app: &mut App) {
    for width in [1, 60, 61, 79, 99, 100, 131, 220] {
        for height in [1, 15, 16, 24, 29, 30, 31, 60] {
            screen(app, width, height);
        }
    }
}

#[test]
fn without_images_their_names_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.images = ImageMode::Off;
    assert!(text(&screen(&mut app, 80, 24)).contains("images/q1.png"));
}

#[test]
fn gold_is_hidden_until_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    // The same explorer with every gold answer turned round: nothing on the screen may tell them apart.
    let mut apps = [false, true].map(|turned| {
        let mut app = explorer(folder.path());
        let mut dataset = support::dataset(folder.path(), 12);
        for case in dataset.cases.iter_mut().filter(|_| turned) {
            case.answer = if case.answer == "Yes" { "No" } else { "Yes" }.into();
        }
        app.dataset = Arc::new(dataset);
        app
    });
    for action in [Action::Cancel, Action::NextHit, Action::ToggleGold] {
        let screens = apps.each_mut().map(|app| {
            app.update(action.clone());
            [(80, 24), (120, 40), (200, 60)].map(|(width, height)| text(&screen(app, width, height)))
        });
        for (shown, turned) in screens[0].iter().zip(&screens[1]) {
            assert_eq!(shown != turned, action == Action::ToggleGold, "{shown}");
        }
    }
}

/// Each different answer has a letter; the same words in another spelling have the same one.
#[test]
fn a_case_that_is_answered_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app(folder.path(), 3);
    let mut dataset = support::dataset(folder.path(), 3);
    dataset.tasks[0].kind = TaskKind::OpenVqa;
    dataset.tasks[0].labels.clear();
    dataset.cases[0].answer = "upper outer quadrant".into();
    dataset.cases[0].question = Some("Where is the lesion?".into());
    app.dataset = Arc::new(dataset);
    app.on_engine_event(ready());
    app.on_engine_event(Event::Hits { case: 0, hits: support::hits() });
    let said = ["left upper quadrant", "Upper outer quadrant.", "the left upper quadrant", "behind the nipple"];
    for (slot, said) in said.into_iter().enumerate() {
        let prediction = Prediction::in_words(said.into());
        app.on_engine_event(Event::Prediction { case: 0, slot, prediction });
    }
    let closed_book = Some(Prediction::in_words(String::new()));
    app.on_engine_event(Event::ClosedBook { case: 0, prediction: closed_book });
    insta::assert_snapshot!("80x24-open", text(&screen(&mut app, 80, 24)));
    app.update(Action::ToggleGold);
    insta::assert_snapshot!("120x40-open", text(&screen(&mut app, 120, 40)));
    app.dataset = {
        let mut dataset = app.dataset.as_ref().clone();
        dataset.cases[0].answer = "axilla".into();
        Arc::new(dataset)
    };
    let another = text(&screen(&mut app, 120, 40));
    assert!(another.contains("D axilla  wrong, and no hit is right"), "{another}");
}

#[test]
fn a_fusion_changed_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    for action in [Action::ToggleGold, Action::DropHit, Action::NextHit, Action::NextHit, Action::WeighUp] {
        app.update(action);
    }
    insta::assert_snapshot!("120x40-what-if", text(&screen(&mut app, 120, 40)));
    app.update(Action::SwitchImage);
    insta::assert_snapshot!("80x24-what-if", text(&screen(&mut app, 80, 24)));
}

#[test]
fn a_filter_being_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Filter);
    app.paste("verdict:");
    insta::assert_snapshot!("80x24-filter", text(&screen(&mut app, 80, 24)));
    app.update(Action::Complete);
    app.update(Action::Accept);
    insta::assert_snapshot!("80x24-filtered", text(&screen(&mut app, 80, 24)));
}

#[test]
fn the_palette() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Palette);
    app.paste("hit");
    insta::assert_snapshot!("80x24-palette", text(&screen(&mut app, 80, 24)));
}

/// The explorer with a second run on the three cases that are read.
fn with_two_runs(root: &std::path::Path) -> App {
    let mut app = explorer(root);
    support::compare_with(&mut app, 0, &[0.9, 0.8, 0.7, 0.9]);
    support::compare_with(&mut app, 1, &[0.2, 0.4, 0.9, 0.1]);
    support::compare_with(&mut app, 2, &[0.9, 0.8, 0.7, 0.9]);
    app.update(Action::ToggleGold);
    app
}

#[test]
fn two_runs_on_one_case() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    insta::assert_snapshot!("80x24-against", text(&screen(&mut app, 80, 24)));
    insta::assert_snapshot!("120x40-against", text(&screen(&mut app, 120, 40)));
}

#[test]
fn the_overview() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = with_two_runs(folder.path());
    app.update(Action::Overview);
    insta::assert_snapshot!("80x24-overview", text(&screen(&mut app, 80, 24)));
    insta::assert_snapshot!("120x40-overview", text(&screen(&mut app, 120, 40)));
}

#[test]
fn named_errors_in_the_overview() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.people.insert(1, three_annotators());
        app.people.insert(2, CaseReview { decision: None, ..three_annotators() });
        app.update(Action::Overview);
        for _ in 0..40 {
            app.update(Action::Down);
        }
        insta::assert_snapshot!(format!("{width}x{height}-named-errors"), text(&screen(&mut app, width, height)));
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
        app.overlay = Some(Overlay::Overview(Overview {
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

#[test]
fn an_enlarged_image_zoomed_and_windowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Enlarge);
    for change in [ViewChange::ZoomIn, ViewChange::ZoomIn, ViewChange::Right, ViewChange::Width(-40)] {
        app.update(Action::View(change));
    }
    insta::assert_snapshot!("80x24-enlarged", text(&screen(&mut app, 80, 24)));
    insta::assert_snapshot!("120x40-enlarged", text(&screen(&mut app, 120, 40)));
}

/// Every list and line that lies over the screen, at both sizes that people have.
#[test]
fn every_view_at_both_sizes() {
    let views: [(&str, &[Action], &str); 10] = [
        ("reading", &[Action::Down, Action::Down], ""),
        ("note", &[Action::Note], ", see hit 3"),
        ("filter", &[Action::Filter], "verdict:"),
        ("palette", &[Action::Palette], "hit"),
        ("orders", &[Action::Order], ""),
        ("columns", &[Action::Columns], ""),
        ("themes", &[Action::Themes], ""),
        ("views", &[Action::Views], ""),
        ("name", &[Action::SaveView], "rescued by the caption head"),
        ("images-search", &[Action::SearchImages], "scan.dcm"),
    ];
    for (name, actions, typed) in views {
        for (width, height) in [(80, 24), (120, 40)] {
            let folder = tempfile::tempdir().unwrap();
            let mut app = explorer(folder.path());
            app.saved_views.push(SavedView {
                name: "gap".into(),
                filter: "fused:wrong oracle:right".into(),
                order: "entropy".into(),
            });
            for action in actions {
                app.update(action.clone());
            }
            app.paste(typed);
            insta::assert_snapshot!(format!("{width}x{height}-{name}"), text(&screen(&mut app, width, height)));
        }
    }
}

#[test]
fn the_definitions() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.update(Action::Definitions);
        insta::assert_snapshot!(format!("{width}x{height}-definitions"), text(&screen(&mut app, width, height)));
    }
}

/// A mark with everything that can be said, made on other answers.
#[test]
fn doubts_documents_and_changes_since() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        let before = "The reader left what the documents show aside.";
        let own = CaseAnnotation {
            hits: [("us-doc-003".to_owned(), category_ids(&[0, 1]))].into(),
            unsure: true,
            definitions: reworded(&mut app, &category_id(2), before),
            answers_fingerprint: Some("of other answers".into()),
            ..annotation(&[0, 2])
        };
        app.marks.insert(1, own.into());
        app.marks.insert(2, CaseAnnotation { flagged: true, ..annotation(&[7]) }.into());
        insta::assert_snapshot!(format!("{width}x{height}-marks"), text(&screen(&mut app, width, height)));
    }
}

/// Three annotators of the second case, the first of whom is at the keys; it was decided before bob annotated it anew.
fn three_annotators() -> CaseReview {
    let note = "the caption speaks of calcifications and the reader repeats it, though the image shows none";
    let bob = CaseAnnotation {
        unsure: true,
        note: Some(note.into()),
        ts: time::OffsetDateTime::UNIX_EPOCH + time::Duration::DAY,
        ..annotation(&[1])
    };
    let ada = CaseAnnotation { note: Some("margin copied".into()), ..annotation(&[0]) };
    let cy = CaseAnnotation { skipped: true, ..CaseAnnotation::default() };
    let decided = [category_id(0), "gone".into()].into();
    review([("ada", ada), ("bob", bob), ("cy", cy)], Some(decision(decided, "as ada")))
}

#[test]
fn a_case_being_decided() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        let mut review = three_annotators();
        let given = reworded(&mut app, &category_id(1), "As of May.");
        Arc::make_mut(&mut review.annotations[1].annotation).definitions = given;
        app.people.insert(1, review);
        app.update(Action::Adjudicate);
        for action in [Action::Down, Action::Complete, Action::Note] {
            app.update(action);
        }
        app.paste("the image shows none");
        insta::assert_snapshot!(format!("{width}x{height}-adjudication"), text(&screen(&mut app, width, height)));
    }
}

#[test]
fn a_case_that_one_has_not_annotated_keeps_others_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.marks.clear();
    let mut review = three_annotators();
    review.annotations.remove(0);
    app.people.insert(1, review);
    app.update(Action::Adjudicate);
    let hidden = text(&screen(&mut app, 80, 24));
    assert!(!hidden.contains("bob") && !hidden.contains("by eve"), "{hidden}");
    insta::assert_snapshot!("80x24-adjudication-hidden", hidden);
    app.update(Action::Reveal);
    let shown = text(&screen(&mut app, 80, 24));
    assert!(shown.contains("bob") && shown.contains("by eve"), "{shown}");
}

#[test]
fn how_far_annotators_agree() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut ratings = Ratings::new(names(&["ada", "bob", "cy"]), names(&["look-alike", "other"]));
    for said in [[0, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 1], [0, 0, 0]] {
        ratings.push(said.iter().map(|category| Some(vec![*category])).collect());
    }
    let tasks = vec!["malignancy".to_owned(); 5];
    let rated = RatedCases { ratings, cases: (0..5).collect(), tasks, ..RatedCases::default() };
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        let [Effect::Agreement(ticket)] = app.update(Action::Agreement)[..] else { panic!("nothing is asked for") };
        for resamples in [0, 500] {
            let report = AgreementReport::of("tiny", &rated, resamples, &usual_agreement_table_keys());
            app.on_agreement(ticket, report);
            let name = if resamples == 0 { "agreement" } else { "agreement-intervals" };
            insta::assert_snapshot!(format!("{width}x{height}-{name}"), text(&screen(&mut app, width, height)));
        }
    }
}

#[test]
fn help_starts_with_what_one_needs_first() {
    for (width, height) in [(80, 24), (120, 40)] {
        let folder = tempfile::tempdir().unwrap();
        let mut app = explorer(folder.path());
        app.update(Action::Help);
        insta::assert_snapshot!(format!("{width}x{height}-help"), text(&screen(&mut app, width, height)));
    }
}

#[test]
fn a_search_with_results_on_a_wide_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::Search);
    let effects = app.paste("\"posterior shadowing\"");
    let [Effect::Engine(Request::SearchCaptions { ticket, .. })] = effects.as_slice() else {
        panic!("no search in {effects:?}")
    };
    let results = vec![CaptionResult { row: 0, score: 2.31, highlights: vec![52..61, 62..71] }];
    app.on_engine_event(Event::SearchResults { ticket: *ticket, results });
    insta::assert_snapshot!("120x40-search", text(&screen(&mut app, 120, 40)));
}

#[test]
fn every_hit_has_its_image_where_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::ToggleGold);
    app.update(Action::NextHit);
    insta::assert_snapshot!("200x60-grid", text(&screen(&mut app, 200, 60)));
}

#[test]
fn a_document_on_a_wide_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.update(Action::NextHit);
    app.update(Action::ToggleGold);
    insta::assert_snapshot!("120x40-document", text(&screen(&mut app, 120, 40)));
}

#[test]
fn a_filtered_queue_on_a_wide_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.set_filter("verdict:inconsistent".parse().unwrap());
    insta::assert_snapshot!("120x40-filtered", text(&screen(&mut app, 120, 40)));
}

#[test]
fn a_pixel_image_is_not_drawn_under_what_lies_over_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    app.images = ImageMode::Kitty { tmux: false };
    let has_image = |app: &mut App| text(&screen(app, 120, 40)).contains(['▀', '▄']);
    assert!(has_image(&mut app));
    app.update(Action::Note);
    assert!(!has_image(&mut app));
    app.update(Action::Cancel);
    assert!(has_image(&mut app));
}

#[test]
fn a_click_in_the_table_of_two_runs_chooses_the_hit_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer(folder.path());
    support::compare_with(&mut app, 1, &[0.2, 0.3, 0.4, 0.1]);
    let shown = text(&screen(&mut app, 120, 40));
    let click = MouseEventKind::Down(MouseButton::Left);
    let table = shown.lines().position(|line| line.contains("A says")).unwrap();
    let row_of = |document: &str| table + shown.lines().skip(table).position(|line| line.contains(document)).unwrap();
    for (slot, hit) in support::hits().iter().enumerate() {
        let row = row_of(&hit.document);
        app.on_mouse(at(click, 80, row as u16)).unwrap();
        assert_eq!(app.hit, slot);
        app.hit = 0;
    }
    assert!(app.on_mouse(at(click, 80, row_of("us-doc-002") as u16)).is_none(), "no hit of this run");
}

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
    assert_eq!(app.hit, 2);
    app.on_mouse(at(MouseEventKind::ScrollUp, 60, row as u16)).unwrap();
    assert_eq!(app.hit, 1);
    app.on_mouse(at(MouseEventKind::ScrollUp, 5, 10)).unwrap();
    assert_eq!(app.current().unwrap().1.id, "us-test-0002");
    screen(&mut app, 120, 40);
    app.on_mouse(at(click, 70, 10)).unwrap();
    assert!(app.enlarged && app.side == Side::Document);
    assert!(app.on_mouse(at(MouseEventKind::Moved, 1, 1)).is_none());
}
