//! The dataset directory: `dataset.toml`, `cases.jsonl`, `corpus.jsonl`, `images/`.

use super::identifier::is_same;
use super::image_hashes::ImageHashes;
use super::jsonl::{Lines, read_cases};
use super::manifest::{MANIFEST_FILE, Manifest, OnlyPart};
use super::{Answer, Case, Corpus, Document, KnownIds, Picture, Problem, Split, Task};
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// File name of the cases, one JSON object per line.
pub const CASES_FILE: &str = "cases.jsonl";
/// File name of the corpus, one JSON object per line.
pub const CORPUS_FILE: &str = "corpus.jsonl";

/// The problem of a corpus without documents.
pub(super) const EMPTY_CORPUS: &str = "the corpus is empty; expected one document per line";

/// A dataset in memory; images stay on disk. Image hashes are computed on demand.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The directory.
    pub root: PathBuf,
    pub name: String,
    pub licence: Option<String>,
    /// Shown wherever the dataset is explored.
    pub note: Option<String>,
    /// The one part that the dataset has on purpose.
    pub only: Option<OnlyPart>,
    pub tasks: Vec<Task>,
    pub cases: Vec<Case>,
    /// The documents, and after them the rows of [`Self::add_models`].
    pub corpus: Corpus,
    /// What the user should know of the opening.
    pub remarks: Vec<String>,
    pub(super) identities: Arc<ImageHashes>,
}

/// The readable part of a dataset, with all problems.
#[derive(Debug)]
pub struct LenientDataset {
    /// The valid lines; `None` if `dataset.toml` cannot be used.
    pub dataset: Option<Dataset>,
    /// Line of each case in `cases.jsonl`, from 1.
    pub case_lines: Vec<usize>,
    pub problems: Vec<Problem>,
}

/// A dataset whose manifest and cases have been read, but not its corpus. Its cases can be shown before the rest is
/// read.
#[derive(Clone, Debug)]
pub struct OpenedCases {
    /// The dataset so far; its corpus is empty.
    pub dataset: Arc<Dataset>,
    case_lines: Vec<usize>,
    problems: Vec<Problem>,
}

impl OpenedCases {
    /// Reads `dataset.toml` and the valid lines of `cases.jsonl`.
    ///
    /// # Errors
    /// Returns the problems of `dataset.toml` if it cannot be used.
    pub fn read(root: &Path) -> Result<Self, Vec<Problem>> {
        if !root.is_dir() {
            let message =
                "no such folder; expected a dataset directory with dataset.toml, cases.jsonl and corpus.jsonl";
            return Err(vec![Problem::error(root, message)]);
        }
        let (manifest, mut problems) = Manifest::read(&root.join(MANIFEST_FILE)).map_err(|problem| vec![problem])?;
        if problems.iter().any(Problem::is_error) {
            return Err(problems);
        }
        let path = root.join(CASES_FILE);
        let cases = read_cases(&path, &manifest.tasks);
        let if_empty = (manifest.only != Some(OnlyPart::Corpus)).then_some("no usable case; expected one per line");
        let (case_lines, cases) = take(cases, &path, if_empty, &mut problems);
        Ok(Self { dataset: Arc::new(Dataset::new(root, manifest, cases, Vec::new())), case_lines, problems })
    }

    /// Whether there is no error so far.
    pub fn is_without_error(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }

    /// The dataset, the line of each case, and the problems.
    pub(super) fn into_parts(self) -> (Arc<Dataset>, Vec<usize>, Vec<Problem>) {
        (self.dataset, self.case_lines, self.problems)
    }

    /// Reads the valid lines of `corpus.jsonl`.
    pub(crate) fn read_corpus(self) -> LenientDataset {
        let Self { dataset, case_lines, mut problems } = self;
        let path = dataset.root.join(CORPUS_FILE);
        let read = Corpus::read(&path);
        let is_unreadable = read.problems.iter().any(|problem| problem.line.is_none());
        problems.extend(read.problems);
        if read.corpus.is_empty() && !is_unreadable && dataset.only != Some(OnlyPart::Cases) {
            problems.push(Problem::error(&path, EMPTY_CORPUS));
        }
        // The cases are copied only if they are being shown.
        let remarks = read.remark.into_iter().collect();
        let dataset = Dataset { corpus: read.corpus, remarks, ..Arc::unwrap_or_clone(dataset) };
        LenientDataset { dataset: Some(dataset), case_lines, problems }
    }

