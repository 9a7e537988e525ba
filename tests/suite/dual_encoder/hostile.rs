//! Damaged and hostile folders: each is refused with what was expected, what was found and where.

use super::fixture::{FAMILIES, all, assert_says, copy_of, fixture, message, rewrite, weights_of};
use crate::support::json_places::numbers_of;
use candle_core::{DType, Device, Tensor};
use dissent::model::dual_encoder::DualEncoder;
use image::RgbImage;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

#[test]
fn an_unknown_family_is_named_with_those_that_are_known() {
    let aside = tempfile::tempdir().unwrap();
    let folder = copy_of("siglip", aside.path());
    let known = ["clip (CLIPModel)", "siglip (", "siglip2 (", "jina_clip", "dinov2 (", "open_clip_config.json"];
    for model_type in [json!("dinov3_vit"), Value::Null, json!(3)] {
        rewrite(&folder, "config.json", |config| config["model_type"] = model_type.clone());
        assert_says(&folder, &[&known[..], &[&model_type.to_string(), "config.json"]].concat());
    }
}

/// Sizes that would need all the memory there is are refused before anything is made of them.
#[test]
fn huge_sizes_are_refused() {
    let aside = tempfile::tempdir().unwrap();
    let huge = [json!(1_u64 << 40), json!(u64::MAX)];
    for (name, file, towers) in [
        ("siglip", "config.json", ["vision_config", "text_config"]),
        ("siglip2_naflex", "config.json", ["vision_config", "text_config"]),
        ("jina_clip", "config.json", ["vision_config", "text_config"]),
        ("jina_clip_v2", "config.json", ["vision_config", "text_config"]),
    ] {
        for field in [
            "image_size",
            "num_patches",
            "hidden_size",
            "num_hidden_layers",
            "layers",
            "width",
            "vocab_size",
            "head_width",
        ] {
            for value in &huge {
                let folder = copy_of(name, aside.path());
                let mut is_read = false;
                rewrite(&folder, file, |config| {
                    for tower in towers {
                        if config[tower].get(field).is_some() {
                            config[tower][field] = value.clone();
                            is_read = true;
                        }
                    }
                });
                if is_read {
                    assert_says(&folder, &["config.json"]);
                }
            }
        }
    }
    for field in ["image_size", "width", "layers", "head_width", "patch_size"] {
        let folder = copy_of("open_clip", aside.path());
        rewrite(&folder, "open_clip_config.json", |config| {
            config["model_cfg"]["vision_cfg"][field] = json!(1_u64 << 40);
        });
        assert_says(&folder, &["open_clip_config.json"]);
    }
    let folder = copy_of("siglip", aside.path());
    rewrite(&folder, "preprocessor_config.json", |config| config["size"]["height"] = json!(u32::MAX));
    assert_says(&folder, &["preprocessor_config.json", "height"]);
}

#[test]
fn a_pickle_is_not_read() {
    let aside = tempfile::tempdir().unwrap();
    for (name, pickle, target) in [
        ("siglip", "pytorch_model.bin", "\"model.safetensors\""),
        ("biomed_clip", "open_clip_pytorch_model.bin", "\"open_clip_model.safetensors\""),
    ] {
        let folder = copy_of(name, aside.path());
        fs::rename(weights_of(&folder), folder.join(pickle)).unwrap();
        assert_says(&folder, &[pickle, "a pickle", "weights_only=True", target]);
    }
}

#[test]
fn a_tokenizer_in_another_form_is_named() {
    let aside = tempfile::tempdir().unwrap();
    let folder = copy_of("siglip", aside.path());
    fs::rename(folder.join("tokenizer.json"), folder.join("spiece.model")).unwrap();
    assert_says(&folder, &["tokenizer.json is missing", "spiece.model"]);
}

