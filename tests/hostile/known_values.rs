//! Changes that must not pass without a word: the right outcome of each is known.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::program::Outcome;
use crate::support::folders::copy_folder;
use crate::{imports, servers};
use image::{DynamicImage, GrayImage, ImageBuffer, Luma};
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const ALL: [crate::input::Make; 12] = [
    two_answers,
    groups_spelled_apart,
    large_groups,
    image_of_equal_size,
    layer_too_many,
    turned_by_exif,
    twelve_bits,
    no_number_in_predictions,
    no_number_in_a_run,
    too_probable_in_a_run,
    tensor_twice,
    servers::impossible_probability,
];

/// One of them.
pub fn known_value(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let make = *ALL.choose(random).unwrap();
    make(random, ground, folder)
}

fn lines_of(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write_lines(path: &Path, lines: &[String]) {
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// One key twice in an object, or two names of one field.
fn two_answers(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.bare_copy(folder);
    let path = dataset.join("cases.jsonl");
    let mut lines: Vec<String> = lines_of(&path).iter().map(Value::to_string).collect();
    let key = *["answer", "answers", "group", "image", "image_path", "split", "id"].choose(random).unwrap();
    let value = *["\"No\"", "\"Yes\"", "\"train\"", "\"p1\""].choose(random).unwrap();
    // The same value twice is said and does no harm.
    lines[0] = format!("{},\"{key}\":\"q\",\"{key}\":{value}}}", lines[0].trim_end_matches('}'));
    write_lines(&path, &lines);
    Input::new(format!("{key} twice"), &["check", text_of(&dataset)]).refused()
}

/// One patient under several spellings: no document of theirs may be shown to their own case.
fn groups_spelled_apart(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let (of_case, of_document) = *[
        ("12", "12.0"),
        ("12.0", "12"),
        ("\"12\"", "12"),
        ("12.0", "\"12\""),
        ("\" p13 \"", "\"p13\""),
        ("1.2e1", "12"),
        ("\"p13\\u00a0\"", "\"p13\""),
    ]
    .choose(random)
    .unwrap();
    grouped(ground, folder, of_case, of_document, true)
}

/// Two patients whose numbers differ beyond 2^53: every document may be shown.
fn large_groups(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let (one, other) = *[
        ("9007199254740993", "9007199254740992"),
        ("123456789012345678901234567890", "123456789012345678901234567891"),
        ("18446744073709551615", "18446744073709551614"),
    ]
    .choose(random)
    .unwrap();
    grouped(ground, folder, one, other, false)
}

fn grouped(ground: &Ground, folder: &Path, of_case: &str, of_document: &str, is_same: bool) -> Input {
    let dataset = ground.bare_copy(folder);
    for (file, group) in [("cases.jsonl", of_case), ("corpus.jsonl", of_document)] {
        let path = dataset.join(file);
        let grouped = |value: &Value| format!("{},\"group\":{group}}}", value.to_string().trim_end_matches('}'));
        let lines: Vec<String> = lines_of(&path)
            .iter()
            .enumerate()
            .map(|(place, line)| if place < 3 { grouped(line) } else { line.to_string() })
            .collect();
        write_lines(&path, &lines);
    }
    let ids: Vec<String> = lines_of_ids(&dataset.join("corpus.jsonl"));
    let of_group = ids[..3].to_vec();
    let (reader, what) = (Ground::reader(), format!("groups {of_case} and {of_document}"));
    Input::predict(what, &dataset, text_of(&reader), &["-k", "12"]).expecting(move |outcome, folder| {
        if outcome.code != Some(0) {
            return Ok(());
        }
        let first = first_case(folder)?;
        let found: Vec<&String> = of_group.iter().filter(|id| first.1.contains(id)).collect();
        match (is_same, found.is_empty()) {
            (true, false) => Err(format!("case {} was shown {found:?} of its own group", first.0)),
            (false, true) => Err(format!("case {} was not shown {of_group:?}, which are of another group", first.0)),
            _ => Ok(()),
        }
    })
}

fn lines_of_ids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_string()).collect()
}

/// The first case of the run `x` and the documents that it was shown.
fn first_case(folder: &Path) -> Result<(String, Vec<String>), String> {
    let lines = lines_of(&folder.join("ds/.dissent/runs/x/predictions.jsonl"));
    let first = lines.first().ok_or("the run is empty")?["case"].as_str().unwrap_or_default().to_string();
    let shown = lines
        .iter()
        .filter(|line| line["case"] == first.as_str())
        .filter_map(|line| line["document"].as_str().map(str::to_string));
    Ok((first.clone(), shown.collect()))
}

