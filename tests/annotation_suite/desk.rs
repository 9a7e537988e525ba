//! An annotator at their desk: definitions, adjudication.

use dissent::annotation::{Circumstances, Desk, EventKind, Standing, Taxonomy};
use std::collections::BTreeSet;
use std::path::Path;

fn desk(folder: &Path, annotator: &str, taxonomy: &Taxonomy) -> Desk {
    Desk::open(folder, annotator, "box", taxonomy.clone()).unwrap().0
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn annotate(desk: &mut Desk, case: &str, ids: &[&str]) {
    desk.record(case, EventKind::Annotate { categories: set(ids) }, Circumstances::default()).unwrap();
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

    let hit = EventKind::Hit { document: "d1".into(), categories: set(&["look-alike"]) };
    ada.record("c2", hit, Circumstances::default()).unwrap();
    let annotation = ada.state().of("ada", "c2").unwrap();
    assert_eq!(annotation.definitions, after.definitions_of(&set(&["look-alike"])));
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
    let made = Circumstances {
        run_fingerprint: Some("ab12".into()),
        answers_fingerprint: Some("cd34".into()),
        blind: true,
        seconds: Some(7.0),
        ..Circumstances::default()
    };
    let event = eve.decide("c1", other.clone(), "the margin is copied", made.clone()).unwrap();
    let definitions = taxonomy.definitions_of(&other);
    assert_eq!(event.circumstances, Circumstances { blind: false, definitions, ..made }, "what it was made on is kept");
    let standing = eve.state().standing("c1");
    assert_eq!((standing.categories(), standing.is_to_be_decided()), (Some(&other), false));
    assert!(eve.state().of("eve", "c1").is_none(), "a decision is no vote");

    annotate(&mut bob, "c1", &["poor-query"]);
    drop(eve);
    eve = desk(folder.path(), "eve", &taxonomy);
    assert!(eve.state().standing("c1").is_to_be_decided(), "bob has changed his mind since");
    eve.undo().unwrap().unwrap();
    assert_eq!(eve.state().standing("c1"), Standing::Disputed);
    assert_eq!(eve.state().cases(), ["c1"]);
}