    /// Reads the rest of the dataset and leaves out invalid lines, like [`Dataset::open_usable`].
    ///
    /// # Errors
    /// Fails like [`Dataset::open_usable`].
    pub fn open_usable(self) -> Result<(Dataset, Vec<Problem>)> {
        let root = self.dataset.root.clone();
        let LenientDataset { dataset, problems, .. } = self.read_corpus();
        usable(&root, dataset, problems)
    }
}

fn usable(root: &Path, dataset: Option<Dataset>, problems: Vec<Problem>) -> Result<(Dataset, Vec<Problem>)> {
    let errors: Vec<Problem> = problems.into_iter().filter(Problem::is_error).collect();
    let Some(dataset) = dataset else {
        let first = errors.into_iter().next();
        return Err(first.map_or_else(|| anyhow::anyhow!("{}: no dataset", root.display()), Into::into));
    };
    Ok((dataset, errors))
}

impl Dataset {
    /// Builds a dataset from its parts, as if read from `root`.
    pub fn new(root: &Path, manifest: Manifest, cases: Vec<Case>, corpus: Vec<Document>) -> Self {
        Self {
            root: root.into(),
            name: manifest.name,
            licence: manifest.licence,
            note: manifest.note,
            only: manifest.only,
            tasks: manifest.tasks,
            cases,
            corpus: Corpus::of(&corpus),
            remarks: Vec::new(),
            identities: Arc::default(),
        }
    }

    /// Reads a dataset without errors.
    ///
    /// ```
    /// use dissent_core::data::Dataset;
    ///
    /// let dataset = Dataset::open("../../sample-data/dataset".as_ref())?;
    /// let case = &dataset.cases[0];
    /// assert_eq!(dataset.question_of(case), "Is the lesion malignant?");
    /// assert!(dataset.image_path(&case.image).is_file());
    /// # anyhow::Ok(())
    /// ```
    ///
    /// # Errors
    /// Fails with the first error (a [`Problem`] with path, line and field); warnings are accepted.
    pub fn open(root: &Path) -> Result<Self> {
        let LenientDataset { dataset, problems, .. } = Self::open_lenient(root);
        let errors: Vec<Problem> = problems.into_iter().filter(Problem::is_error).collect();
        let more = errors.len().saturating_sub(1);
        match (errors.into_iter().next(), dataset) {
            (None, Some(dataset)) => Ok(dataset),
            (None, None) => anyhow::bail!("{} cannot be read as a dataset", root.display()),
            (Some(problem), _) if more == 0 => Err(problem.into()),
            (Some(problem), _) => Err(anyhow::Error::from(problem))
                .with_context(|| format!("{} problems, `dissent check` lists all; the first", more + 1)),
        }
    }

    /// Reads the valid lines and returns the problems of the others.
    ///
    /// # Errors
    /// Fails with the first problem if `dataset.toml` cannot be used.
    pub fn open_usable(root: &Path) -> Result<(Self, Vec<Problem>)> {
        let LenientDataset { dataset, problems, .. } = Self::open_lenient(root);
        usable(root, dataset, problems)
    }

    /// Like [`Dataset::open_usable`], but with line numbers, and never fails.
    pub fn open_lenient(root: &Path) -> LenientDataset {
        match OpenedCases::read(root) {
            Ok(opened) => opened.read_corpus(),
            Err(problems) => LenientDataset { dataset: None, case_lines: Vec::new(), problems },
        }
    }

    /// Adds a row for each of these models that has none yet, so that its answers can stand where those with documents do. Such
    /// a row has no image and no caption. It is never retrieved and belongs to no fingerprint.
    pub fn add_models(&mut self, names: &[String]) {
        for name in names {
            if self.corpus.model_row_of(name).is_none() {
                self.corpus.add_model(name);
            }
        }
    }

