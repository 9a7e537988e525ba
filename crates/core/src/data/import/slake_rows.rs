//! Reads and checks the rows of SLAKE's JSON files (Liu et al., ISBI 2021).

use super::json_rows::{read_list, text_field};
use crate::data::identifier::identifier_of;
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// What to import instead of a repackaged copy.
const RELEASE: &str = "use the release itself: the folder Slake1.0 of its authors, or train.json, validation.json, \
                       test.json and imgs.zip of the Hugging Face dataset BoKelvin/SLAKE";

/// The language of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Language {
    English,
    Chinese,
}

/// One question with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub qid: String,
    /// The number of the picture: both languages ask about the same ones.
    pub picture: u32,
    pub language: Language,
    /// `answer_type` is CLOSED: yes or no, or a choice that the question names.
    pub closed: bool,
    /// `base_type` is kvqa: the question needs the knowledge graph and is about organs in general.
    pub needs_knowledge: bool,
    /// Organ, Position, Modality, Plane and so on.
    pub content: String,
    /// The region: `Lung`, `Brain_Tissue`.
    pub location: String,
    /// CT, MRI or X-Ray.
    pub modality: String,
    pub question: String,
    /// Empty in one row of the release.
    pub answer: String,
}

impl Row {
    /// `Some(true)` for yes, `Some(false)` for no, `None` for any other answer.
    pub fn yes_or_no(&self) -> Option<bool> {
        match self.language {
            Language::English => match self.answer.trim_end_matches('.').to_ascii_lowercase().as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            // Chinese has no single word for yes and no: an answer repeats the verb of its question.
            Language::Chinese => match self.answer.trim_end_matches('。') {
                "是" | "是的" | "对" | "有" | "包含" | "包括" | "存在" | "可以" | "能" | "会" | "属于" => {
                    Some(true)
                }
                "否" | "不" | "不是" | "不对" | "没有" | "无" | "不包含" | "不包括" | "不存在" | "不可以" | "不能"
                | "不会" | "不属于" => Some(false),
                _ => None,
            },
        }
    }

    /// The picture's id and group.
    pub fn picture_id(&self) -> String {
        format!("xmlab{}", self.picture)
    }
}

/// Reads and checks every row of a file.
pub(super) fn read_rows(path: &Path) -> Result<Vec<Row>> {
    let values = read_list(path)?;
    let mut rows = Vec::with_capacity(values.len());
    for (number, value) in values.iter().enumerate() {
        rows.push(read_row(value).with_context(|| format!("{}: row {number} (from 0)", path.display()))?);
    }
    Ok(rows)
}

fn read_row(value: &Written) -> Result<Row> {
    let Written::Object(entries) = value else { bail!("expected an object, found {}", value.kind()) };
    if let Some(key) = value.repeated_key() {
        bail!("{key}: the field appears twice with different values; expected it once");
    }
    if value.get("img_id").is_none() || value.get("qid").is_none() {
        let found: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
        bail!(
            "expected the keys img_id, img_name, qid and so on, found {}: a repackaged copy of SLAKE, whose ids or splits \
             differ; {RELEASE}",
            found.join(", ")
        );
    }
    let picture_text = text_field(value, "img_id")?;
    let picture: u32 =
        picture_text.parse().ok().with_context(|| format!("img_id: expected a number, found {picture_text:?}"))?;
    let name = text_field(value, "img_name")?;
    if name != format!("xmlab{picture}/source.jpg") {
        bail!("img_name: expected \"xmlab{picture}/source.jpg\" for img_id {picture}, found {name:?}; {RELEASE}");
    }
    let answer = value.get("answer").context("answer: the field is missing; expected a text")?;
    Ok(Row {
        qid: text_field(value, "qid")?,
        picture,
        language: match one_of(value, "q_lang", &["en", "zh"])?.as_str() {
            "en" => Language::English,
            _ => Language::Chinese,
        },
        closed: one_of(value, "answer_type", &["CLOSED", "OPEN"])? == "CLOSED",
        needs_knowledge: one_of(value, "base_type", &["vqa", "kvqa"])? == "kvqa",
        content: text_field(value, "content_type")?,
        location: text_field(value, "location")?,
        modality: text_field(value, "modality")?,
        question: text_field(value, "question")?,
        answer: identifier_of(answer).with_context(|| format!("answer: expected a text, found {answer}"))?,
    })
}

fn one_of(value: &Written, field: &str, known: &[&str]) -> Result<String> {
    let text = text_field(value, field)?;
    if !known.contains(&text.as_str()) {
        bail!("{field}: expected {}, found {text:?}", known.join(" or "));
    }
    Ok(text)
}
