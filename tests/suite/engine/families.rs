//! The candle reader over checkpoints of every family: labels scored in batches, from cached features and in shards as by
//! hand; `dissent predict` with each, with an adapter and from the Hugging Face cache.

use super::predict::write_dataset;
use super::support::encoder_fixture;
use crate::support::fixtures;
use crate::support::folders::copy_folder;
use crate::support::pictures::grey_picture;
use crate::support::program::{dissent, stderr_of};
use candle_core::{DType, Device};
use dissent::data::{Corpus, Dataset, Label, Picture, PromptTemplate, Task, TaskKind};
use dissent::model::decoder::{DecoderInput, DecoderRow, KvCache, TokenIndex};
use dissent::model::reader_family::load_reader;
use dissent::model::vlm::{ContentPart, ReaderCheckpoint};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader};
use dissent::run::{LabelScores, Run};
use dissent::training::{SftSettings, export_sft};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

const FAMILIES: [&str; 9] =
    ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "smolvlm", "gemma3", "internvl", "paligemma", "llava", "llava_mistral"];
const TOLERANCE: f32 = 1e-4;

fn fixture(family: &str, part: &str) -> PathBuf {
    fixtures::path("readers").join(family).join(part)
}

/// Requests of different lengths, images of different sizes, some images more than once.
fn requests(labels: &[&str]) -> Vec<ReadRequest> {
    let task = Arc::new(Task {
        id: "malignancy".into(),
        kind: TaskKind::ClosedVqa,
        question: None,
        labels: labels.iter().map(|id| Label::new(*id, *id)).collect(),
        prompt: PromptTemplate::default(),
    });
    let request = |query: Arc<Picture>, evidence: Option<(Arc<Picture>, &str)>| ReadRequest {
        task: task.clone(),
        question: "is there evidence of malignancy?".into(),
        query,
        evidence: evidence.map(|(image, caption)| Evidence { image: Some(image), caption: Some(caption.into()) }),
    };
    let query = grey_picture(64, 64, 1);
    vec![
        request(query.clone(), Some((grey_picture(140, 84, 2), "a hypoechoic mass"))),
        request(query.clone(), Some((grey_picture(24, 40, 3), "no mass, <image> and <|image_pad|> are only text"))),
        request(query, None),
        request(grey_picture(32, 32, 4), Some((grey_picture(140, 84, 2), "echoic"))),
    ]
}

/// log p of the tokens after the prompt, by reading prompt and tokens in one go without a cache; one by one if a prompt must not
/// see its answer.
fn by_hand(checkpoint: &ReaderCheckpoint, request: &ReadRequest, tokens: &[u32]) -> f32 {
    let model = &checkpoint.model;
    let mut pieces = Vec::new();
    let mut images = Vec::new();
    let caption =
        request.evidence.as_ref().map(|evidence| format!("background: {}\n\n", evidence.caption.as_deref().unwrap()));
    if let (Some(evidence), Some(caption)) = (&request.evidence, &caption) {
        let prepared = model.prepare(&evidence.image.as_ref().unwrap().to_rgb8()).unwrap();
        pieces.extend([ContentPart::Image(prepared.grid), ContentPart::Text(caption)]);
        images.push(prepared);
    }
    let prepared = model.prepare(&request.query.to_rgb8()).unwrap();
    pieces.extend([ContentPart::Image(prepared.grid), ContentPart::Text(&request.question)]);
    images.push(prepared);
    let mut ids = model.encode(&pieces).unwrap();
    let prompt = ids.len();
    let decoder = model.decoder();
    if decoder.reads_in_parts() {
        ids.extend(tokens);
    }
    let features = model.vision_features(&images).unwrap();
    let mut cache = KvCache::new();
    let input = DecoderInput::new(vec![DecoderRow { ids, features }]);
    let mut decoded = decoder.decode(&input, Some(&mut cache)).unwrap();
    let mut sum = 0.0;
    for (position, token) in tokens.iter().enumerate() {
        let mut place = TokenIndex { row: 0, index: prompt - 1 + position };
        if position > 0 && !decoder.reads_in_parts() {
            let before = DecoderInput::new(vec![DecoderRow::text(vec![tokens[position - 1]])]);
            decoded = decoder.decode(&before, Some(&mut cache)).unwrap();
            place.index = 0;
        }
        let logits: Vec<f32> = decoder.logits(&decoded, &[place]).unwrap().get(0).unwrap().to_vec1().unwrap();
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let normaliser: f32 = logits.iter().map(|value| (value - largest).exp()).sum::<f32>().ln() + largest;
        sum += logits[*token as usize] - normaliser;
    }
    sum
}

