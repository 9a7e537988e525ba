//! Validates `tokenizer.json` before the tokenizers crate parses it, and bounds how much normalisation can lengthen a text.
//! Each message starts with the field.

use super::charsmap::longest_replacement;
use super::pattern::check_regex;
use serde_json::Value;
use std::collections::HashMap;

/// The largest number of steps in a list; published files have at most eight.
const MOST_STEPS: usize = 64;
/// The longest replacement in bytes; published ones have a few.
const LONGEST_CONTENT: usize = 1 << 10;
/// Upper bound of token ids.
const LARGEST_ID: u64 = 1 << 24;
/// The longest prefix or suffix of subwords in bytes; published ones are `##` and `</w>`.
const LONGEST_MARK: usize = 64;
/// The largest `max_input_chars_per_word`, as WordPiece takes quadratic time; published files have 100.
const LONGEST_WORD: u64 = 1000;
/// The largest factor by which normalisation may lengthen a text; published files reach some hundred.
const LARGEST_GROWTH: usize = 20_000;
/// The longest normalised text in bytes; the crate allocates 17 times as much.
pub(super) const LONGEST_NORMALISED: usize = 32 << 20;

/// Known types. The crate would guess an unknown type from its fields, which these checks do not cover.
const NORMALIZERS: [&str; 14] = [
    "Bert",
    "BertNormalizer",
    "Strip",
    "StripAccents",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Lowercase",
    "Nmt",
    "Precompiled",
    "Replace",
    "Prepend",
    "ByteLevel",
];
const PRE_TOKENIZERS: [&str; 12] = [
    "BertPreTokenizer",
    "ByteLevel",
    "CharDelimiterSplit",
    "Delimiter",
    "Metaspace",
    "Whitespace",
    "Split",
    "Punctuation",
    "WhitespaceSplit",
    "Digits",
    "UnicodeScripts",
    "FixedLength",
];
const POST_PROCESSORS: [&str; 5] = ["BertProcessing", "Bert", "RobertaProcessing", "ByteLevel", "TemplateProcessing"];
const DECODERS: [&str; 9] =
    ["BPEDecoder", "ByteLevel", "WordPiece", "Metaspace", "CTC", "Replace", "Fuse", "Strip", "ByteFallback"];

/// Checks the definition; returns the factor by which a text's length in bytes may grow.
///
/// # Errors
/// Fails at the first invalid field, with what was expected and found.
pub(super) fn check_definition(definition: &Value) -> Result<usize, String> {
    let growth = steps(&definition["normalizer"], "normalizer", "normalizers", &NORMALIZERS, &normalizer)?;
    let before =
        steps(&definition["pre_tokenizer"], "pre_tokenizer", "pretokenizers", &PRE_TOKENIZERS, &pre_tokenizer)?;
    let growth = growth.saturating_mul(before);
    if growth > LARGEST_GROWTH {
        return Err(format!(
            "normalizer: expected to lengthen a text at most {LARGEST_GROWTH} times, found {growth} times"
        ));
    }
    steps(&definition["post_processor"], "post_processor", "processors", &POST_PROCESSORS, &post_processor)?;
    steps(&definition["decoder"], "decoder", "decoders", &DECODERS, &decoder)?;
    let spelled = added_tokens(&definition["added_tokens"])?;
    if spelled.saturating_mul(growth) > LONGEST_NORMALISED {
        return Err(format!("added_tokens: {spelled} bytes, which the normalizer may lengthen {growth} times"));
    }
    model(&definition["model"])?;
    Ok(growth)
}

/// Checks one step or a `Sequence` of steps; returns the product of their growth factors.
fn steps(
    step: &Value,
    field: &str,
    list: &str,
    known: &[&str],
    check: &dyn Fn(&str, &Value) -> Result<usize, String>,
) -> Result<usize, String> {
    if step.is_null() {
        return Ok(1);
    }
    let kind = step.get("type").and_then(Value::as_str);
    let Some(kind) = kind else { return Err(format!("{field}: expected an object with a type")) };
    if kind != "Sequence" && !known.contains(&kind) {
        return Err(format!("{field}: expected a known type, found {kind:?}"));
    }
    if kind != "Sequence" {
        return check(kind, step).map_err(|reason| format!("{field}, {kind}: {reason}"));
    }
    let Some(inner) = step.get(list).and_then(Value::as_array).filter(|inner| inner.len() <= MOST_STEPS) else {
        return Err(format!("{field}, Sequence: expected a list {list} of at most {MOST_STEPS} steps"));
    };
    let mut growth = 1_usize;
    for one in inner {
        growth = growth.saturating_mul(steps(one, field, list, known, check)?);
    }
    Ok(growth)
}

