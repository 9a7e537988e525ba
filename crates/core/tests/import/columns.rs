//! What a mapping makes of rows: answers, splits, groups, ids, captions, and what it leaves out.

use crate::support::{grey_png, opened};
use dissent_core::data::import::{
    ColumnMapping, ImageFiles, ImportOptions, ImportSession, Imported, MappedRows, Record, RowPlace, RowsAs, Value,
};
use dissent_core::data::{Case, Dataset, Split, TaskKind};
use std::fs;
use std::path::Path;
use std::sync::Arc;

struct Source {
    folder: tempfile::TempDir,
    columns: Arc<[String]>,
    rows: Vec<Vec<Value>>,
}

impl Source {
    /// A table whose rows are texts; an empty one is missing. The images `a.png` to `f.png` are there.
    fn new(columns: &[&str], rows: &[&[&str]]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (value, name) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
            fs::write(folder.path().join(format!("{name}.png")), grey_png(value as u8 * 40)).unwrap();
        }
        let value = |text: &&str| if text.is_empty() { Value::Missing } else { Value::Text((*text).into()) };
        let rows = rows.iter().map(|row| row.iter().map(value).collect()).collect();
        Self { folder, columns: columns.iter().map(|name| (*name).to_string()).collect(), rows }
    }

    fn import(&self, mapping: &str, rows: RowsAs) -> anyhow::Result<Imported> {
        let mapping = ColumnMapping::parse(mapping)?;
        let images = ImageFiles::new(&[self.folder.path().to_owned()], mapping.image_prefix.as_deref())?;
        let mut mapped = MappedRows::new(mapping, Some(images))?;
        let mut session = ImportSession::start(&self.target(), &ImportOptions::default(), rows)?;
        for (row, values) in self.rows.iter().enumerate() {
            let place = RowPlace { file: Arc::from(Path::new("t.csv")), row: row as u64 + 2 };
            let record = Record { columns: Arc::clone(&self.columns), values: values.clone(), place };
            mapped.add(&mut session, &record, Some(Split::Train))?;
        }
        mapped.finish(session)
    }

    fn target(&self) -> std::path::PathBuf {
        self.folder.path().join("out")
    }

    fn dataset(&self, mapping: &str) -> (Imported, Dataset) {
        let imported = self.import(mapping, RowsAs::Both).unwrap();
        let dataset = opened(&imported, &self.target());
        (imported, dataset)
    }
}

fn left_out(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(ToString::to_string).collect()
}

fn answers(cases: &[Case]) -> Vec<&str> {
    cases.iter().map(|case| case.answer.as_str()).collect()
}

#[test]
fn one_label_in_a_column() {
    let source = Source::new(
        &["file", "dx", "split", "patient"],
        &[
            &["a.png", "nv", "train", "p1"],
            &["b", "MEL", "valid", "p1"],
            &["c", "mel ", "Test", ""],
            &["d", "", "test", "p2"],
            &["e", "-1", "test", "p2"],
            &["x", "nv", "test", "p2"],
            &["f", "nv", "fold7", "p2"],
        ],
    );
    let (imported, dataset) = source.dataset(
        r#"
        name = "moles"
        image = "file"
        split = "split"
        group = "patient"
        caption_start = "mole: "
        [[task]]
        id = "dx"
        kind = "classification"
        answer = "dx"
        names = { nv = "nevus", mel = "melanoma" }"#,
    );
    assert_eq!(answers(&dataset.cases), ["nevus", "melanoma", "melanoma"]);
    let splits: Vec<Split> = dataset.cases.iter().map(|case| case.split).collect();
    assert_eq!(splits, [Split::Train, Split::Validation, Split::Test]);
    let groups: Vec<_> = dataset.cases.iter().map(|case| case.group.as_deref().unwrap()).collect();
    assert_eq!(groups, ["p1", "p1", "c.png"]);
    assert_eq!((dataset.corpus.len(), dataset.corpus.document(0).caption), (1, "mole: nevus"));
    let task = &dataset.tasks[0];
    assert_eq!(task.question.as_deref(), Some("Which of these does the image show: melanoma; nevus?"));
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: column \"dx\" is empty (t.csv:5)",
            "1 left out: column \"dx\" says unknown (t.csv:6 has \"-1\")",
            "1 left out: no image file (t.csv:7 has \"x\")",
            "1 left out: column \"split\" names no split (t.csv:8 has \"fold7\")",
        ]
    );
    assert_eq!(
        imported.remarks,
        ["1 rows have no group (t.csv:4 first); their picture is their group", "1 groups have rows in several splits"]
    );
}