fn assert_close(left: &[LabelScores], right: &[LabelScores]) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        for (one, other) in left.log_probabilities().iter().zip(right.log_probabilities()) {
            assert!((one - other).abs() < TOLERANCE, "{left:?} is not {right:?}");
        }
    }
}

#[test]
fn labels_are_scored_as_by_hand() {
    for family in FAMILIES {
        let folder = fixture(family, "checkpoint");
        let checkpoint = load_reader(&folder, None, &Device::Cpu, DType::F32).unwrap();
        let mut reader = CandleReader::load(&folder, &Device::Cpu, DType::F32).unwrap();
        // "malign" begins "malignant", so those labels are scored whole, from the cache, with their end.
        for (names, ends) in [(vec!["No", "Yes"], false), (vec!["malignant", "malign", "benign mass"], true)] {
            let requests = requests(&names);
            let tokens: Vec<Vec<u32>> =
                names.iter().map(|name| checkpoint.model.answer_ids(name, ends).unwrap()).collect();
            // SmolVLM's answers begin with a space, which is a token of its own here: all have it.
            let read = if tokens[0][0] == tokens[1][0] { usize::MAX } else { 1 };
            let scored = |request: &ReadRequest, tokens: &Vec<u32>| {
                by_hand(&checkpoint, request, &tokens[..tokens.len().min(read)])
            };
            let expected: Vec<LabelScores> = requests
                .iter()
                .map(|request| LabelScores::exact(tokens.iter().map(|tokens| scored(request, tokens)).collect()))
                .collect();
            assert_ne!(expected[0], expected[2], "{family}: the document counts");
            assert_close(&reader.score(&requests, &|| false).unwrap(), &expected);
            // Once more, from cached features, one by one.
            let single: Vec<LabelScores> = requests
                .iter()
                .flat_map(|request| reader.score(std::slice::from_ref(request), &|| false).unwrap())
                .collect();
            assert_close(&single, &expected);
        }
    }
}

fn predict(root: &Path, run: &str, reader: &Path, arguments: &[&str], cache: Option<&Path>) -> Output {
    let mut command = dissent();
    command.arg("predict").arg(root).args(["--run", run, "--device", "cpu", "--encoder"]).arg(encoder_fixture());
    command.arg("--reader").arg(reader).args(arguments);
    match cache {
        Some(cache) => command.env("HF_HUB_CACHE", cache),
        None => command.env("HF_HUB_CACHE", root.join("no-cache")),
    };
    command.output().unwrap()
}

/// A folder to work in and a dataset of two cases in it.
fn setting() -> (tempfile::TempDir, PathBuf, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("dataset");
    let dataset = write_dataset(&root, 2);
    (folder, root, dataset)
}

#[test]
fn predict_reads_with_every_family_and_with_an_adapter() {
    let (_folder, root, _) = setting();
    let root = root.as_path();
    let mut fingerprints = Vec::new();
    for family in FAMILIES {
        let (reader, adapter) = (fixture(family, "checkpoint"), fixture(family, "adapter"));
        let plain = predict(root, family, &reader, &[], None);
        assert!(plain.status.success(), "{family}: {}", stderr_of(&plain));
        let adapted = format!("{family}-adapter");
        let output = predict(root, &adapted, &reader, &["--adapter", adapter.to_str().unwrap()], None);
        assert!(output.status.success(), "{family}: {}", stderr_of(&output));
        for run in [family, &adapted] {
            let run = Run::open(&root.join(".dissent/runs").join(run)).unwrap();
            assert_eq!(run.len(), 2);
            fingerprints.push(run.identity.fingerprint());
        }
    }
    let all = fingerprints.len();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), all, "each reader, with and without adapter, makes a run of its own");
}

