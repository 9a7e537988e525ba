//! A small evaluation whose figures are counted by hand.

use super::*;
use dissent_core::data::{Case, Corpus, Document, Label, Manifest, PromptTemplate, Split, Task, TaskKind};
use dissent_core::run::{Ablation, CaptionShown, CaseAnswer, Head, Hit, LabelScores, Prediction, Provenance};
use dissent_core::text::csv_cells::Formulas;
use std::path::Path;

const SAMPLING: Sampling = Sampling { resamples: 200, by_group: false };

fn dataset(cases: usize) -> Dataset {
    let label = |id: &str, word: &str| Label { named_as: vec![word.into()], ..Label::new(id, id) };
    let task = Task {
        id: "mass".into(),
        kind: TaskKind::ClosedVqa,
        question: Some("Is there a mass?".into()),
        labels: vec![label("No", "benign"), label("Yes", "malignant")],
        prompt: PromptTemplate::default(),
    };
    let case = |number: usize| Case {
        id: format!("case-{number}"),
        task: "mass".into(),
        split: Split::Test,
        image: format!("case-{number}.png").into(),
        question: None,
        answer: if number.is_multiple_of(2) { "No" } else { "Yes" }.into(),
        unknown: Vec::new(),
        group: None,
    };
    let document = |number: usize| Document {
        id: format!("document-{number}"),
        image: format!("document-{number}.png").into(),
        caption: if number == 0 { "benign" } else { "malignant" }.into(),
        source: Some(format!("source-{number}")),
        group: None,
    };
    let manifest = Manifest::new("small", vec![task]);
    Dataset::new(Path::new("small"), manifest, (0..cases).map(case).collect(), (0..2).map(document).collect())
}

/// A prediction that gives this label probability 0.8.
fn said(label: usize) -> Prediction {
    let mut probabilities = [0.2_f32, 0.2];
    probabilities[label] = 0.8;
    Prediction::from(LabelScores::exact(probabilities.map(f32::ln).to_vec()))
}

fn answer(case: usize, closed_book: usize, answers: [usize; 2]) -> CaseAnswer {
    let hit = |row: usize| Hit {
        row,
        document: format!("document-{row}"),
        provenances: vec![Provenance { head: Head::Image, rank: row + 1, score: Some(0.9 - row as f32 / 10.0) }],
    };
    CaseAnswer {
        case,
        hits: vec![hit(0), hit(1)],
        predictions: answers.map(said).to_vec(),
        closed_book: Some(said(closed_book)),
        recorded_fusion: None,
    }
}

fn system(name: &str, cases: Vec<CaseAnswer>) -> System {
    System {
        models: Vec::new(),
        name: name.into(),
        ablation: Ablation::default(),
        family: "family".into(),
        differences: Vec::new(),
        rerankers: Vec::new(),
        cases,
        validation: Vec::new(),
        thresholds: Vec::new(),
    }
}

/// Gold is No, Yes, No, Yes. Case 0 is consistent and right, 1 consistent and wrong, 2 and 3 are inconsistent: the first
/// document's score is larger, so its answer is the fused one.
fn reference() -> System {
    system("plain", vec![answer(0, 0, [0, 0]), answer(1, 1, [0, 0]), answer(2, 0, [1, 0]), answer(3, 0, [1, 0])])
}

/// Cases 1 and 2 have the first category, case 2 also the second; annotators differ on case 3; nobody annotated case
/// 0.
fn named_errors() -> NamedErrors {
    let of_case = [(1, Named::As(vec![0])), (2, Named::As(vec![0, 1])), (3, Named::Open)];
    NamedErrors {
        categories: ["look-alike", "wrong site", "unused"].map(str::to_owned).to_vec(),
        of_case: of_case.into(),
    }
}

fn report(systems: &[System]) -> Report {
    Report::of(&dataset(4), "test", systems, Some(&named_errors()), SAMPLING, &table_keys()).unwrap()
}

/// The values of a column in the rows that begin with these cells.
fn values(report: &Report, key: &str, begin: &[&str], column: &str) -> Vec<Option<f64>> {
    let table = report.tables.iter().find(|table| table.key == key).unwrap();
    let place = table.columns.iter().position(|name| *name == column).unwrap();
    let begins = |row: &&Vec<Cell>| row.iter().zip(begin).all(|(cell, text)| cell.text() == *text);
    table.rows.iter().filter(begins).map(|row| row[place].numbers().and_then(|numbers| numbers[0])).collect()
}

