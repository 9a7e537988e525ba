//! Disagreements, the final set, and agreement as the command prints it.

use crate::support::annotated_dataset::{annotated_dataset, annotations, annotations_of, set};
use crate::support::program::{stderr_of, stdout_of};
use dissent::annotation::{
    AnnotationState, CaseAnnotation, Counted, Taxonomy, disagreements, final_rows, named_errors, rated_cases,
    read_folder,
};
use dissent::data::Dataset;
use dissent::evaluation::report::Named;
use serde_json::{Value, json};
use std::path::Path;

fn state_of(dataset: &Path) -> AnnotationState {
    AnnotationState::fold(read_folder(&annotations_of(dataset)).unwrap().0)
}

#[test]
fn disagreements_come_with_everybodys_word_and_reason() {
    let folder = annotated_dataset();
    let state = state_of(folder.path());
    let found = disagreements(&state);
    let cases: Vec<&str> = found.iter().map(|review| review.case.as_str()).collect();
    // c2: no category in common. c5: two of three words overlap, and its decision is older than bob's last word.
    assert_eq!(cases, ["c2", "c5"]);
    assert_eq!(found[0].disagreement(), 1.0);
    assert!((found[1].disagreement() - (1.0 - 0.5 * 2.0 / 3.0)).abs() < 1e-12);
    let disputed: Vec<(&str, &CaseAnnotation)> =
        found[0].annotations.iter().map(|authored| (authored.annotator.as_str(), &*authored.annotation)).collect();
    let [("ada", ada), ("bob", bob), ("cyd", cyd)] = disputed[..] else { panic!("{disputed:?}") };
    assert!(ada.note.as_ref().unwrap().contains("again") && bob.unsure && cyd.skipped);
    assert!(found[0].decision.is_none());
    assert_eq!(found[1].decision.as_ref().unwrap().categories, set(&["look-alike"]));

    let output = annotations(&["disagreements"], folder.path());
    let expected = [
        "c2 (lesion, test, gold Yes), distance 1.00",
        "  ada: look-alike; note: the cyst, \"again\"; <b>",
        "  bob: other; unsure",
        "  cyd: skipped",
        "c5 (site, test, gold a), distance 0.67",
        "  ada: look-alike, other",
        "  bob: look-alike",
        "  (eve decided look-alike; annotated again since)",
    ];
    assert_eq!(stdout_of(&output).lines().collect::<Vec<_>>(), expected);
    assert_eq!(stderr_of(&output).trim(), "2 cases to decide");
    let array: Value =
        serde_json::from_str(&stdout_of(&annotations(&["disagreements", "--json"], folder.path()))).unwrap();
    assert_eq!(array[0]["annotations"][1]["unsure"], json!(true));
    assert_eq!(array[1]["outdated_decision"]["adjudicator"], json!("eve"));
}

#[test]
fn the_final_set_is_decided_or_unanimous() {
    let folder = annotated_dataset();
    let dataset = Dataset::open(folder.path()).unwrap();
    let (state, taxonomy) = (state_of(folder.path()), Taxonomy::default());
    let reviews = state.reviews();
    let rows = final_rows(&reviews, &taxonomy, &dataset.cases).unwrap();
    let of: Vec<(&str, &str, Option<Vec<&str>>)> =
        rows.iter().map(|row| (row.case, row.standing, row.categories.clone())).collect();
    assert_eq!(
        of,
        [
            ("c1", "agreed", Some(vec!["look-alike"])),
            ("c2", "disputed", None),
            ("c3", "single", Some(vec!["other"])),
            ("c4", "decided", Some(vec!["other"])),
            ("c5", "decided", Some(vec!["look-alike"])),
        ]
    );
    assert_eq!(rows[3].reason, Some("the caption says so"));
    assert!(rows[4].outdated && !rows[3].outdated && rows[4].reason.is_none());
    let named = named_errors(&state, &taxonomy, &dataset.cases).unwrap();
    assert_eq!(named.of_case.len(), 5);
    assert_eq!(named.of_case[&1], Named::Open);
    let Named::As(categories) = &named.of_case[&3] else { panic!("c4 was decided") };
    assert_eq!(named.categories[categories[0]], taxonomy.by_id("other").unwrap().name);
    assert_eq!(named_errors(&AnnotationState::default(), &taxonomy, &dataset.cases), None);
}

