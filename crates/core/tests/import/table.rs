//! Tables: dialects of CSV, image paths, and what cannot be used.

use crate::support::{left_out, opened, put, put_image};
use dissent_core::data::Dataset;
use dissent_core::data::import::{ColumnMapping, ImportOptions, Imported, TableOptions, guess_mapping, import_table};
use std::path::Path;

const LABEL: &str = "image = 'file'\n[[task]]\nid = 'label'\nkind = 'classification'\nanswer = 'label'";

fn import_with(folder: &Path, table: &str, mapping: &str) -> anyhow::Result<Imported> {
    let choices = TableOptions { mapping: Some(ColumnMapping::parse(mapping)?), images: None };
    import_table(&folder.join(table), &folder.join("out"), &choices, &ImportOptions::default(), &|_, _| {})
}

/// Imports a table of the columns `file` and `label` beside the images `a.png` and `b.png`.
fn imported(table: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, Imported, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png"] {
        put_image(folder.path(), name);
    }
    put(folder.path(), table, content);
    let imported = import_with(folder.path(), table, LABEL).unwrap();
    let dataset = opened(&imported, &folder.path().join("out"));
    (folder, imported, dataset)
}

fn gzipped(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn every_dialect_says_the_same() {
    for (name, content) in [
        ("t.csv", "file,label\na.png,x\nb.png,y\n".as_bytes().to_vec()),
        ("t.csv", "\u{feff}file;label\r\na.png;x\r\nb.png;y".into()),
        ("t.csv", "sep=;\nfile;label\na.png;x\nb.png;y\n".into()),
        ("t.tsv", "file\t label \na.png\tx\nb.png\ty\n".into()),
        ("t.csv.gz", gzipped("file,label\na.png,x\nb.png,y\n")),
        ("t.csv", "\"file\",\"label\",\"a\nnote\"\na,x,\"one\nline, more\"\nb,y,\n".into()),
        ("t.jsonl", "{\"file\": \"a\", \"label\": \"x\"}\n{\"label\": \"y\", \"file\": \"b.png\"}\n".into()),
        ("t.json", "[\n {\"file\": \"a\", \"label\": \"x\", \"more\": {\"deep\": \"}\"}},\n {\"label\": \"y\", \"file\": \"b\"}]".into()),
        ("t.jsonl.gz", gzipped("{\"file\": \"a\", \"label\": \"x\"}\n{\"label\": \"y\", \"file\": \"b.png\"}\n")),
    ] {
        let (_folder, imported, dataset) = imported(name, &content);
        let found: Vec<_> = dataset.cases.iter().map(|case| (case.id.as_str(), case.answer.as_str())).collect();
        assert_eq!(found, [("a", "x"), ("b", "y")], "{name}: {}", String::from_utf8_lossy(&content));
        assert!(imported.left_out.is_empty(), "{:?}", imported.left_out);
    }
}

#[test]
fn rows_with_too_few_or_too_many_fields_are_named() {
    let text = "file,label\na.png,x\nb.png,y,,\nb.png,y,z\nb.png\n\"a.png\",\"x\"\n";
    let (_folder, imported, dataset) = imported("t.csv", text);
    assert_eq!(dataset.cases.len(), 3);
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: more fields than the header (quotes around a field missing?) (t.csv:4)",
            "1 left out: fewer fields than the header (quotes around a field missing?) (t.csv:5)"
        ]
    );
}

#[test]
fn other_encodings_are_refused_or_named() {
    let (_folder, imported, _) = imported("t.csv", b"file,label,note\na.png,x,1\nb.png,y,1\na.png,x,M\xfcller\n");
    assert_eq!(left_out(&imported), ["1 left out: column \"note\" is not UTF-8 (save the file as UTF-8) (t.csv:4)"]);
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "t.csv", b"\xff\xfef\0i\0l\0e\0");
    let error = format!("{:#}", import_with(folder.path(), "t.csv", LABEL).unwrap_err());
    assert!(error.contains("UTF-16"), "{error}");
    put(folder.path(), "u.jsonl", "{\"file\": \"a\"}\n{\"file\": \"b\", \"label\": \n");
    let error = format!("{:#}", import_with(folder.path(), "u.jsonl", LABEL).unwrap_err());
    assert!(error.contains("the object that begins in line 2 has no end"), "{error}");
}

