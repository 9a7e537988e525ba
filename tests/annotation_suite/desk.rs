//! An annotator at their desk: definitions, adjudication.

use dissent::annotation::{Desk, EventContext, EventKind, Standing, Taxonomy, merge_folder};
use std::collections::BTreeSet;
use std::path::Path;

fn desk(folder: &Path, annotator: &str, taxonomy: &Taxonomy) -> Desk {
    Desk::open(folder, annotator, "box", taxonomy.clone()).unwrap().0
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn annotate(desk: &mut Desk, case: &str, ids: &[&str]) {
    desk.record(case, EventKind::Annotate { categories: set(ids).into() }, EventContext::default()).unwrap();
}

#[test]
fn a_look_at_gold_is_remembered_though_nothing_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let open = |annotator: &str| desk(folder.path(), annotator, &Taxonomy::default());
    let blind = |desk: &mut Desk, case: &str| {
        let made = EventContext { blind: true, ..EventContext::default() };
        desk.record(case, EventKind::annotate("other"), made).unwrap().context.blind
    };
    let mut ada = open("ada");
    ada.tell("c1").unwrap();
    drop(ada);
    let mut ada = open("ada");
    assert_eq!((blind(&mut ada, "c1"), blind(&mut ada, "c2")), (false, true));
    ada.set_passes([("c1".to_owned(), 2)].into());
    assert!(blind(&mut ada, "c1"), "a second reading begins anew");
    assert!(blind(&mut open("bob"), "c1"), "others were told nothing");
}

#[test]
fn a_look_in_one_program_counts_in_another_and_in_a_merged_folder() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let blind = |desk: &mut Desk| {
        let made = EventContext { blind: true, ..EventContext::default() };
        desk.record("c1", EventKind::annotate("other"), made).unwrap().context.blind
    };
    let mut other = desk(folder.path(), "ada", &Taxonomy::default());
    desk(folder.path(), "ada", &Taxonomy::default()).tell("c1").unwrap();
    assert!(!blind(&mut other));
    for _ in 0..2 {
        merge_folder(folder.path(), elsewhere.path()).unwrap();
    }
    std::fs::remove_file(journal_of(elsewhere.path())).unwrap();
    assert!(!blind(&mut desk(elsewhere.path(), "ada", &Taxonomy::default())), "though the journal did not come");
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
fn a_name_that_is_none_writes_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("annotations");
    drop(desk(&inner, "ada", &Taxonomy::default()));
    let mut nobody = desk(&inner, "../ada", &Taxonomy::default());
    assert!(nobody.trouble().is_some());
    nobody.tell("c1").unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(std::fs::read_dir(&inner).unwrap().all(|entry| entry.unwrap().path().extension().unwrap() != "told"));
}

#[test]
fn an_annotation_keeps_the_definition_it_was_given_under_until_it_is_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let before = Taxonomy { several: true, ..Taxonomy::default() };
    let mut after = before.clone();
    after.categories[0].definition = "Something else.".into();
    annotate(&mut desk(folder.path(), "ada", &before), "c1", &["look-alike"]);

    let mut ada = desk(folder.path(), "ada", &after);
    let changed = |ada: &Desk| ada.state().of("ada", "c1").unwrap().earlier_definitions(ada.taxonomy()).join(" ");
    assert_eq!(changed(&ada), "look-alike");
    annotate(&mut ada, "c1", &["look-alike", "other"]);
    assert_eq!(changed(&ada), "look-alike", "another category was added, this one merely stayed");
    annotate(&mut ada, "c1", &["look-alike", "other"]);
    assert_eq!(changed(&ada), "", "said again under the words of now");
    ada.undo().unwrap().unwrap();
    assert_eq!(changed(&ada), "look-alike");
    ada.redo().unwrap().unwrap();
    assert_eq!(changed(&ada), "");

    let hit = EventKind::Hit { document: "d1".into(), categories: set(&["look-alike"]).into() };
    ada.record("c2", hit, EventContext::default()).unwrap();
    let annotation = ada.state().of("ada", "c2").unwrap();
    assert_eq!(*annotation.hit_definitions["d1"], after.definitions_of(&set(&["look-alike"])));
}

/// The words of one thing do not stand in for those of another.
#[test]
fn what_a_document_was_given_is_apart_from_what_the_case_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let before = Taxonomy::default();
    let mut after = before.clone();
    after.categories[0].definition = "Something else.".into();
    let look_alike =
        |document: &str| EventKind::Hit { document: document.into(), categories: set(&["look-alike"]).into() };
    let made = |answers: &str, blind| EventContext {
        answers_fingerprint: Some(answers.into()),
        blind,
        ..EventContext::default()
    };
    let mut ada = desk(folder.path(), "ada", &before);
    ada.record("c1", EventKind::annotate("look-alike"), made("a1", true)).unwrap();
    ada.record("c1", look_alike("d1"), made("a1", true)).unwrap();
    drop(ada);
    let mut ada = desk(folder.path(), "ada", &after);
    ada.record("c1", look_alike("d2"), made("a2", false)).unwrap();
    let said = ada.own("c1").unwrap();
    let ids = |of: &Taxonomy| of.definitions_of(&set(&["look-alike"]));
    assert_eq!((&*said.definitions, &*said.hit_definitions["d1"]), (&ids(&before), &ids(&before)));
    assert_eq!(*said.hit_definitions["d2"], ids(&after));
    assert_eq!(said.earlier_definitions(&after), ["look-alike"]);
    assert_eq!((said.blind, said.answers_fingerprint.as_deref()), (true, Some("a1")), "those of the case's categories");
}