/// An image of the corpus replaced by one of as many bytes: the index is not up to date.
fn image_of_equal_size(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let corpus = lines_of(&dataset.join("corpus.jsonl"));
    let place = random.random_range(0..corpus.len());
    let path = dataset.join(corpus[place]["image"].as_str().unwrap());
    let length = fs::metadata(&path).unwrap().len() as usize;
    let mut file = std::io::Cursor::new(Vec::new());
    let shade = random.random();
    DynamicImage::ImageLuma8(GrayImage::from_pixel(64, 64, Luma([shade])))
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    let mut content = file.into_inner();
    // Readers ignore bytes after the last chunk of a PNG file.
    content.resize(length.max(content.len()), 0);
    assert_eq!(content.len(), length, "an even image is smaller");
    let times = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, content).unwrap();
    if random.random() {
        fs::File::options().write(true).open(&path).unwrap().set_modified(times).unwrap();
    }
    let encoder = Ground::encoder();
    Input::new(format!("image {place} replaced"), &["index", text_of(&dataset), "--encoder", text_of(&encoder)])
        .expecting(|outcome, _| {
            if outcome.text().contains("up to date") { Err("the index is called up to date".into()) } else { Ok(()) }
        })
}

/// A layer in the weights that the configuration does not have.
fn layer_too_many(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let model = folder.join("m");
    let is_reader: bool = random.random();
    let (original, pattern) = if is_reader {
        (Ground::reader(), "language_model.model.layers.2.")
    } else {
        (Ground::encoder(), "text_model.encoder.layers.1.")
    };
    copy_folder(&original, &model);
    let path = model.join("model.safetensors");
    let content = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&content[8..8 + length]).unwrap();
    let data = &content[8 + length..];
    let mut more = Vec::new();
    let names: Vec<String> =
        header.as_object().unwrap().keys().filter(|name| name.contains(pattern)).cloned().collect();
    assert!(!names.is_empty(), "no tensor of {pattern} in {}", path.display());
    for name in names {
        let entry = header[&name].clone();
        let offsets: Vec<usize> =
            entry["data_offsets"].as_array().unwrap().iter().map(|offset| offset.as_u64().unwrap() as usize).collect();
        let begin = data.len() + more.len();
        more.extend_from_slice(&data[offsets[0]..offsets[1]]);
        header[name.replace(pattern, &pattern.replace(['1', '2'], "7"))] =
            json!({"dtype": entry["dtype"], "shape": entry["shape"], "data_offsets": [begin, data.len() + more.len()]});
    }
    write_safetensors(&path, &header.to_string(), &[data, &more].concat());
    let (dataset, workspace) = (ground.dataset(), folder.join("ws"));
    let (what, at) = (format!("{pattern} once more"), ["--workspace", text_of(&workspace)]);
    let input = if is_reader {
        Input::predict(what, &dataset, text_of(&model), &at)
    } else {
        Input::new(what, &[&["index", text_of(&dataset), "--encoder", text_of(&model)][..], &at].concat())
    };
    input.refused()
}

/// A tensor's name twice in one file.
fn tensor_twice(_: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let model = folder.join("m");
    copy_folder(&Ground::encoder(), &model);
    let path = model.join("model.safetensors");
    let content = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(content[..8].try_into().unwrap()) as usize;
    let header = std::str::from_utf8(&content[8..8 + length]).unwrap();
    let name = header.split('"').find(|name| name.ends_with(".weight")).unwrap();
    let start = header.find(&format!("\"{name}\"")).unwrap();
    let end = start + header[start..].find('}').unwrap() + 1;
    let header = format!("{}{},{}", &header[..start], &header[start..end], &header[start..]);
    write_safetensors(&path, &header, &content[8 + length..]);
    let (dataset, workspace) = (ground.dataset(), folder.join("ws"));
    Input::new(
        format!("{name} twice"),
        &["index", text_of(&dataset), "--encoder", text_of(&model), "--workspace", text_of(&workspace)],
    )
    .refused()
}

fn write_safetensors(path: &Path, header: &str, data: &[u8]) {
    let mut header = header.as_bytes().to_vec();
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = (header.len() as u64).to_le_bytes();
    fs::write(path, [&length[..], &header, data].concat()).unwrap();
}

