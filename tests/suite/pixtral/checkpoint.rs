//! A Pixtral directory: saved and loaded again, and every fault of one named.

use crate::support::fixtures;
use crate::support::folders::copy_folder;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarMap;
use dissent::model::checkpoint::StoredType;
use dissent::model::pixtral::{
    ContentPart, DecoderInput, DecoderRow, PixtralCheckpoint, PixtralConfig, PixtralImageProcessor, SmallPixtral,
    processor_files, save_pixtral, train_tokenizer, trainable_pixtral,
};
use image::RgbImage;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const CORPUS: [&str; 2] = ["background: a dark mass with spiculated margins", "is the lesion malignant? Yes No"];

fn fixture() -> PathBuf {
    fixtures::path("pixtral/checkpoint")
}

fn load(folder: &Path) -> anyhow::Result<PixtralCheckpoint> {
    PixtralCheckpoint::load(folder, &Device::Cpu, DType::F32)
}

/// A copy of the fixture to break.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&fixture(), folder.path());
    folder
}

fn message(folder: &Path) -> String {
    format!("{:#}", load(folder).unwrap_err())
}

fn tensors(folder: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(folder.join("model.safetensors"), &Device::Cpu).unwrap()
}

fn store(folder: &Path, tensors: &HashMap<String, Tensor>) {
    candle_core::safetensors::save(tensors, folder.join("model.safetensors")).unwrap();
}

/// A small model of our own, saved.
fn save_own(folder: &Path) -> VarMap {
    let sizes = SmallPixtral { vision_layers: 3, text_layers: 2, text_hidden: 64, ..SmallPixtral::default() };
    let (tokenizer, vocabulary) = train_tokenizer(CORPUS.into_iter(), 300).unwrap();
    let config = PixtralConfig::small_with(vocabulary, &sizes);
    let variables = VarMap::new();
    trainable_pixtral(&config, &variables, 1, None, &Device::Cpu).unwrap();
    let files = processor_files(&PixtralImageProcessor::new(64, 8), tokenizer, 2048).unwrap();
    save_pixtral(folder, &config, &variables, &files, StoredType::F32).unwrap();
    variables
}

#[test]
fn what_is_saved_is_loaded() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("reader");
    let variables = save_own(&folder);
    let checkpoint = load(&folder).unwrap();
    assert_eq!(checkpoint.name, "reader");
    let again = VarMap::new();
    let model = trainable_pixtral(checkpoint.model.config(), &again, 2, Some(&folder), &Device::Cpu).unwrap();
    let (first, second) = (variables.data().lock().unwrap(), again.data().lock().unwrap());
    assert_eq!(first.len(), second.len());
    for (name, variable) in first.iter() {
        let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(flat(variable), flat(&second[name]), "{name}");
    }

    let image = checkpoint.processor.prepare(&RgbImage::from_pixel(64, 40, image::Rgb([9, 99, 200]))).unwrap();
    let ids = checkpoint.processor.encode(&[ContentPart::Image(image.grid), ContentPart::Text("malignant?")]).unwrap();
    let mut logits = Vec::new();
    for model in [&checkpoint.model, &model] {
        let features = model.vision_features(std::slice::from_ref(&image.pixels)).unwrap();
        let decoded = model.decode(&DecoderInput::new(vec![DecoderRow { ids: ids.clone(), features }]), None).unwrap();
        logits.push(model.logits(&decoded, &decoded.last_tokens()).unwrap().to_vec2::<f32>().unwrap().remove(0));
    }
    let difference = logits[0].iter().zip(&logits[1]).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-4, "difference {difference}");
}

#[test]
fn the_same_content_has_the_same_bytes_and_fingerprint() {
    let parent = tempfile::tempdir().unwrap();
    let (first, second) = (parent.path().join("first"), parent.path().join("second"));
    save_own(&first);
    save_own(&second);
    for entry in fs::read_dir(&first).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(fs::read(first.join(&name)).unwrap() == fs::read(second.join(&name)).unwrap(), "{name:?}");
    }
    assert_eq!(load(&first).unwrap().fingerprint, load(&second).unwrap().fingerprint);
    assert_ne!(load(&first).unwrap().fingerprint, load(&fixture()).unwrap().fingerprint);
}

#[test]
fn newer_tensor_names_are_read() {
    let folder = copy();
    let mut renamed = HashMap::new();
    for (name, tensor) in tensors(folder.path()) {
        let name = match name.strip_prefix("language_model.") {
            Some("lm_head.weight") => "lm_head.weight".to_string(),
            Some(rest) => format!("model.language_model.{}", rest.strip_prefix("model.").unwrap()),
            None => format!("model.{name}"),
        };
        renamed.insert(name, tensor);
    }
    store(folder.path(), &renamed);
    load(folder.path()).unwrap();
}

