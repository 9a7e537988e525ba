//! Merging folders: copies that cannot collide, and doing it again changes nothing.

use crate::support::annotated_dataset::dataset_of_text as dataset;
use crate::support::program;
use dissent::annotation::{
    AnnotationState, Brought, EventContext, EventKind, Journal, TAXONOMY_FILE, Taxonomy, TaxonomyVersions,
    merge_folder, read_folder,
};
use std::fs;
use std::path::Path;

fn annotate(folder: &Path, annotator: &str, case: &str, category: &str) {
    let mut journal = Journal::open(folder, annotator, "box").unwrap();
    journal.append(case, EventKind::annotate(category), EventContext::default()).unwrap();
}

fn state(folder: &Path) -> AnnotationState {
    let (events, problems) = read_folder(folder).unwrap();
    assert_eq!(problems, []);
    AnnotationState::fold(events)
}

fn files(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().flatten();
    files.filter(|file| file.path().extension().is_some_and(|ending| ending == "jsonl")).count()
}

#[test]
fn two_hosts_with_one_name_merge_and_keep_merging() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // The same annotator on machines of the same name: both files are called ada@box.jsonl.
    annotate(here.path(), "ada", "c1", "other");
    annotate(there.path(), "ada", "c2", "look-alike");
    let brought = |source: &Path, target: &Path| {
        merge_folder(source, target).unwrap().into_iter().map(|merged| merged.brought).collect::<Vec<_>>()
    };
    assert_eq!(brought(there.path(), here.path()), [Brought::New]);
    assert_eq!(state(here.path()).iter().count(), 2);
    assert_eq!(brought(there.path(), here.path()), [Brought::Known]);

    annotate(there.path(), "ada", "c3", "other");
    assert_eq!(brought(there.path(), here.path()), [Brought::Longer]);
    assert_eq!((state(here.path()).iter().count(), files(here.path())), (3, 2));

    // And back: what came from there is known there.
    assert_eq!(brought(here.path(), there.path()), [Brought::Known, Brought::New]);
    assert_eq!(state(here.path()), state(there.path()));
    assert_eq!(brought(there.path(), here.path()), [Brought::Known, Brought::Known]);
}

#[test]
fn a_torn_tail_comes_along_and_is_made_up_later() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    annotate(there.path(), "ada", "c1", "other");
    let path = there.path().join("ada@box.jsonl");
    let whole = fs::read(&path).unwrap();
    annotate(there.path(), "ada", "c2", "other");
    let longer = fs::read(&path).unwrap();
    fs::write(&path, &longer[..whole.len() + 40]).unwrap();
    assert_eq!(merge_folder(there.path(), here.path()).unwrap()[0].events, 1);
    assert_eq!(state(here.path()).iter().count(), 1);
    fs::write(&path, &longer).unwrap();
    assert_eq!(merge_folder(there.path(), here.path()).unwrap()[0].brought, Brought::Longer);
    assert_eq!((state(here.path()).iter().count(), files(here.path())), (2, 1));
    // A copy that went another way is no continuation: both are kept.
    fs::write(&path, &whole).unwrap();
    annotate(there.path(), "ada", "c3", "other");
    assert_eq!(merge_folder(there.path(), here.path()).unwrap()[0].brought, Brought::New);
    assert_eq!((state(here.path()).iter().count(), files(here.path())), (3, 2));
}

#[test]
fn wordings_come_along_and_the_own_taxonomy_stays() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let theirs = Taxonomy::load(there.path()).unwrap();
    let given = theirs.definitions_of(&["other".into()]);
    let text = fs::read_to_string(there.path().join(TAXONOMY_FILE)).unwrap();
    fs::write(here.path().join(TAXONOMY_FILE), text.replace("None of the above", "Nothing else")).unwrap();
    merge_folder(there.path(), here.path()).unwrap();
    let own = Taxonomy::load(here.path()).unwrap();
    assert_eq!(own.changed_since(&given), ["other"]);
    let then = TaxonomyVersions::read(here.path()).0;
    assert!(then.find("other", &given["other"]).unwrap().definition.starts_with("None of the above"));
}

#[test]
fn the_command_says_what_came() {
    let (here, there) = (dataset(3), dataset(3));
    annotate(&there.path().join(".dissent/annotations"), "bob", "c1", "other");
    fs::write(there.path().join(".dissent/annotations/list.jsonl"), "{\"shopping\": 1}\n").unwrap();
    let merge = |source: &Path, json: bool| {
        let mut command = program::dissent();
        command.args(["annotations", "merge"]).arg(here.path()).arg(source);
        if json {
            command.arg("--json");
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, warned) = merge(there.path(), false);
    assert_eq!(code, Some(0), "{warned}");
    assert!(said.contains("bob@box.jsonl (1 event): copied to") && said.contains("1 event in"), "{said}");
    assert!(said.contains("list.jsonl (0 events): skipped") && warned.contains("list.jsonl:1"), "{said} {warned}");
    let (_, said, _) = merge(there.path(), true);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["journals"][0]["brought"], "known");

    let (code, _, error) = merge(here.path(), false);
    assert!(code == Some(1) && error.contains("is the folder that is merged into"), "{error}");
    let (code, _, error) = merge(Path::new("/nonexistent"), false);
    assert!(code == Some(1) && error.contains("no such folder; expected an annotations folder"), "{error}");
}
