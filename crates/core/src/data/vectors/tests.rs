//! Each format is read as it was written, and what does not fit is named.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::*;
use crate::files::npy_header::NpyHeader;
use std::fs;
use std::path::{Path, PathBuf};

const FORMATS: [&str; 4] = ["v.npy", "v.safetensors", "v.parquet", "v.jsonl"];
const IDS: [&str; 3] = ["a", "b c", "ü"];
/// Numbers that no shorter decimal number is.
const VECTORS: [[f32; 2]; 3] = [[0.600_000_1, 0.799_999_9], [1.0, 0.0], [-0.0, 1.0e-7]];

fn in_folder() -> (tempfile::TempDir, impl Fn(&str) -> PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_path_buf();
    (folder, move |name: &str| root.join(name))
}

fn write(path: &Path) {
    write_vectors(path, &IDS, 2, &mut |row, vector| {
        vector.copy_from_slice(&VECTORS[row]);
        Ok(())
    })
    .unwrap();
}

fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(elements);
    bytes
}

fn refusal(path: &Path, ids: Option<&Path>) -> String {
    format!("{:#}", VectorTable::open(path, ids).err().unwrap())
}

#[test]
fn every_format_keeps_every_bit_and_every_id() {
    let (_folder, at) = in_folder();
    for name in FORMATS {
        write(&at(name));
        let table = VectorTable::open(&at(name), None).unwrap();
        assert_eq!((table.count(), table.dimension()), (3, 2), "{name}");
        assert_eq!(table.ids().unwrap(), IDS, "{name}");
        for (row, expected) in VECTORS.iter().enumerate() {
            let mut vector = [0.0; 2];
            table.copy_row(row, &mut vector);
            assert_eq!(vector.map(f32::to_bits), expected.map(f32::to_bits), "{name} {row}");
        }
    }
}

#[test]
fn half_and_double_numbers_are_read() {
    let (_folder, at) = in_folder();
    let doubles: Vec<u8> = [0.6_f64, -0.8].iter().flat_map(|value| value.to_le_bytes()).collect();
    for (descr, elements) in [("<f2", vec![0xCD, 0x38, 0x66, 0xBA]), ("<f8", doubles)] {
        fs::write(at("x.npy"), npy(descr, "(1, 2)", &elements)).unwrap();
        let table = VectorTable::open(&at("x.npy"), None).unwrap();
        assert!(table.ids().is_none());
        let mut vector = [0.0; 2];
        table.copy_row(0, &mut vector);
        assert!((vector[0] - 0.6).abs() < 1e-3 && (vector[1] + 0.8).abs() < 1e-3, "{descr}: {vector:?}");
    }
}

#[test]
fn files_that_are_not_whole_are_refused() {
    let (_folder, at) = in_folder();
    for name in FORMATS {
        write(&at(name));
        let whole = fs::read(at(name)).unwrap();
        fs::write(at(name), &whole[..whole.len() - 3]).unwrap();
        assert!(refusal(&at(name), None).contains(name), "{name}");
        fs::write(at(name), b"").unwrap();
        assert!(refusal(&at(name), None).contains(name), "{name}");
    }
    for (descr, shape, elements, said) in [
        ("<i4", "(1, 1)", 4, "found <i4"),
        (">f4", "(1, 1)", 4, "found >f4"),
        ("<f4", "(2,)", 8, "found the shape [2]"),
        ("<f4", "(0, 4)", 0, "found none"),
        ("<f4", "(1, 0)", 0, "found 0"),
        ("<f4", "(2, 2)", 12, "expected 16 bytes"),
        ("<f4", "(2, 2)", 20, "found 20"),
        ("<f4", "(18446744073709551615, 4)", 16, "expected too many bytes"),
    ] {
        fs::write(at("x.npy"), npy(descr, shape, &vec![0; elements])).unwrap();
        let message = refusal(&at("x.npy"), None);
        assert!(message.contains(said), "{message}");
    }
    let mut fortran = NpyHeader::bytes_for_f32_rows(1, 1);
    let place = fortran.windows(5).position(|part| part == b"False").unwrap();
    fortran[place..place + 5].copy_from_slice(b"True ");
    fs::write(at("x.npy"), fortran).unwrap();
    assert!(refusal(&at("x.npy"), None).contains("Fortran order"));
    assert!(refusal(&at("x.csv"), None).contains("ending in .npy"));
}

