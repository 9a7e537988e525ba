//! What two files say of how pictures are prepared, and steps that nothing here takes (issue 18, A4 and A5).

use super::json::read_json;
use super::{CheckpointError, image_processor_json};
use crate::files::input_file::is_there;
use crate::text::printable::{beginning, one_line};
use serde_json::Value;
use std::path::Path;

/// Steps that change no pixel of one RGB picture: pictures are RGB here, frames are of videos, labels of segmentations.
const HARMLESS: [&str; 4] = ["do_convert_rgb", "do_sample_frames", "do_reduce_labels", "do_convert_annotations"];

/// Steps that transformers' processors take unless they are told not to.
const USUAL: [&str; 3] = ["do_resize", "do_rescale", "do_normalize"];

/// What decides no pixel of one RGB picture, and differs between versions that mean the same.
const NAMES: [&str; 6] = [
    "image_processor_type",
    "feature_extractor_type",
    "processor_class",
    "auto_map",
    "_valid_processor_keys",
    "do_convert_rgb",
];

/// Fails where the settings ask for a step (`do_…`) that is not among `taken`: the pixels would be others.
pub(in crate::model) fn refuse_other_steps(settings: &Value, taken: &[&str]) -> Result<(), String> {
    for (name, value) in settings.as_object().into_iter().flatten() {
        let is_off = match value {
            Value::Null | Value::Bool(false) => true,
            Value::Number(number) => number.as_f64() == Some(0.0),
            _ => false,
        };
        if is_off || !name.starts_with("do_") || taken.contains(&name.as_str()) || HARMLESS.contains(&name.as_str()) {
            continue;
        }
        return Err(format!(
            "field {}: found {}; expected false: pictures of this model are not prepared so here (known steps: {})",
            one_line(name),
            beginning(&value.to_string(), 40),
            taken.join(", ")
        ));
    }
    Ok(())
}

/// A sentence where both files that may say how pictures are prepared do so, and differ. That of `processor_config.json`
/// counts, as in transformers 5.
///
/// # Errors
/// A file that cannot be read.
pub(in crate::model) fn two_picture_settings(folder: &Path) -> Result<Option<String>, CheckpointError> {
    let (outer, own) = ("processor_config.json", "preprocessor_config.json");
    if !is_there(&folder.join(outer)) || !is_there(&folder.join(own)) {
        return Ok(None);
    }
    let (file, counts) = image_processor_json(folder)?;
    if file != outer {
        return Ok(None);
    }
    let other = read_json(folder, own, "it says how images are scaled")?;
    let names = differing(&counts, &other);
    if names.is_empty() {
        return Ok(None);
    }
    let names = one_line(&names.join(", "));
    Ok(Some(format!(
        "{outer} (image_processor) and {own} differ in {}; the first counts, as in transformers",
        beginning(&names, 200)
    )))
}

/// The fields that say something else in the one than in the other.
fn differing<'a>(one: &'a Value, other: &'a Value) -> Vec<&'a str> {
    let names = |value: &'a Value| value.as_object().into_iter().flat_map(|object| object.keys().map(String::as_str));
    let mut all: Vec<&str> = names(one).chain(names(other)).filter(|name| !NAMES.contains(name)).collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|name| {
        let usual = if USUAL.contains(name) { Value::Bool(true) } else { Value::Null };
        let of = |value: &'a Value| value.get(*name).filter(|value| !value.is_null());
        match (of(one), of(other)) {
            (Some(one), Some(other)) => !is_same(one, other),
            (Some(only), None) | (None, Some(only)) => !usual.is_null() && *only != usual,
            (None, None) => false,
        }
    });
    all
}

/// Equal as numbers, whole or not.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The fields of published files of every family, those that transformers 5 adds to them as it saves among them.
    #[test]
    fn published_settings_ask_for_nothing_else() {
        let scaled = ["do_resize", "do_rescale", "do_normalize"];
        let cropped = ["do_resize", "do_center_crop", "do_rescale", "do_normalize"];
        let split = ["do_resize", "do_rescale", "do_normalize", "do_image_splitting", "do_pad"];
        let padded = ["do_resize", "do_rescale", "do_normalize", "do_pad"];
        for (settings, taken) in [
            (json!({"do_center_crop": true, "do_normalize": true, "do_resize": true, "crop_size": 224}), &cropped[..]),
            (json!({"do_convert_rgb": true, "do_rescale": true, "do_pad": false, "do_center_crop": null}), &scaled),
            (json!({"do_convert_rgb": null, "do_normalize": true, "max_num_patches": 256}), &scaled),
            (json!({"do_convert_rgb": true, "do_image_splitting": true, "do_pad": true, "do_resize": true}), &split),
            (json!({"do_convert_rgb": true, "do_pad": true, "do_sample_frames": true}), &padded),
            (json!({"min_pixels": 3136, "merge_size": 2, "image_processor_type": "Qwen2VLImageProcessor"}), &scaled),
        ] {
            refuse_other_steps(&settings, taken).unwrap();
        }
    }

    #[test]
    fn a_step_that_is_not_taken_is_named() {
        for (name, value) in
            [("do_invert", json!(true)), ("do_grayscale", json!(1)), ("do_pad", json!(true)), ("do_x", json!("yes"))]
        {
            let message = refuse_other_steps(&json!({"do_resize": true, name: value}), &["do_resize"]).unwrap_err();
            assert!(message.starts_with(&format!("field {name}: found {value}; expected false")), "{message}");
        }
    }

    #[test]
    fn what_differs_in_two_files_is_named() {
        for (one, other, names) in [
            (json!({"image_mean": [0.5], "size": 3}), json!({"image_mean": [0.5], "size": 3.0}), &[][..]),
            (json!({"image_mean": [0.5]}), json!({"image_mean": [0.6], "do_pad": true}), &["image_mean"]),
            (json!({"do_normalize": false}), json!({"image_mean": [0.6]}), &["do_normalize"]),
            (json!({"do_normalize": true, "do_pad": null}), json!({"processor_class": "X", "do_pad": true}), &[]),
            (json!({"processor_class": "Y"}), json!({"processor_class": "X"}), &[]),
        ] {
            assert_eq!(differing(&one, &other), names, "{one} {other}");
        }
    }
}