#[test]
fn accuracy_and_oracle_are_counted_on_the_reference_runs_cases() {
    // The other run is right on case 1 and wrong on case 2, with both cases consistent.
    let other =
        system("other", vec![answer(0, 0, [0, 0]), answer(1, 1, [1, 1]), answer(2, 0, [1, 1]), answer(3, 0, [1, 0])]);
    let report = report(&[reference(), other]);
    let accuracy = |begin: &[&str]| values(&report, "accuracy", begin, "accuracy");
    assert_eq!(accuracy(&["plain"]), [Some(0.5), Some(0.5), Some(0.5)]);
    assert_eq!(accuracy(&["other", "consistent"]), [Some(1.0)]);
    assert_eq!(accuracy(&["other", "inconsistent"]), [Some(0.5)]);
    assert_eq!(accuracy(&["closed-book (plain)", "all"]), [Some(0.75)]);
    assert_eq!(values(&report, "oracle", &["plain"], "gap"), [Some(0.25), Some(0.0), Some(0.5)]);
    assert_eq!(values(&report, "comparisons", &["other, mass", "all"], "gained"), [Some(1.0)]);
    assert_eq!(values(&report, "comparisons", &["other, mass", "all"], "lost"), [Some(0.0)]);
    let p = values(&report, "comparisons", &[], "p");
    let holm = values(&report, "comparisons", &[], "Holm");
    assert_eq!(p.len(), 6, "closed-book and the other run, on three sets of cases");
    assert!(p.iter().zip(&holm).all(|(p, holm)| holm >= p));
}

#[test]
fn disagreement_ranks_flips_and_confusion() {
    let report = report(&[reference()]);
    assert_eq!(values(&report, "disagreement", &["plain"], "inconsistent"), [Some(0.5)]);
    assert_eq!(values(&report, "disagreement", &["plain"], "entropy"), [Some(0.5)], "1 bit on half of the cases");
    assert_eq!(values(&report, "disagreement", &["plain"], "disagreement"), [Some(0.5)]);
    assert_eq!(values(&report, "disagreement", &["plain"], "cons. but wrong"), [Some(0.5)]);
    assert_eq!(values(&report, "ranks", &["plain", "2 image"], "right"), [Some(0.5)]);
    assert_eq!(values(&report, "ranks", &["plain", "2 image"], "rescued"), [Some(0.5)], "case 2 of cases 1 and 2");
    assert_eq!(values(&report, "ranks", &["plain", "2 image"], "ruined"), [Some(0.5)], "case 3 of cases 0 and 3");
    assert_eq!(values(&report, "flips", &["plain"], "differ"), [Some(0.5)]);
    assert_eq!(values(&report, "confusion", &["Yes", "No"], "n"), [Some(1.0)]);
    assert_eq!(values(&report, "slices", &["label", "Yes"], "oracle"), [Some(0.5)]);
    assert_eq!(values(&report, "slices", &["source", "source-1"], "fused"), [Some(0.5)]);
}

