//! Every format, and every bad input with its message.

use super::*;
use crate::data::{Case, Document, Label, Manifest, PromptTemplate, Split, Task, TaskKind};
use crate::run::{Hit, Provenance};
use crate::text::csv_cells::Formulas;
use std::path::Path;

/// Cases c1 to c3 and `my case`, documents d1 to d4 and `=5`.
pub(in crate::run) fn dataset() -> Dataset {
    let task = Task {
        id: "t".into(),
        kind: TaskKind::Classification,
        question: Some("?".into()),
        labels: vec![Label::new("a", "a"), Label::new("b", "b")],
        prompt: PromptTemplate::default(),
    };
    let case = |id: &str| Case {
        id: id.into(),
        task: "t".into(),
        split: Split::Test,
        image: format!("{id}.png").into(),
        question: None,
        answer: "a".into(),
        unknown: Vec::new(),
        group: None,
    };
    let document = |id: &str| Document {
        id: id.into(),
        image: format!("{id}.png").into(),
        caption: String::new(),
        source: None,
        group: None,
    };
    let cases = ["c1", "c2", "c3", "my case"].map(case).to_vec();
    let corpus = ["d1", "d2", "d3", "d4", "=5"].map(document).to_vec();
    Dataset::new(Path::new("hits"), Manifest::new("hits", vec![task]), cases, corpus)
}

fn read(name: &str, text: &str) -> Result<HitLists, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    read_hits(&path, &dataset()).map_err(|error| format!("{error:#}").replace(&*path.to_string_lossy(), "FILE"))
}

/// `head document#rank score, …` of a case.
fn said(hits: &HitLists, case: usize) -> String {
    let mut text = Vec::new();
    for list in hits.of_case(case) {
        for RankedHit { row, rank, score } in &list.hits {
            let score = score.map(|score| format!(" {score}")).unwrap_or_default();
            text.push(format!("{} d{}#{rank}{score}", list.head, row + 1));
        }
    }
    text.join(", ")
}

#[test]
fn a_trec_run_has_one_head_per_tag() {
    let text = "c1 Q0 d2 1 9.5 colpali\nc1\tQ0\td1\t2\t-3 colpali\r\nc1 Q0 d2 1 0.9 image\n\nc2 Q0 d4 1 1e-3 bm25";
    let hits = read("run.trec", text).unwrap();
    assert_eq!(said(&hits, 0), "image d2#1 0.9, colpali d2#1 9.5, colpali d1#2 -3");
    assert_eq!(said(&hits, 1), "bm25 d4#1 0.001");
    assert_eq!(hits.heads.iter().map(ToString::to_string).collect::<Vec<_>>(), ["image", "colpali", "bm25"]);
    assert_eq!((hits.case_count(), hits.hit_count(), hits.warnings.len()), (2, 4, 0));
    // The first line tells the format of a name that ends in something else.
    assert_eq!(said(&read("bm25.top100", text).unwrap(), 1), "bm25 d4#1 0.001");
}

#[test]
fn all_formats_hold_the_same_hits() {
    let of = |head, rank, score| Provenance { head, rank, score };
    let named: Head = "colpali".parse().unwrap();
    let hits = [
        Hit {
            row: 2,
            document: "d3".into(),
            provenances: vec![of(Head::Image, 1, Some(0.1)), of(named, 3, Some(16_777_217.0))],
        },
        Hit { row: 0, document: "d1".into(), provenances: vec![of(named, 1, Some(3.4e38))] },
    ];
    let lines = hit_lines_of("c1", &hits);
    let mut fingerprints = Vec::new();
    for name in ["a.trec", "a.jsonl", "a.csv", "a.run"] {
        let format = HitFormat::to_write(Path::new(name)).unwrap();
        let read = read(name, &write_hits(&lines, format, Formulas::Escaped).unwrap()).unwrap();
        assert_eq!(said(&read, 0), format!("image d3#1 0.1, colpali d1#1 {}, colpali d3#3 16777216", 3.4e38_f32));
        fingerprints.push(read.fingerprint(&dataset()));
    }
    assert!(fingerprints.windows(2).all(|pair| pair[0] == pair[1]), "{fingerprints:?}");
    let other = read("a.trec", "c1 Q0 d3 1 0.1 image\n").unwrap();
    assert_ne!(other.fingerprint(&dataset()), fingerprints[0]);
    assert!(
        HitFormat::to_write(Path::new("hits.xlsx"))
            .unwrap_err()
            .to_string()
            .contains("ends in .trec, .run, .jsonl or .csv")
    );
}

