//! What every import does: counts, dry runs, merging into a dataset.

use crate::support::{grey_png, into, opened, rows_as};
use dissent_core::data::import::{ImportOptions, ImportSession, Imported, RowsAs};
use dissent_core::data::{
    Case, Dataset, Document, Existing, Label, Manifest, OnlyPart, PromptTemplate, Split, Task, TaskKind,
};
use std::fs;
use std::path::Path;

fn manifest() -> Manifest {
    let labels = vec![Label::new("yes", "a mass"), Label::new("no", "no mass")];
    let question = Some("Is there a mass?".into());
    let prompt = PromptTemplate::default();
    let task = Task { id: "mass".into(), kind: TaskKind::ClosedVqa, question, labels, prompt };
    Manifest { licence: Some("CC0".into()), ..Manifest::new("masses", vec![task]) }
}

fn import(source: &Path, target: &Path, options: &ImportOptions, answers: &[&str]) -> anyhow::Result<Imported> {
    let mut session = ImportSession::start(target, options, RowsAs::Both)?;
    for (row, answer) in answers.iter().enumerate() {
        let path = source.join(format!("{row}.png"));
        if !path.is_file() {
            session.leave_out("no image file", &format!("table.csv:{}", row + 1));
            continue;
        }
        let image = session.image(&path, &format!("{row}.png"))?;
        let (id, group) = (format!("r{row}"), Some(row.to_string()));
        session.document(Document {
            id: id.clone(),
            image: image.clone(),
            caption: format!("the answer is {answer}"),
            source: None,
            group: group.clone(),
        })?;
        session.case(Case {
            id,
            task: "mass".into(),
            split: Split::Test,
            image,
            question: None,
            answer: (*answer).into(),
            group,
            unknown: Vec::new(),
        })?;
    }
    session.finish(manifest())
}

fn source() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for row in 0..3 {
        fs::write(folder.path().join(format!("{row}.png")), grey_png(row * 50)).unwrap();
    }
    folder
}

#[test]
fn images_stay_where_they_are_unless_they_are_copied() {
    let source = source();
    let target = source.path().join("out");
    let imported = import(source.path(), &target, &ImportOptions::default(), &["yes", "no", "no", "yes"]).unwrap();
    let dataset = opened(&imported, &target);
    assert_eq!(dataset.cases[1].image, source.path().join("1.png"));
    assert_eq!(imported.left_out[0].to_string(), "1 left out: no image file (table.csv:4)");
    assert_eq!((imported.summary.images, imported.summary.groups), (3, 3));

    let copied = source.path().join("copied");
    let options = ImportOptions { copy: true, ..ImportOptions::default() };
    import(source.path(), &copied, &options, &["yes", "no"]).unwrap();
    assert_eq!(Dataset::open(&copied).unwrap().cases[1].image, Path::new("images/1.png"));
    assert_eq!(fs::read(copied.join("images/1.png")).unwrap(), grey_png(50));
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let source = source();
    let target = source.path().join("out");
    let options = ImportOptions { dry_run: true, ..ImportOptions::default() };
    let dry = import(source.path(), &target, &options, &["yes", "no"]).unwrap();
    assert_eq!(fs::read_dir(source.path()).unwrap().count(), 3);
    let real = import(source.path(), &target, &ImportOptions::default(), &["yes", "no"]).unwrap();
    assert_eq!(dry.summary, real.summary);
    let error = import(source.path(), &target, &options, &["maybe"]).unwrap_err();
    assert!(error.to_string().contains("\"maybe\""), "{error}");
}

#[test]
fn a_part_alone_is_a_dataset_and_the_other_can_be_added() {
    let source = source();
    let target = source.path().join("out");
    let imported = import(source.path(), &target, &rows_as(RowsAs::Corpus), &["yes", "no"]).unwrap();
    let dataset = opened(&imported, &target);
    assert_eq!((dataset.only, dataset.cases.len(), dataset.tasks.len()), (Some(OnlyPart::Corpus), 0, 0));

    fs::create_dir_all(target.join(".dissent/annotations")).unwrap();
    fs::write(target.join(".dissent/annotations/ada@here.jsonl"), "").unwrap();
    let options = ImportOptions { rows: Some(RowsAs::Cases), copy: true, ..into("site-b", Existing::Refuse) };
    import(source.path(), &target, &options, &["yes", "no", "no"]).unwrap();
    let dataset = Dataset::open(&target).unwrap();
    assert_eq!((dataset.only, dataset.cases.len(), dataset.corpus.len()), (None, 3, 2));
    let case = &dataset.cases[2];
    assert_eq!((case.id.as_str(), case.group.as_deref()), ("site-b:r2", Some("site-b:2")));
    assert_eq!(case.image, Path::new("images/site-b/2.png"));
    assert_eq!(dataset.tasks[0].id, "site-b:mass");
    assert_eq!(dataset.licence.as_deref(), Some("CC0; site-b: CC0"));
    assert!(target.join(".dissent/annotations/ada@here.jsonl").is_file());

    let error = import(source.path(), &target, &options, &["yes"]).unwrap_err().to_string();
    assert!(error.contains("3 cases and 0 documents of the source \"site-b\""), "{error}");
    let replacing = into("site-b", Existing::Replace);
    let error = import(source.path(), &target, &replacing, &["yes"]).unwrap_err().to_string();
    assert!(error.contains("contains annotations"), "{error}");
    fs::remove_file(target.join(".dissent/annotations/ada@here.jsonl")).unwrap();
    import(source.path(), &target, &replacing, &["yes"]).unwrap();
    let dataset = Dataset::open(&target).unwrap();
    assert_eq!((dataset.cases.len(), dataset.corpus.len()), (1, 3));
    let left: Vec<_> = fs::read_dir(source.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn what_fails_leaves_the_dataset_as_it_was() {
    let source = source();
    let target = source.path().join("out");
    import(source.path(), &target, &ImportOptions::default(), &["yes", "no"]).unwrap();
    let before = fs::read(target.join("cases.jsonl")).unwrap();
    for (options, answers, expected) in [
        (ImportOptions::default(), &["yes"][..], "not empty"),
        (into("b", Existing::Refuse), &["yes", "perhaps"], "perhaps"),
        (into("..", Existing::Refuse), &["yes"], "name of letters"),
        (into("b", Existing::Refuse), &[], "no row"),
    ] {
        let error = import(source.path(), &target, &options, answers).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(fs::read(target.join("cases.jsonl")).unwrap(), before);
        assert_eq!(fs::read_dir(source.path()).unwrap().count(), 4);
    }
    let nowhere = source.path().join("nowhere");
    let error = import(source.path(), &nowhere, &into("b", Existing::Refuse), &["yes"]).unwrap_err().to_string();
    assert!(error.contains("expected a dataset to add to"), "{error}");
}