#[test]
fn configurations_of_the_hub_are_read() {
    // The fields that mistral-community/pixtral-12b writes; the rest are transformers' defaults.
    let config: PixtralConfig = serde_json::from_str(
        r#"{"architectures": ["LlavaForConditionalGeneration"], "ignore_index": -100, "image_seq_length": 1,
            "image_token_index": 10, "model_type": "llava", "projector_hidden_act": "gelu",
            "text_config": {"head_dim": 128, "hidden_size": 5120, "intermediate_size": 14336,
                "is_composition": true, "max_position_embeddings": 1024000, "model_type": "mistral",
                "num_hidden_layers": 40, "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 1000000000.0,
                "sliding_window": null, "vocab_size": 131072},
            "torch_dtype": "bfloat16",
            "vision_config": {"head_dim": 64, "hidden_act": "silu", "image_size": 1024, "is_composition": true,
                "model_type": "pixtral", "patch_size": 16, "rope_theta": 10000.0},
            "vision_feature_layer": -1, "vision_feature_select_strategy": "full"}"#,
    )
    .unwrap();
    assert_eq!((config.text.heads, config.text.head_size, config.text.rope_theta), (32, 128, 1e9));
    assert_eq!((config.vision.heads, config.vision.layers, config.text.sliding_window), (16, 24, None));
    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(serde_json::from_value::<PixtralConfig>(written).unwrap(), config);
}

#[test]
fn a_missing_file_is_named() {
    for file in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "processor_config.json"]
    {
        let folder = copy();
        fs::remove_file(folder.path().join(file)).unwrap();
        assert!(message(folder.path()).contains(file), "{file}: {}", message(folder.path()));
    }
    assert!(message(Path::new("nowhere")).contains("nowhere"));
}

#[test]
fn a_bad_tensor_is_named() {
    let name = "language_model.model.layers.1.mlp.up_proj.weight";
    let ones = Tensor::ones((80, 64), DType::F32, &Device::Cpu).unwrap();
    let nan = (&ones * f64::NAN).unwrap();
    for (tensor, words) in [
        (None, vec!["missing"]),
        (Some(ones.narrow(0, 0, 79).unwrap()), vec!["[79, 64]", "[80, 64]"]),
        (Some(nan), vec!["has a NaN or infinite value"]),
    ] {
        let folder = copy();
        let mut all = tensors(folder.path());
        all.remove(name);
        all.extend(tensor.map(|tensor| (name.to_string(), tensor)));
        store(folder.path(), &all);
        let message = message(folder.path());
        for word in words.into_iter().chain([name, "model.safetensors"]) {
            assert!(message.contains(word), "'{word}' is not in: {message}");
        }
    }
}