/// A JPEG file whose EXIF data turns it: read as the picture that people see, or refused, or said.
fn turned_by_exif(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let turn: u8 = random.random_range(2..=8);
    let mut file = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(GrayImage::from_fn(48, 32, |x, y| Luma([(x * 5 + y) as u8])))
        .write_to(&mut file, image::ImageFormat::Jpeg)
        .unwrap();
    let jpeg = file.into_inner();
    let exif =
        [b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[turn, 0, 0, 0], &[0; 4]].concat();
    let marker = [&[0xff, 0xe1][..], &(exif.len() as u16 + 2).to_be_bytes(), &exif].concat();
    let path = folder.join("turned.jpg");
    fs::write(&path, [&jpeg[..2], &marker, &jpeg[2..]].concat()).unwrap();
    let _ = ground;
    Input::new(format!("orientation {turn}"), &["show", text_of(&path), "--json"]).expecting(move |outcome, _| {
        let expected = if turn >= 5 { (32, 48) } else { (48, 32) };
        let is_said = outcome.code != Some(0) || outcome.text().contains("rient");
        let found = size_in(outcome);
        if is_said || found == Some(expected) { Ok(()) } else { Err(format!("expected {expected:?}, found {found:?}")) }
    })
}

fn size_in(outcome: &Outcome) -> Option<(u64, u64)> {
    let text = outcome.text();
    let value: Value = serde_json::from_str(&text[text.find('{')?..=text.rfind('}')?]).ok()?;
    Some((value["width"].as_u64()?, value["height"].as_u64()?))
}

/// A document of the corpus in 16 bit, with values of 10, 12 or 14 bits: the nearest is still itself.
fn twelve_bits(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.dataset();
    let corpus = lines_of(&dataset.join("corpus.jsonl"));
    let grey: Vec<&Value> = corpus.iter().filter(|line| line["id"].as_str().unwrap().starts_with("us-")).collect();
    let document = *grey.choose(random).unwrap();
    let picture = image::open(dataset.join(document["image"].as_str().unwrap())).unwrap().to_luma8();
    let bits = *[10_u32, 12, 14].choose(random).unwrap();
    let factor = f64::from((1_u32 << bits) - 1) / 255.0;
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_fn(picture.width(), picture.height(), |x, y| {
        Luma([(f64::from(picture.get_pixel(x, y).0[0]) * factor).round() as u16])
    });
    let path = folder.join("deep.png");
    DynamicImage::ImageLuma16(deep).save(&path).unwrap();
    let encoder = Ground::encoder();
    let id = document["id"].as_str().unwrap().to_string();
    let arguments =
        ["search", text_of(&dataset), "--image", text_of(&path), "--encoder", text_of(&encoder), "--json", "-k", "1"];
    Input::new(format!("{id} with values of {bits} bits"), &arguments).expecting(move |outcome, _| {
        let text = outcome.text();
        if outcome.code != Some(0) || text.contains(&format!("\"id\": \"{id}\"")) {
            Ok(())
        } else {
            Err(format!("the nearest document is another than {id}"))
        }
    })
}

/// -Infinity is the logit of a label that was masked.
const NO_NUMBERS: [&str; 3] = ["NaN", "Infinity", "1e999"];

/// Puts a value that is no number among the logits of JOMED's predictions.
fn no_number_in_predictions(random: &mut Random, _: &Ground, folder: &Path) -> Input {
    let word = *NO_NUMBERS.choose(random).unwrap();
    let text = imports::prediction_lines().replacen("[1.0,0.0]", &format!("[{word},0.0]"), 4);
    assert!(text.contains(word));
    let path = folder.join("image-step-0.jsonl");
    fs::write(&path, text).unwrap();
    Input::new(format!("{word} in logits"), &["import", "predictions", text_of(&path), text_of(&folder.join("out"))])
        .refused()
}

fn changed_run(ground: &Ground, folder: &Path, value: &str) -> Input {
    let dataset = ground.copy(folder);
    let path = dataset.join(".dissent/runs/a/predictions.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("checksum");
        let scores = &mut line["label_log_probabilities"];
        let place = if scores.is_array() { &mut scores[0] } else { return Input::new("no scores", &["doctor"]) };
        *place = json!("@@");
        lines.push(line.to_string().replace("\"@@\"", value));
    }
    write_lines(&path, &lines);
    Input::new(
        format!("{value} among log-probabilities"),
        &["evaluate", text_of(&dataset), "--runs", "a", "--resamples", "200"],
    )
    .refused()
}

/// Puts a value that is no number among the log-probabilities of a run.
fn no_number_in_a_run(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    changed_run(ground, folder, NO_NUMBERS.choose(random).unwrap())
}

/// A probability above 1 in a run.
fn too_probable_in_a_run(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    changed_run(ground, folder, ["3.0", "0.7", "1e30"].choose(random).unwrap())
}