#[test]
fn ids_that_a_format_cannot_hold_are_refused_and_others_come_back() {
    let hit = |document: &str, score| Hit {
        row: 0,
        document: document.into(),
        provenances: vec![Provenance { head: Head::Random, rank: 1, score }],
    };
    let trec = |case: &str, score| {
        write_hits(&hit_lines_of(case, &[hit("=5", score)]), HitFormat::Trec, Formulas::Escaped)
            .map_err(|error| error.to_string())
    };
    assert!(
        trec("my case", Some(1.0)).unwrap_err().contains("case \"my case\": a TREC run cannot hold an id with spaces")
    );
    assert!(trec("c1", None).unwrap_err().contains("the hits of the head random have no scores"));
    for (name, format) in [("a.jsonl", HitFormat::JsonLines), ("a.csv", HitFormat::Csv)] {
        let text = write_hits(&hit_lines_of("my case", &[hit("=5", None)]), format, Formulas::Escaped).unwrap();
        assert_eq!(said(&read(name, &text).unwrap(), 3), "random d5#1", "{text}");
    }
}

#[test]
fn other_programs_names_of_fields_and_columns_are_read() {
    let hits = read("x.jsonl", "{\"qid\":\"c1\",\"docid\":\"d1\",\"score\":2,\"other\":[1]}\n{\"query_id\":\"c1\",\"doc_id\":\"d2\",\"score\":3.0}").unwrap();
    assert_eq!(said(&hits, 0), "x d2#1 3, x d1#2 2", "the file's name is the head");
    let hits = read("x.csv", "\u{feff}Query_ID;corpus_id;Score;run\nc1;d1;2;dense\n\"c1\";d2;;\n").unwrap_err();
    assert!(hits.contains("FILE:3: score: expected a score or a rank, found neither"), "{hits}");
    let hits = read("my hits.tsv", "case\tdocument\trank\nc1\td4\t1\nc1\td1\t3\n").unwrap();
    assert_eq!(said(&hits, 0), "given d4#1, given d1#3");
}

#[test]
fn scores_are_believed_and_ranks_kept_where_they_agree() {
    // From 0, with a gap: a part of a longer list.
    let from_zero = read("x.trec", "c1 Q0 d1 0 9 a\nc1 Q0 d2 4 8 a\nc2 Q0 d3 2 1 a\n").unwrap();
    assert_eq!((said(&from_zero, 0), said(&from_zero, 1)), ("a d1#1 9, a d2#5 8".into(), "a d3#3 1".into()));
    assert!(from_zero.warnings.is_empty());
    let contradicting = read("x.trec", "c2 Q0 d1 1 5 a\nc1 Q0 d1 1 1 a\nc1 Q0 d2 2 7 a\nc1 Q0 d3 3 4 a\n").unwrap();
    assert_eq!(said(&contradicting, 0), "a d2#1 7, a d3#2 4, a d1#3 1");
    let warning = &contradicting.warnings[0];
    assert!(warning.contains("x.trec:2: the ranks of 1 of 2 lists are not in the order of their scores"), "{warning}");
    assert!(warning.contains("case c1; the scores are believed, as trec_eval does"), "{warning}");
    // Among equal scores the rank decides, then the line; a shared rank contradicts nothing.
    let tied = read("x.trec", "c1 Q0 d3 2 1 a\nc1 Q0 d1 1 1 a\nc2 Q0 d4 1 1 a\nc2 Q0 d2 1 1 a\n").unwrap();
    assert_eq!((said(&tied, 0), said(&tied, 1)), ("a d1#1 1, a d3#2 1".into(), "a d4#1 1, a d2#2 1".into()));
    assert!(tied.warnings.is_empty());
    assert_eq!(read("x.trec", "c1 Q0 d3 1 2 a\nc1 Q0 d1 1 1 a\n").unwrap().warnings.len(), 1);
    // The order is that of the numbers in the file, which 32 bits would not tell apart.
    let near = read("x.trec", "c1 Q0 d1 2 0.1000000001 a\nc1 Q0 d2 1 0.1000000002 a\n").unwrap();
    assert_eq!(said(&near, 0), "a d2#1 0.1, a d1#2 0.1");
}