#[test]
fn ratings_leave_out_skips_decisions_and_what_was_not_asked_for() {
    let folder = annotated_dataset();
    let dataset = Dataset::open(folder.path()).unwrap();
    let (state, taxonomy) = (state_of(folder.path()), Taxonomy::default());
    let rate = |counted: Counted| rated_cases(&state, &taxonomy, &dataset.tasks, &dataset.cases, counted);
    let rated = rate(Counted::default());
    assert_eq!(rated.ratings.annotators, ["ada", "bob", "cyd"], "eve only decided");
    assert_eq!(rated.cases, [0, 1, 2, 3, 4]);
    assert_eq!(rated.tasks, ["lesion", "lesion", "lesion", "lesion", "site"]);
    assert_eq!((rated.ratings.shared(), rated.ratings.units()[1][2]), (4, None), "cyd skipped c2");
    assert_eq!(rate(Counted { blind_only: true, ..Counted::default() }).cases, [2]);
    assert_eq!(rate(Counted { sure_only: true, ..Counted::default() }).ratings.units()[1].iter().flatten().count(), 1);
    let two = ["ada".to_owned(), "cyd".to_owned()];
    assert_eq!(rate(Counted { annotators: &two, ..Counted::default() }).ratings.annotators, two);
    assert!(rated.second_readings.is_empty());
}

#[test]
fn agreement_prints_as_text_json_csv_and_markdown() {
    let folder = annotated_dataset();
    let text = stdout_of(&annotations(&["agreement", "--resamples", "200"], folder.path()));
    for part in [
        "tiny set; annotators: ada, bob, cyd; cases annotated: 5, by two or more: 4; intervals: 95 %",
        "4 shared cases are few",
        "Agreement, all tasks",
        "Agreement, lesion",
        "Pairs of annotators, site",
        "Confusion, lesion: ada (first) and bob (second)",
        "Krippendorff's",
    ] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    assert!(!text.contains("NaN"), "{text}");
    let report: Value =
        serde_json::from_str(&stdout_of(&annotations(&["agreement", "--json", "--resamples", "0"], folder.path())))
            .unwrap();
    let tables = report["tables"].as_array().unwrap();
    let row = |title: &str, name: &str| -> Vec<Value> {
        let table = tables.iter().find(|table| table["title"] == json!(title)).unwrap();
        let rows = table["rows"].as_array().unwrap();
        rows.iter().find(|row| row[1]["text"] == json!(name)).unwrap().as_array().unwrap().clone()
    };
    // All three annotators agree on c1; the two who annotated c2, c4 and c5 do not.
    let all = row("Agreement, all tasks", "all categories");
    assert_eq!((&all[2]["count"], &all[3]["figure"]["value"]), (&json!(4), &json!(0.25)));
    assert_eq!(all[3]["figure"]["low"], Value::Null, "no resamples, no interval");
    // On the only case of this task, each gave a different answer.
    assert_eq!(row("Agreement, site", "all categories")[3]["figure"]["value"], json!(0.0));
    let csv = stdout_of(&annotations(&["agreement", "--csv", "--tables", "pairs", "--resamples", "0"], folder.path()));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let kappa =
        records.iter().find(|record| &record[3] == "ada and cyd, all categories" && &record[4] == "Cohen's kappa");
    assert_eq!(&kappa.unwrap()[5], "", "of one case that both call the same there is no kappa");
    assert!(records.iter().all(|record| &record[0] == "pairs"));
    let markdown = stdout_of(&annotations(&["agreement", "--markdown", "--resamples", "0"], folder.path()));
    assert!(markdown.contains("| ada and cyd | all categories | 1 | 1.000 | (one answer only) |"), "{markdown}");
}

#[test]
fn agreement_refuses_what_it_does_not_know() {
    let folder = annotated_dataset();
    for (arguments, expected) in [
        (vec!["agreement", "--annotators", "ada,zoe"], "--annotators zoe"),
        (vec!["agreement", "--tables", "kappa"], "no such table; expected all, agreement, pairs"),
    ] {
        let output = annotations(&arguments, folder.path());
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr_of(&output).contains(expected), "{}", stderr_of(&output));
    }
    // One person: said, and no number.
    let text = stdout_of(&annotations(&["agreement", "--annotators", "ada"], folder.path()));
    assert!(text.contains("(one annotator)") && !text.contains("NaN"), "{text}");
    std::fs::remove_dir_all(annotations_of(folder.path())).unwrap();
    let output = annotations(&["agreement"], folder.path());
    assert_eq!((stdout_of(&output).as_str(), stderr_of(&output).trim()), ("", "no annotations to compare"));
}
