//! JSON files about images: COCO captions and conversations; and the real cuts, where they are.

use crate::support::{left_out, opened, put, put_image, shared_data};
use dissent_core::data::import::{FolderOptions, ImportOptions, Imported, import_folder};
use dissent_core::data::{Dataset, OnlyPart};
use std::path::{Path, PathBuf};

fn import(source: &Path, images: Option<PathBuf>) -> anyhow::Result<(Imported, Dataset, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let target = folder.path().join("out");
    let choices = FolderOptions { images, ..FolderOptions::default() };
    let imported = import_folder(source, &target, &choices, &ImportOptions::default(), &|_, _| {})?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset, folder))
}

#[test]
fn all_captions_of_an_image_are_one_document() {
    let folder = tempfile::tempdir().unwrap();
    put_image(folder.path(), "a.jpg");
    put_image(folder.path(), "b.jpg");
    let text = r#"{"info": {}, "licenses": [{"id": 1, "name": "CC BY 4.0"}],
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}, {"id": 3, "file_name": "c.jpg"},
                   {"id": 4, "file_name": "https://example.org/d.jpg"}],
        "annotations": [{"id": 1, "image_id": 1, "caption": "one"}, {"id": 2, "image_id": 1, "caption": "two."},
                        {"id": 3, "image_id": 1, "caption": "one"}, {"id": 4, "image_id": 3, "caption": "lost"},
                        {"id": 5, "image_id": 9, "caption": "nobody's"}, {"id": 6, "image_id": 4, "caption": "far"}]}"#;
    put(folder.path(), "captions.json", text);
    let (imported, dataset, _out) = import(&folder.path().join("captions.json"), None).unwrap();
    assert_eq!((dataset.only, dataset.licence.as_deref()), (Some(OnlyPart::Corpus), Some("CC BY 4.0")));
    let found: Vec<_> = dataset.corpus.iter().map(|one| (one.id, one.caption)).collect();
    assert_eq!(found, [("1", "one. two.")]);
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: no caption of the image (image 1)",
            "1 left out: no image file (captions.json:2 has \"c.jpg\")",
            "1 left out: the image is a URL, and no link is followed (captions.json:3 has \"https://example.org/d.jpg\")",
            "1 left out: captions of an image that is not listed (image_id 9)",
        ]
    );
    let boxes = r#"{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"id": 1, "image_id": 1, "bbox": [0, 0, 1, 1]}]}"#;
    put(folder.path(), "boxes.json", boxes);
    let error = import(&folder.path().join("boxes.json"), None).unwrap_err().to_string();
    assert!(error.contains("expected captions; these annotations have none"), "{error}");
}

#[test]
fn conversations_of_one_turn_are_cases() {
    let folder = tempfile::tempdir().unwrap();
    put_image(folder.path(), "12345678_F1.jpg");
    put_image(folder.path(), "b.jpg");
    let text = r#"[
        {"id": "1", "image": "12345678_F1.jpg", "conversations": [{"from": "human", "value": "<image>\nIs it CT?"}, {"from": "gpt", "value": "Yes"}]},
        {"id": "2", "image": "12345678_F1.jpg", "conversatons": [{"from": "human", "value": "Where?\n<image>"}, {"from": "gpt", "value": "the lung"}]},
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "<image>Is it MRI?"}, {"role": "assistant", "content": "no"}], "images": ["b.jpg"]},
        {"id": "4", "image": "b.jpg", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}, {"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]},
        {"id": "5", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"id": "6", "image": ["a.jpg", "b.jpg"], "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"id": "7", "image": "b.jpg", "conversations": [{"from": "gpt", "value": "a"}, {"from": "human", "value": "b"}]}]"#;
    put(folder.path(), "instruct.json", text);
    let (imported, dataset, _out) = import(&folder.path().join("instruct.json"), None).unwrap();
    let found: Vec<_> = dataset
        .cases
        .iter()
        .map(|case| {
            let question = case.question.as_deref().unwrap();
            (case.id.as_str(), case.task.as_str(), question, case.answer.as_str(), case.group.as_deref().unwrap())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("1", "vqa", "Is it CT?", "yes", "12345678"),
            ("2", "vqa-open", "Where?", "the lung", "12345678"),
            ("row-3", "vqa", "Is it MRI?", "no", "b.jpg"),
        ]
    );
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: several turns (instruct.json:5)",
            "1 left out: no image (instruct.json:6)",
            "1 left out: several images (instruct.json:7)",
            "1 left out: turns of other speakers than human and gpt, or user and assistant (instruct.json:8)",
        ]
    );
    put(folder.path(), "rows.json", r#"[{"image": "b.jpg", "text": "t"}]"#);
    let error = import(&folder.path().join("rows.json"), None).unwrap_err().to_string();
    assert!(error.contains("found the keys image, text; `dissent import table`"), "{error}");
}

#[test]
fn real_image_folders_and_shards_come_in() {
    let Some(folder) = shared_data("formats/hf-synthetic") else { return };
    let count = |name: &str| {
        let (imported, dataset, _out) = import(&folder.join(name), None).unwrap();
        assert!(imported.left_out.is_empty(), "{name}: {:?}", imported.left_out);
        (dataset.cases.len(), dataset.corpus.len())
    };
    assert_eq!(count("imagefolder-classes"), (14, 10));
    assert_eq!(count("imagefolder-csv"), (0, 8));
    assert_eq!(count("imagefolder-jsonl").0, 4);
}

#[test]
fn real_captions_and_conversations_come_in() {
    let (Some(folder), Some(slake)) = (shared_data("formats/harness-synthetic"), shared_data("formats/slake")) else {
        return;
    };
    let images = Some(slake.join("Slake1.0/imgs"));
    let (_, dataset, _out) = import(&folder.join("coco-captions/captions_val.json"), images.clone()).unwrap();
    assert!(!dataset.corpus.is_empty());
    assert_eq!(dataset.corpus.document(0).caption, "synthetic caption one. synthetic caption two.");
    for (name, cases, several_turns) in
        [("llava-med/instruct.json", 5, 1), ("llava-med/llamafactory_sharegpt.json", 4, 0)]
    {
        let (imported, dataset, _out) = import(&folder.join(name), images.clone()).unwrap();
        let left_out: usize = imported.left_out.iter().map(|rows| rows.count).sum();
        assert_eq!((dataset.cases.len(), left_out), (cases, several_turns), "{name}");
    }
}
