//! The documented JSONL.

use super::{Small, options, said};
use dissent_core::data::{Answer, Corpus, Existing, LabelSet};
use dissent_core::predictions::{PredictionOptions, export_predictions};
use dissent_core::run::{Head, Prediction};

const LINES: &str = r#"{"case": "c1", "model": "m", "document": "d1", "heads": [{"head": "image", "rank": 1, "score": 0.75}], "label_log_probabilities": {"Yes": -0.1, "No": {"at_most": -6.9}}}
{"case": "c1", "model": "m", "document": "d2", "head": "colpali", "rank": 2, "label_probabilities": [0.75, 0.25], "labels": ["Yes", "No"]}
{"case": "c1", "model": "m", "label_log_probabilities": [-2.5, -Infinity]}
{"case": "c1", "model": "m", "fused": true, "text": "Yes, I think"}
{"case": "c2", "model": "m", "document": "d2", "text": "unclear"}
{"case": "c2", "model": "m", "document": "d1", "text": "It is there", "prediction": "Yes"}
{"case": "w1", "model": "m", "text": "A cyst."}
{"case": "f1", "model": "m", "document": "d1", "label_log_odds": {"nodule": {"at_most": -4.5}, "edema": 1.25}}
{"case": "f1", "model": "m", "predicted_set": [], "text": "nothing"}
"#;

#[test]
fn lines_become_hits_and_predictions() {
    let small = Small::new();
    let file = small.file("run.jsonl", LINES);
    let imported = small.import(&file, &options("mine")).unwrap();
    assert_eq!((imported.answers, imported.joined, imported.runs.len()), (9, 9, 1));
    let run = &imported.runs[0];
    assert_eq!((run.name.as_str(), run.cases, run.predictions, run.without_scores), ("mine", 4, 8, 4));
    let answers = small.answers("mine");
    let first = &answers[0];
    let heads: Vec<(String, usize, Option<f32>)> =
        first.hits.iter().map(|hit| (hit.first().head.to_string(), hit.first().rank, hit.first().score)).collect();
    assert_eq!(heads, [("image".into(), 1, Some(0.75)), ("colpali".into(), 2, None)]);
    let scores = first.predictions[0].scores.as_ref().unwrap();
    assert_eq!(scores.log_probabilities(), [-6.9, -0.1]);
    assert!(scores.is_bound(0) && !scores.is_bound(1));
    let probabilities = first.predictions[1].scores.as_ref().unwrap().probabilities();
    assert!((probabilities[1] - 0.75).abs() < 1e-6, "{probabilities:?}");
    let closed_book = first.closed_book.as_ref().unwrap();
    assert_eq!((closed_book.label(), closed_book.probability()), (Some(0), Some(1.0)), "the other label is masked");
    assert_eq!(first.recorded_fusion.as_ref().unwrap().label(), Some(1));
    // Without a head, documents stand in the order of their lines.
    let second = &answers[1];
    assert_eq!(second.hits[1].first().head, "external".parse::<Head>().unwrap());
    assert_eq!((second.hits[1].document.as_str(), second.hits[1].first().rank), ("d1", 2));
    assert_eq!(second.predictions.iter().map(Prediction::label).collect::<Vec<_>>(), [None, Some(1)]);
    assert_eq!(second.predictions[1].text.as_deref(), Some("It is there"));
    assert_eq!(answers[2].closed_book.as_ref().unwrap().answer, Answer::from_words("cyst"));
    let set = &answers[3].predictions[0];
    assert_eq!(set.answer, Some(Answer::Set(LabelSet::of([0]))));
    assert!(set.odds.as_ref().unwrap().is_bound(1));
    assert_eq!(answers[3].closed_book.as_ref().unwrap().answer, Some(Answer::Set(LabelSet::default())));
    assert!(said(&imported).contains("1 of 3 texts name no label"), "{}", said(&imported));
    assert!(said(&imported).contains("name a label among other words"), "{}", said(&imported));
}