#[test]
fn columns_of_zeros_and_ones() {
    let source = Source::new(
        &["file", "No Finding", "Edema", "Lung, left", "Mass"],
        &[
            &["a", "", "1.0", "", "0.0"],
            &["b", "1.0", "", "", ""],
            &["c", "", "-1.0", "1", "0"],
            &["d", "0", "0", "0", "0"],
            &["e", "", "", "", ""],
            &["f", "", "bv", "1", "0"],
        ],
    );
    let mapping = r#"
        name = "chests"
        image = "file"
        [[task]]
        id = "findings"
        kind = "multi-label"
        columns = ["Edema", "Lung, left", "Mass"]
        none = ["No Finding"]"#;
    let (imported, dataset) = source.dataset(mapping);
    assert_eq!(dataset.tasks[0].kind, TaskKind::MultiLabel);
    assert_eq!(answers(&dataset.cases), ["Edema", "[]", "Lung, left", "[]"]);
    let unknown: Vec<_> = dataset.cases.iter().map(|case| case.unknown.join(";")).collect();
    assert_eq!(unknown, ["Lung, left", "", "Edema", ""]);
    let captions: Vec<_> = dataset.corpus.iter().map(|document| document.caption).collect();
    assert_eq!(captions, ["Edema", "No Finding", "Lung, left", "No Finding"]);
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: no label is known (t.csv:6)",
            "1 left out: column \"Edema\" is neither 0 nor 1 (t.csv:7 has \"bv\")"
        ]
    );

    fs::remove_dir_all(source.target()).unwrap();
    let (_, dataset) = source.dataset(&format!("{mapping}\nmissing = \"absent\""));
    let unknown: Vec<_> = dataset.cases.iter().map(|case| case.unknown.join(";")).collect();
    assert_eq!(unknown, ["", "", "Edema", "", ""], "an empty field says that the label is absent; -1 does not");

    fs::remove_dir_all(source.target()).unwrap();
    let (imported, dataset) =
        source.dataset(&mapping.replace("multi-label", "classification").replace("none = [\"No Finding\"]", ""));
    assert_eq!(answers(&dataset.cases), ["Edema", "Lung, left"]);
    assert_eq!(left_out(&imported)[0], "3 left out: no column of the labels is 1 (t.csv:3, t.csv:5, t.csv:6)");
}

#[test]
fn labels_with_a_separator() {
    let source = Source::new(
        &["file", "labels"],
        &[
            &["a", "Mass|Edema"],
            &["b", "No Finding"],
            &["c", "edema"],
            &["d", "No Finding|Mass"],
            &["e", ""],
            &["f", "['Mass', 'Edema']"],
        ],
    );
    let (imported, dataset) = source.dataset(
        r#"
        name = "chests"
        image = "file"
        [[task]]
        id = "findings"
        kind = "multi-label"
        answer = "labels"
        separator = "|"
        none = ["No Finding"]"#,
    );
    assert_eq!(answers(&dataset.cases), ["Edema, Mass", "[]", "Edema"]);
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: column \"labels\" says none and a label (t.csv:5 has \"No Finding|Mass\")",
            "1 left out: column \"labels\" is empty (t.csv:6)",
            "1 left out: column \"labels\" has a list that is not JSON (t.csv:7 has \"['Mass', 'Edema']\")",
        ]
    );
    assert_eq!(imported.remarks, ["task findings: \"edema\" counts as the label \"Edema\""]);
}

