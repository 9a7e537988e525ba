//! `check` on a corpus that is longer than what it keeps in memory at once.

use crate::made_files::write;
use crate::support::grey_png;
use dissent_core::data::check;
use std::fmt::Write as _;
use std::fs;

const DOCUMENTS: usize = 9000;

#[test]
fn problems_are_found_across_the_whole_corpus_and_named_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("images")).unwrap();
    for (name, value) in [("a.png", 1), ("b.png", 2), ("same-as-b.png", 2), ("c.png", 3)] {
        fs::write(root.join("images").join(name), grey_png(value)).unwrap();
    }
    write(
        &root.join("dataset.toml"),
        "name = \"long\"\n[[task]]\nid = \"t\"\nkind = \"closed-vqa\"\nquestion = \"Is it?\"\nlabels = [{ id = \"Yes\", name = \"y\" }, { id = \
         \"No\", name = \"n\" }]\n",
    );
    write(
        &root.join("cases.jsonl"),
        "{\"id\":\"c1\",\"task\":\"t\",\"split\":\"test\",\"image\":\"images/b.png\",\"answer\":\"Yes\"}\n\
         {\"id\":\"d 20\",\"task\":\"t\",\"split\":\"test\",\"image\":\"images/c.png\",\"answer\":\"No\",\"group\":\"g8500\"}\n",
    );
    let mut corpus = String::new();
    for line in 1..=DOCUMENTS {
        let image = match line {
            7 | 30 | 8800 => "gone.png",
            8700 | 8900 => "same-as-b.png",
            _ => "a.png",
        };
        let id = match line {
            8600 => "D10".into(),
            8400 => "d5".into(),
            line => format!("d{line}"),
        };
        writeln!(corpus, "{{\"id\":\"{id}\",\"image\":\"images/{image}\",\"caption\":\"x\",\"group\":\"g{line}\"}}")
            .unwrap();
    }
    write(&root.join("corpus.jsonl"), &corpus);
    let calls = std::sync::Mutex::new(Vec::new());
    let report = check(root, &|done, all| calls.lock().unwrap().push((done, all)));
    let found: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let text = found.join("\n");
    for expected in [
        "corpus.jsonl:8400: id: \"d5\" is already used on line 5",
        "corpus.jsonl:7: image: cannot read image",
        "(and 2 more lines name it)",
        "images of one value everywhere: 4 (",
        "\"D10\" and \"d10\" differ only in case",
        "\"d 20\" and \"d20\" differ only in case",
        "cases.jsonl:1: image: this test case has its image in the corpus (document \"d8700\", corpus.jsonl:8700)",
        "cases.jsonl:2: group: this test case has its group in the corpus (document \"d8500\", corpus.jsonl:8500)",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    assert_eq!((report.errors(), found.len()), (2, 7), "{text}");
    let summary = report.summary.unwrap();
    assert_eq!((summary.documents, summary.images), (DOCUMENTS - 1, 5));
    let mut calls = calls.into_inner().unwrap();
    calls.sort_unstable();
    assert_eq!(calls, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)], "each image is decoded once");
}