#[test]
fn who_was_told_is_not_blind_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let taxonomy = Taxonomy::default();
    let blindly = || EventContext { blind: true, ..EventContext::default() };
    let mut ada = desk(folder.path(), "ada", &taxonomy);
    ada.record("c1", EventKind::annotate("other"), EventContext::default()).unwrap();
    ada.record("c2", EventKind::annotate("other"), blindly()).unwrap();
    ada.decide("c3", set(&["other"]), "", blindly()).unwrap();
    ada.undo().unwrap().unwrap();
    drop(ada);
    let mut ada = desk(folder.path(), "ada", &taxonomy);
    let mut is_blind =
        |case: &str| ada.record(case, EventKind::annotate("look-alike"), blindly()).unwrap().context.blind;
    assert_eq!(["c1", "c2", "c3", "c4"].map(&mut is_blind), [false, true, false, true]);
    ada.set_passes([("c1".to_owned(), 2)].into());
    let again = ada.record("c1", EventKind::annotate("other"), blindly()).unwrap();
    assert!(again.context.blind, "a second reading stands for itself");
}

/// Of two machines of one annotator the other's clock is ten minutes ahead.
#[test]
fn an_own_event_from_another_machine_does_not_outdo_what_is_typed_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut ada = desk(folder.path(), "ada", &Taxonomy::default());
    annotate(&mut ada, "c1", &["poor-query"]);
    let mut elsewhere = ada.record("c2", EventKind::annotate("other"), EventContext::default()).unwrap();
    elsewhere.id = uuid::Uuid::now_v7();
    elsewhere.case = "c1".into();
    elsewhere.ts += time::Duration::minutes(10);
    ada.hear(&elsewhere);
    let told = |ada: &Desk| ada.own("c1").unwrap().categories.clone();
    assert_eq!(told(&ada), set(&["other"]));
    annotate(&mut ada, "c1", &["look-alike"]);
    assert_eq!(told(&ada), set(&["look-alike"]), "typed after it was seen");
    ada.undo().unwrap().unwrap();
    assert_eq!(told(&ada), set(&["other"]));
    ada.undo().unwrap().unwrap();
    assert_eq!(told(&ada), set(&["poor-query"]), "it is undone like one's own");
}

#[test]
fn a_dispute_is_decided_and_reopened_by_a_new_word() {
    let folder = tempfile::tempdir().unwrap();
    let taxonomy = Taxonomy::default();
    let (look_alike, other) = (set(&["look-alike"]), set(&["other"]));
    let mut eve = desk(folder.path(), "eve", &taxonomy);
    assert_eq!(eve.state().standing("c1"), Standing::Open);

    annotate(&mut desk(folder.path(), "ada", &taxonomy), "c1", &["look-alike"]);
    assert_eq!(desk(folder.path(), "eve", &taxonomy).state().standing("c1"), Standing::Single(&look_alike));
    let mut bob = desk(folder.path(), "bob", &taxonomy);
    annotate(&mut bob, "c1", &["look-alike"]);
    assert_eq!(bob.state().standing("c1"), Standing::Agreed(&look_alike));
    annotate(&mut bob, "c1", &["other"]);
    assert_eq!(bob.state().standing("c1"), Standing::Disputed);

    drop(eve);
    eve = desk(folder.path(), "eve", &taxonomy);
    let made = EventContext {
        run_fingerprint: Some("ab12".into()),
        answers_fingerprint: Some("cd34".into()),
        blind: true,
        seconds: Some(7.0),
        ..EventContext::default()
    };
    let event = eve.decide("c1", other.clone(), "the margin is copied", made.clone()).unwrap();
    let definitions = taxonomy.definitions_of(&other);
    assert_eq!(
        event.context,
        EventContext { blind: false, definitions: definitions.into(), ..made },
        "what it was made on is kept"
    );
    let standing = eve.state().standing("c1");
    assert_eq!((standing.categories(), standing.is_to_be_decided()), (Some(&other), false));
    assert!(eve.state().of("eve", "c1").is_none(), "a decision is no vote");

    bob.record("c1", EventKind::Flag { flag: true }, EventContext::default()).unwrap();
    drop(eve);
    eve = desk(folder.path(), "eve", &taxonomy);
    assert!(!eve.state().standing("c1").is_to_be_decided(), "a flag changes no mind");

    annotate(&mut bob, "c1", &["poor-query"]);
    drop(eve);
    eve = desk(folder.path(), "eve", &taxonomy);
    assert!(eve.state().standing("c1").is_to_be_decided(), "bob has changed his mind since");
    eve.undo().unwrap().unwrap();
    assert_eq!(eve.state().standing("c1"), Standing::Disputed);
    assert_eq!(eve.state().cases(), ["c1"]);
}
