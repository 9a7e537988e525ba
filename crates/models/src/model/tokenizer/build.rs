//! Building a small WordPiece tokenizer from a corpus of captions.
//!
//! Frequent words of the corpus are tokens; other words are split into characters, so every text can be tokenised. The
//! files can be loaded by `AutoTokenizer` of transformers.

use crate::model::checkpoint::{CheckpointFiles, pretty_json};
use anyhow::{Result, anyhow};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokenizers::{NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

/// Special tokens in the order of their ids. The end of text must not have id 2, for which CLIP uses legacy pooling.
const SPECIAL: [&str; 4] = ["<pad>", "<unk>", "<bos>", "<eos>"];
const PAD: &str = SPECIAL[0];
const UNKNOWN: &str = SPECIAL[1];
const BEGIN: &str = SPECIAL[2];
const END: &str = SPECIAL[3];
/// Prefix of tokens that continue a word.
const CONTINUATION: &str = "##";

/// Limits of the vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct TokenizerPlan {
    /// Maximum number of whole words; the most frequent ones are kept.
    pub largest_vocabulary: usize,
    /// Words that occur less often are split into characters.
    pub least_count: usize,
    /// Longest text in tokens (`model_max_length`).
    pub longest_text: usize,
}

/// Builds `tokenizer.json` and `tokenizer_config.json` for `captions`; also returns the number of tokens.
///
/// Words are lower-cased and split at white space and punctuation. Ids are assigned by descending count, then
/// alphabetically, so the result does not depend on the order of captions.
pub fn build_tokenizer_files<'a>(
    captions: impl IntoIterator<Item = &'a str>,
    plan: TokenizerPlan,
) -> Result<(CheckpointFiles, usize)> {
    let counts = count_words(captions)?;
    let vocabulary = vocabulary(&counts, plan);
    let definition = definition(&vocabulary);
    let config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "unk_token": UNKNOWN,
        "bos_token": BEGIN,
        "eos_token": END,
        "padding_side": "right",
        "model_max_length": plan.longest_text,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": false,
    });
    let files = CheckpointFiles::from([
        ("tokenizer.json".to_string(), pretty_json(&definition)?),
        ("tokenizer_config.json".to_string(), pretty_json(&config)?),
    ]);
    Ok((files, vocabulary.len()))
}

/// Counts words, split as by the finished tokenizer.
fn count_words<'a>(captions: impl IntoIterator<Item = &'a str>) -> Result<BTreeMap<String, usize>> {
    let splitter = tokenizers::Tokenizer::from_bytes(definition(&SPECIAL.map(str::to_string)).to_string())
        .map_err(|error| anyhow!("cannot create the word splitter: {error}"))?;
    let mut counts = BTreeMap::new();
    for caption in captions {
        let words = split(&splitter, caption).map_err(|error| anyhow!("cannot split '{caption}': {error}"))?;
        for word in words {
            *counts.entry(word).or_insert(0) += 1;
        }
    }
    Ok(counts)
}

fn split(splitter: &tokenizers::Tokenizer, caption: &str) -> tokenizers::Result<Vec<String>> {
    let mut normalised = NormalizedString::from(caption);
    if let Some(normalizer) = splitter.get_normalizer() {
        normalizer.normalize(&mut normalised)?;
    }
    let mut text = PreTokenizedString::from(normalised);
    if let Some(pre_tokenizer) = splitter.get_pre_tokenizer() {
        pre_tokenizer.pre_tokenize(&mut text)?;
    }
    let parts = text.get_splits(OffsetReferential::Normalized, OffsetType::Byte);
    Ok(parts.into_iter().map(|(word, _, _)| word.to_string()).collect())
}

/// Special tokens, then words, then single characters, then characters as continuation tokens.
fn vocabulary(counts: &BTreeMap<String, usize>, plan: TokenizerPlan) -> Vec<String> {
    let mut words: Vec<(&String, usize)> = counts.iter().map(|(word, &count)| (word, count)).collect();
    // The sort is stable and the map is ordered, so ties stay alphabetical.
    words.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let mut tokens: Vec<String> = SPECIAL.map(str::to_string).to_vec();
    for (word, count) in words {
        if count >= plan.least_count && tokens.len() < SPECIAL.len() + plan.largest_vocabulary {
            tokens.push(word.clone());
        }
    }
    let mut characters: BTreeSet<char> = ('!'..='~').filter(|character| !character.is_ascii_uppercase()).collect();
    characters.extend(counts.keys().flat_map(|word| word.chars()));
    let known: BTreeSet<String> = tokens.iter().cloned().collect();
    for character in &characters {
        if !known.contains(&character.to_string()) {
            tokens.push(character.to_string());
        }
    }
    for character in &characters {
        tokens.push(format!("{CONTINUATION}{character}"));
    }
    tokens
}

