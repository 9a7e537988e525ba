//! Reads and checks the rows of VQA-RAD's JSON file (Lau et al., Scientific Data 2018, table 2).

use super::json_rows::{read_list, text_field};
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail};
use std::collections::HashSet;
use std::path::Path;

/// One question with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub qid: String,
    /// Shared by a question and its rephrasing.
    pub linked_id: String,
    /// `phrase_type` starts with `test_`.
    pub test: bool,
    /// `answer_type` is CLOSED.
    pub closed: bool,
    /// File name inside the image folder.
    pub image: String,
    /// Address of the MedPix case: images of one address are of one patient.
    pub medpix_case: String,
    /// CHEST, ABD or HEAD.
    pub organ: String,
    /// PRES, MODALITY, PLANE and so on; several are separated by commas.
    pub question_type: String,
    pub question: String,
    pub answer: String,
}

impl Row {
    /// `Some(true)` for yes, `Some(false)` for no, `None` for any other answer.
    pub fn yes_or_no(&self) -> Option<bool> {
        match self.answer.trim_end_matches('.').to_ascii_lowercase().as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// Whether this is one of the row's question types.
    pub fn has_type(&self, name: &str) -> bool {
        self.question_type.split(',').any(|kind| kind.trim().eq_ignore_ascii_case(name))
    }
}

/// Reads and checks every row.
pub(super) fn read_rows(path: &Path) -> Result<Vec<Row>> {
    let values = read_list(path)?;
    let mut rows = Vec::with_capacity(values.len());
    let mut seen = HashSet::new();
    for (number, value) in values.iter().enumerate() {
        let row = read_row(value).with_context(|| format!("{}: row {number} (from 0)", path.display()))?;
        if !seen.insert(row.qid.clone()) {
            bail!("{}: row {number} (from 0): qid: {} is used twice", path.display(), row.qid);
        }
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("{}: expected questions, found an empty list", path.display());
    }
    Ok(rows)
}

fn read_row(value: &Written) -> Result<Row> {
    if !matches!(value, Written::Object(_)) {
        bail!("expected an object, found {}", value.kind());
    }
    if let Some(key) = value.repeated_key() {
        bail!("{key}: the field appears twice with different values; expected it once");
    }
    let phrase_type = text_field(value, "phrase_type")?;
    let test = phrase_type.starts_with("test_");
    if !["freeform", "para"].contains(&phrase_type.trim_start_matches("test_")) {
        bail!("phrase_type: expected freeform, para, test_freeform or test_para, found {phrase_type:?}");
    }
    let answer_type = text_field(value, "answer_type")?;
    if !["CLOSED", "OPEN"].contains(&answer_type.as_str()) {
        bail!("answer_type: expected CLOSED or OPEN, found {answer_type:?}");
    }
    let image = text_field(value, "image_name")?;
    if image.contains(['/', '\\']) || image.starts_with('.') {
        bail!("image_name: expected a plain file name, found {image:?}");
    }
    Ok(Row {
        qid: text_field(value, "qid")?,
        linked_id: text_field(value, "qid_linked_id")?,
        test,
        closed: answer_type == "CLOSED",
        image,
        medpix_case: text_field(value, "image_case_url")?,
        organ: text_field(value, "image_organ")?,
        question_type: text_field(value, "question_type")?,
        question: text_field(value, "question")?,
        answer: text_field(value, "answer")?,
    })
}