#[test]
fn lines_that_do_not_fit_are_named() {
    let (_folder, at) = in_folder();
    let good = r#"{"id": "a", "vector": [0.5, 0.5]}"#;
    for (line, said) in [
        (r#"{"id": "b", "vector": [0.5]}"#, "line 3, id b: expected 2 numbers, as in the first row, found 1"),
        (
            r#"{"id": "b", "vector": [0.5, NaN]}"#,
            "line 3: field vector: expected a finite number at position 1, found NaN",
        ),
        (r#"{"id": "b", "vector": [0.5, null]}"#, "found null"),
        (r#"{"id": "b", "vector": []}"#, "found"),
        (r#"{"id": "b"}"#, "expected one field vector"),
        (r#"{"id": "b", "vector": [1, 2], "embedding": [1, 2]}"#, "found two"),
        (r#"{"id": "b", "vector": [1, 2], "vector": [2, 1]}"#, "appears twice"),
        (r#"{"id": true, "vector": [1, 2]}"#, "field id"),
        (r#"{"id": "", "vector": [1, 2]}"#, "empty text"),
        (r#"{"vector": [1, 2]}"#, "expected an id in every row or in none"),
        (r#"{"name": "b", "vector": [1, 2]}"#, "expected the field id, or the vector alone; found name"),
        (r#"{"id": "b", "document": "c", "vector": [1, 2]}"#, "expected one field with the id, found id, document"),
        ("[1, 2]", "expected a JSON object"),
    ] {
        fs::write(at("x.jsonl"), format!("{good}\n\n{line}\n")).unwrap();
        let message = refusal(&at("x.jsonl"), None);
        assert!(message.contains(said), "{line}: {message}");
    }
    // An id may be a number, and the vector an "embedding".
    fs::write(at("x.jsonl"), "\u{feff}{\"id\": 12.0, \"embedding\": [1, 2]}\n{\"id\": 13, \"vector\": [1, 2]}\n")
        .unwrap();
    assert_eq!(VectorTable::open(&at("x.jsonl"), None).unwrap().ids().unwrap(), ["12", "13"]);
    // Hits and predictions call it document or case; other fields beside it are not read.
    fs::write(
        at("x.jsonl"),
        "{\"document\": \"b\", \"vector\": [1, 2]}\n{\"case\": \"a\", \"model\": \"m\", \"vector\": [1, 2]}\n",
    )
    .unwrap();
    assert_eq!(VectorTable::open(&at("x.jsonl"), None).unwrap().ids().unwrap(), ["b", "a"]);
}

#[test]
fn tensors_are_found_by_name_and_their_headers_checked() {
    let (_folder, at) = in_folder();
    let file = |header: &str, bytes: usize| {
        let mut content = (header.len() as u64).to_le_bytes().to_vec();
        content.extend_from_slice(header.as_bytes());
        content.extend(vec![0; bytes]);
        fs::write(at("x.safetensors"), content).unwrap();
    };
    let tensor = r#"{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}"#;
    file(&format!(r#"{{"any": {tensor}}}"#), 8);
    assert!(VectorTable::open(&at("x.safetensors"), None).is_ok());
    file(&format!(r#"{{"any": {tensor}, "vectors": {tensor}}}"#), 8);
    assert!(VectorTable::open(&at("x.safetensors"), None).is_ok());
    for (header, said) in [
        (format!(r#"{{"any": {tensor}, "other": {tensor}}}"#), "found any, other"),
        (tensor.replace("[0,8]", "[0,12]"), "expected"),
        (tensor.replace("[0,8]", "[8,0]"), "in order"),
        (tensor.replace("F32", "I32"), "found I32"),
        (tensor.replace("[1,2]", "[2]"), "found the shape [2]"),
    ] {
        let header = if header.contains("any") { header } else { format!(r#"{{"vectors": {header}}}"#) };
        file(&header, 8);
        let message = refusal(&at("x.safetensors"), None);
        assert!(message.contains(said), "{header}: {message}");
    }
    fs::write(at("x.safetensors"), [0xFF; 16]).unwrap();
    assert!(refusal(&at("x.safetensors"), None).contains("at most 8 bytes"));
}

#[test]
fn a_list_of_ids_has_one_a_vector() {
    let (_folder, at) = in_folder();
    write(&at("v.npy"));
    fs::write(at("few.txt"), "a\nb\n").unwrap();
    assert!(refusal(&at("v.npy"), Some(&at("few.txt"))).contains("few.txt: expected 3 ids"));
    fs::write(at("gap.txt"), "a\n\nb\n").unwrap();
    assert!(refusal(&at("v.npy"), Some(&at("gap.txt"))).contains("line 2: expected an id"));
    write(&at("v.jsonl"));
    assert!(refusal(&at("v.jsonl"), Some(&at("few.txt"))).contains("has ids of its own"));
    fs::write(at("v.parquet.ids.txt"), "a\n").unwrap();
    let refused = write_vectors(&at("v.parquet"), &IDS, 2, &mut |_, _| Ok(())).unwrap_err().to_string();
    assert!(refused.contains("lists ids of other vectors"), "{refused}");
}

#[test]
fn rows_are_matched_by_id_or_by_order() {
    let (_folder, at) = in_folder();
    write(&at("v.npy"));
    let table = VectorTable::open(&at("v.npy"), None).unwrap();
    let matched = |wanted: &[&str]| MatchedRows::of(&table, wanted, "documents", "corpus.jsonl");
    assert_eq!(matched(&["ü", "x", "a", "b c"]).unwrap().rows, [Some(2), None, Some(0), Some(1)]);
    let message = matched(&["a"]).err().unwrap().to_string();
    assert!(message.contains("row 1 (from 0), id b c: corpus.jsonl has no such id (1 more"), "{message}");
    // Ids are compared as in files of hits and predictions: here in the other form of Unicode.
    assert_eq!(matched(&["u\u{308}", "a", "b c"]).unwrap().rows, [Some(2), Some(0), Some(1)]);
    fs::write(at("v.npy.ids.txt"), "12\n12.0\n+12\n").unwrap();
    let spelt = VectorTable::open(&at("v.npy"), None).unwrap();
    let message = format!("{:#}", MatchedRows::of(&spelt, &["12", "12.0"], "cases", "cases.jsonl").err().unwrap());
    assert!(message.contains("\"+12\" may be \"12\" or \"12.0\"") && message.contains("row 2"), "{message}");
    let message = format!("{:#}", MatchedRows::of(&spelt, &["12"], "cases", "cases.jsonl").err().unwrap());
    assert!(message.contains("has a vector already in row 0"), "{message}");
    fs::write(at("v.npy.ids.txt"), "a\nb\na\n").unwrap();
    let twice = VectorTable::open(&at("v.npy"), None).unwrap();
    let message = MatchedRows::of(&twice, &["a", "b"], "documents", "corpus.jsonl").err().unwrap().to_string();
    assert!(message.contains("row 2 (from 0), id a: the id is there already in row 0"), "{message}");
    fs::remove_file(at("v.npy.ids.txt")).unwrap();
    let ordered = VectorTable::open(&at("v.npy"), None).unwrap();
    assert_eq!(MatchedRows::of(&ordered, &["x", "y", "z"], "documents", "corpus.jsonl").unwrap().count(), 3);
    let message = MatchedRows::of(&ordered, &["x"], "documents", "corpus.jsonl").err().unwrap().to_string();
    assert!(message.contains("expected 1 vectors, one for each of the documents"), "{message}");
}

#[test]
fn lengths_are_set_to_one_and_counted() {
    let (_folder, at) = in_folder();
    let lines = "{\"vector\": [0.6, 0.8]}\n{\"vector\": [3, 4]}\n{\"vector\": [1e-30, 0]}\n";
    fs::write(at("v.jsonl"), format!("{lines}{{\"vector\": [0, 0]}}\n{{\"vector\": [1e200, 0]}}\n")).unwrap();
    let table = VectorTable::open(&at("v.jsonl"), None).unwrap();
    let mut lengths = Lengths::default();
    let mut unit = |row: usize| {
        let mut vector = [0.0; 2];
        unit_row(&table, row, &mut vector, &mut lengths).map(|()| vector)
    };
    assert_eq!(unit(0).unwrap(), [0.6, 0.8]);
    assert_eq!(unit(1).unwrap(), [0.6, 0.8]);
    assert_eq!(unit(2).unwrap(), [1.0, 0.0]);
    assert!(unit(3).unwrap_err().to_string().ends_with("line 4: expected a vector with a direction, found only zeros"));
    assert!(unit(4).unwrap_err().to_string().contains("line 5: expected finite numbers, found inf at position 0"));
    let said = lengths.text(5).unwrap();
    assert!(said.starts_with("2 of 5 had lengths from 0.0000 to 5.0000"), "{said}");
    assert_eq!(Lengths::default().text(5), None);
}

/// A file that is damaged in one byte is refused, or its rows are read; nothing panics.
#[test]
fn no_damaged_byte_stops_the_program() {
    let (_folder, at) = in_folder();
    for name in FORMATS {
        write(&at(name));
        let whole = fs::read(at(name)).unwrap();
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= [1, 0x80, 0xFF][place % 3];
            fs::write(at(name), &damaged).unwrap();
            let Ok(table) = VectorTable::open(&at(name), None) else { continue };
            let mut vector = vec![0.0; table.dimension()];
            for row in 0..table.count() {
                let _ = unit_row(&table, row, &mut vector, &mut Lengths::default());
            }
        }
        fs::remove_file(at(name)).unwrap();
        let _ = fs::remove_file(ids_beside(&at(name)));
    }
}