#[test]
fn an_exported_run_comes_back_as_it_was() {
    let small = Small::new();
    let file = small.file("run.jsonl", LINES);
    small.import(&file, &options("first")).unwrap();
    let (run, answers) = (small.run("first"), small.answers("first"));
    let mut text = Vec::new();
    assert_eq!(export_predictions(&small.dataset, &run.identity, &answers, &mut text).unwrap(), 9);
    let again = small.file("again.jsonl", &text);
    let imported = small.import(&again, &options("second")).unwrap();
    assert_eq!((imported.joined, said(&imported).contains("not read")), (9, false));
    assert_eq!(small.answers("second"), answers);
    assert_eq!(small.run("second").identity.reader_name, "m");
    assert_eq!(small.run("second").identity.k_image, 1);
    let line = String::from_utf8(text).unwrap().lines().next().unwrap().to_owned();
    assert!(
        line.contains(r#""label_log_probabilities":{"No":{"at_most":-6.9},"Yes":-0.1},"prediction":"Yes""#),
        "{line}"
    );
}

#[test]
fn an_ablation_stays_with_its_run() {
    let small = Small::new();
    let line = r#"{"case": "c1", "document": "d1", "prediction": "Yes", "ablation": "no-caption"}"#;
    let file = small.file("ablated.jsonl", line);
    small.import(&file, &options("ablated")).unwrap();
    assert_eq!(small.run("ablated").identity.ablation, "no-caption");
    let (run, answers) = (small.run("ablated"), small.answers("ablated"));
    let mut text = Vec::new();
    export_predictions(&small.dataset, &run.identity, &answers, &mut text).unwrap();
    assert!(String::from_utf8(text).unwrap().contains(r#""ablation":"no-caption""#));
}

#[test]
fn counted_answers_come_back_as_they_were() {
    let small = Small::new();
    let lines = concat!(
        r#"{"case": "c1", "document": "d1", "label_counts": {"Yes": 3, "No": 1}, "no_label": 1}"#,
        "\n",
        r#"{"case": "c2", "label_counts": [0, 0], "no_label": 5, "text": "perhaps"}"#,
        "\n"
    );
    small.import(&small.file("counted.jsonl", lines), &options("counted")).unwrap();
    let answers = small.answers("counted");
    let counted = &answers[0].predictions[0];
    assert_eq!((counted.label(), counted.samples.as_ref().unwrap().size()), (Some(1), 5.0));
    let unnamed = answers[1].closed_book.as_ref().unwrap();
    assert_eq!((unnamed.answer, unnamed.text.as_deref()), (None, Some("perhaps")));
    let mut text = Vec::new();
    export_predictions(&small.dataset, &small.run("counted").identity, &answers, &mut text).unwrap();
    small.import(&small.file("again.jsonl", &text), &options("again")).unwrap();
    assert_eq!(small.answers("again"), answers);
}

const TWO_MODELS: &str = r#"{"case": "c1", "model": "org/a", "text": "Yes"}
{"case": "c1", "model": "b", "text": "No"}
{"case": "c2", "model": "org/a", "text": "No"}
{"case": "c2", "model": "b", "label_log_probabilities": {"Yes": -3.0, "No": -0.5}}
{"case": "w1", "model": "b", "text": "a cyst"}
"#;

#[test]
fn every_model_is_a_run_of_its_own() {
    let small = Small::new();
    let file = small.file("two.jsonl", TWO_MODELS);
    let imported = small.import(&file, &options("x")).unwrap();
    let names: Vec<&str> = imported.runs.iter().map(|run| run.name.as_str()).collect();
    assert_eq!(names, ["x-org-a", "x-b"]);
    let (a, b) = (small.run("x-org-a").identity, small.run("x-b").identity);
    assert_eq!((a.reader_name.as_str(), a.k_image, a.encoder_name.as_deref()), ("org/a", 0, None));
    assert_ne!(a.fingerprints.reader, b.fingerprints.reader);
    assert!(small.answers("x-b").iter().all(|answer| answer.hits.is_empty() && answer.closed_book.is_some()));
    assert!(said(&imported).contains("org/a has answered 2 of the 4 cases of the split test"), "{}", said(&imported));
    assert!(small.import(&file, &options("x")).unwrap_err().contains("there is a run x-org-a already"));
    let replacing = PredictionOptions { existing: Existing::Replace, ..options("x") };
    assert_eq!(small.import(&file, &replacing).unwrap().runs.len(), 2);
}

#[test]
fn models_can_stand_as_candidates() {
    let small = Small::new();
    let file = small.file("two.jsonl", TWO_MODELS);
    let as_candidates = PredictionOptions { as_candidates: true, ..options("both") };
    let imported = small.import(&file, &as_candidates).unwrap();
    assert_eq!(imported.runs[0].models, ["org/a", "b"]);
    assert!(said(&imported).contains("1 of 3 cases are left out of the run"), "{}", said(&imported));
    assert_eq!(imported.runs[0].cases, 2);
    let run = small.run("both");
    assert_eq!(run.identity.candidates, ["org/a", "b"]);
    assert_eq!((run.identity.encoder_name.as_deref(), run.identity.k_image), (None, 0), "nothing was retrieved");
    assert!(run.identity.changed_since(&small.dataset).is_empty());
    let mut dataset = small.dataset.clone();
    let before = dataset.corpus_fingerprint();
    dataset.add_models(&run.identity.candidates);
    dataset.add_models(&run.identity.candidates);
    assert_eq!((dataset.document_rows(), dataset.model_rows()), (0..2, 2..4));
    assert_eq!(dataset.corpus_fingerprint(), before, "models are no documents");
    assert!(!dataset.may_retrieve(&dataset.cases[0], 2));
    let answers = small.answers("both");
    let first = &answers[0];
    let names: Vec<&str> = first.hits.iter().map(|hit| hit.document.as_str()).collect();
    assert_eq!((names, first.hits[1].row, first.closed_book.is_none()), (vec!["org/a", "b"], 3, true));
    assert_eq!(first.hits[0].first().head.to_string(), "model");
    // Written and read again, the same.
    let mut text = Vec::new();
    export_predictions(&dataset, &run.identity, &answers, &mut text).unwrap();
    let again = small.file("again.jsonl", &text);
    let as_candidates = PredictionOptions { run: "again".into(), ..as_candidates };
    small.import(&again, &as_candidates).unwrap();
    assert_eq!(small.answers("again"), answers);
    // A document of the name of a model is another thing.
    assert!(run.into_answers(&small.dataset).is_err(), "without rows for the models");
}

#[test]
fn a_dry_run_writes_nothing() {
    let small = Small::new();
    let file = small.file("run.jsonl", LINES);
    let dry = PredictionOptions { dry_run: true, ..options("mine") };
    assert_eq!(small.import(&file, &dry).unwrap().joined, 9);
    assert!(!small.has_run("mine"));
}

#[test]
fn a_document_that_the_case_may_not_see_is_left_out_and_counted() {
    let mut small = Small::new();
    small.dataset.cases[0].group = Some("patient 7".into());
    let mut documents = small.dataset.corpus.to_documents();
    documents[0].group = Some("patient 7".into());
    small.dataset.corpus = Corpus::of(&documents);
    let lines = "{\"case\": \"c1\", \"document\": \"d1\", \"text\": \"Yes\"}\n{\"case\": \"c1\", \"document\": \"d2\", \"text\": \"No\"}\n";
    let imported = small.import(&small.file("run.jsonl", lines), &options("mine")).unwrap();
    assert_eq!((imported.answers, imported.joined), (2, 1));
    let left_out = said(&imported);
    assert!(left_out.contains("1 left out: answers with a document that the case may not see"), "{left_out}");
    assert_eq!(small.answers("mine")[0].hits[0].document, "d2");
}

#[test]
fn a_fused_answer_that_a_run_cannot_keep_is_refused_or_said() {
    let small = Small::new();
    let set = small.error("{\"case\": \"f1\", \"fused\": true, \"predicted_set\": [\"edema\"]}\n");
    assert!(set.contains("field fused: expected a fused answer of one label"), "{set}");
    let lines = "{\"case\": \"c1\", \"document\": \"d2\", \"text\": \"No\"}\n{\"case\": \"c1\", \"fused\": true, \"label_probabilities\": [0.2, 0.8]}\n";
    let imported = small.import(&small.file("run.jsonl", lines), &options("mine")).unwrap();
    assert!(said(&imported).contains("1 fused answers are kept without their probabilities"), "{}", said(&imported));
}

#[test]
fn candidates_keep_the_ablation_and_take_no_fused_answer() {
    let small = Small::new();
    let candidates = |run: &str| PredictionOptions { as_candidates: true, ..options(run) };
    let line = |model: &str, more: &str| {
        format!("{{\"case\": \"c1\", \"model\": \"{model}\", \"text\": \"Yes\", \"ablation\": \"no-image\"{more}}}\n")
    };
    let file = small.file("run.jsonl", line("a", "") + &line("b", ""));
    small.import(&file, &candidates("both")).unwrap();
    assert_eq!(small.run("both").identity.ablation, "no-image");
    let file = small.file("fused.jsonl", line("a", "") + &line("b", "") + &line("b", ", \"fused\": true"));
    let message = small.import(&file, &candidates("more")).unwrap_err();
    assert!(message.contains("field fused: expected none, as models stand"), "{message}");
}

#[test]
fn imported_samples_are_another_kind_of_answer() {
    let small = Small::new();
    let lines = "{\"case\": \"c1\", \"label_counts\": {\"Yes\": 3, \"No\": 1}, \"no_label\": 1}\n";
    small.import(&small.file("run.jsonl", lines), &options("sampled")).unwrap();
    small.import(&small.file("exact.jsonl", "{\"case\": \"c1\", \"text\": \"Yes\"}\n"), &options("exact")).unwrap();
    assert!(small.run("sampled").identity.is_sampled() && !small.run("exact").identity.is_sampled());
}

#[test]
fn ranks_that_contradict_the_order_of_the_lines_are_said() {
    let small = Small::new();
    let lines = |ranks: [usize; 2]| {
        format!(
            "{{\"case\": \"c1\", \"document\": \"d2\", \"head\": \"bm25\", \"rank\": {}, \"text\": \"No\"}}\n\
             {{\"case\": \"c1\", \"document\": \"d1\", \"head\": \"bm25\", \"rank\": {}, \"text\": \"Yes\"}}\n",
            ranks[0], ranks[1]
        )
    };
    for (name, ranks, is_said) in [("good", [1, 2], false), ("turned", [2, 1], true), ("twice", [1, 1], true)] {
        let imported = small.import(&small.file(&format!("{name}.jsonl"), lines(ranks)), &options(name)).unwrap();
        assert_eq!(said(&imported).contains("in 1 cases the ranks of a head"), is_said, "{name}: {}", said(&imported));
    }
}