    /// The cases by ids of other programs.
    pub fn known_cases(&self) -> KnownIds<'_> {
        KnownIds::of(self.cases.iter().enumerate().map(|(position, case)| (case.id.as_str(), position)))
    }

    /// The rows of documents by ids of other programs. Models that stand in their place are not among them.
    pub fn known_documents(&self) -> KnownIds<'_> {
        KnownIds::of(self.document_rows().map(|row| (self.corpus.document(row).id, row)))
    }

    /// Rows of the documents.
    pub fn document_rows(&self) -> Range<usize> {
        0..self.corpus.document_count()
    }

    /// Rows of the models.
    pub fn model_rows(&self) -> Range<usize> {
        self.corpus.document_count()..self.corpus.len()
    }

    /// The task with this id.
    pub fn task(&self, id: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    /// What to tell the user who asked for cases of a split (`None`: of any) and gets none.
    pub fn without_cases(&self, split: Option<Split>) -> String {
        let root = self.root.display();
        if self.cases.is_empty() {
            return format!(
                "{root}: expected cases, found {} documents alone; `dissent search {root} WORDS` looks into them, and \
                 `dissent import … --into {root}` adds cases",
                self.corpus.len()
            );
        }
        let count = |split: Split| self.cases.iter().filter(|case| case.split == split).count();
        let found: Vec<String> = [Split::Train, Split::Validation, Split::Test]
            .into_iter()
            .filter(|split| count(*split) > 0)
            .map(|split| format!("{} of {split}", count(split)))
            .collect();
        let wanted = split.map_or_else(String::new, |split| format!(" of the split {split}"));
        format!("{root}: expected cases{wanted}, found {}", found.join(", "))
    }

    /// The question to ask: the case's own, else its task's.
    pub fn question_of<'a>(&'a self, case: &'a Case) -> &'a str {
        match &case.question {
            Some(question) => question,
            None => self.task(&case.task).and_then(|task| task.question.as_deref()).unwrap_or_default(),
        }
    }

    /// The gold answer. Every case of an opened dataset has one, unless some of its labels are unknown.
    pub fn gold_of(&self, case: &Case) -> Option<Answer> {
        self.task(&case.task)?.gold_of(case)
    }

    /// The full path of an image of a case or document, which may lead into a container
    /// ([`crate::files::archive_member`]).
    pub fn image_path(&self, image: &Path) -> PathBuf {
        self.root.join(image)
    }

    /// Reads the image of a case or document.
    pub fn picture(&self, image: &Path) -> Result<Picture> {
        Picture::read(&self.image_path(image))
    }

    /// Hashes of the current contents of these image files; `None` if a file cannot be read. An image that was hashed
    /// by an earlier start and has not changed since is not read again.
    pub fn image_contents(&self, images: impl Iterator<Item = impl AsRef<Path>>) -> Vec<Option<Fingerprint>> {
        let paths: Vec<PathBuf> = images.map(|image| self.image_path(image.as_ref())).collect();
        let contents = self.identities.contents_now(&self.root, &paths);
        self.identities.save();
        contents
    }

    /// The part of [`Dataset::may_retrieve`] that opens no file, for callers that must not wait.
    pub fn may_retrieve_by_name(&self, case: &Case, row: usize) -> bool {
        let Some(document) = self.corpus.get(row).filter(|_| self.document_rows().contains(&row)) else { return false };
        let is_of_group = case.group.is_some() && case.group.as_deref() == document.group;
        !is_of_group && !is_same(&case.id, document.id) && case.image != document.image
    }

    /// Whether the document in this row of the corpus is allowed for a case: not one with its id (however
    /// written), its group, its image file, its image's content, or nearly its own picture. Each file is hashed and
    /// decoded once.
    pub fn may_retrieve(&self, case: &Case, row: usize) -> bool {
        if !self.may_retrieve_by_name(case, row) {
            return false;
        }
        let Some(document) = self.corpus.get(row) else { return false };
        let (of_case, of_document) = (self.image_path(&case.image), self.image_path(document.image));
        !self.identities.same_content(&of_case, &of_document)
            && !self.identities.same_picture(&self.root, &of_case, &of_document)
    }
}

/// Separates lines and line numbers, collects the problems and adds `if_empty` if no line is left.
fn take<T>(lines: Lines<T>, path: &Path, if_empty: Option<&str>, problems: &mut Vec<Problem>) -> (Vec<usize>, Vec<T>) {
    let unreadable = lines.good.is_empty() && lines.problems.iter().any(|problem| problem.line.is_none());
    problems.extend(lines.problems);
    if let Some(message) = if_empty
        && lines.good.is_empty()
        && !unreadable
    {
        problems.push(Problem::error(path, message));
    }
    lines.good.into_iter().unzip()
}
