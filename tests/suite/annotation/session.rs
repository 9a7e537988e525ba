//! An annotator's session: edits, definitions, blindness, adjudication.

use crate::support::annotated_dataset::set;
use dissent::annotation::{
    AnnotationEdit, AnnotationSession, CaseAnnotation, EventContext, EventKind, Journal, Standing, Taxonomy,
    merge_folder,
};
use std::path::Path;

fn open(folder: &Path, annotator: &str, taxonomy: &Taxonomy) -> AnnotationSession {
    AnnotationSession::open(folder, annotator, "box", taxonomy.clone()).unwrap().0
}

fn give(session: &mut AnnotationSession, case: &str, ids: &[&str]) {
    let edit = AnnotationEdit::SetCategories { case: case.into(), categories: set(ids) };
    session.apply(&edit).unwrap().unwrap();
}

fn undo(session: &mut AnnotationSession) {
    session.apply(&AnnotationEdit::Undo).unwrap().unwrap();
}

/// Gives the case a category; is the event blind?
fn is_blind(session: &mut AnnotationSession, case: &str) -> bool {
    let edit = AnnotationEdit::SetCategories { case: case.into(), categories: set(&["other"]) };
    session.apply(&edit).unwrap().unwrap().context.blind
}

fn decide(case: &str, ids: &[&str], reason: &str) -> AnnotationEdit {
    AnnotationEdit::Decide { case: case.into(), categories: set(ids), reason: reason.into() }
}

/// The same categories given to a document.
fn look_alike(case: &str, document: &str) -> AnnotationEdit {
    AnnotationEdit::SetHitCategories { case: case.into(), document: document.into(), categories: set(&["look-alike"]) }
}

#[test]
fn events_record_what_was_on_the_screen_and_for_how_long() {
    let folder = tempfile::tempdir().unwrap();
    let mut ada = open(folder.path(), "ada", &Taxonomy::default());
    ada.set_run_fingerprint(Some("ab12"));
    ada.show("c1", Some("0123"));
    give(&mut ada, "c1", &["look-alike"]);
    ada.unblind("c2").unwrap();
    ada.show("c2", None);
    give(&mut ada, "c2", &["look-alike"]);
    // This case is not on the screen.
    ada.apply(&AnnotationEdit::Skip { case: "c3".into() }).unwrap();
    let of = |case: &str| ada.state().of("ada", case).unwrap();
    let first = of("c1");
    assert_eq!((first.run_fingerprint.as_deref(), first.answers_fingerprint.as_deref()), (Some("ab12"), Some("0123")));
    assert!(first.blind && first.seconds.is_some());
    assert!(!of("c2").blind);
    assert_eq!((of("c3").seconds, of("c3").answers_fingerprint.as_deref()), (None, None));
}

#[test]
fn sets_documents_and_decisions_are_kept_and_turned_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut ada = open(folder.path(), "ada", &Taxonomy { several: true, ..Taxonomy::default() });
    let mut after = |edit: AnnotationEdit| -> CaseAnnotation {
        let event = ada.apply(&edit).unwrap().unwrap();
        ada.own_annotation(&event.case).map(|annotation| (**annotation).clone()).unwrap_or_default()
    };
    let toggle = |id: &str| AnnotationEdit::ToggleCategory { case: "c1".into(), category: id.into() };
    after(toggle("evidence-ignored"));
    assert_eq!(after(toggle("look-alike")).categories, set(&["evidence-ignored", "look-alike"]));
    assert_eq!(after(toggle("evidence-ignored")).categories, set(&["look-alike"]));
    let hit = || AnnotationEdit::ToggleHitCategory {
        case: "c1".into(),
        document: "d3".into(),
        category: "caption-over-image".into(),
    };
    assert_eq!(after(hit()).hits["d3"], set(&["caption-over-image"]));
    assert!(after(hit()).hits.is_empty());
    assert_eq!(after(AnnotationEdit::Undo).hits["d3"], set(&["caption-over-image"]));
    assert!(after(AnnotationEdit::Redo).hits.is_empty());
    let unsure = || AnnotationEdit::ToggleUnsure { case: "c1".into() };
    assert!(after(unsure()).unsure);
    assert!(!after(unsure()).unsure);
    after(decide("c1", &["caption-over-image"], "why"));
    let review = ada.review("c1");
    assert_eq!(review.standing(), Standing::Decided { is_outdated: false });
    assert_eq!(review.decision.unwrap().categories, set(&["caption-over-image"]));
    ada.apply(&toggle("poor-query")).unwrap();
    assert_eq!(ada.review("c1").standing(), Standing::Decided { is_outdated: true });
}