#[test]
fn a_tokenizer_with_ids_that_the_model_does_not_have_is_refused() {
    let aside = tempfile::tempdir().unwrap();
    for family in FAMILIES {
        let folder = copy_of(family, aside.path());
        rewrite(&folder, "tokenizer.json", |definition| {
            let added = |number: usize| {
                json!({"id": number, "content": format!("<{number}>"), "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true})
            };
            definition["added_tokens"] = (0..200).map(added).collect();
        });
        assert_says(&folder, &["tokenizer.json", "vocab_size"]);
    }
}

/// Splits the weights of a copied fixture over two files with an index; `change` may spoil the index.
fn shard(folder: &Path, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    let path = weights_of(folder);
    let tensors: BTreeMap<String, Tensor> =
        candle_core::safetensors::load(&path, &Device::Cpu).unwrap().into_iter().collect();
    fs::remove_file(path).unwrap();
    let mut map = serde_json::Map::new();
    let mut shards = [HashMap::new(), HashMap::new()];
    for (number, (name, tensor)) in tensors.iter().enumerate() {
        map.insert(name.clone(), json!(format!("model-0000{}-of-00002.safetensors", number % 2 + 1)));
        shards[number % 2].insert(name.clone(), tensor.clone());
    }
    for (number, shard) in shards.iter().enumerate() {
        let bytes = safetensors::serialize(shard.iter(), None).unwrap();
        fs::write(folder.join(format!("model-0000{}-of-00002.safetensors", number + 1)), bytes).unwrap();
    }
    change(&mut map);
    fs::write(folder.join("model.safetensors.index.json"), json!({ "weight_map": map }).to_string()).unwrap();
}

#[test]
fn shards_are_read_and_what_they_lack_is_named() {
    let aside = tempfile::tempdir().unwrap();
    let folder = copy_of("jina_clip", aside.path());
    shard(&folder, |_| ());
    assert!(DualEncoder::load(&folder, &Device::Cpu, DType::F32).is_ok());
    let folder = copy_of("siglip", aside.path());
    shard(&folder, |map| {
        map.insert("text_model.head.bias".into(), json!("model-00001-of-00002.safetensors"));
        map.insert("vision_model.head.probe".into(), json!("model-00001-of-00002.safetensors"));
        map.insert("not.there".into(), json!("model-00002-of-00002.safetensors"));
    });
    assert_says(&folder, &["is missing", "-of-00002.safetensors: tensor"]);
    let folder = copy_of("siglip2", aside.path());
    shard(&folder, |map| {
        map.insert("a".into(), json!("model-00003-of-00003.safetensors"));
    });
    assert_says(&folder, &["model-00003-of-00003.safetensors is missing", "the index of the weights lists it"]);
}

#[test]
fn an_index_does_not_lead_out_of_the_folder() {
    let aside = tempfile::tempdir().unwrap();
    let outside = aside.path().join("outside.safetensors");
    let absolute = outside.to_str().unwrap().to_string();
    for name in [
        "../outside.safetensors",
        &absolute,
        "sub/../../outside.safetensors",
        "sub/model.safetensors",
        "..",
        "",
        "model.bin",
    ] {
        let folder = copy_of("siglip", aside.path());
        fs::copy(weights_of(&folder), &outside).unwrap();
        shard(&folder, |map| {
            map.insert("vision_model.head.probe".into(), json!(name));
        });
        assert_says(&folder, &["model.safetensors.index.json", "in this folder", &format!("{name:?}")]);
        fs::remove_dir_all(&folder).unwrap();
    }
    let folder = copy_of("siglip", aside.path());
    shard(&folder, |map| {
        map.insert("vision_model.head.probe".into(), json!(7));
    });
    assert_says(&folder, &["expected a file name, found 7"]);
}

/// A safetensors file of this header and so many bytes after it.
fn file_of(header: &str, bytes: usize) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}

#[test]
fn lying_headers_are_refused() {
    let aside = tempfile::tempdir().unwrap();
    let folder = copy_of("siglip", aside.path());
    let path = weights_of(&folder);
    let tensor = |shape: &str, offsets: &str| {
        format!("{{\"vision_model.head.probe\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}")
    };
    let cases = [
        (Vec::new(), "an empty file"),
        (u64::MAX.to_le_bytes().to_vec(), "a header longer than anything"),
        (file_of("{", 0), "a torn header"),
        (file_of(&tensor("[1,1,24]", "[0,96]"), 8), "a tensor that ends behind the file"),
        (file_of(&tensor("[1,1,24]", "[96,0]"), 96), "a tensor that ends before it begins"),
        (file_of(&tensor("[1,1,9999]", "[0,96]"), 96), "a shape larger than its bytes"),
        (file_of(&tensor("[4294967296,4294967296,4294967296]", "[0,96]"), 96), "a shape beyond all numbers"),
        (file_of(&tensor("[-1]", "[0,96]"), 96), "a negative shape"),
        (file_of(&tensor("[1,1,24]", "[0,96]").replace("F32", "F99"), 96), "an unknown type"),
        (file_of(&tensor("[1,1,24]", "[0,96]"), 200), "bytes that belong to nothing"),
    ];
    for (content, what) in cases {
        fs::write(&path, content).unwrap();
        let message = message(&folder);
        assert!(message.contains("model.safetensors: not a complete safetensors file"), "{what}: {message}");
    }
}

/// A network with one norm more has tensors that ours would pass over in silence.
#[test]
fn tensors_without_a_place_are_named() {
    let aside = tempfile::tempdir().unwrap();
    for name in all() {
        let folder = copy_of(name, aside.path());
        let path = weights_of(&folder);
        let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let extra = Tensor::zeros(12, DType::F32, &Device::Cpu).unwrap();
        for harmless in ["logit_scale", "vision_model.embeddings.position_ids", "visual.trunk.rope.freqs_cos"] {
            // An encoder of images alone was trained without the loss that has a scale.
            if harmless != "logit_scale" || FAMILIES.contains(&name) {
                tensors.insert(harmless.into(), extra.clone());
            }
        }
        fs::write(&path, safetensors::serialize(&tensors, None).unwrap()).unwrap();
        assert!(DualEncoder::load(&folder, &Device::Cpu, DType::F32).is_ok(), "{name}");
        tensors.insert("vision_model.blocks.0.attn.q_norm.weight".into(), extra);
        fs::write(&path, safetensors::serialize(&tensors, None).unwrap()).unwrap();
        assert_says(&folder, &["vision_model.blocks.0.attn.q_norm.weight", "no counterpart in the model"]);
    }
}

#[test]
fn a_weight_that_f16_has_no_number_for_is_named() {
    let aside = tempfile::tempdir().unwrap();
    let name = "text_model.final_layer_norm.weight";
    for (stored, value, found) in [(DType::F32, 65_520.0, "-65520"), (DType::BF16, 70_000.0, "-70144")] {
        let folder = copy_of("siglip", aside.path());
        let path = weights_of(&folder);
        let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let mut values = tensors[name].to_dtype(DType::F32).unwrap().to_vec1::<f32>().unwrap();
        values[5] = -value;
        let mut save = |values: &[f32]| {
            let tensor = Tensor::new(values, &Device::Cpu).unwrap().to_dtype(stored).unwrap();
            tensors.insert(name.to_string(), tensor);
            candle_core::safetensors::save(&tensors, &path).unwrap();
        };
        save(&values);
        let load = |dtype: DType| DualEncoder::load(&folder, &Device::Cpu, dtype);
        let message = format!("{:#}", load(DType::F16).unwrap_err());
        for part in ["model.safetensors", name, &format!("the value {found} at element 5"), "--dtype f32, or bf16"] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        assert!(load(DType::F32).is_ok() && load(DType::BF16).is_ok());
        values[5] = -65_504.0;
        if stored == DType::F32 {
            save(&values);
            assert!(load(DType::F16).is_ok());
        }
    }
}

#[test]
fn a_batch_of_no_pictures_is_refused() {
    for name in ["siglip", "siglip2_naflex"] {
        let encoder = DualEncoder::load(&fixture(name), &Device::Cpu, DType::F32).unwrap();
        let message = encoder.pixels(&[]).unwrap_err().to_string();
        assert!(message.contains("expected at least one picture to encode"), "{name}: {message}");
        assert!(encoder.embed_pictures(&[]).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn a_picture_that_is_not_cut_into_whole_patches_is_refused() {
    let aside = tempfile::tempdir().unwrap();
    let folder = copy_of("siglip2_naflex", aside.path());
    rewrite(&folder, "preprocessor_config.json", |config| config["do_resize"] = json!(false));
    let encoder = DualEncoder::load(&folder, &Device::Cpu, DType::F32).unwrap();
    let embed = |width: u32, height: u32| encoder.embed_pictures(&[&RgbImage::new(width, height)]);
    embed(30, 24).unwrap();
    for (width, height) in [(31, 24), (36, 24), (5, 6), (0, 6)] {
        let message = embed(width, height).unwrap_err().to_string();
        assert!(
            message.contains(&format!(
                "expected 1 to 20 whole patches of 6×6 pixels, found a picture of {width}×{height}"
            )),
            "{message}"
        );
    }
}

/// Every number of the settings at the edges: what comes is an encoder or a message, and pictures that are read or refused.
#[test]
fn numbers_out_of_range_end_in_a_message() {
    let aside = tempfile::tempdir().unwrap();
    for family in all() {
        for file in ["config.json", "open_clip_config.json", "preprocessor_config.json"] {
            let Ok(bytes) = fs::read(fixture(family).join(file)) else { continue };
            let settings: Value = serde_json::from_slice(&bytes).unwrap();
            let mut pointers = Vec::new();
            numbers_of(&settings, String::new(), &mut pointers);
            for pointer in pointers {
                for value in
                    [json!(0), json!(-1), json!(1_u64 << 40), json!(u64::MAX), json!(1.5), Value::Null, json!([])]
                {
                    let folder = copy_of(family, aside.path());
                    rewrite(&folder, file, |settings| *settings.pointer_mut(&pointer).unwrap() = value.clone());
                    match DualEncoder::load(&folder, &Device::Cpu, DType::F32) {
                        Err(error) => {
                            let message = format!("{error:#}");
                            assert!(!message.contains('\n'), "{family}, {pointer}, {value}: {message}");
                        }
                        Ok(encoder) => {
                            let _ = encoder.embed_pictures(&[&RgbImage::new(9, 5)]);
                            let _ = encoder.embed_texts(&["a mass"]);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_in_every_settings_file() {
    for family in all() {
        let aside = tempfile::tempdir().unwrap();
        let whole = copy_of(family, aside.path());
        for entry in fs::read_dir(fixture(family)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if Path::new(&name).extension().is_none_or(|end| end != "json") || name == "expected.json" {
                continue;
            }
            let text = fs::read_to_string(fixture(family).join(&name)).unwrap();
            fs::write(whole.join(&name), text.replacen('{', r#"{"x": [{"y": 1, "y": 2}], "#, 1)).unwrap();
            assert_says(&whole, &[&format!("{name}: the key \"y\" appears twice with different values at line 1")]);
            fs::write(whole.join(&name), text).unwrap();
        }
    }
    let aside = tempfile::tempdir().unwrap();
    let folder = copy_of("siglip", aside.path());
    let text = fs::read_to_string(folder.join("config.json")).unwrap();
    let twice = text.replacen("\"layer_norm_eps\"", "\"layer_norm_eps\": 0.5, \"layer_norm_eps\"", 1);
    assert_ne!(text, twice);
    fs::write(folder.join("config.json"), twice).unwrap();
    assert_says(&folder, &["config.json: the key \"layer_norm_eps\" appears twice"]);
}

#[test]
fn steps_that_are_not_taken_are_refused_and_two_settings_noted() {
    for (family, step) in [
        ("siglip", "do_invert"),
        ("siglip", "do_pad"),
        ("siglip2_naflex", "do_center_crop"),
        ("siglip2", "do_grayscale"),
        ("jina_clip", "do_invert"),
    ] {
        let aside = tempfile::tempdir().unwrap();
        let folder = copy_of(family, aside.path());
        rewrite(&folder, "preprocessor_config.json", |settings| settings[step] = json!(true));
        assert_says(&folder, &[&format!("preprocessor_config.json: field {step}: found true; expected false")]);
        rewrite(&folder, "preprocessor_config.json", |settings| {
            settings[step] = json!(false);
            settings["do_convert_rgb"] = json!(true);
        });
        let encoder = DualEncoder::load(&folder, &Device::Cpu, DType::F32).unwrap();
        assert!(encoder.notes().is_empty());
    }
    let aside = tempfile::tempdir().unwrap();
    let folder = copy_of("siglip", aside.path());
    let mut settings: Value =
        serde_json::from_slice(&fs::read(folder.join("preprocessor_config.json")).unwrap()).unwrap();
    settings["image_mean"] = json!([0.9, 0.9, 0.9]);
    fs::write(folder.join("processor_config.json"), json!({"image_processor": settings}).to_string()).unwrap();
    let encoder = DualEncoder::load(&folder, &Device::Cpu, DType::F32).unwrap();
    assert!(encoder.notes()[0].contains("differ in image_mean; the first is used"), "{:?}", encoder.notes());
    // The nested ones do count, as in transformers 5.
    let picture = RgbImage::from_pixel(40, 40, image::Rgb([255, 255, 255]));
    let other = copy_of("siglip", &aside.path().join("other"));
    rewrite(&other, "preprocessor_config.json", |own| *own = settings.clone());
    let other = DualEncoder::load(&other, &Device::Cpu, DType::F32).unwrap();
    let plain = DualEncoder::load(&fixture("siglip"), &Device::Cpu, DType::F32).unwrap();
    let vector = |encoder: &DualEncoder| encoder.embed_pictures(&[&picture]).unwrap();
    assert_eq!(vector(&encoder), vector(&other));
    assert_ne!(vector(&encoder), vector(&plain));
}