#[test]
fn images_are_found_by_stem_name_and_path_and_never_outside() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for name in ["one/a.png", "two/b.png", "two/c.png", "one/c.png", "p1/view.png", "p2/view.png", "img.1.jpg"] {
        put_image(&data, name);
    }
    put_image(folder.path(), "secret.png");
    let inside = data.join("one/a.png").display().to_string();
    let outside = folder.path().join("secret.png").display().to_string();
    let rows = [
        ("a", "x"),
        ("b.png", "y"),
        ("two\\c.png", "y"),
        ("c", "x"),
        ("release-1/p1/view.png", "x"),
        ("release-1/p3/view.png", "x"),
        ("release-2/p2/view.png", "x"),
        (&inside, "y"),
        ("/mnt/other/one/a.png", "y"),
        (&outside, "y"),
        ("../secret.png", "y"),
        ("one/../one/a.png", "y"),
        ("https://example.org/a.png", "y"),
        ("img.1", "y"),
        ("b.jpg", "y"),
        ("", "y"),
    ];
    let mut lines = String::new();
    for (file, label) in rows {
        lines.push_str(&format!("{file},{label}\n"));
    }
    put(&data, "t.csv", format!("file,label\n{lines}"));
    let imported = import_with(&data, "t.csv", LABEL).unwrap();
    let dataset = opened(&imported, &data.join("out"));
    let found: Vec<_> =
        dataset.cases.iter().map(|case| case.image.strip_prefix(&data).unwrap().display().to_string()).collect();
    assert_eq!(found, ["one/a.png", "two/b.png", "two/c.png", "p1/view.png", "one/a.png", "one/a.png", "img.1.jpg"]);
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: several image files have this name (t.csv:5 has \"c\")",
            // Another patient's picture has the same name, and stays where it is.
            "4 left out: no image file (t.csv:7 has \"release-1/p3/view.png\", t.csv:8 has \"release-2/p2/view.png\", \
             t.csv:10 has \"/mnt/other/one/a.png\", …)",
            &format!(
                "2 left out: the image's path leads out of the folders of images (t.csv:11 has {:?}{}, t.csv:12 has \"../secret.png\")",
                outside.chars().take(60).collect::<String>(),
                if outside.chars().count() > 60 { "…" } else { "" }
            ),
            "1 left out: the image is a URL, and no link is followed (t.csv:14 has \"https://example.org/a.png\")",
            "1 left out: no image (t.csv:17)",
        ]
    );
    assert!(imported.remarks[0].contains("begin with \"release-1\""), "{:?}", imported.remarks);
}

#[test]
fn images_may_be_in_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    for name in ["deep/a.png", "deep/b.png"] {
        let bytes = crate::support::grey_png(name.len() as u8 + name.as_bytes()[5]);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    put(folder.path(), "images.tar", archive.into_inner().unwrap());
    put(folder.path(), "t.csv", "file,label\na,x\nb.png,y\n");
    let choices = TableOptions {
        mapping: Some(ColumnMapping::parse(LABEL).unwrap()),
        images: Some(folder.path().join("images.tar")),
    };
    let target = folder.path().join("out");
    let imported =
        import_table(&folder.path().join("t.csv"), &target, &choices, &ImportOptions::default(), &|_, _| {}).unwrap();
    let dataset = opened(&imported, &target);
    assert!(dataset.cases[0].image.ends_with("images.tar!/deep/a.png"), "{:?}", dataset.cases[0].image);
}