#[test]
fn where_one_category_is_allowed_a_second_takes_its_place_and_a_document_loses_its_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut ada = open(folder.path(), "ada", &Taxonomy::default());
    let mut toggle = |id: &str| {
        ada.apply(&AnnotationEdit::ToggleCategory { case: "c1".into(), category: id.into() }).unwrap();
        let hit = AnnotationEdit::ToggleHitCategory { case: "c1".into(), document: "d1".into(), category: id.into() };
        ada.apply(&hit).unwrap();
        let own = ada.own_annotation("c1").unwrap();
        (own.categories.clone(), own.hits.get("d1").cloned())
    };
    assert_eq!(toggle("other"), (set(&["other"]), Some(set(&["other"]))));
    assert_eq!(toggle("look-alike"), (set(&["look-alike"]), Some(set(&["look-alike"]))));
    assert_eq!(toggle("look-alike"), (set(&["look-alike"]), None));
}

#[test]
fn a_look_at_gold_is_remembered_without_an_annotation() {
    let folder = tempfile::tempdir().unwrap();
    let open = |annotator: &str| open(folder.path(), annotator, &Taxonomy::default());
    let mut ada = open("ada");
    ada.unblind("c1").unwrap();
    drop(ada);
    let mut ada = open("ada");
    assert_eq!((is_blind(&mut ada, "c1"), is_blind(&mut ada, "c2")), (false, true));
    ada.set_passes([("c1".to_owned(), 2)].into());
    assert!(is_blind(&mut ada, "c1"), "a second reading begins anew");
    assert!(is_blind(&mut open("bob"), "c1"), "others have seen nothing");
}

#[test]
fn a_look_in_one_program_counts_in_another_and_in_a_merged_folder() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut other = open(folder.path(), "ada", &Taxonomy::default());
    open(folder.path(), "ada", &Taxonomy::default()).unblind("c1").unwrap();
    assert!(!is_blind(&mut other, "c1"));
    for _ in 0..2 {
        merge_folder(folder.path(), elsewhere.path()).unwrap();
    }
    std::fs::remove_file(journal_of(elsewhere.path())).unwrap();
    let mut merged = open(elsewhere.path(), "ada", &Taxonomy::default());
    assert!(!is_blind(&mut merged, "c1"), "though the journal did not come");
    let count = std::fs::read_dir(elsewhere.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "told"));
    assert_eq!(count.count(), 1, "the same again is no second copy");
}

/// The journal that was merged.
fn journal_of(folder: &Path) -> std::path::PathBuf {
    let mut paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|ending| ending == "jsonl")).unwrap()
}

#[test]
fn a_name_that_is_no_file_name_writes_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("annotations");
    drop(open(&inner, "ada", &Taxonomy::default()));
    let mut nobody = open(&inner, "../ada", &Taxonomy::default());
    assert!(nobody.write_error().is_some());
    assert!(nobody.apply(&AnnotationEdit::Skip { case: "c1".into() }).is_err() && nobody.written() == 0);
    nobody.unblind("c1").unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(std::fs::read_dir(&inner).unwrap().all(|entry| entry.unwrap().path().extension().unwrap() != "told"));
}

