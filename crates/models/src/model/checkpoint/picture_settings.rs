//! Settings of image processors: contradictions between two files, and unsupported preprocessing steps.

use super::json::read_json;
use super::{CheckpointError, image_processor_json};
use dissent_core::files::input_file::is_there;
use dissent_core::text::printable::{beginning, one_line};
use serde_json::Value;
use std::path::Path;

/// Steps without effect on a single RGB image: they convert to RGB, or concern videos or segmentation labels.
const WITHOUT_EFFECT: [&str; 4] = ["do_convert_rgb", "do_sample_frames", "do_reduce_labels", "do_convert_annotations"];

/// Steps that are enabled by default in transformers' processors.
const ENABLED_BY_DEFAULT: [&str; 3] = ["do_resize", "do_rescale", "do_normalize"];

/// Fields without effect on pixels that differ between equivalent versions of the settings.
const IGNORED: [&str; 6] = [
    "image_processor_type",
    "feature_extractor_type",
    "processor_class",
    "auto_map",
    "_valid_processor_keys",
    "do_convert_rgb",
];

/// Fails if the settings enable a step (`do_…`) that is not among the `supported` ones, as the pixels would differ from
/// transformers'.
pub(in crate::model) fn refuse_other_steps(settings: &Value, supported: &[&str]) -> Result<(), String> {
    for (name, value) in settings.as_object().into_iter().flatten() {
        let is_off = match value {
            Value::Null | Value::Bool(false) => true,
            Value::Number(number) => number.as_f64() == Some(0.0),
            _ => false,
        };
        if is_off
            || !name.starts_with("do_")
            || supported.contains(&name.as_str())
            || WITHOUT_EFFECT.contains(&name.as_str())
        {
            continue;
        }
        return Err(format!(
            "field {}: found {}; expected false: this step is not supported (supported steps: {})",
            one_line(name),
            beginning(&value.to_string(), 40),
            supported.join(", ")
        ));
    }
    Ok(())
}

/// A note if `processor_config.json` and `preprocessor_config.json` contain different settings. The former is used, as in
/// transformers 5.
///
/// # Errors
/// Fails if a file cannot be read.
pub(in crate::model) fn two_picture_settings(folder: &Path) -> Result<Option<String>, CheckpointError> {
    let (outer, own) = ("processor_config.json", "preprocessor_config.json");
    if !is_there(&folder.join(outer)) || !is_there(&folder.join(own)) {
        return Ok(None);
    }
    let (file, used) = image_processor_json(folder)?;
    if file != outer {
        return Ok(None);
    }
    let other = read_json(folder, own, "it describes the image processor")?;
    let names = differing(&used, &other);
    if names.is_empty() {
        return Ok(None);
    }
    let names = one_line(&names.join(", "));
    Ok(Some(format!(
        "{outer} (image_processor) and {own} differ in {}; the first is used, as in transformers",
        beginning(&names, 200)
    )))
}

/// Names of the fields that differ.
fn differing<'a>(one: &'a Value, other: &'a Value) -> Vec<&'a str> {
    let names = |value: &'a Value| value.as_object().into_iter().flat_map(|object| object.keys().map(String::as_str));
    let mut all: Vec<&str> = names(one).chain(names(other)).filter(|name| !IGNORED.contains(name)).collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|name| {
        let usual = if ENABLED_BY_DEFAULT.contains(name) { Value::Bool(true) } else { Value::Null };
        let of = |value: &'a Value| value.get(*name).filter(|value| !value.is_null());
        match (of(one), of(other)) {
            (Some(one), Some(other)) => !is_same(one, other),
            (Some(only), None) | (None, Some(only)) => !usual.is_null() && *only != usual,
            (None, None) => false,
        }
    });
    all
}

/// Equality that treats integers and floats alike.
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

    /// Fields of published files of every family, including those that transformers 5 adds when saving.
    #[test]
    fn published_settings_are_supported() {
        let scaled = ["do_resize", "do_rescale", "do_normalize"];
        let cropped = ["do_resize", "do_center_crop", "do_rescale", "do_normalize"];
        let split = ["do_resize", "do_rescale", "do_normalize", "do_image_splitting", "do_pad"];
        let padded = ["do_resize", "do_rescale", "do_normalize", "do_pad"];
        for (settings, supported) in [
            (json!({"do_center_crop": true, "do_normalize": true, "do_resize": true, "crop_size": 224}), &cropped[..]),
            (json!({"do_convert_rgb": true, "do_rescale": true, "do_pad": false, "do_center_crop": null}), &scaled),
            (json!({"do_convert_rgb": null, "do_normalize": true, "max_num_patches": 256}), &scaled),
            (json!({"do_convert_rgb": true, "do_image_splitting": true, "do_pad": true, "do_resize": true}), &split),
            (json!({"do_convert_rgb": true, "do_pad": true, "do_sample_frames": true}), &padded),
            (json!({"min_pixels": 3136, "merge_size": 2, "image_processor_type": "Qwen2VLImageProcessor"}), &scaled),
        ] {
            refuse_other_steps(&settings, supported).unwrap();
        }
    }

    #[test]
    fn unsupported_steps_are_named() {
        for (name, value) in
            [("do_invert", json!(true)), ("do_grayscale", json!(1)), ("do_pad", json!(true)), ("do_x", json!("yes"))]
        {
            let message = refuse_other_steps(&json!({"do_resize": true, name: value}), &["do_resize"]).unwrap_err();
            assert!(message.starts_with(&format!("field {name}: found {value}; expected false")), "{message}");
        }
    }

    #[test]
    fn differing_fields_are_named() {
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
