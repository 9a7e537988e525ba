//! Every format that is imported.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::mutate;
use image::GrayImage;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::json;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A small file of each format with something changed.
pub fn import(random: &mut Random, _: &Ground, folder: &Path) -> Input {
    match random.random_range(0..7) {
        0 => medmnist(random, folder),
        1 => vqa_rad(random, folder),
        2 => nih_cxr(random, folder),
        3 => slake(random, folder),
        4 => brset(random, folder),
        5 => vindr_pcxr(random, folder),
        _ => predictions(random, folder),
    }
}

fn npy(description: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{description}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(elements);
    bytes
}

fn medmnist(random: &mut Random, folder: &Path) -> Input {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let victim = random.random_range(0..6);
    let mut what = String::new();
    let shapes = [
        "(2, 6, 5)",
        "(4294967296, 6, 5)",
        "(2, 4096, 4096)",
        "(2, 0, 5)",
        "(18446744073709551616,)",
        "()",
        "(2, 6, 5, 3)",
    ];
    for (number, (split, part)) in [
        ("train", "images"),
        ("train", "labels"),
        ("val", "images"),
        ("val", "labels"),
        ("test", "images"),
        ("test", "labels"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut array =
            if part == "images" { npy("|u1", "(2, 6, 5)", &[9; 60]) } else { npy("|u1", "(2, 1)", &[0, 1]) };
        let mut name = format!("{split}_{part}.npy");
        if number == victim {
            match random.random_range(0..4) {
                0 => {
                    let shape = *shapes.choose(random).unwrap();
                    array = npy("|u1", shape, &[1; 60]);
                    what = format!("{name} of shape {shape}");
                }
                1 => {
                    name = mutate::hostile_text(random).chars().take(2000).collect();
                    what = format!("an array called {name:.40?}");
                }
                _ => what = format!("{name} {}", mutate::bytes(random, &mut array)),
            }
        }
        zip.start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).unwrap();
        zip.write_all(&array).unwrap();
    }
    let mut file = zip.finish().unwrap().into_inner();
    if random.random_range(0..4) == 0 {
        what = format!("zip {}", mutate::bytes(random, &mut file));
    }
    let path = folder.join("small.npz");
    fs::write(&path, file).unwrap();
    let arguments =
        ["import", "medmnist", text_of(&path), text_of(&folder.join("out")), "--labels", "a,b", "--question", "Which?"]
            .map(String::from);
    Input { arguments: arguments.to_vec(), ..Input::new(format!("medmnist {what}"), &[]) }
}

fn vqa_rad(random: &mut Random, folder: &Path) -> Input {
    let source = folder.join("in");
    fs::create_dir_all(source.join("images")).unwrap();
    let mut rows = Vec::new();
    for (number, (answer, kind)) in
        [("Yes", "CLOSED"), ("no", "CLOSED"), ("left lung", "OPEN"), ("Yes", "CLOSED")].iter().enumerate()
    {
        let name = format!("made{number}.jpg");
        picture(&source.join("images").join(&name));
        rows.push(json!({"qid": number, "phrase_type": if number == 1 { "test_freeform" } else { "freeform" },
            "image_case_url": "https://example.org/case?id=A", "image_name": name, "image_organ": "CHEST", "question": "Is there an effusion?",
            "question_type": "PRES", "answer": answer, "answer_type": kind}));
    }
    let text = serde_json::Value::Array(rows).to_string();
    let (text, what) = mutate::json(random, &text);
    fs::write(source.join("VQA_RAD.json"), text).unwrap();
    let litter =
        *["", "._VQA_RAD.json", "Thumbs.db", "__MACOSX/._made0.jpg", "images/made0.png"].choose(random).unwrap();
    if !litter.is_empty() {
        fs::create_dir_all(source.join(litter).parent().unwrap()).unwrap();
        fs::write(source.join(litter), mutate::hostile_text(random)).unwrap();
    }
    let out = folder.join("out");
    Input::new(
        format!("vqa-rad {what} {litter}"),
        &["import", "vqa-rad", text_of(&source), text_of(&out), "--open-questions"],
    )
}

fn nih_cxr(random: &mut Random, folder: &Path) -> Input {
    let source = folder.join("in");
    let mut names =
        vec!["Effusion/00000001_000.jpg".to_string(), "Mass/00000002_000.jpg".into(), "Mass/00000003_001.jpg".into()];
    let hostile: String = mutate::hostile_text(random).replace(['/', '\0'], "_").chars().take(40).collect();
    names.push(format!("{}/0000000{}_000.jpg", if random.random() { &hostile } else { "Effusion" }, 4));
    names.push(format!("Effusion/{hostile}.jpg"));
    for name in &names {
        fs::create_dir_all(source.join(name).parent().unwrap()).unwrap();
        picture(&source.join(name));
    }
    if random.random() {
        let mut content = fs::read(source.join(&names[0])).unwrap();
        mutate::bytes(random, &mut content);
        fs::write(source.join(&names[0]), content).unwrap();
    }
    Input::new(format!("nih-cxr {hostile:?}"), &["import", "nih-cxr", text_of(&source), text_of(&folder.join("out"))])
}

