//! Identifiers however written, contradictions, and lines that others wrote in other ways.

use super::support::TinyDataset;
use dissent::data::{Dataset, check};
use std::fs;

fn case_line(group: &str) -> String {
    format!(r#"{{"id":"c1","task":"lesion","split":"test","image":"images/a.png","answer":"Yes","group":{group}}}"#)
}

#[test]
fn a_patient_is_not_shown_to_its_own_case_however_it_is_written() {
    for (case, document, same) in [
        ("12.0", "12", true),
        ("1.2e1", "12", true),
        ("-0", "0", true),
        (r#"" p13 ""#, r#""p13""#, true),
        (r#""p13\u00a0""#, r#""\u200bp13""#, true),
        (r#""12.0""#, "12", true),
        (r#""12.50""#, "12.5", false),
        (r#""1.2e1""#, "12", false),
        (r#""Mu\u0308ller""#, r#""M\u00fcller""#, true),
        ("123456789012345678901", "123456789012345678901.0", true),
        ("123456789012345678901", "123456789012345678902", false),
        ("9007199254740993", "9007199254740992", false),
        ("12", "13", false),
    ] {
        let tiny = TinyDataset::new();
        tiny.replace_line("cases.jsonl", 1, &case_line(case));
        let line = format!(r#"{{"id":"d1","image":"images/d1.png","caption":"a cyst","group":{document}}}"#);
        tiny.replace_line("corpus.jsonl", 1, &line);
        let dataset = Dataset::open(tiny.root()).unwrap();
        assert_eq!(!dataset.may_retrieve(&dataset.cases[0], 0), same, "{case} and {document}");
    }
}

#[test]
fn a_case_is_not_shown_the_document_of_its_own_id_however_it_is_written() {
    for (case, document, same, warned) in [
        (r#""12.0""#, "12", true, false),
        (r#""Mu\u0308ller""#, r#""M\u00fcller""#, true, false),
        (r#""P1""#, r#""p1""#, false, true),
        (r#""012""#, "12", false, true),
        (r#""STRASSE""#, r#""stra\u00dfe""#, false, true),
        (r#""c1""#, r#""d1""#, false, false),
    ] {
        let tiny = TinyDataset::new();
        tiny.replace_line("cases.jsonl", 1, &case_line("null").replace(r#""c1""#, case));
        let line = format!(r#"{{"id":{document},"image":"images/d1.png","caption":"a cyst"}}"#);
        tiny.replace_line("corpus.jsonl", 1, &line);
        let dataset = Dataset::open(tiny.root()).unwrap();
        assert_eq!(!dataset.may_retrieve(&dataset.cases[0], 0), same, "{case} and {document}");
        let report = check(tiny.root(), &|_, _| {});
        let is_warning = |text: String| text.contains("cases.jsonl: id:") && text.contains("differ only in case");
        let found = report.problems.iter().any(|problem| is_warning(problem.to_string()));
        assert_eq!(found, warned, "{case} and {document}: {:?}", report.problems);
    }
}

#[test]
fn one_question_of_one_picture_with_two_gold_answers_is_a_warning() {
    let tiny = TinyDataset::new();
    let before: Vec<String> = check(tiny.root(), &|_, _| {}).problems.iter().map(ToString::to_string).collect();
    assert!(!before.iter().any(|text| text.contains("another gold answer")), "{before:?}");
    let cases = fs::read_to_string(tiny.root().join("cases.jsonl")).unwrap();
    let again = case_line("null").replace("c1", "again").replace("Yes", "No");
    fs::write(tiny.root().join("cases.jsonl"), format!("{}\n{again}\n", cases.trim_end())).unwrap();
    let report = check(tiny.root(), &|_, _| {});
    let text: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(report.errors(), 0, "{text:?}");
    let expected = r#"1 cases have the image and question of an earlier case, but another gold answer; the first is "again" ("No")"#;
    assert!(text.iter().any(|text| text.contains(expected)), "{text:?}");
}

#[test]
fn groups_in_other_digits_dashes_and_numbers_are_warned_of() {
    for (case, document) in [
        (r#""1.2e1""#, "12"),
        (r#""012.0""#, r#""012""#),
        (r#""12,0""#, "12"),
        (r#""\u0661\u0662""#, "12"),
        (r#""\u221212""#, "-12"),
        (r#""p\u201013""#, r#""p-13""#),
        (r#""STRASSE""#, r#""stra\u00dfe""#),
    ] {
        let tiny = TinyDataset::new();
        tiny.replace_line("cases.jsonl", 1, &case_line(case));
        let line = format!(r#"{{"id":"d1","image":"images/d1.png","caption":"a cyst","group":{document}}}"#);
        tiny.replace_line("corpus.jsonl", 1, &line);
        let report = check(tiny.root(), &|_, _| {});
        let text: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        assert!(text.iter().any(|text| text.contains("cases.jsonl: group:")), "{case} and {document}: {text:?}");
    }
}

#[test]
fn space_around_and_names_that_look_alike_are_warnings() {
    let tiny = TinyDataset::new();
    tiny.replace_line("cases.jsonl", 1, &case_line(r#"" p13 ""#));
    tiny.replace_line("cases.jsonl", 4, &case_line(r#""P13""#).replace("c1", "C2"));
    let report = check(tiny.root(), &|_, _| {});
    let text: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let text = text.join("\n");
    assert_eq!(report.errors(), 0, "{text}");
    for expected in [
        r#"cases.jsonl:1: group: spaces or invisible characters around " p13 " are ignored"#,
        r#"cases.jsonl: group: "P13" and "p13" differ only in case"#,
        r#"cases.jsonl: id: "C2" and "c2" differ only in case"#,
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

#[test]
fn what_contradicts_itself_is_an_error_with_line_and_field() {
    let plain = r#"{"id":"c1","task":"lesion","split":"test","image":"images/a.png","answer":"Yes""#;
    for (more, expected) in [
        (r#","answer":"No"}"#, "cases.jsonl:1: answer: the field appears twice with different values"),
        (r#","answers":"No"}"#, r#"cases.jsonl:1: answers: found "No", but answer is "Yes""#),
        (r#","image_path":"images/b.png"}"#, r#"cases.jsonl:1: image_path: found "images/b.png", but image is"#),
        (r#","group":NaN}"#, "cases.jsonl:1: group: found NaN, which is not JSON"),
        (r#","group":"a",}"#, "cases.jsonl:1: not valid JSON: found a comma after the last field of an object"),
    ] {
        let tiny = TinyDataset::new();
        tiny.replace_line("cases.jsonl", 1, &format!("{plain}{more}"));
        let error = format!("{:#}", Dataset::open(tiny.root()).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    let tiny = TinyDataset::new();
    tiny.replace_line("cases.jsonl", 1, &format!("{plain},\"answer\":\"Yes\",\"answers\":\"Yes\"}}"));
    assert!(Dataset::open(tiny.root()).is_ok(), "the same twice is a warning");
}

#[test]
fn files_of_other_kinds_are_named() {
    let tiny = TinyDataset::new();
    let path = tiny.root().join("cases.jsonl");
    let lines = fs::read_to_string(&path).unwrap();
    let list = format!("[{}]", lines.trim_end().replace('\n', ","));
    let utf16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, expected) in [
        (list.into_bytes(), "`jq"),
        (lines.replace('\n', "\r").into_bytes(), "lines end in a lone carriage return"),
        (format!("{}\0", lines.trim_end()).into_bytes(), "found a NUL byte"),
        (utf16, "found UTF-16"),
        ("[".repeat(10_000).into_bytes(), "at most 64 nested lists and objects"),
    ] {
        fs::write(&path, content).unwrap();
        let error = format!("{:#}", Dataset::open(tiny.root()).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    fs::write(&path, format!("\u{feff}{}", lines.replace('\n', "\r\n\r\n"))).unwrap();
    assert_eq!(Dataset::open(tiny.root()).unwrap().cases.len(), 20);
    let manifest = tiny.root().join("dataset.toml");
    fs::write(&manifest, format!("name = {}", "[".repeat(10_000))).unwrap();
    assert!(format!("{:#}", Dataset::open(tiny.root()).unwrap_err()).contains("dataset.toml"));
}

#[cfg(unix)]
#[test]
fn fifos_are_refused_at_once() {
    for file in ["cases.jsonl", "corpus.jsonl", "dataset.toml"] {
        let tiny = TinyDataset::new();
        let path = tiny.root().join(file);
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let error = format!("{:#}", Dataset::open(tiny.root()).unwrap_err());
        assert!(error.contains(file) && error.contains("found a FIFO"), "{error}");
    }
}