fn normalizer(kind: &str, step: &Value) -> Result<usize, String> {
    Ok(match kind {
        "Replace" => replacement(step)?,
        "Prepend" => 1 + content(step, "prepend")?,
        "Precompiled" => {
            let table = step["precompiled_charsmap"].as_str().ok_or("precompiled_charsmap: expected a text")?;
            longest_replacement(table).map_err(|reason| format!("precompiled_charsmap: {reason}"))?.max(1)
        }
        // The longest decompositions in UTF-8 (UAX 15, section 12).
        "NFKD" | "NFKC" => 11,
        "NFD" | "NFC" => 4,
        // Decomposition without accents, and spaces around each character.
        "Bert" | "BertNormalizer" => 12,
        _ => 2,
    })
}

fn pre_tokenizer(kind: &str, step: &Value) -> Result<usize, String> {
    match kind {
        "FixedLength" => {
            let length = step.get("length").map_or(Some(1), Value::as_u64);
            if length.is_none_or(|length| length == 0) {
                return Err(format!("length: expected a whole number from 1, found {}", step["length"]));
            }
            Ok(1)
        }
        "Split" => pattern(step).map(|_| 1),
        "ByteLevel" => Ok(2),
        "Metaspace" => Ok(4),
        _ => Ok(1),
    }
}

fn decoder(kind: &str, step: &Value) -> Result<usize, String> {
    if kind == "Replace" {
        return replacement(step);
    }
    for field in ["start", "stop"] {
        if step.get(field).is_some_and(|count| count.as_u64().is_none_or(|count| count > LONGEST_CONTENT as u64)) {
            return Err(format!("{field}: expected at most {LONGEST_CONTENT}, found {}", step[field]));
        }
    }
    Ok(1)
}

/// The factor by which a replacement may lengthen a text.
fn replacement(step: &Value) -> Result<usize, String> {
    let content = content(step, "content")?;
    Ok(match pattern(step)? {
        // An empty match is possible between any two characters.
        None => 1 + content,
        Some(length) => content.div_ceil(length).max(1),
    })
}

/// Length of the step's pattern if it is a plain string.
fn pattern(step: &Value) -> Result<Option<usize>, String> {
    let pattern = &step["pattern"];
    if let Some(regex) = pattern.get("Regex").and_then(Value::as_str) {
        return check_regex(regex).map(|()| None).map_err(|reason| format!("pattern: {reason}"));
    }
    match pattern.get("String").and_then(Value::as_str) {
        Some("") => Err("pattern: expected a text, found an empty one".to_string()),
        Some(text) => Ok(Some(text.len())),
        None => Err("pattern: expected a String or a Regex".to_string()),
    }
}

fn content(step: &Value, field: &str) -> Result<usize, String> {
    let content = step[field].as_str().ok_or_else(|| format!("{field}: expected a text"))?;
    if content.len() > LONGEST_CONTENT {
        return Err(format!("{field}: expected at most {LONGEST_CONTENT} bytes, found {}", content.len()));
    }
    Ok(content.len())
}

fn post_processor(kind: &str, step: &Value) -> Result<usize, String> {
    if kind != "TemplateProcessing" {
        return Ok(1);
    }
    let special = &step["special_tokens"];
    for field in ["single", "pair"] {
        let pieces = step[field].as_array().filter(|pieces| pieces.len() <= MOST_STEPS);
        let pieces = pieces.ok_or_else(|| format!("{field}: expected a list of at most {MOST_STEPS} pieces"))?;
        for piece in pieces {
            let Some(token) = piece.get("SpecialToken") else { continue };
            let name = token["id"].as_str().unwrap_or_default();
            let ids = special.get(name).map(|token| (&token["ids"], &token["tokens"]));
            let Some((ids, tokens)) = ids else {
                return Err(format!("{field}: token {name:?} is not among its special_tokens"));
            };
            let counts = [ids, tokens].map(|list| list.as_array().map_or(0, Vec::len));
            if counts[0] == 0 || counts[0] != counts[1] || counts[0] > MOST_STEPS {
                return Err(format!(
                    "special_tokens, {name:?}: expected as many ids as tokens, from 1 to {MOST_STEPS}"
                ));
            }
        }
    }
    Ok(1)
}

