//! The cases that training may learn from: their whole answer is known.

use dissent_core::data::{Case, Dataset, Part, Split};

/// Cases to learn from and to validate on, by their positions in the dataset, and how many were left out.
pub(crate) struct KnownAnswers {
    /// Training cases, of the asked part.
    pub training: Vec<usize>,
    pub validation: Vec<usize>,
    /// Cases of both with unknown labels. The text of their known labels would teach that the unknown ones are absent.
    pub partly_unknown: usize,
}

impl KnownAnswers {
    /// Splits the cases of a dataset; test cases are never among them.
    pub fn of(dataset: &Dataset, part: Option<Part>) -> Self {
        let mut found = Self { training: Vec::new(), validation: Vec::new(), partly_unknown: 0 };
        for (position, case) in dataset.cases.iter().enumerate() {
            let cases = match case.split {
                Split::Train if part.is_none_or(|part| part.has(case)) => &mut found.training,
                Split::Validation => &mut found.validation,
                Split::Train | Split::Test => continue,
            };
            if case.unknown.is_empty() {
                cases.push(position);
            } else {
                found.partly_unknown += 1;
            }
        }
        found
    }

    /// All cases, in the order of the dataset.
    pub fn cases<'a>(&self, dataset: &'a Dataset) -> Vec<&'a Case> {
        let mut positions = [&self.training[..], &self.validation[..]].concat();
        positions.sort_unstable();
        positions.into_iter().map(|position| &dataset.cases[position]).collect()
    }

    /// A sentence for the user if cases were left out.
    pub fn remark(&self) -> Option<String> {
        (self.partly_unknown > 0).then(|| left_out_remark(self.partly_unknown))
    }
}

/// A sentence that says how many cases were left out.
pub fn left_out_remark(partly_unknown: usize) -> String {
    format!(
        "{partly_unknown} cases with unknown labels are left out, because their answers would teach that these labels are absent"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;

    #[test]
    fn cases_with_unknown_labels_are_left_out_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let task = "[[task]]\nid = \"t\"\nkind = \"multi-label\"\nquestion = \"What?\"\n\
                    [[task.labels]]\nid = \"a\"\nname = \"a\"\n[[task.labels]]\nid = \"b\"\nname = \"b\"\n";
        fs::write(folder.path().join("dataset.toml"), format!("name = \"d\"\nonly = \"cases\"\n{task}")).unwrap();
        image::GrayImage::new(4, 4).save(folder.path().join("i.png")).unwrap();
        let mut lines = String::new();
        for (id, split, unknown) in
            [("1", "test", 0), ("2", "validation", 0), ("3", "train", 1), ("4", "train", 0), ("5", "validation", 1)]
        {
            let mut case = json!({"id": id, "task": "t", "split": split, "image": "i.png", "answer": ["a"]});
            if unknown == 1 {
                case["unknown"] = json!(["b"]);
            }
            lines += &format!("{case}\n");
        }
        fs::write(folder.path().join("cases.jsonl"), lines).unwrap();
        fs::write(folder.path().join("corpus.jsonl"), "").unwrap();
        let dataset = Dataset::open(folder.path()).unwrap();
        let known = KnownAnswers::of(&dataset, None);
        assert_eq!((&known.training[..], &known.validation[..], known.partly_unknown), (&[3][..], &[1][..], 2));
        let ids: Vec<&str> = known.cases(&dataset).iter().map(|case| case.id.as_str()).collect();
        assert_eq!(ids, ["2", "4"]);
        assert!(known.remark().unwrap().starts_with("2 cases with unknown labels are left out"));
    }
}