#[test]
fn retrieval_figures_count_documents_with_the_label_of_the_case() {
    let of = |report: &Report, k: &str, column: &str| values(report, "retrieval", &["plain", "all heads", k], column);
    let report = report(&[reference()]);
    // Both documents are found for each case: the first one says No, the second one Yes.
    assert_eq!((of(&report, "1", "n"), of(&report, "1", "recall")), (vec![Some(4.0)], vec![Some(0.5)]));
    assert_eq!((of(&report, "2", "recall"), of(&report, "2", "MRR")), (vec![Some(1.0)], vec![Some(0.75)]));
    assert_eq!((of(&report, "2", "precision"), of(&report, "2", "success")), (vec![Some(0.5)], vec![Some(1.0)]));
    let ndcg = of(&report, "2", "nDCG")[0].unwrap();
    assert!((ndcg - f64::midpoint(1.0, 1.0 / 3.0_f64.log2())).abs() < 1e-12, "{ndcg}");
    assert!(values(&report, "retrieval", &["plain", "image"], "n").is_empty(), "one head is all heads");
    // A document of the case's own patient is never shown, so that no relevant one is left for case 0.
    let mut own = dataset(4);
    own.cases[0].group = Some("patient".into());
    let mut documents = own.corpus.to_documents();
    documents[0].group = Some("patient".into());
    own.corpus = Corpus::of(&documents);
    let report = Report::of(&own, "test", &[reference()], None, SAMPLING, &["retrieval"]).unwrap();
    assert_eq!((of(&report, "1", "n"), of(&report, "1", "recall")), (vec![Some(3.0)], vec![Some(1.0 / 3.0)]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("qrels");
    std::fs::write(&path, "case-0 0 document-1 2\ncase-0 0 document-0 1\ncase-1 0 document-1 0\n").unwrap();
    let qrels = Qrels::read(&path, &own).unwrap();
    let systems = [reference()];
    let report = Report::with_qrels(&own, "test", &systems, None, Some(&qrels), SAMPLING, &["retrieval"]).unwrap();
    assert_eq!((of(&report, "2", "n"), of(&report, "2", "recall")), (vec![Some(2.0)], vec![Some(0.5)]));
    let (found, best) = (1.0 + 2.0 / 3.0_f64.log2(), 2.0 + 1.0 / 3.0_f64.log2());
    assert!((of(&report, "2", "nDCG")[0].unwrap() - found / best / 2.0).abs() < 1e-12);
    assert!(report.tables[0].note.contains("qrels"), "{}", report.tables[0].note);
}

#[test]
fn named_errors_explain_parts_of_the_gap() {
    let report = report(&[reference()]);
    let of = |begin: &[&str], column: &str| values(&report, "categories", begin, column);
    // Only case 2 is in the gap: no prediction has case 1 right.
    assert_eq!(of(&["all", "look-alike"], "n"), [Some(2.0)]);
    assert_eq!(of(&["all", "look-alike"], "fused wrong"), [Some(1.0)]);
    assert_eq!(of(&["all", "look-alike"], "in the gap"), [Some(0.5)]);
    assert_eq!(of(&["all"], "of the gap"), [Some(1.0), Some(1.0), Some(0.0), Some(0.0)]);
    assert_eq!(of(&["all", "(annotators differ)"], "fused wrong"), [Some(0.0)]);
    assert_eq!(of(&["all", "(no category)"], "n"), [Some(1.0)]);
    assert_eq!(of(&["consistent", "look-alike"], "of the gap"), [None], "no case is in the gap");
    assert_eq!(of(&["label No", "wrong site"], "of the gap"), [Some(1.0)]);
    assert_eq!(of(&["all", "unused"], "n"), []);
    let bare = Report::of(&dataset(4), "test", &[reference()], None, SAMPLING, &table_keys()).unwrap();
    assert!(bare.tables.iter().all(|table| table.key != "categories"));
}

#[test]
fn an_ablation_stands_in_the_table_of_evidence_alone() {
    let ablation = Ablation { caption: CaptionShown::Swapped, ..Ablation::default() };
    let cases = vec![answer(0, 0, [1, 0]), answer(1, 1, [1, 0]), answer(2, 0, [1, 0]), answer(3, 0, [1, 1])];
    let swapped = System { ablation, ..system("swapped", cases) };
    let report = report(&[reference(), swapped]);
    assert_eq!(values(&report, "accuracy", &["swapped"], "accuracy"), []);
    let evidence = |name: &str, column: &str| values(&report, "evidence", &["plain", name], column);
    // Document 0 says benign (No), document 1 malignant (Yes).
    assert_eq!(evidence("as retrieved", "follows caption"), [Some(0.25)]);
    // Swapped captions say the reverse; only the last prediction of case 3 does not follow.
    assert_eq!(evidence("swapped-captions", "follows caption"), [Some(0.875)]);
    assert_eq!(evidence("swapped-captions", "changed"), [Some(0.375)]);
    // Cases 0, 1 and 2 are right closed-book.
    assert_eq!(evidence("as retrieved", "right to wrong"), [Some(0.5)]);
    assert_eq!(evidence("as retrieved", "wrong to right"), [Some(0.5)]);
    assert_eq!(evidence("as retrieved", "changed"), [None]);
}

#[test]
fn models_in_the_place_of_documents_were_not_retrieved() {
    let models = System { models: vec!["a".into(), "b".into()], ..reference() };
    let report = report(&[models]);
    assert!(report.tables.iter().all(|table| table.key != "retrieval" && table.key != "evidence"));
    assert!(
        report.remarks.iter().any(|remark| remark.contains("its candidates are the models a, b")),
        "{:?}",
        report.remarks
    );
    assert_eq!(values(&report, "oracle", &["plain"], "gap"), [Some(0.25), Some(0.0), Some(0.5)]);
}

#[test]
fn a_run_without_documents_has_figures_of_its_own() {
    let alone = |case: usize, label: usize| {
        let answer = answer(case, label, [0, 0]);
        let words = Prediction { scores: None, text: Some("words".into()), ..answer.closed_book.clone().unwrap() };
        CaseAnswer { hits: Vec::new(), predictions: Vec::new(), closed_book: Some(words), ..answer }
    };
    let words = system("words", (0..4).map(|case| alone(case, case % 2)).collect());
    let report = report(&[reference(), words]);
    assert_eq!(values(&report, "accuracy", &["closed-book (words)", "all"], "accuracy"), [Some(1.0)]);
    assert_eq!(values(&report, "accuracy", &["closed-book (words)", "all"], "AUC"), [None]);
    assert_eq!(values(&report, "comparisons", &["words, mass", "all"], "gained"), [Some(2.0)]);
    assert!(report.remarks.iter().any(|remark| remark.contains("words: 4 of 4 answers have no probabilities")));
}

#[test]
fn learned_weights_come_from_validation_cases_alone() {
    let without = report(&[reference()]);
    let fusers = |report: &Report, name: &str| values(report, "fusers", &["plain", name], "all");
    assert_eq!(fusers(&without, "learned weights"), []);
    let note = &without.tables.iter().find(|table| table.key == "fusers").unwrap().note;
    assert!(note.contains("--split validation"), "{note}");
    assert_eq!(fusers(&without, "top-1"), [Some(0.5)]);
    assert_eq!(fusers(&without, "majority"), [Some(0.5)]);
    // A reranker that picks the second document only where it is right.
    let chosen = (0..4).map(|case| (case, format!("document-{}", usize::from(case == 2)))).collect();
    let reranked = System { rerankers: vec![("reranker".into(), chosen)], ..reference() };
    assert_eq!(
        fusers(&Report::of(&dataset(4), "test", &[reranked], None, SAMPLING, &["fusers"]).unwrap(), "reranker"),
        [Some(0.75)]
    );
    // On 24 validation cases the second document is always right.
    let dataset = dataset(28);
    let validation = (4..28).map(|case| answer(case, 0, [1 - case % 2, case % 2])).collect();
    let systems = [System { validation, ..reference() }];
    let report = Report::of(&dataset, "test", &systems, None, SAMPLING, &["fusers"]).unwrap();
    assert_eq!(fusers(&report, "learned weights"), [Some(0.5)], "case 0 and now case 2, not case 3");
    let note = &report.tables[0].note;
    assert!(note.contains("24 validation cases"), "{note}");
}

#[test]
fn every_form_has_every_number() {
    let report = report(&[reference()]);
    let text = text(&report, 80);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("split test") && text.matches("follows caption").count() == 1, "{text}");
    let markdown = markdown(&report);
    assert!(markdown.contains("| plain | all | 4 | .500 |"), "{markdown}");
    let page = html(&report).unwrap();
    // Plots of accuracy, oracle, one system's ranks, reliability and flow.
    assert_eq!((page.matches("<svg").count(), page.matches("<table").count()), (5, report.tables.len()));
    // Each chart stands in the section of its table, below its caption.
    for section in page.split("<section>").skip(1).filter(|section| section.contains("<svg")) {
        let place = |what: &str| section.find(what).unwrap();
        assert!(place("<h2>") < place("<figcaption>") && place("<figcaption>") < place("<svg"), "{section}");
        assert!(place("<svg") < place("<table"), "{section}");
    }
    assert!(!page.contains("http://") || page.matches("http://").count() == page.matches("http://www.w3.org/").count());
    let csv = csv(&report, Formulas::Escaped).unwrap();
    let line =
        csv.lines().find(|line| line.starts_with("oracle,") && line.contains("inconsistent") && line.contains(",gap,"));
    let line = line.unwrap();
    assert!(line.contains(",test,\"plain, inconsistent\",gap,0.5,") && line.contains(",2,\"fewer than 5"), "{line}");
}
