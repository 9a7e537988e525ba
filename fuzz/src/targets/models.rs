//! Files of a checkpoint.

use super::check_message;
use super::folder::{copy_settings, folder, project, write};
use dissent::model::chat::{ChatTemplate, ChatTokenizer};
use dissent::model::checkpoint::Weights;
use dissent::model::dual_encoder::architecture_of;
use dissent::model::gguf::{DecoderSpec, GgufDecoder};
use dissent::model::qwen2_vl::Qwen2VlConfig;
use dissent::model::reader_family::ReaderFamily;
use dissent::model::tokenizer::Tokenizer;
use serde_json::json;
use std::path::Path;

/// A safetensors file: its header, and every tensor's values.
pub fn safetensors(bytes: &[u8]) {
    let folder = folder();
    write(&folder.join("model.safetensors"), bytes);
    let weights = match Weights::read(&folder) {
        Ok(weights) => weights,
        Err(error) => return check_message(&error),
    };
    let names: Vec<String> = weights.names().into_iter().map(str::to_string).collect();
    let vars = weights.clone().builder(candle_core::DType::F32, &candle_core::Device::Cpu);
    for name in names {
        let shape = weights.shape(&name).expect("a tensor has a shape");
        match vars.get(shape.clone(), &name) {
            Ok(tensor) => assert_eq!(tensor.dims(), shape, "the shape that was asked for"),
            Err(error) => check_message(&error),
        }
    }
}

/// A GGUF file beside the configuration of a small Qwen2-VL.
pub fn gguf(bytes: &[u8]) {
    let folder = folder();
    let checkpoint = project().join("tests/fixtures/readers/gguf/qwen2_vl/checkpoint");
    let path = folder.join("decoder.gguf");
    write(&path, bytes);
    let config = Qwen2VlConfig::read(&checkpoint).expect("the fixture");
    let place = DecoderSpec { config: &config.text, tied: config.tied_embeddings, inner: "model", outer: "" };
    match GgufDecoder::open(&[path], place) {
        Err(error) => check_message(&error),
        Ok(decoder) => {
            let names: Vec<String> = decoder.shapes().map(|(name, _)| name.to_string()).collect();
            for name in names {
                let _ = decoder.dequantised(&name).map_err(|error| check_message(&error));
            }
        }
    }
}

/// `config.json` of a reader or an encoder of any family, and OpenCLIP's.
pub fn config(bytes: &[u8]) {
    let folder = folder();
    write(&folder.join("config.json"), bytes);
    match ReaderFamily::of(&folder) {
        Ok(family) => drop(family.text_hidden(&folder).map_err(|error| check_message(&error))),
        Err(error) => check_message(&error),
    }
    encoder(&folder);
    // Without a config.json, OpenCLIP's file is used.
    let open_clip = folder.join("open_clip");
    std::fs::create_dir_all(&open_clip).expect("a folder");
    write(&open_clip.join("open_clip_config.json"), bytes);
    encoder(&open_clip);
}

fn encoder(folder: &Path) {
    match architecture_of(folder) {
        Ok(architecture) => {
            assert!(architecture.dimension() > 0 && architecture.pooled_width() > 0, "vectors without length");
            let _ = architecture.processor(folder).map_err(|error| check_message(&error));
        }
        Err(error) => check_message(&error),
    }
}

/// The settings of the image processor, of every family of readers and of an encoder.
pub fn processor(bytes: &[u8]) {
    let folder = folder();
    let fixtures = project().join("tests/fixtures");
    let readers = ["qwen2_vl", "qwen3_vl", "llava", "smolvlm", "gemma3", "internvl", "paligemma"];
    let readers = readers.map(|family| format!("readers/{family}/checkpoint"));
    let checkpoints = ["pixtral/checkpoint".to_string()].into_iter().chain(readers);
    for (number, checkpoint) in checkpoints.enumerate() {
        let reader = folder.join(number.to_string());
        if !reader.exists() {
            copy_settings(&fixtures.join(checkpoint), &reader);
            // The fingerprint of a checkpoint includes its weights.
            write(&reader.join("model.safetensors"), b"\x02\0\0\0\0\0\0\0{}");
        }
        for file in ["processor_config.json", "preprocessor_config.json"] {
            write(&reader.join(file), bytes);
        }
        let family = ReaderFamily::of(&reader).expect("the fixture");
        let read = family.read_processor(&reader);
        match read {
            Err(error) => check_message(&error),
            Ok((processor, _)) => {
                let picture = image::RgbImage::from_pixel(30, 20, image::Rgb([9, 99, 200]));
                let _ = processor.prepare(&picture).map_err(|error| check_message(&error));
            }
        }
    }
    let siglip = folder.join("siglip");
    if !siglip.exists() {
        copy_settings(&fixtures.join("dual_encoders/siglip"), &siglip);
    }
    write(&siglip.join("preprocessor_config.json"), bytes);
    encoder(&siglip);
}

/// `tokenizer.json` of a reader and of an encoder, and the tokens of a text.
pub fn tokenizer(bytes: &[u8]) {
    let folder = folder();
    write(&folder.join("tokenizer.json"), bytes);
    write(&folder.join("tokenizer_config.json"), br#"{"eos_token": "</s>"}"#);
    let text = "Is the lesion malignant? \u{e9}\u{65e5}\u{672c} [IMG] 3.5 mm";
    match ChatTokenizer::read(&folder) {
        Err(error) => check_message(&error),
        Ok(tokenizer) => {
            let largest = tokenizer.largest_id();
            match tokenizer.encode(text) {
                Err(error) => check_message(&error),
                Ok(ids) => {
                    assert!(ids.iter().all(|id| *id <= largest), "an id beyond the largest");
                    let _ = tokenizer.decode(&ids).map_err(|error| check_message(&error));
                }
            }
        }
    }
    match Tokenizer::read(&folder, 77, 0) {
        Err(error) => check_message(&error),
        Ok(tokenizer) => match tokenizer.encode(&[text, ""]) {
            Err(error) => check_message(&error),
            Ok(rows) => assert!(rows.iter().all(|row| row.len() <= 77), "longer than the model reads"),
        },
    }
}

/// A chat template, and a conversation that it writes.
pub fn template(bytes: &[u8]) {
    let folder = folder();
    write(&folder.join("chat_template.jinja"), bytes);
    let content = json!([{"type": "image"}, {"type": "text", "text": "Is the lesion malignant?"}]);
    match ChatTemplate::read(&folder) {
        Err(error) => check_message(&error),
        Ok(None) => panic!("the template was passed over"),
        Ok(Some(template)) => {
            for asks in [true, false] {
                if let Err(error) = template.render(&json!([{"role": "user", "content": content}]), asks) {
                    check_message(&error);
                }
            }
        }
    }
}