#[test]
fn every_bad_line_is_named() {
    for (name, text, message) in [
        ("x.trec", "", "FILE: expected one hit a line, found none"),
        ("x.trec", "c1 Q0 d1 1 2\n", "FILE:1: expected 6 fields (case Q0 document rank score tag), found 5"),
        ("x.trec", "c1 Q0 d1 1 2 a b\n", "FILE:1: expected 6 fields"),
        ("x.trec", "\nc7 Q0 d1 1 2 a\n", "FILE:2: case: the case \"c7\" is not in cases.jsonl of the dataset"),
        ("x.trec", "C1 Q0 d1 1 2 a\n", "is not in cases.jsonl of the dataset; it has \"c1\""),
        ("x.trec", "c1 Q0 d9 1 2 a\n", "FILE:1: document: the document \"d9\" is not in corpus.jsonl of the dataset"),
        (
            "x.trec",
            "c1 Q0 d1 1 2 a\nc1 Q0 d2 2 1 a\nc1 Q0 d1 3 0 a\n",
            "FILE:3: document: document d1 is in the list of case c1 already, on line 1",
        ),
        ("x.trec", "c1 Q0 d1 1 nan a\n", "FILE:1: score: expected a finite number, found \"nan\""),
        ("x.trec", "c1 Q0 d1 1 1e39 a\n", "FILE:1: score: expected a finite number, found \"1e39\""),
        ("x.trec", "c1 Q0 d1 1 - a\n", "FILE:1: score: expected a finite number, found \"-\""),
        ("x.trec", "c1 Q0 d1 1.5 1 a\n", "FILE:1: rank: expected a whole number, found \"1.5\""),
        ("x.trec", "c1 Q0 d1 -1 1 a\n", "FILE:1: rank: expected a whole number, found \"-1\""),
        (
            "x.trec",
            "c1 Q0 d1 1 1 person\n",
            "FILE:1: head: the name person belongs to documents that are added in the explorer",
        ),
        (
            "x.jsonl",
            "{\"case\":\"c1\",\"document\":\"d1\",\"score\":NaN}\n",
            "FILE:1: score: expected a finite number, found \"NaN\"",
        ),
        ("x.jsonl", "{\"case\":\"c1\",\"score\":1}\n", "FILE:1: document: the field is missing; expected an id"),
        (
            "x.jsonl",
            "{\"case\":\"c1\",\"qid\":\"c2\",\"document\":\"d1\",\"score\":1}\n",
            "FILE:1: case: found \"c1\", but qid says \"c2\"",
        ),
        (
            "x.jsonl",
            "{\"case\":\"c1\",\"document\":\"d1\"}\n",
            "FILE:1: score: expected a score or a rank, found neither",
        ),
        ("x.jsonl", "[{\"case\":\"c1\"}]\n", "FILE:1: expected a JSON object"),
        (
            "x.jsonl",
            "{\"case\":\"c1\",\"document\":[1],\"score\":1}\n",
            "FILE:1: document: expected a text or a number, found a list",
        ),
        (
            "x.jsonl",
            "{\"case\":\"c1\",\"document\":\"d1\",\"rank\":1}\n{\"case\":\"c1\",\"document\":\"d2\",\"rank\":1}\n",
            "FILE:2: rank: two documents of case c1 have this rank",
        ),
        (
            "x.jsonl",
            "{\"case\":\"c1\",\"document\":\"d1\",\"rank\":1,\"score\":1}\n{\"case\":\"c1\",\"document\":\"d2\",\"rank\":2}\n",
            "FILE:2: score: expected a score for all hits of a list or for none",
        ),
        ("x.csv", "case,score\nc1,1\n", "FILE:1: expected a header with the columns case, document, and rank or score"),
        ("x.csv", "case,qid,document,score\n", "FILE:1: column qid: expected one column for case, found two"),
        ("x.csv", "case,document,score\nc1,d1\n", "FILE:2: expected 3 fields, as the header has, found 2"),
        ("x.csv", "case,document,score\n,d1,1\n", "FILE:2: case: the field is empty; expected an id"),
        ("x.dat", "hello\n", "FILE: expected a TREC run (case Q0 document rank score tag), JSON lines or CSV"),
    ] {
        let error = read(name, text).unwrap_err();
        assert!(error.contains(message), "{text:?}: {error}");
    }
    let seven = read("x.trec", &"c9 Q0 d1 1 1 a\n".repeat(7)).unwrap_err();
    assert!(seven.lines().count() == 6 && seven.ends_with("and 2 more"), "{seven}");
    let tags: Vec<String> = (0..17).map(|tag| format!("c1 Q0 d1 1 1 tag{tag}")).collect();
    assert!(
        read("x.trec", &tags.join("\n"))
            .unwrap_err()
            .contains("FILE:17: head: expected at most 16 different heads (tags)")
    );
    let bytes = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    std::fs::write(bytes.path(), b"case,document,score\nc\xFC,d1,1\n").unwrap();
    assert!(format!("{:#}", read_hits(bytes.path(), &dataset()).unwrap_err()).contains("not UTF-8"));
}
