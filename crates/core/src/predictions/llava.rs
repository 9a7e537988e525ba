//! Answer files of LLaVA and LLaVA-Med: `{"question_id", "prompt", "text", "answer_id", "model_id", "metadata"}`.
//!
//! An answer has no picture; the question file (`question_id`, `image`, `text`) has it. The scorer pairs both by line, other
//! programs by `question_id`: here only the id counts.

use super::given_answer::{AnswerContent, AnswerPlace, GivenAnswer, GivenCase};
use super::json_file::{read_objects, text_field};
use anyhow::{Context, Result};
use std::path::Path;
use std::sync::Arc;

pub(super) fn read(path: &Path) -> Result<Vec<GivenAnswer>> {
    let file: Arc<Path> = path.into();
    let mut answers = Vec::new();
    for (line, object) in read_objects(path)? {
        let place = AnswerPlace { file: Arc::clone(&file), line };
        let at = place.to_string();
        let required = |name: &str| -> Result<String> {
            text_field(&object, name)?.with_context(|| format!("field {name}: the field is missing; expected a text"))
        };
        let id = required("question_id").with_context(|| at.clone())?;
        let text = required("text").with_context(|| at.clone())?;
        let optional = |name: &str| text_field(&object, name).with_context(|| at.clone());
        answers.push(GivenAnswer {
            model: optional("model_id")?,
            case: GivenCase { id: Some(id), prompt: optional("prompt")?, ..GivenCase::default() },
            content: AnswerContent { text: Some(text), ..AnswerContent::default() },
            place,
            ..GivenAnswer::default()
        });
    }
    Ok(answers)
}