#[test]
fn questions_are_closed_or_open_and_none_is_lost() {
    let mut source = Source::new(
        &["file", "q", "a"],
        &[
            &["a", "Is it CT?", "YES."],
            &["a", "Which is bigger, lung or heart?", "Lung"],
            &["b", "Is it CT?", " no"],
            &["b", "Where?", "!"],
            &["c", "", "yes"],
        ],
    );
    source.rows.push(vec![Value::Text("d".into()), Value::Text("Is it MRI?".into()), Value::Bool(true)]);
    let (imported, dataset) = source.dataset(
        r#"
        name = "questions"
        image = "file"
        [[task]]
        id = "vqa"
        kind = "closed-vqa"
        question_column = "q"
        answer = "a""#,
    );
    assert_eq!(answers(&dataset.cases), ["yes", "Lung", "no", "!", "yes"]);
    let tasks: Vec<_> = dataset.cases.iter().map(|case| case.task.as_str()).collect();
    assert_eq!(tasks, ["vqa", "vqa-open", "vqa", "vqa-open", "vqa"]);
    let ids: Vec<_> = dataset.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["a", "a-2", "b", "b-2", "d"]);
    let captions: Vec<_> = dataset.corpus.iter().map(|document| document.caption).collect();
    assert_eq!(captions[0], "Is it CT? Yes. Which is bigger, lung or heart? Lung.");
    assert_eq!(captions.len(), 3, "one document per picture");
    assert_eq!(left_out(&imported), ["1 left out: no question (t.csv:6)"]);
    assert_eq!(imported.remarks, ["task vqa: 3 answers are yes or no; 2 others are cases of the open task vqa-open"]);
}

#[test]
fn a_list_may_be_empty_or_missing() {
    let mut source = Source::new(&["file", "labels"], &[]);
    let text = |text: &str| Value::Text(text.into());
    for (name, labels) in [
        ("a", Value::List(vec![text("x"), text("y")])),
        ("b", Value::List(Vec::new())),
        ("c", Value::Missing),
        ("d", Value::List(vec![Value::Missing])),
    ] {
        source.rows.push(vec![text(name), labels]);
    }
    let (imported, dataset) =
        source.dataset("name = 'lists'\nimage = 'file'\n[[task]]\nid = 'l'\nkind = 'multi-label'\nanswer = 'labels'");
    assert_eq!(answers(&dataset.cases), ["x, y", "[]"]);
    assert_eq!(left_out(&imported).len(), 2);
}

#[test]
fn repeated_ids_get_a_number() {
    let source = Source::new(
        &["id", "file", "l"],
        &[&["1", "a", "x"], &["1.0", "b", "y"], &["1-2", "c", "x"], &["1", "d", "x"]],
    );
    let (imported, dataset) = source
        .dataset("name = 'ids'\nimage = 'file'\nid = 'id'\n[[task]]\nid = 'l'\nkind = 'classification'\nanswer = 'l'");
    let ids: Vec<_> = dataset.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["1", "1-2", "1-2-2", "1-3"]);
    assert_eq!(imported.remarks, ["3 rows have the id of an earlier row (t.csv:3 first); they got -2, -3 …"]);
}

#[test]
fn captions_alone_make_a_corpus() {
    let source = Source::new(&["file", "text"], &[&["a", "one"], &["b", ""], &["c", "three"]]);
    let mapping = "name = 'c'\nimage = 'file'\ncaption = 'text'";
    let imported = source.import(mapping, RowsAs::Corpus).unwrap();
    assert_eq!(opened(&imported, &source.target()).corpus.len(), 2);
    assert_eq!(left_out(&imported), ["1 left out: no caption, so no document (t.csv:3)"]);
}

#[test]
fn mappings_that_contradict_themselves_or_the_table_are_refused() {
    let task = "[[task]]\nid = 't'\nkind = 'classification'\n";
    for (mapping, expected) in [
        ("name = 'n'\ncaption = 'c'", "image: expected the column"),
        ("name = 'n'\nimage = 'i'", "expected a task (--label"),
        ("name = 'n'\nimage = 'i'\nlabel = 'x'\n", "line 3"),
        (&format!("image = 'i'\n{task}"), "either answer (one column) or columns"),
        (&format!("image = 'i'\n{task}answer = 'l'\nseparator = '|'"), "separator: expected kind multi-label"),
        (&format!("image = 'i'\n{task}columns = ['a', 'b']\nmissing = 'absent'"), "only for multi-label"),
    ] {
        let error = format!("{:#}", ColumnMapping::parse(mapping).unwrap_err());
        assert!(error.contains(expected), "{error}");
    }
    let source = Source::new(&["file", "l"], &[&["a", "x"], &["b", "x"]]);
    for (mapping, expected) in [
        (
            format!("image = 'picture'\n{task}answer = 'l'"),
            r#"image: expected the column "picture", found "file", "l""#,
        ),
        (format!("image = 'file'\n{task}answer = 'l'"), r#"at least two labels, found only "x""#),
    ] {
        let error = format!("{:#}", source.import(&format!("name = 'n'\n{mapping}"), RowsAs::Both).unwrap_err());
        assert!(error.contains(expected), "{error}");
        assert!(!source.target().exists());
    }
}
