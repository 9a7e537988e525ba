//! The cuts of harness files beside the checkout, against SLAKE's own cut.

use super::{options, said};
use crate::support::shared_data;
use dissent_core::data::Dataset;
use dissent_core::data::import::{ImportOptions, SlakeLanguage, SlakeOptions, import_slake};
use dissent_core::predictions::{PredictionOptions, import_predictions};

/// SLAKE's English questions as a dataset.
fn slake() -> Option<(tempfile::TempDir, Dataset)> {
    let source = shared_data("formats/slake/Slake1.0")?;
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("slake");
    let choices = SlakeOptions { language: SlakeLanguage::En, drop_shared_images: false };
    import_slake(&source, &target, choices, &ImportOptions::default(), &|_, _| {}).unwrap();
    let dataset = Dataset::open(&target).unwrap();
    Some((folder, dataset))
}

#[test]
fn all_harnesses_give_the_same_answers_to_slake() {
    let Some(harness) = shared_data("formats/harness-synthetic") else { return };
    let Some((_folder, dataset)) = slake() else { return };
    let kit = "vlmevalkit/outputs/DemoVLM/T20260101-120000/DemoVLM_SLAKE_EN_CUT";
    let data = Some(harness.join("vlmevalkit/LMUData/SLAKE_EN_CUT.tsv"));
    let questions = Some(harness.join("llava-med/question.jsonl"));
    let files = [
        ("lmms", "lmms-eval/demo__DemoVLM/20260101_120000_samples_slake_en.jsonl".to_owned(), None),
        ("xlsx", format!("{kit}.xlsx"), data.clone()),
        ("judged", format!("{kit}_judge.xlsx"), data.clone()),
        ("tsv", format!("{kit}.tsv"), data.clone()),
        ("json", format!("{kit}.json"), data),
        ("llava", "llava-med/answer.jsonl".to_owned(), None),
        ("llava-questions", "llava-med/answer.jsonl".to_owned(), questions),
        ("helm", "helm/runs/my-suite/vqa_rad:model=demo_DemoVLM".to_owned(), None),
    ];
    let mut first = None;
    for (name, file, questions) in files {
        let file_of_kit = file.starts_with("vlmevalkit");
        let options = PredictionOptions { questions, ..options(name) };
        let imported = import_predictions(&dataset, &[harness.join(file)], &options, None);
        let imported = imported.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let run = dissent_core::run::Run::open(&imported.runs[0].folder).unwrap();
        let mut answers: Vec<_> = run
            .into_answers(&dataset)
            .unwrap()
            .into_iter()
            .map(|answer| (answer.case, answer.closed_book.unwrap().answer))
            .collect();
        assert_eq!(imported.joined, imported.answers, "{name}: {}", said(&imported));
        // In VLMEvalKit's cut the call of the sixth question failed.
        let has_failed = said(&imported).contains("say that the other program's call failed");
        assert_eq!(has_failed, file_of_kit, "{name}: {}", said(&imported));
        let sixth = answers.remove(5);
        assert_eq!(sixth.1.is_none(), has_failed, "{name}");
        let expected = first.get_or_insert_with(|| answers.clone());
        assert_eq!(&answers, expected, "{name}");
    }
}
