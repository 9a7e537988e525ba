//! The formats of predictions, and how a file is recognised.

use super::json_file::first_object;
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::Path;

/// File of a HELM run that has the answers.
pub(super) const HELM_PREDICTIONS: &str = "display_predictions.json";

/// A format of prediction files (docs/reference/formats.md, "Predictions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum PredictionFormat {
    /// The JSONL of `dissent export predictions`
    Dissent,
    /// `…_samples_TASK.jsonl` of lmms-eval
    LmmsEval,
    /// A table of VLMEvalKit: .xlsx, .tsv or .json
    Vlmevalkit,
    /// An answer file (JSONL) of LLaVA or LLaVA-Med
    Llava,
    /// A run folder of HELM or MedHELM
    Helm,
    /// A result file (CSV) of MedMNIST's evaluator
    Medmnist,
}

impl PredictionFormat {
    /// Recognises a file by its name and its first object.
    ///
    /// # Errors
    /// Fails if the file cannot be read or is none of the formats; the message says what was found.
    pub fn of(path: &Path) -> Result<Self> {
        if path.is_dir() {
            if path.join(HELM_PREDICTIONS).is_file() {
                return Ok(Self::Helm);
            }
            bail!(
                "{}: expected a file of predictions, or a run folder of HELM with {HELM_PREDICTIONS}, found another folder",
                path.display()
            );
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending {
            "xlsx" | "xls" | "tsv" => return Ok(Self::Vlmevalkit),
            "csv" if name.ends_with("_acc.csv") => {
                bail!(
                    "{}: expected answers, found a file of VLMEvalKit's scores; give the .xlsx beside it",
                    path.display()
                )
            }
            "csv" => return Ok(Self::Medmnist),
            "pkl" => bail!(
                "{}: expected a table, found a pickle, which VLMEvalKit writes if it cannot write the table; open it with \
                 pandas and save it as .tsv",
                path.display()
            ),
            _ => {}
        }
        let (is_list, object) = first_object(path)?;
        let has = |key: &str| object.get(key).is_some();
        if has("instance_id") && (has("predicted_text") || has("mapped_output")) {
            bail!("{}: expected the run folder of HELM that has this file, found the file", path.display());
        }
        if has("doc_id") && (has("filtered_resps") || has("resps")) {
            return Ok(Self::LmmsEval);
        }
        if has("prediction") && has("index") || is_list && has("prediction") {
            return Ok(Self::Vlmevalkit);
        }
        if has("question_id") && has("text") {
            return Ok(Self::Llava);
        }
        if has("query") && has("generation") && has("passages") && !has("case") {
            bail!(
                "{}: found predictions of the reference code; `dissent import predictions FILE DATASET` makes a dataset of \
                 them",
                path.display()
            );
        }
        if has("case") || has("question") {
            return Ok(Self::Dissent);
        }
        let keys: Vec<&str> = match &object {
            Written::Object(entries) => entries.iter().map(|(key, _)| key.as_str()).take(12).collect(),
            _ => Vec::new(),
        };
        bail!(
            "{}: expected predictions (dissent's JSONL, lmms-eval, VLMEvalKit, LLaVA, HELM or MedMNIST; --format names one), \
             found the fields {}",
            path.display(),
            keys.join(", ")
        )
    }
}

impl fmt::Display for PredictionFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Dissent => "dissent",
            Self::LmmsEval => "lmms-eval",
            Self::Vlmevalkit => "VLMEvalKit",
            Self::Llava => "LLaVA",
            Self::Helm => "HELM",
            Self::Medmnist => "MedMNIST",
        })
    }
}

/// The name of the folder above, if it can name a model: `demo__DemoVLM` of lmms-eval is `demo/DemoVLM`.
pub(super) fn model_of_folder(path: &Path) -> Option<String> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let name = folder.replace("__", "/");
    (!name.trim().is_empty()).then_some(name)
}

/// The file's name without its ending, as the name of a model that nothing else names.
pub(super) fn model_of_name(path: &Path) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.map(str::to_owned).with_context(|| format!("{}: expected a file name in Unicode", path.display()))
}
