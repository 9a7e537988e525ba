//! Checkpoints and adapters that are refused, and in which words.

use crate::world::{copy, fixture, message};
use std::fs;

#[test]
fn a_broken_checkpoint_is_refused_by_name() {
    for (family, file) in [
        ("qwen2_vl", "config.json"),
        ("qwen2_vl", "processor_config.json"),
        ("qwen2_vl", "tokenizer.json"),
        ("qwen2_5_vl", "preprocessor_config.json"),
        ("qwen2_5_vl", "model-00002-of-00002.safetensors"),
        ("smolvlm", "model.safetensors"),
    ] {
        let folder = copy(family);
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let missing = message(folder.path(), None);
        let wanted = if file == "processor_config.json" { "preprocessor_config.json" } else { file };
        assert!(missing.contains(wanted), "{family}, {file}: {missing}");
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let torn = message(folder.path(), None);
        assert!(torn.contains(file), "{family}, {file}: {torn}");
    }
}

#[test]
fn hostile_weight_files_are_refused_by_name() {
    let file = |header: &str, data: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; data]);
        bytes
    };
    let entry = |shape: &str, end: u64| {
        format!(r#"{{"model.norm.weight": {{"dtype": "F16", "shape": {shape}, "data_offsets": [0, {end}]}}}}"#)
    };
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("a header longer than the file", [u64::MAX.to_le_bytes().to_vec(), b"{}".to_vec()].concat()),
        ("offsets beyond the file", file(&entry("[48]", 96), 10)),
        ("a shape of more than the data", file(&entry("[1099511627776]", 96), 96)),
        ("a shape without an end", file(&entry("[4294967296, 4294967296, 4294967296]", 96), 96)),
        ("not JSON", file("{", 0)),
    ] {
        let folder = copy("qwen2_vl");
        fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        let message = message(folder.path(), None);
        assert!(message.contains("model.safetensors: not a whole safetensors file"), "{what}: {message}");
    }
    // The same shard twice: the index says of each tensor where it is, and half of them are not there.
    let folder = copy("qwen2_5_vl");
    let second = folder.path().join("model-00002-of-00002.safetensors");
    fs::copy(folder.path().join("model-00001-of-00002.safetensors"), second).unwrap();
    let twice = message(folder.path(), None);
    assert!(twice.contains("model-00002-of-00002.safetensors: tensor") && twice.contains("is missing"), "{twice}");
    // An index that does not say which of two counts.
    let index = r#"{"weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors",
        "model.layers.0.input_layernorm.weight": "model-00002-of-00002.safetensors"}}"#;
    fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    let message = message(folder.path(), None);
    assert!(message.contains("is in another weight file too"), "{message}");
}

#[test]
fn an_adapter_that_does_not_fit_is_refused_by_name() {
    let folder = fixture("qwen2_vl").join("checkpoint");
    let other = message(&folder, Some(&fixture("smolvlm").join("adapter")));
    assert!(other.contains("smolvlm/adapter") && other.contains("does not have"), "{other}");
    for (from, to, word) in [
        (r#""peft_type": "LORA""#, r#""peft_type": "IA3""#, "IA3"),
        (r#""use_dora": false"#, r#""use_dora": true"#, "use_dora"),
        (r#""bias": "none""#, r#""bias": "all""#, "bias"),
        (r#""r": 3"#, r#""r": 4"#, "rank 4"),
        (r#""init_lora_weights": true"#, r#""init_lora_weights": "pissa""#, "pissa"),
        (r#""layer_replication": null"#, r#""layer_replication": [[0, 1]]"#, "layer_replication"),
    ] {
        let adapter = tempfile::tempdir().unwrap();
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            fs::copy(fixture("qwen2_vl").join("adapter").join(file), adapter.path().join(file)).unwrap();
        }
        let path = adapter.path().join("adapter_config.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let message = message(&folder, Some(adapter.path()));
        assert!(message.contains(word), "{word}: {message}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(message(&folder, Some(empty.path())).contains("adapter_config.json"));
}