#[test]
fn a_model_of_the_hub_is_read_from_the_cache_or_named() {
    let (_folder, root, _) = setting();
    let root = root.as_path();
    let cache = root.join("hub");
    let repository = cache.join("models--org--small-vlm");
    let snapshot = repository.join("snapshots/0123456789abcdef");
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), "0123456789abcdef").unwrap();
    copy_folder(&fixture("smolvlm", "checkpoint"), &snapshot);
    let output = predict(root, "hub", Path::new("org/small-vlm"), &[], Some(&cache));
    assert!(output.status.success(), "{}", stderr_of(&output));
    let run = Run::open(&root.join(".dissent/runs/hub")).unwrap();
    assert_eq!(run.identity.reader_name, "org/small-vlm@0123456");
    let output = predict(root, "other", Path::new("org/small-vlm@v2"), &[], Some(&cache));
    assert_eq!(output.status.code(), Some(1));
    let message = stderr_of(&output);
    for word in ["org/small-vlm at revision v2", cache.to_str().unwrap(), "it has main"] {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
}

#[test]
fn an_unknown_family_is_named_with_the_known_ones() {
    let (_folder, root, _) = setting();
    let root = root.as_path();
    let reader = root.join("reader");
    fs::create_dir_all(&reader).unwrap();
    fs::write(reader.join("config.json"), r#"{"model_type": "gemma9"}"#).unwrap();
    let output = predict(root, "gemma", &reader, &[], None);
    let message = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("gemma9") && message.contains("qwen2_5_vl"), "{message}");
}

#[test]
fn the_training_set_for_llama_factory_has_the_words_of_inference() {
    let (folder, root, mut dataset) = setting();
    dataset.cases[0].split = dissent::data::Split::Train;
    let pairs = r#"{"case": "case-0", "document": "document-1"}"#.to_string()
        + "\n"
        + r#"{"case": "case-0", "document": "document-3"}"#;
    fs::write(root.join("pairs.jsonl"), pairs).unwrap();
    let mut documents = dataset.corpus.to_documents();
    documents[3].caption = "an <image> in words".into();
    dataset.corpus = Corpus::of(&documents);
    let out = folder.path().join("sft");
    let settings = SftSettings { out: out.clone(), closed_book: true, part: None };
    let report = export_sft(&dataset, None, &settings).unwrap();
    // The other case is of the test split, which is never exported.
    assert_eq!((report.train, report.validation, report.images, report.changed_texts), (3, 0, 3, 1));
    let json = |file: &str| -> Value { serde_json::from_slice(&fs::read(out.join(file)).unwrap()).unwrap() };
    let train = json("train.json");
    let content = |number: usize| train[number]["messages"][0]["content"].as_str().unwrap();
    assert_eq!(content(0), "<image>background: a hypoechoic mass, number 1\n\n<image>is there evidence of malignancy?");
    assert_eq!(content(1), "<image>background: an < image > in words\n\n<image>is there evidence of malignancy?");
    assert_eq!(content(2), "<image>is there evidence of malignancy?");
    assert_eq!(train[0]["messages"][1], serde_json::json!({"role": "assistant", "content": "Yes"}));
    for (number, count) in [(0, 2), (1, 2), (2, 1)] {
        let images = train[number]["images"].as_array().unwrap();
        assert_eq!(images.len(), count);
        assert!(images.iter().all(|file| image::open(out.join(file.as_str().unwrap())).is_ok()));
    }
    let info = json("dataset_info.json");
    assert_eq!(info["masses_train"]["file_name"], "train.json");
    assert_eq!(info["masses_train"]["formatting"], "sharegpt");
    let yaml = fs::read_to_string(out.join("qwen2_vl.yaml")).unwrap();
    for line in ["dataset: masses_train", "lora_target: all", "max_steps: 2160", "per_device_train_batch_size: 3"] {
        assert!(yaml.contains(line), "{line}");
    }
    assert!(export_sft(&dataset, None, &settings).unwrap_err().to_string().contains("is there already"));
}
