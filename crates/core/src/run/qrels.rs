//! Relevance judgements in TREC's format: `case 0 document grade`, one a line.

use super::hit_lists::Errors;
use crate::data::{Dataset, KnownIds, Problem};
use crate::files::input_file::without_bom;
use crate::files::line_blocks::LineBlocks;
use anyhow::{Context, Result, ensure};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};

/// Grades by case and corpus row. A document without a grade counts as 0.
#[derive(Clone, Debug, Default)]
pub struct Qrels {
    /// The file.
    pub path: PathBuf,
    grades: FxHashMap<usize, FxHashMap<usize, i32>>,
}

impl Qrels {
    /// Reads a file of judgements. The second field is not used.
    ///
    /// # Errors
    /// Fails if the file cannot be read or has no judgement, and with the first problems (path, line and field): an unknown
    /// case or document, a grade that is not a whole number, two grades of one document for one case.
    pub fn read(path: &Path, dataset: &Dataset) -> Result<Self> {
        let cannot_read = || format!("cannot read {}", path.display());
        let (cases, rows) = (dataset.known_cases(), dataset.known_documents());
        let mut qrels = Self { path: path.to_path_buf(), grades: FxHashMap::default() };
        let mut errors = Errors::default();
        let mut blocks = LineBlocks::open(path).with_context(cannot_read)?;
        while let Some(block) = blocks.next_block().with_context(cannot_read)? {
            for (number, line) in block.lines() {
                let line = String::from_utf8_lossy(if number == 1 { without_bom(line) } else { line });
                let fields: Vec<&str> = line.split_ascii_whitespace().collect();
                let added = match fields[..] {
                    [] => Ok(()),
                    [case, _, document, grade] => qrels.add(&cases, &rows, [case, document, grade]),
                    _ => {
                        let message = format!("expected 4 fields (case 0 document grade), found {}", fields.len());
                        Err((None, message))
                    }
                };
                if let Err((field, message)) = added {
                    let problem = Problem::error(path, message).at_line(number);
                    errors.add(Problem { field: field.map(str::to_owned), ..problem });
                }
            }
        }
        errors.into_result()?;
        ensure!(!qrels.grades.is_empty(), "{}: expected one judgement a line, found none", path.display());
        Ok(qrels)
    }

    /// The grades of a case by corpus row; `None` if nothing was judged for it.
    pub fn of_case(&self, case: usize) -> Option<&FxHashMap<usize, i32>> {
        self.grades.get(&case)
    }

    fn add(
        &mut self,
        cases: &KnownIds,
        rows: &KnownIds,
        [case, document, grade]: [&str; 3],
    ) -> Result<(), (Option<&'static str>, String)> {
        let position = cases.expect("case", case, "cases.jsonl").map_err(|message| (Some("case"), message))?;
        let row = rows.expect("document", document, "corpus.jsonl").map_err(|message| (Some("document"), message))?;
        let number: i32 = grade
            .parse()
            .map_err(|_| (Some("grade"), format!("expected a whole number (0: not relevant), found {grade:?}")))?;
        match self.grades.entry(position).or_default().insert(row, number) {
            Some(earlier) if earlier != number => {
                let message = format!("document {document} has the grade {earlier} for case {case} on an earlier line");
                Err((Some("grade"), message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::run::Qrels;
    use crate::run::hit_lists::tests::dataset;

    fn read(text: &str) -> Result<Qrels, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("qrels.txt");
        std::fs::write(&path, text).unwrap();
        Qrels::read(&path, &dataset()).map_err(|error| error.to_string().replace(&*path.to_string_lossy(), "FILE"))
    }

    #[test]
    fn grades_are_read_by_case_and_document() {
        let qrels = read("c1 0 d1 2\r\nc1\t0\td3  0\n\nc1 0 d1 2\nc2 iter d2 -1\n").unwrap();
        assert_eq!(qrels.of_case(0).unwrap().iter().map(|(row, grade)| (*row, *grade)).max(), Some((2, 0)));
        assert_eq!((qrels.of_case(0).unwrap()[&0], qrels.of_case(1).unwrap()[&1]), (2, -1));
        assert!(qrels.of_case(2).is_none());
    }

    #[test]
    fn bad_judgements_are_named_with_their_line() {
        for (text, message) in [
            ("", "FILE: expected one judgement a line, found none"),
            ("c1 0 d1\n", "FILE:1: expected 4 fields (case 0 document grade), found 3"),
            ("c1 0 d1 1\nc9 0 d1 1\n", "FILE:2: case: the case \"c9\" is not in cases.jsonl of the dataset"),
            (
                "c1 0 D1 1\n",
                "FILE:1: document: the document \"D1\" is not in corpus.jsonl of the dataset; it has \"d1\"",
            ),
            ("c1 0 d1 0.5\n", "FILE:1: grade: expected a whole number (0: not relevant), found \"0.5\""),
            ("c1 0 d1 1\nc1 0 d1 2\n", "FILE:2: grade: document d1 has the grade 1 for case c1 on an earlier line"),
        ] {
            assert_eq!(read(text).unwrap_err(), message);
        }
    }
}