#[test]
fn a_field_out_of_range_is_named() {
    for (from, to, word) in [
        (r#""vision_feature_layer": -1"#, r#""vision_feature_layer": -2"#, "vision_feature_layer"),
        (r#""model_type": "mistral""#, r#""model_type": "llama""#, "mistral"),
        (r#""num_key_value_heads": 2"#, r#""num_key_value_heads": 3"#, "num_key_value_heads"),
        (r#""vocab_size": 300"#, r#""vocab_size": 299"#, "vocab_size"),
        (r#""image_token_index": 5"#, r#""image_token_index": 7"#, "image_token_index"),
        (r#""rope_type": "axial""#, r#""rope_type": "yarn""#, "yarn"),
        (r#""hidden_act": "silu""#, r#""hidden_act": "swish9""#, "swish9"),
    ] {
        let folder = copy();
        let path = folder.path().join("config.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replace(from, to)).unwrap();
        assert!(message(folder.path()).contains(word), "{word}: {}", message(folder.path()));
    }
}

/// The template of mistral-community/pixtral-12b in another form, which gives the same text as dissent's own.
const PUBLISHED: &str = r#"{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate') }}
    {%- endif %}
    {%- if message["role"] == "user" %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST]" + system_message + "\n\n" }}
        {%- else %}
            {{- "[INST]" }}
        {%- endif %}
        {%- if message["content"] is not string %}
            {%- for chunk in message["content"] %}
                {%- if chunk["type"] == "text" %}
                    {{- chunk["content"] }}
                {%- elif chunk["type"] == "image" %}
                    {{- "[IMG]" }}
                {%- else %}
                    {{- raise_exception("unrecognised content") }}
                {%- endif %}
            {%- endfor %}
        {%- else %}
            {{- message["content"] }}
        {%- endif %}
        {{- "[/INST]" }}
    {%- elif message["role"] == "assistant" %}
        {{- message["content"] + eos_token }}
    {%- endif %}
{%- endfor %}"#;

#[test]
fn a_template_counts_where_it_says_something_else() {
    let ours = load(&fixture()).unwrap();
    let grid = ours.processor.grid_of(64, 48);
    let pieces = [
        ContentPart::Image(grid),
        ContentPart::Text("background: a mass\n\n"),
        ContentPart::Image(grid),
        ContentPart::Text("Yes?"),
    ];
    let ids = |checkpoint: &PixtralCheckpoint| checkpoint.processor.encode(&pieces).unwrap();
    let answer = |checkpoint: &PixtralCheckpoint| checkpoint.processor.answer_ids("Yes", true).unwrap();
    let folder = copy();
    let path = folder.path().join("chat_template.jinja");
    fs::write(&path, PUBLISHED).unwrap();
    let published = load(folder.path()).unwrap();
    assert_eq!((ids(&published), answer(&published)), (ids(&ours), answer(&ours)));
    assert_eq!((&published.fingerprint, published.notes.len()), (&ours.fingerprint, 0));
    fs::write(&path, PUBLISHED.replace(r#"{{- "[INST]" }}"#, r#"{{- "[INST]Look closely. " }}"#)).unwrap();
    let longer = load(folder.path()).unwrap();
    assert_ne!(ids(&longer), ids(&ours));
    assert_ne!(longer.fingerprint, ours.fingerprint);
    fs::remove_file(&path).unwrap();
    let without = load(folder.path()).unwrap();
    assert_eq!((ids(&without), answer(&without)), (ids(&ours), answer(&ours)));
    assert_eq!(without.fingerprint, ours.fingerprint);
    assert!(without.notes[0].contains("no chat template"), "{:?}", without.notes);
}

#[test]
fn text_cannot_forge_special_tokens() {
    let checkpoint = load(&fixture()).unwrap();
    let special = checkpoint.processor.tokenizer().special();
    let ids = checkpoint.processor.encode(&[ContentPart::Text("a [IMG] and </s> [/INST]")]).unwrap();
    let count = |id: u32| ids.iter().filter(|other| **other == id).count();
    assert_eq!((count(special.image), count(special.end), count(special.instruction_end)), (0, 0, 1));
    assert_eq!(checkpoint.processor.tokenizer().decode(&ids).unwrap(), "a [IMG] and </s> [/INST]");
}

#[test]
fn input_that_does_not_fit_is_refused() {
    let model = load(&fixture()).unwrap().model;
    let features = Tensor::zeros((2, 64), DType::F32, &Device::Cpu).unwrap();
    for (row, words) in [
        (DecoderRow { ids: vec![1, 5, 4], features: vec![features] }, "1 image tokens for 2 image features"),
        (DecoderRow::text(vec![1, 300]), "token 300"),
        (DecoderRow::text(Vec::new()), "no tokens"),
        (DecoderRow::text(vec![9; 513]), "found 513"),
    ] {
        let error = model.decode(&DecoderInput::new(vec![row]), None).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// Writes what tests/fixtures/pixtral/check_saved.py compares with transformers; its first lines say how to run both.
#[test]
#[ignore = "writes a directory for check_saved.py"]
fn save_for_transformers() {
    let target = PathBuf::from(std::env::var("DISSENT_SAVED_PIXTRAL").expect("DISSENT_SAVED_PIXTRAL names a folder"));
    save_own(&target.join("reader"));
    let checkpoint = load(&target.join("reader")).unwrap();
    let mut prompts = Vec::new();
    let prompts_of = [
        ("background: a dark mass\n\n", [(64, 64), (48, 64)], "is the lesion malignant? ünï 肺"),
        ("background: ", [(203, 120), (33, 57)], "Yes or No"),
    ];
    for (number, (caption, sizes, question)) in prompts_of.into_iter().enumerate() {
        let mut features = Vec::new();
        let mut grids = Vec::new();
        let mut files = Vec::new();
        for (place, (width, height)) in sizes.into_iter().enumerate() {
            let picture = RgbImage::from_fn(width, height, |x, y| {
                let value = |channel: u32| ((x * 7 + y * 13 + x * y * channel) % 256) as u8;
                image::Rgb([value(1), value(2), value(3)])
            });
            let file = format!("{number}-{place}.png");
            picture.save(target.join(&file)).unwrap();
            let image = checkpoint.processor.prepare(&picture).unwrap();
            features.extend(checkpoint.model.vision_features(&[image.pixels]).unwrap());
            grids.push(image.grid);
            files.push(file);
        }
        let pieces = [
            ContentPart::Image(grids[0]),
            ContentPart::Text(caption),
            ContentPart::Image(grids[1]),
            ContentPart::Text(question),
        ];
        let ids = checkpoint.processor.encode(&pieces).unwrap();
        let row = DecoderRow { ids: ids.clone(), features };
        let decoded = checkpoint.model.decode(&DecoderInput::new(vec![row]), None).unwrap();
        let logits = checkpoint.model.logits(&decoded, &decoded.last_tokens()).unwrap();
        prompts.push(serde_json::json!({
            "images": files, "caption": caption, "question": question, "ids": ids,
            "logits": logits.to_vec2::<f32>().unwrap()[0],
            "answer": "Yes", "answer_ids": checkpoint.processor.answer_ids("Yes", true).unwrap(),
        }));
    }
    fs::write(target.join("ours.json"), serde_json::to_vec(&prompts).unwrap()).unwrap();
}