fn slake(random: &mut Random, folder: &Path) -> Input {
    let source = folder.join("in");
    for number in 0..3 {
        let place = source.join(format!("imgs/xmlab{number}"));
        fs::create_dir_all(&place).unwrap();
        picture(&place.join("source.jpg"));
    }
    let victim = random.random_range(0..3);
    let mut what = String::new();
    for (number, file) in ["train.json", "validate.json", "test.json"].iter().enumerate() {
        let rows: Vec<serde_json::Value> = [("Yes", "CLOSED", "en"), ("Lung", "CLOSED", "en"), ("不包含", "CLOSED", "zh")]
            .iter()
            .enumerate()
            .map(|(row, (answer, kind, language))| {
                json!({"img_id": number, "img_name": format!("xmlab{number}/source.jpg"), "question": "Does the picture contain liver?",
                    "answer": answer, "q_lang": language, "location": "Lung", "modality": "CT", "answer_type": kind,
                    "base_type": "vqa", "content_type": "Organ", "triple": ["vhead", "_", "_"], "qid": 10 * number + row})
            })
            .collect();
        let mut text = serde_json::Value::Array(rows).to_string().into_bytes();
        if number == victim {
            let (changed, change) = mutate::json(random, &String::from_utf8_lossy(&text));
            what = format!("{file} {change}");
            text = changed.into();
        }
        fs::write(source.join(file), text).unwrap();
    }
    let out = folder.join("out");
    let language = *["en", "zh", "both"].choose(random).unwrap();
    Input::new(format!("slake {what}"), &["import", "slake", text_of(&source), text_of(&out), "--language", language])
}

/// A table with one cell changed to a hostile text, or with changed bytes.
fn changed_table(random: &mut Random, lines: &mut [Vec<String>]) -> (Vec<u8>, String) {
    let (row, hostile) = (random.random_range(0..lines.len()), mutate::hostile_text(random));
    let column = random.random_range(0..lines[row].len());
    lines[row][column].clone_from(&hostile);
    let rows: Vec<String> = lines.iter().map(|cells| cells.join(",")).collect();
    let mut content = rows.join("\n").into_bytes();
    if random.random() {
        mutate::bytes(random, &mut content);
    }
    (content, format!("row {row}, column {column}: {hostile:?}"))
}

fn cells(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn brset(random: &mut Random, folder: &Path) -> Input {
    let source = folder.join("in");
    fs::create_dir_all(source.join("fundus_photos")).unwrap();
    let header = "image_id,patient_id,DR_ICDR,focus,diabetic_retinopathy,macular_edema,scar,nevus,amd,vascular_occlusion,\
                  hypertensive_retinopathy,drusens,hemorrhage,retinal_detachment,myopic_fundus,increased_cup_disc,other";
    let mut lines = vec![cells(header)];
    for number in 0..6 {
        picture(&source.join(format!("fundus_photos/img{number}.jpg")));
        lines.push(cells(&format!("img{number},{number},{},1,0,0,0,0,0,1,0,0,0,0,0,0,0", number % 5)));
    }
    let (table, what) = changed_table(random, &mut lines);
    fs::write(source.join("labels.csv"), table).unwrap();
    let out = folder.join("out");
    Input::new(format!("brset {what}"), &["import", "brset", text_of(&source), text_of(&out), "--grades"])
}

fn vindr_pcxr(random: &mut Random, folder: &Path) -> Input {
    let source = folder.join("in");
    let header = "image_id,rad_ID,No finding,Bronchitis,Brocho-pneumonia,Other disease,Bronchiolitis,Situs inversus,Pneumonia,\
                  Pleuro-pneumonia,Diagphramatic hernia,Tuberculosis,Congenital emphysema,CPAM,Hyaline membrane disease,\
                  Mediastinal tumor,Lung tumor";
    let mut what = String::new();
    for split in ["train", "test"] {
        fs::create_dir_all(source.join(split)).unwrap();
        let mut lines = vec![cells(header)];
        for number in 0..4 {
            let mut content = vec![0; 128];
            content.extend_from_slice(b"DICM\x02\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0");
            mutate::bytes(random, &mut content);
            fs::write(source.join(format!("{split}/{split}{number}.dicom")), content).unwrap();
            lines.push(cells(&format!("{split}{number},R1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0")));
        }
        let (table, change) = changed_table(random, &mut lines);
        fs::write(source.join(format!("image_labels_{split}.csv")), table).unwrap();
        what = format!("{what} {split} {change}");
    }
    let out = folder.join("out");
    Input::new(format!("vindr-pcxr{what}"), &["import", "vindr-pcxr", text_of(&source), text_of(&out)])
}

/// Lines as JOMED's evaluation writes them.
pub fn prediction_lines() -> String {
    let mut text = String::new();
    for case in 0..2 {
        for place in 0..2 {
            let line = json!({"query": "cancer?", "answers": if case == 0 { "No" } else { "Yes" }, "generation": "Yes",
                "logits": [[0.0, 1.0], [1.0, 0.0]],
                "passages": [{"id": place, "img_path": format!("corpus/{place}.png"), "text": format!("document {place}"), "dataset_source": "roco"}],
                "metadata": {"image_path": format!("queries/{case}.png"), "query": "q", "target": "Yes"}});
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

fn predictions(random: &mut Random, folder: &Path) -> Input {
    let (content, what) = mutate::json_lines(random, &prediction_lines());
    let path = folder.join("image-step-0.jsonl");
    fs::write(&path, content).unwrap();
    Input::new(format!("predictions {what}"), &["import", "predictions", text_of(&path), text_of(&folder.join("out"))])
}

fn picture(path: &Path) {
    // The content is a JPEG whatever the name says.
    let picture = GrayImage::from_fn(20, 16, |x, y| image::Luma([(x * 9 + y * 5) as u8]));
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
    fs::write(path, file.into_inner()).unwrap();
}
