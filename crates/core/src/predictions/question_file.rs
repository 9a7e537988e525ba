//! Questions and pictures of a benchmark, which the files of its answers leave out: LLaVA's `question.jsonl` and VLMEvalKit's
//! `LMUData/<dataset>.tsv`.

use super::given_answer::{GivenAnswer, GivenPicture};
use super::json_file::{read_objects, text_field};
use super::sheet::each_tab_row;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::path::Path;

/// A shorter field `image` is the index of the row that holds the picture.
const LONGEST_REFERENCE: usize = 64;

#[derive(Clone, Debug, Default)]
struct Question {
    text: Option<String>,
    picture: Option<GivenPicture>,
}

/// Questions and pictures by the id that the answers have, too.
pub(super) struct Questions {
    by_id: HashMap<String, Question>,
}

impl Questions {
    /// # Errors
    /// Fails if the file cannot be read, is neither of the two formats or has two rows of one id.
    pub fn read(path: &Path) -> Result<Self> {
        let is_table = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
        if is_table { Self::read_table(path) } else { Self::read_lines(path) }
    }

    fn read_lines(path: &Path) -> Result<Self> {
        let mut by_id = HashMap::new();
        for (line, object) in read_objects(path)? {
            let at = format!("{}:{line}", path.display());
            let field = |name: &str| text_field(&object, name).with_context(|| at.clone());
            let id = field("question_id")?.with_context(|| {
                format!("{at}: field question_id: the field is missing; expected LLaVA's question.jsonl or VLMEvalKit's .tsv")
            })?;
            let question = Question { text: field("text")?, picture: field("image")?.map(GivenPicture::Path) };
            if by_id.insert(id.clone(), question).is_some() {
                bail!("{at}: field question_id: the question {id:?} is there twice");
            }
        }
        Ok(Self { by_id })
    }

    fn read_table(path: &Path) -> Result<Self> {
        let mut by_id: HashMap<String, Question> = HashMap::new();
        // Rows that name the row of their picture.
        let mut references: Vec<(String, String)> = Vec::new();
        let columns = each_tab_row(path, &mut |row| {
            let at = format!("{}:{}", path.display(), row.line);
            let id =
                row.get("index").with_context(|| format!("{at}: expected an index, found an empty field"))?.to_owned();
            let picture = match row.get("image") {
                Some(index) if index.len() <= LONGEST_REFERENCE => {
                    references.push((id.clone(), index.to_owned()));
                    None
                }
                // A list of pictures: a case of a dataset has one.
                Some(list) if list.starts_with('[') => None,
                Some(base64) => {
                    let bytes = STANDARD.decode(base64.trim());
                    let bytes = bytes.with_context(|| format!("{at}: field image: expected a picture in base64"))?;
                    Some(GivenPicture::Content(Fingerprint::of_bytes(&bytes)))
                }
                None => row.get("image_path").map(|path| GivenPicture::Path(path.to_owned())),
            };
            let question = Question { text: row.get("question").map(str::to_owned), picture };
            if by_id.insert(id.clone(), question).is_some() {
                bail!("{at}: field index: {id:?} is there twice");
            }
            Ok(())
        })?;
        if !columns.iter().any(|column| column == "index") {
            bail!("{}: expected the column index, found {}", path.display(), columns.join(", "));
        }
        for (id, index) in references {
            let picture = by_id.get(&index).and_then(|question| question.picture.clone());
            let picture = picture.with_context(|| {
                format!(
                    "{}: row {id}: field image: expected the index of a row with a picture, found {index:?}",
                    path.display()
                )
            })?;
            if let Some(question) = by_id.get_mut(&id) {
                question.picture = Some(picture);
            }
        }
        Ok(Self { by_id })
    }

    /// Adds question and picture to an answer. Returns whether the file has its id.
    pub fn add_to(&self, answer: &mut GivenAnswer) -> bool {
        let Some(question) = answer.case.id.as_ref().and_then(|id| self.by_id.get(id)) else { return false };
        answer.case.question = question.text.clone().or_else(|| answer.case.question.take());
        if question.picture.is_some() {
            answer.case.picture.clone_from(&question.picture);
        }
        true
    }
}