#[test]
fn an_annotation_keeps_the_definition_it_was_given_under_until_it_is_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let before = Taxonomy { several: true, ..Taxonomy::default() };
    let mut after = before.clone();
    after.categories[0].definition = "Something else.".into();
    give(&mut open(folder.path(), "ada", &before), "c1", &["look-alike"]);

    let mut ada = open(folder.path(), "ada", &after);
    let changed = |ada: &AnnotationSession| {
        let annotation = ada.own_annotation("c1").unwrap();
        assert_eq!(ada.definitions().is_outdated(annotation), !ada.earlier_definitions(annotation).is_empty());
        annotation.earlier_definitions(ada.taxonomy()).join(" ")
    };
    assert_eq!(changed(&ada), "look-alike");
    give(&mut ada, "c1", &["look-alike", "other"]);
    assert_eq!(changed(&ada), "look-alike", "another category was added, this one merely stayed");
    give(&mut ada, "c1", &["look-alike", "other"]);
    assert_eq!(changed(&ada), "", "confirmed under the current definition");
    undo(&mut ada);
    assert_eq!(changed(&ada), "look-alike");
    ada.apply(&AnnotationEdit::Redo).unwrap().unwrap();
    assert_eq!(changed(&ada), "");

    ada.apply(&look_alike("c2", "d1")).unwrap();
    let annotation = ada.state().of("ada", "c2").unwrap();
    assert_eq!(*annotation.hit_definitions["d1"], after.definitions_of(&set(&["look-alike"])));
}

/// The definitions of the case's categories do not stand in for those of a document's.
#[test]
fn what_a_document_was_given_is_apart_from_what_the_case_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let before = Taxonomy::default();
    let mut after = before.clone();
    after.categories[0].definition = "Something else.".into();
    let mut ada = open(folder.path(), "ada", &before);
    ada.show("c1", Some("a1"));
    give(&mut ada, "c1", &["look-alike"]);
    ada.apply(&look_alike("c1", "d1")).unwrap();
    drop(ada);
    let mut ada = open(folder.path(), "ada", &after);
    ada.unblind("c1").unwrap();
    ada.show("c1", Some("a2"));
    ada.apply(&look_alike("c1", "d2")).unwrap();
    let own = ada.own_annotation("c1").unwrap();
    let ids = |of: &Taxonomy| of.definitions_of(&set(&["look-alike"]));
    assert_eq!((&*own.definitions, &*own.hit_definitions["d1"]), (&ids(&before), &ids(&before)));
    assert_eq!(*own.hit_definitions["d2"], ids(&after));
    assert_eq!(own.earlier_definitions(&after), ["look-alike"]);
    assert_eq!((own.blind, own.answers_fingerprint.as_deref()), (true, Some("a1")), "those of the case's categories");
}

/// Without the file of looks: the journal's own events say that the annotator was not blind.
#[test]
fn an_annotator_who_was_not_blind_stays_so_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let taxonomy = Taxonomy::default();
    let mut journal = Journal::open(folder.path(), "ada", "box").unwrap();
    journal.append("c1", EventKind::annotate("other"), EventContext::default()).unwrap();
    drop(journal);
    let mut ada = open(folder.path(), "ada", &taxonomy);
    assert!(is_blind(&mut ada, "c2"));
    ada.apply(&decide("c3", &["other"], "")).unwrap();
    undo(&mut ada);
    drop(ada);
    let mut ada = open(folder.path(), "ada", &taxonomy);
    assert_eq!(["c1", "c2", "c3", "c4"].map(|case| is_blind(&mut ada, case)), [false, true, false, true]);
    ada.set_passes([("c1".to_owned(), 2)].into());
    assert!(is_blind(&mut ada, "c1"), "a second reading stands for itself");
}

