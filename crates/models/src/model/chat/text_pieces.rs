//! Tokenizers for pieces of a text that are not its beginning. SentencePiece marks the beginning of a text with `▁`, as if a
//! space stood before it; a piece tokenised by itself would be marked although it continues a text.

use serde_json::Value;

/// What stands before a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// A special token. Some tokenizers mark every piece after one, others the first piece of the whole text only.
    SpecialToken,
    /// More text.
    Text,
}

/// `definition` (the content of `tokenizer.json`) without the steps that mark the beginning of a text; `None` if they are the
/// same for these pieces.
pub(super) fn without_mark(definition: &Value, before: Before) -> Option<Value> {
    let mut changed = definition.clone();
    stop_marking(&mut changed["pre_tokenizer"], before);
    if before == Before::Text {
        drop_prepended(&mut changed["normalizer"]);
    }
    (changed != *definition).then_some(changed)
}

/// `Metaspace` marks with `prepend_scheme` first or always; older files have `add_prefix_space`, which means always.
fn stop_marking(step: &mut Value, before: Before) {
    if let Some(steps) = step.get_mut("pretokenizers").and_then(Value::as_array_mut) {
        for step in steps {
            stop_marking(step, before);
        }
    }
    if step["type"] != "Metaspace" {
        return;
    }
    let is_first_only = step["prepend_scheme"] == "first";
    if is_first_only || before == Before::Text {
        step["prepend_scheme"] = "never".into();
        if step.get("add_prefix_space").is_some() {
            step["add_prefix_space"] = false.into();
        }
    }
}

/// `Prepend` marks every piece between special tokens.
fn drop_prepended(step: &mut Value) {
    if step["type"] == "Prepend" {
        *step = Value::Null;
    } else if let Some(steps) = step.get_mut("normalizers").and_then(Value::as_array_mut) {
        steps.retain(|step| step["type"] != "Prepend");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn marks_are_left_out_where_a_text_goes_on() {
        let first = json!({"pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "first"}, "normalizer": null});
        let never = json!({"pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "never"}, "normalizer": null});
        assert_eq!(without_mark(&first, Before::SpecialToken), Some(never.clone()));
        assert_eq!(without_mark(&first, Before::Text), Some(never.clone()));
        let mut always = first.clone();
        always["pre_tokenizer"]["prepend_scheme"] = json!("always");
        assert_eq!(without_mark(&always, Before::SpecialToken), None);
        assert_eq!(without_mark(&always, Before::Text), Some(never));
        let prepend = json!({"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend"}, {"type": "NFC"}]},
            "pre_tokenizer": null});
        assert_eq!(without_mark(&prepend, Before::SpecialToken), None);
        let without = without_mark(&prepend, Before::Text).unwrap();
        assert_eq!(without["normalizer"]["normalizers"], json!([{"type": "NFC"}]));
        let bytes = json!({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "normalizer": null});
        assert_eq!(without_mark(&bytes, Before::Text), None);
    }
}