#[test]
fn a_table_without_a_meaning_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "t.csv", "picture,grade\na,1\n");
    let choices = TableOptions::default();
    let target = folder.path().join("out");
    let error = import_table(&folder.path().join("t.csv"), &target, &choices, &ImportOptions::default(), &|_, _| {})
        .unwrap_err();
    assert!(error.to_string().contains("the columns are picture, grade") && error.to_string().contains("--guess"));
    put(folder.path(), "u.csv", "picture,grade\na,1\n");
    let error =
        import_table(folder.path(), &target, &choices, &ImportOptions::default(), &|_, _| {}).unwrap_err().to_string();
    assert!(
        error.contains("expected one table, or one per split (train.csv, test.csv); found t.csv, u.csv"),
        "{error}"
    );
    assert!(!target.exists());
}

#[test]
fn a_guess_says_why_and_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("qid,img,patient_id,fold,diagnosis\n");
    for row in 0..12 {
        put_image(folder.path(), &format!("i{row}.png"));
        let (split, label) = (["train", "val", "test"][row % 3], ["naevus", "melanoma"][row / 2 % 2]);
        text += &format!("q{row},i{row},p{},{split},{label}\n", row / 2);
    }
    put(folder.path(), "moles.csv", &text);
    let guessed = guess_mapping(&folder.path().join("moles.csv"), None).unwrap();
    assert!(guessed.contains("# 12 of 12 values name image files that are there\nimage = \"img\""), "{guessed}");
    for line in ["id = \"qid\"", "split = \"fold\"", "group = \"patient_id\"", "answer = \"diagnosis\""] {
        assert!(guessed.contains(line), "{guessed}");
    }
    let imported = import_with(folder.path(), "moles.csv", &guessed).unwrap();
    assert_eq!(opened(&imported, &folder.path().join("out")).cases.len(), 12);

    put(folder.path(), "marks.csv", "img,Edema,Mass\ni1,1,0\ni2,,-1\n");
    let guessed = guess_mapping(&folder.path().join("marks.csv"), None).unwrap();
    assert!(guessed.contains("columns = [\"Edema\", \"Mass\"]") && guessed.contains("missing = \"unknown\""));
    ColumnMapping::parse(&guessed).unwrap();

    put(folder.path(), "joined.csv", "img,findings\ni1,Edema|Mass\ni2,Mass\n");
    let guessed = guess_mapping(&folder.path().join("joined.csv"), None).unwrap();
    assert!(guessed.contains("separator = \"|\""), "{guessed}");
    ColumnMapping::parse(&guessed).unwrap();

    put(folder.path(), "vqa.csv", "img,question,answer\ni1,Is it CT?,yes\ni2,Where?,left\n");
    let guessed = guess_mapping(&folder.path().join("vqa.csv"), None).unwrap();
    assert!(guessed.contains("question_column = \"question\""), "{guessed}");
    ColumnMapping::parse(&guessed).unwrap();
}

#[test]
fn images_of_rows_that_are_left_out_are_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "b.png", "c.png"] {
        put_image(folder.path(), name);
    }
    put(folder.path(), "t.csv", "file,label\na.png,x\nb.png,\nc.png,y\na.png,y\n");
    let choices = TableOptions { mapping: Some(ColumnMapping::parse(LABEL).unwrap()), images: None };
    let options = ImportOptions { copy: true, ..ImportOptions::default() };
    let target = folder.path().join("out");
    let imported = import_table(&folder.path().join("t.csv"), &target, &choices, &options, &|_, _| {}).unwrap();
    let dataset = opened(&imported, &target);
    let images: Vec<_> = dataset.cases.iter().map(|case| case.image.to_string_lossy()).collect();
    assert_eq!(images, ["images/a.png", "images/c.png", "images/a.png"]);
    assert_eq!(std::fs::read_dir(target.join("images")).unwrap().count(), 2);
}
