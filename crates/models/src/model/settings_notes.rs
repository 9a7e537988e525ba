//! Notes about contradictory files of a checkpoint, shown on loading and by `dissent doctor`.

use super::chat::other_templates;
use super::checkpoint::{CheckpointError, read_json, two_picture_settings};
use dissent_core::files::input_file::is_there;
use serde_json::Value;
use std::path::Path;

/// Notes about the reader in `folder`.
///
/// # Errors
/// Fails if a file cannot be read.
pub fn notes_of_reader(folder: &Path) -> Result<Vec<String>, CheckpointError> {
    let pictures = two_picture_settings(folder)?;
    Ok(pictures.into_iter().chain(other_templates(folder)?).collect())
}

/// Notes about the dual encoder in `folder`.
///
/// # Errors
/// Fails if a file cannot be read.
pub fn notes_of_encoder(folder: &Path) -> Result<Vec<String>, CheckpointError> {
    // Then `open_clip_config.json` determines the preprocessing.
    let is_open_clip = is_there(&folder.join("open_clip_config.json")) && !is_there(&folder.join("config.json"));
    let pictures = if is_open_clip { None } else { two_picture_settings(folder)? };
    Ok(pictures.into_iter().chain(tokenizer_notes(folder)?).collect())
}

/// Settings of `tokenizer_config.json` that contradict `tokenizer.json`, which is used.
fn tokenizer_notes(folder: &Path) -> Result<Vec<String>, CheckpointError> {
    let file = "tokenizer_config.json";
    if !is_there(&folder.join(file)) || !is_there(&folder.join("tokenizer.json")) {
        return Ok(Vec::new());
    }
    let config = read_json(folder, file, "it names the special tokens")?;
    let mut notes = Vec::new();
    if config["padding_side"] == "left" {
        notes.push(format!("{file} has padding_side left; texts are padded on the right, as in training"));
    }
    // Only in `BertTokenizer` does `do_lower_case` take precedence. Other definitions may have 34 MB and are not parsed.
    if !config["tokenizer_class"].as_str().is_some_and(|class| class.starts_with("BertTokenizer")) {
        return Ok(notes);
    }
    let definition = read_json(folder, "tokenizer.json", "it turns text into token numbers")?;
    if let (Some(asked), Some(does)) = (config["do_lower_case"].as_bool(), lowers(&definition["normalizer"]))
        && asked != does
    {
        notes.push(format!(
            "{file} says do_lower_case {asked}, tokenizer.json lowercase {does}; the second counts here, the first in \
             transformers: make them equal"
        ));
    }
    Ok(notes)
}

/// True if a BERT normalizer lower-cases texts.
fn lowers(normalizer: &Value) -> Option<bool> {
    if normalizer["type"] == "BertNormalizer" { normalizer["lowercase"].as_bool() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;

    fn notes(files: &[(&str, Value)]) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        for (file, value) in files {
            fs::write(folder.path().join(file), value.to_string()).unwrap();
        }
        (notes_of_reader(folder.path()).unwrap(), notes_of_encoder(folder.path()).unwrap())
    }

    #[test]
    fn consistent_files_give_no_notes() {
        let none: Vec<String> = Vec::new();
        let pictures = json!({"image_mean": [0.5, 0.5, 0.5], "do_resize": true});
        let files = [
            ("processor_config.json", json!({"image_processor": pictures, "chat_template": "a"})),
            ("preprocessor_config.json", pictures.clone()),
            (
                "tokenizer_config.json",
                json!({"chat_template": "a", "padding_side": "right", "do_lower_case": true, "tokenizer_class": "BertTokenizer"}),
            ),
            ("chat_template.json", json!({"chat_template": "a"})),
            ("tokenizer.json", json!({"normalizer": {"type": "BertNormalizer", "lowercase": true}})),
        ];
        assert_eq!(notes(&files), (none.clone(), none.clone()));
        assert_eq!(notes(&files[1..2]), (none.clone(), none));
    }

    #[test]
    fn contradictions_are_named_with_the_used_file() {
        let (reader, encoder) = notes(&[
            ("processor_config.json", json!({"image_processor": {"image_mean": [0.9, 0.9, 0.9]}})),
            ("preprocessor_config.json", json!({"image_mean": [0.5, 0.5, 0.5]})),
            (
                "tokenizer_config.json",
                json!({"chat_template": "b", "padding_side": "left", "do_lower_case": false, "tokenizer_class": "BertTokenizerFast"}),
            ),
            ("chat_template.json", json!({"chat_template": "a"})),
            ("tokenizer.json", json!({"normalizer": {"type": "BertNormalizer", "lowercase": true}})),
        ]);
        assert!(reader[0].contains("differ in image_mean; the first is used"), "{reader:?}");
        assert_eq!(
            reader[1],
            "the chat template of chat_template.json is used; that of tokenizer_config.json is different"
        );
        assert_eq!(encoder[0], reader[0]);
        assert!(encoder[1].contains("padding_side left") && encoder[2].contains("lowercase true"), "{encoder:?}");
    }
}
