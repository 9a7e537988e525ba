//! Small datasets and images for the data tests.

use crate::support::absent::absent;
use crate::support::dataset::{case, closed_task, document, manifest, replace_line, write_dataset};
use crate::support::fixtures::project;
use crate::support::pictures::grey_png;
use dissent::data::import::Imported;
use dissent::data::{Case, Dataset, Document, Split, Summary};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An import that is done, and the dataset that it wrote.
#[derive(Debug)]
pub struct Done {
    pub dataset: Dataset,
    pub remarks: Vec<String>,
}

/// Opens what an import wrote.
pub fn done(imported: anyhow::Result<Imported>, target: &Path) -> anyhow::Result<Done> {
    let Imported { summary, remarks, .. } = imported?;
    let dataset = Dataset::open(target)?;
    assert_eq!(Summary::of(&dataset).unwrap(), summary, "what the import says is what it wrote");
    Ok(Done { dataset, remarks })
}

/// A dataset of 20 cases (id `c1` on line 1 and so on) and 3 documents in a folder of its own. Case 1 asks the task's
/// question; document `d2` is of patient 1, document `d3` has the bytes of case image `a.png`.
pub struct TinyDataset {
    folder: TempDir,
}

impl TinyDataset {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tiny = Self { folder };
        let lesion = closed_task("lesion", "Is there a lesion?", [("Yes", "lesion"), ("No", "no lesion")]);
        let cases: Vec<Case> = (1..=20).map(Self::case).collect();
        let corpus = [
            Document { source: Some("book".into()), ..document("d1", "a cyst") },
            Document { group: Some("patient 1".into()), ..document("d2", "no lesion") },
            document("d3", "a lesion"),
        ];
        write_dataset(tiny.root(), &manifest("tiny", vec![lesion]), &cases, &corpus);
        for (name, value) in [("a.png", 1), ("b.png", 2), ("d1.png", 3), ("d2.png", 4), ("d3.png", 1)] {
            fs::write(tiny.root().join("images").join(name), grey_png(4, 4, value)).unwrap();
        }
        tiny
    }

    fn case(number: usize) -> Case {
        let (image, answer) = if number % 2 == 1 { ("images/a.png", "Yes") } else { ("images/b.png", "No") };
        Case {
            split: [Split::Train, Split::Validation, Split::Test][(number - 1) % 3],
            image: image.into(),
            question: (number == 2).then(|| "Own question?".into()),
            ..case(&format!("c{number}"), "lesion", answer)
        }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces one line, counted from 1.
    pub fn replace_line(&self, file: &str, line: usize, text: &str) {
        replace_line(&self.root().join(file), line, text);
    }
}

/// The whole chain of an error that must be there.
pub fn error_text<T>(result: anyhow::Result<T>) -> String {
    match result {
        Ok(_) => panic!("expected an error, found none"),
        Err(error) => format!("{error:#}"),
    }
}

/// The real data beside the checkout, if it is there; a test without it says so and stops.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let path = project().join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    absent(&format!("{} is not there", path.display()), "DISSENT_REQUIRE_DATA");
    None
}
