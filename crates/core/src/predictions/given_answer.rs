//! An answer as a file of another program has it, before it is joined to a case.

use crate::files::fingerprint::Fingerprint;
use crate::run::{Ablation, Provenance};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// One answer of a model.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenAnswer {
    pub place: AnswerPlace,
    /// Name of the model; `None` if the line does not name it.
    pub model: Option<String>,
    pub case: GivenCase,
    /// Gold answer as the file has it; it is compared with that of the dataset.
    pub gold: Option<String>,
    pub role: AnswerRole,
    /// What the reader was not given, as the line names it.
    pub ablation: Ablation,
    pub content: AnswerContent,
}

/// File and line of an answer, for messages.
#[derive(Clone, Debug)]
pub(super) struct AnswerPlace {
    pub file: Arc<Path>,
    /// Line of a text file, or row of a table, from 1.
    pub line: usize,
}

impl Default for AnswerPlace {
    fn default() -> Self {
        Self { file: Path::new("").into(), line: 0 }
    }
}

impl fmt::Display for AnswerPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file.display(), self.line)
    }
}

/// What the file says of the case.
#[derive(Clone, Debug, Default)]
pub(super) struct GivenCase {
    pub id: Option<String>,
    /// Position among the cases of the split, from 0.
    pub position: Option<usize>,
    pub question: Option<String>,
    /// The prompt, which contains the question.
    pub prompt: Option<String>,
    pub picture: Option<GivenPicture>,
}

/// The picture of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GivenPicture {
    /// A path, or the last parts of one.
    Path(String),
    Content(Fingerprint),
}

/// What the model was asked with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum AnswerRole {
    /// No document.
    #[default]
    ClosedBook,
    Document(GivenDocument),
    /// The fused answer of the other program.
    Fused,
}

/// The document of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GivenDocument {
    pub id: String,
    /// Empty if the file does not say how the document was found.
    pub provenances: Vec<Provenance>,
}

/// The answer itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AnswerContent {
    pub text: Option<String>,
    /// Texts of the options by their letter, if the question offered some.
    pub options: Vec<(char, String)>,
    /// The other program says that its call failed.
    pub has_failed: bool,
    pub scores: Option<GivenScores>,
    pub chosen: Chosen,
}

/// Numbers per label.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum GivenScores {
    LogProbabilities(Vec<LabelValue>),
    Probabilities(Vec<LabelValue>),
    LogOdds(Vec<LabelValue>),
    /// How often the model gave each label when it was asked several times, and how often it named none.
    Counts {
        named: Vec<LabelValue>,
        unnamed: u32,
    },
    /// One score per class, as MedMNIST's evaluator writes them; a binary task may have that of the second class alone.
    Classes {
        scores: Vec<f64>,
        /// All scores of the file are between 0 and 1.
        are_in_range: bool,
        /// The scores of each row of the file sum to 1.
        sum_to_one: bool,
    },
}

/// A number of one label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LabelValue {
    /// Id of the label; `None` if the numbers are in the order of the task's labels.
    pub label: Option<String>,
    pub value: f64,
    /// The number is a bound (`at_most`, `at_least`).
    pub is_bound: bool,
}

/// The answer that the line names itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Chosen {
    /// None: the largest score, else what the text says.
    #[default]
    NotNamed,
    /// A label, or with `None` that the text names none.
    Label(Option<String>),
    Set(Vec<String>),
}
