//! Samples of lmms-eval: `OUT/<model with __ for />/<date>_samples_<task>.jsonl`.
//!
//! `doc_id` counts the rows that a task's filter left, so it is no id of a dataset. The id stands in the dataset's own fields:
//! those of `doc`, which newer versions leave out, or those of a metric (`slake_accuracy.id`).

use super::given_answer::{AnswerContent, AnswerPlace, GivenAnswer, GivenCase, GivenPicture};
use super::json_file::{read_objects, text_field};
use crate::data::identifier::identifier_of;
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::sync::Arc;

/// Fields of a metric or of `doc` that hold the dataset's id, the surest first.
const IDS: [&str; 5] = ["qid", "question_id", "id", "index", "sample_id"];

pub(super) fn read(path: &Path) -> Result<Vec<GivenAnswer>> {
    let file: Arc<Path> = path.into();
    let mut answers = Vec::new();
    for (line, object) in read_objects(path)? {
        let place = AnswerPlace { file: Arc::clone(&file), line };
        let at = place.to_string();
        answers.push(answer_of(&object, place).context(at)?);
    }
    Ok(answers)
}

fn answer_of(object: &Written, place: AnswerPlace) -> Result<GivenAnswer> {
    let text =
        ["filtered_resps", "resps"].iter().find_map(|name| object.get(name).filter(|value| **value != Written::Null));
    let text = text.context("field filtered_resps: the field is missing; expected the model's answer")?;
    let text = single_text(text).context("field filtered_resps")?;
    let doc = object.get("doc").filter(|doc| matches!(doc, Written::Object(_)));
    let mut ids = Vec::new();
    for source in doc.into_iter().chain(metrics(object)) {
        for name in IDS {
            if let Ok(Some(id)) = text_field(source, name) {
                ids.push(id);
                break;
            }
        }
    }
    let first = ids.first().cloned();
    if let Some(other) = ids.iter().find(|id| first.as_ref() != Some(id)) {
        bail!("expected one id in doc and in the metrics, found {} and {other}", first.unwrap_or_default());
    }
    let of_doc = |names: &[&str]| names.iter().find_map(|name| text_field(doc?, name).ok().flatten());
    let image = of_doc(&["image_path", "image", "img_name", "image_name"]);
    Ok(GivenAnswer {
        place,
        case: GivenCase {
            id: first,
            question: of_doc(&["question", "query"]),
            prompt: text_field(object, "input").ok().flatten(),
            picture: image.map(GivenPicture::Path),
            ..GivenCase::default()
        },
        gold: text_field(object, "target").ok().flatten(),
        content: AnswerContent { text: Some(text), ..AnswerContent::default() },
        ..GivenAnswer::default()
    })
}

/// The metrics whose values are objects.
fn metrics(object: &Written) -> Vec<&Written> {
    let Written::Object(entries) = object else { return Vec::new() };
    let is_metric = |key: &str| !["doc", "arguments", "input_media", "token_counts"].contains(&key);
    let objects = entries.iter().filter(|(key, value)| is_metric(key) && matches!(value, Written::Object(_)));
    objects.map(|(_, value)| value).collect()
}

/// The one text in a value; older versions write `[["text"]]`.
fn single_text(value: &Written) -> Result<String> {
    match value {
        Written::Text(text) => Ok(text.clone()),
        Written::List(items) if items.len() == 1 => single_text(&items[0]),
        Written::List(items) => bail!(
            "expected one answer, found {}: answers to a question asked several times, or log-probabilities, are not read",
            items.len()
        ),
        other => identifier_of(other).with_context(|| format!("expected a text, found {}", other.kind())),
    }
}