/// One annotator uses two machines, and the other machine's clock is ten minutes ahead.
#[test]
fn an_own_event_from_another_machine_does_not_outdo_what_is_typed_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut ada = open(folder.path(), "ada", &Taxonomy::default());
    give(&mut ada, "c1", &["poor-query"]);
    let edit = AnnotationEdit::SetCategories { case: "c2".into(), categories: set(&["other"]) };
    let mut elsewhere = ada.apply(&edit).unwrap().unwrap();
    elsewhere.id = uuid::Uuid::now_v7();
    elsewhere.case = "c1".into();
    elsewhere.ts += time::Duration::minutes(10);
    assert!(ada.receive(&elsewhere));
    assert!(!ada.receive(&elsewhere), "it is known by now");
    let given = |ada: &AnnotationSession| ada.own_annotation("c1").unwrap().categories.clone();
    assert_eq!(given(&ada), set(&["other"]));
    give(&mut ada, "c1", &["look-alike"]);
    assert_eq!(given(&ada), set(&["look-alike"]), "typed after it was seen");
    undo(&mut ada);
    assert_eq!(given(&ada), set(&["other"]));
    undo(&mut ada);
    assert_eq!(given(&ada), set(&["poor-query"]), "it is undone like one's own");
}

#[test]
fn a_dispute_is_decided_and_reopened_by_a_new_annotation() {
    let folder = tempfile::tempdir().unwrap();
    let taxonomy = Taxonomy::default();
    let open = |annotator: &str| open(folder.path(), annotator, &taxonomy);
    let mut eve = open("eve");
    assert_eq!(eve.review("c1").standing(), Standing::Open);

    give(&mut open("ada"), "c1", &["look-alike"]);
    let single = open("eve").review("c1");
    assert_eq!((single.standing(), single.final_categories()), (Standing::Single, Some(&set(&["look-alike"]))));
    let mut bob = open("bob");
    give(&mut bob, "c1", &["look-alike"]);
    let agreed = bob.review("c1");
    assert_eq!((agreed.standing(), agreed.final_categories()), (Standing::Agreed, Some(&set(&["look-alike"]))));
    give(&mut bob, "c1", &["other"]);
    let disputed = bob.review("c1");
    assert_eq!((disputed.standing(), disputed.final_categories()), (Standing::Disputed, None));

    drop(eve);
    eve = open("eve");
    eve.set_run_fingerprint(Some("ab12"));
    eve.show("c1", Some("cd34"));
    let context = eve.apply(&decide("c1", &["other"], "the margin is copied")).unwrap().unwrap().context;
    assert_eq!(
        (context.run_fingerprint.as_deref(), context.answers_fingerprint.as_deref()),
        (Some("ab12"), Some("cd34")),
        "what it was made on is kept"
    );
    assert!(!context.blind && context.seconds.is_some());
    assert_eq!(*context.definitions, taxonomy.definitions_of(&set(&["other"])));
    let review = eve.review("c1");
    assert_eq!((review.final_categories(), review.standing().is_to_be_decided()), (Some(&set(&["other"])), false));
    assert!(eve.state().of("eve", "c1").is_none(), "a decision is no vote");

    bob.apply(&AnnotationEdit::ToggleFlag { case: "c1".into() }).unwrap();
    drop(eve);
    eve = open("eve");
    assert!(!eve.review("c1").standing().is_to_be_decided(), "a flag changes no mind");

    give(&mut bob, "c1", &["poor-query"]);
    drop(eve);
    eve = open("eve");
    assert!(eve.review("c1").standing().is_to_be_decided(), "bob has changed his mind since");
    undo(&mut eve);
    assert_eq!(eve.review("c1").standing(), Standing::Disputed);
    assert_eq!(eve.state().cases(), ["c1"]);
}

#[test]
fn there_may_be_nothing_to_undo() {
    let folder = tempfile::tempdir().unwrap();
    let mut ada = open(folder.path(), "ada", &Taxonomy::default());
    assert!(ada.apply(&AnnotationEdit::Undo).unwrap().is_none());
    give(&mut ada, "c1", &["other"]);
    undo(&mut ada);
    assert!(ada.apply(&AnnotationEdit::Undo).unwrap().is_none());
    assert_eq!(ada.written(), 2);
}