/// Total length of all added tokens in bytes.
fn added_tokens(tokens: &Value) -> Result<usize, String> {
    let mut spelled = 0_usize;
    let mut known: HashMap<u64, &str> = HashMap::new();
    for (place, token) in tokens.as_array().into_iter().flatten().enumerate() {
        let field = format!("added_tokens[{place}]");
        let id = id(&token["id"]).map_err(|found| format!("{field}, id: {found}"))?;
        let content = content(token, "content").map(|_| token["content"].as_str().unwrap_or_default());
        let content = content.map_err(|reason| format!("{field}, {reason}"))?;
        spelled = spelled.saturating_add(content.len());
        if let Some(other) = known.insert(id, content).filter(|other| *other != content) {
            return Err(format!("{field}: {other:?} and {content:?} have the same id {id}"));
        }
    }
    Ok(spelled)
}

fn id(value: &Value) -> Result<u64, String> {
    let id = value.as_u64().filter(|id| *id < LARGEST_ID);
    id.ok_or_else(|| format!("expected a whole number below {LARGEST_ID}, found {value}"))
}

fn model(model: &Value) -> Result<(), String> {
    let vocabulary = &model["vocab"];
    if let Some(pieces) = vocabulary.as_array() {
        let unknown = &model["unk_id"];
        if !unknown.is_null() && unknown.as_u64().is_none_or(|unknown| unknown >= pieces.len() as u64) {
            return Err(format!("model, unk_id: expected a number below {}, found {unknown}", pieces.len()));
        }
    }
    check_unknown(model)?;
    let mut known: HashMap<u64, &String> = HashMap::new();
    for (token, number) in vocabulary.as_object().into_iter().flatten() {
        let number = id(number).map_err(|found| format!("model, vocab, {token:?}: {found}"))?;
        if let Some(other) = known.insert(number, token) {
            return Err(format!("model, vocab: {other:?} and {token:?} have the same id {number}"));
        }
    }
    if vocabulary.as_object().is_some_and(serde_json::Map::is_empty) || vocabulary.as_array().is_some_and(Vec::is_empty)
    {
        return Err("model, vocab: expected tokens, found none".to_string());
    }
    if model.get("dropout").and_then(Value::as_f64).is_some_and(|share| share != 0.0) {
        return Err("model, dropout: expected none, since it makes tokenisation random".to_string());
    }
    for field in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if model.get(field).and_then(Value::as_str).is_some_and(|mark| mark.len() > LONGEST_MARK) {
            return Err(format!("model, {field}: expected at most {LONGEST_MARK} bytes"));
        }
    }
    let longest = &model["max_input_chars_per_word"];
    if longest.as_u64().is_some_and(|longest| longest > LONGEST_WORD) {
        return Err(format!("model, max_input_chars_per_word: expected at most {LONGEST_WORD}, found {longest}"));
    }
    Ok(())
}

/// Checks that the unknown token is in the vocabulary.
fn check_unknown(model: &Value) -> Result<(), String> {
    if !matches!(model["type"].as_str(), Some("WordPiece" | "WordLevel")) {
        return Ok(());
    }
    let (unknown, vocabulary) = (model["unk_token"].as_str(), model["vocab"].as_object());
    // If one of the two is missing, the crate reports it.
    let (Some(unknown), Some(vocabulary)) = (unknown, vocabulary) else { return Ok(()) };
    if vocabulary.contains_key(unknown) {
        return Ok(());
    }
    Err(format!("model, unk_token: expected a token of vocab, found {unknown:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_unknown_token_must_be_in_the_vocabulary() {
        for (kind, token, is_right) in
            [("WordPiece", "[UNK]", true), ("WordPiece", "<unk>", false), ("WordLevel", "", false), ("BPE", "", true)]
        {
            let model = json!({ "type": kind, "unk_token": token, "vocab": { "[UNK]": 0 } });
            let checked = check_unknown(&model);
            assert_eq!(checked.is_ok(), is_right, "{kind} {token}");
            assert!(checked.err().is_none_or(|reason| reason.starts_with("model, unk_token: ")), "{kind}");
        }
    }
}
