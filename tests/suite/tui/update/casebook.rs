//! Writing the queue as a page.

use crate::support::explorer::{answer, app_with, dataset, ready};
use dissent::annotation::{AuthoredAnnotation, CaseAnnotation, CaseReview};
use dissent::casebook::{Casebook, Written};
use dissent::run::Ablation;
use dissent::tui::Effect;
use dissent::tui::action::Action;
use dissent::tui::session::{CasebookWriter, ExplanationSource};
use dissent::tui::state::overlay::Notice;
use std::path::Path;
use std::sync::Arc;

#[test]
fn the_page_has_the_queue_without_gold_and_without_what_others_said() {
    let folder = tempfile::tempdir().unwrap();
    let said = |category: &str| {
        Arc::new(CaseAnnotation { categories: [category.into()].into_iter().collect(), ..CaseAnnotation::default() })
    };
    let mut app = app_with(folder.path(), 3, |setting| {
        let by = |annotator: &str, category: &str| AuthoredAnnotation {
            annotator: annotator.into(),
            annotation: said(category),
        };
        let annotations = vec![by("ada", "look-alike"), by("bob", "other")];
        setting.known.annotations.insert(0, said("look-alike"));
        setting.known.reviews.insert(0, CaseReview { annotations, ..CaseReview::default() });
    });
    app.on_worker_event(ready());
    answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.2]);
    answer(&mut app, 1, &[0.9, 0.8, 0.7, 0.6]);
    app.update(Action::ToggleGold);
    drop(app.set_filter("verdict:inconsistent".parse().unwrap()));

    let effects = app.update(Action::ExportQueue);
    let [Effect::WriteCasebook(casebook)] = effects.as_slice() else { panic!("{effects:?}") };
    let [page] = casebook.cases.as_slice() else { panic!("{casebook:?}") };
    assert_eq!((page.id.as_str(), page.hits.len(), &page.gold), ("us-test-0001", 4, &None));
    assert!(
        page.fused
            .iter()
            .chain(page.hits.iter().filter_map(|hit| hit.answer.as_ref()))
            .all(|answer| answer.is_right.is_none())
    );
    assert_eq!(page.remarks.len(), 1);
    assert_eq!((page.remarks[0].by.as_str(), page.remarks[0].text.as_str()), ("ada", "Misleading look-alike"));
    assert!(casebook.about.iter().any(|line| line.contains("those that pass the filter verdict:inconsistent")));
}

#[test]
fn the_path_of_the_page_is_copied_and_a_failure_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_with(folder.path(), 1, |_| {});
    let path = Path::new("/w/casebooks/set-1.html");
    let written = Written { cases: 1, images: 5, bytes: 40_000, ..Written::default() };
    assert_eq!(app.on_casebook(path, Ok(written)), [Effect::Copy(path.display().to_string())]);
    assert!(
        matches!(app.notice(), Some(Notice::Said(text)) if text == "1 case, 40 kB, 5 images; path copied: set-1.html")
    );
    assert_eq!(app.on_casebook(path, Err("disk full".into())), []);
    assert_eq!(app.notice(), Some(&Notice::Error("no page is written: disk full".into())));
}

#[test]
fn a_page_is_finished_before_the_program_ends_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let page = Casebook {
        dataset: "set A".into(),
        about: Vec::new(),
        cases: Vec::new(),
        ablation: Ablation::default(),
        pixels: 64,
    };
    let dataset = Arc::new(dataset(folder.path(), 1));
    let none = ExplanationSource { dataset, cache: folder.path().join("cache"), reader: None };
    let mut writer = CasebookWriter::default();
    writer.start(folder.path(), Box::new(page), none, |_, _| {}).unwrap();
    writer.wait();
    let path = folder.path().join("set-A-1.html");
    let pages: Vec<_> = writer.pages().into_iter().map(|(path, _)| path).collect();
    assert_eq!((writer.is_writing(), pages), (false, vec![path.clone()]));
    assert!(path.is_file());
}