/// The content of `tokenizer.json`; `vocabulary` starts with the special tokens.
fn definition(vocabulary: &[String]) -> Value {
    let mut numbers = Map::new();
    for (number, token) in vocabulary.iter().enumerate() {
        numbers.insert(token.clone(), json!(number));
    }
    let mut added = Vec::new();
    let mut marks = Map::new();
    for (number, token) in SPECIAL.iter().enumerate() {
        added.push(json!({
            "id": number, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        }));
        marks.insert((*token).to_string(), json!({ "id": token, "ids": [number], "tokens": [token] }));
    }
    let special = |token: &str| json!({ "SpecialToken": { "id": token, "type_id": 0 } });
    let text = |name: &str| json!({ "Sequence": { "id": name, "type_id": 0 } });
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": true,
            "lowercase": true,
        },
        "pre_tokenizer": { "type": "BertPreTokenizer" },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special(BEGIN), text("A"), special(END)],
            "pair": [special(BEGIN), text("A"), special(END), text("B"), special(END)],
            "special_tokens": marks,
        },
        "decoder": { "type": "WordPiece", "prefix": CONTINUATION, "cleanup": false },
        "model": {
            "type": "WordPiece", "unk_token": UNKNOWN, "continuing_subword_prefix": CONTINUATION,
            "max_input_chars_per_word": 100, "vocab": numbers,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tokenizer::Tokenizer;

    const PLAN: TokenizerPlan = TokenizerPlan { largest_vocabulary: 50, least_count: 1, longest_text: 8 };

    fn build(captions: &[&str]) -> (tempfile::TempDir, Tokenizer) {
        let folder = tempfile::tempdir().unwrap();
        let (files, size) = build_tokenizer_files(captions.iter().copied(), PLAN).unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        let tokenizer = Tokenizer::read(folder.path(), PLAN.longest_text, 99).unwrap();
        assert_eq!(tokenizer.size(), size);
        (folder, tokenizer)
    }

    #[test]
    fn words_are_ordered_by_count_then_alphabet() {
        let (_folder, tokenizer) = build(&["Large mass, left", "large cyst", "benign cyst"]);
        for (token, id) in [("<pad>", 0), ("<eos>", 3), ("cyst", 4), ("large", 5), (",", 6), ("benign", 7)] {
            assert_eq!(tokenizer.id_of(token), Some(id), "{token}");
        }
        assert_eq!(tokenizer.encode(&["LARGE cyst"]).unwrap(), [[2, 5, 4, 3]]);
    }

    #[test]
    fn the_order_of_captions_does_not_matter() {
        let (forward, _) = build_tokenizer_files(["b a", "c é", "a"], PLAN).unwrap();
        let (backward, _) = build_tokenizer_files(["a", "é c", "a b"], PLAN).unwrap();
        assert_eq!(forward, backward);
    }

    #[test]
    fn unknown_words_are_split_into_characters() {
        let (_folder, tokenizer) = build(&["cyst"]);
        let ids = tokenizer.encode(&["mass", "", "肺 🫁 \u{0}", "z"]).unwrap();
        assert_eq!(ids[0].len(), 6);
        assert!(!ids[0].contains(&1), "characters are known: {ids:?}");
        assert_eq!(ids[1], [2, 3]);
        assert!(ids[2].contains(&1), "unknown script: {ids:?}");
        let long = tokenizer.encode(&["a b c d e f g h i j k"]).unwrap();
        assert_eq!((long[0].len(), long[0][7]), (8, 3), "cut with its end mark");
    }

    #[test]
    fn rare_words_are_left_out() {
        let plan = TokenizerPlan { largest_vocabulary: 1, least_count: 2, longest_text: 8 };
        let (files, _) = build_tokenizer_files(["cyst cyst mass mass once"], plan).unwrap();
        let definition: Value = serde_json::from_slice(&files["tokenizer.json"]).unwrap();
        let vocabulary = definition["model"]["vocab"].as_object().unwrap();
        assert!(vocabulary.contains_key("cyst"));
        assert!(!vocabulary.contains_key("mass") && !vocabulary.contains_key("once"));
    }
}
