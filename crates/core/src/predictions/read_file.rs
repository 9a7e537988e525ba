//! The answers of one file of any format.

use super::format::{PredictionFormat, model_of_folder, model_of_name};
use super::given_answer::GivenAnswer;
use super::{helm, llava, lmms_eval, medmnist_scores, own_lines, vlmevalkit};
use crate::data::Split;
use crate::data::import::LeftOut;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result};
use std::path::Path;

/// The answers of one file.
#[derive(Debug)]
pub(super) struct FileAnswers {
    pub format: PredictionFormat,
    pub answers: Vec<GivenAnswer>,
    /// The model of answers that do not name theirs.
    pub model: String,
    /// The split that the file's name says.
    pub split: Option<Split>,
    /// Accuracy that the file's name says, as text.
    pub accuracy: Option<String>,
    /// A row of scores that are no probabilities, in words.
    pub odd_scores: Option<String>,
    pub remarks: Vec<String>,
    pub fingerprint: Fingerprint,
}

/// Reads a file; without a format it is recognised.
pub(super) fn read_file(
    path: &Path,
    format: Option<PredictionFormat>,
    left_out: &mut Vec<LeftOut>,
) -> Result<FileAnswers> {
    let format = format.map_or_else(|| PredictionFormat::of(path), Ok)?;
    let fingerprint = match format {
        PredictionFormat::Helm => {
            let prints = helm::files(path).iter().map(|file| fingerprint_of(file)).collect::<Result<Vec<_>>>()?;
            Fingerprint::of_parts(prints.iter().map(Fingerprint::as_str))
        }
        _ => fingerprint_of(path)?,
    };
    let mut file = FileAnswers {
        format,
        answers: Vec::new(),
        model: model_of_name(path)?,
        split: None,
        accuracy: None,
        odd_scores: None,
        remarks: Vec::new(),
        fingerprint,
    };
    match format {
        PredictionFormat::Dissent => {
            let (answers, unread) = own_lines::read(path)?;
            file.answers = answers;
            if !unread.is_empty() {
                file.remarks.push(format!("{}: these fields are not read: {}", path.display(), unread.join(", ")));
            }
        }
        PredictionFormat::LmmsEval => {
            file.answers = lmms_eval::read(path)?;
            file.model = model_of_folder(path).unwrap_or(file.model);
        }
        PredictionFormat::Vlmevalkit => {
            (file.answers, file.remarks) = vlmevalkit::read(path)?;
            file.model = vlmevalkit::model_of(path).unwrap_or(file.model);
        }
        PredictionFormat::Llava => file.answers = llava::read(path)?,
        PredictionFormat::Helm => file.answers = helm::read(path, left_out)?,
        PredictionFormat::Medmnist => {
            let scores = medmnist_scores::read(path)?;
            (file.answers, file.split, file.odd_scores) = (scores.answers, scores.split, scores.first_odd);
            file.accuracy = medmnist_scores::accuracy_of_name(path);
            file.model = medmnist_scores::model_of(path).unwrap_or(file.model);
        }
    }
    Ok(file)
}

fn fingerprint_of(path: &Path) -> Result<Fingerprint> {
    Fingerprint::of_file(path).with_context(|| format!("cannot read {}", path.display()))
}
