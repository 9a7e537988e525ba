//! Conversations about images, as LLaVA, LLaVA-Med and ShareGPT write them. A question with its answer becomes a case.

use super::Job;
use crate::data::TaskKind;
use crate::data::identifier::identifier_of;
use crate::data::import::table::JsonObjects;
use crate::data::import::{
    ColumnMapping, ImageFiles, ImportSession, Imported, MappedRows, Record, RowsAs, TaskMapping, Value,
};
use crate::text::written_json::Written;
use anyhow::{Result, bail};
use std::path::Path;
use std::sync::Arc;

/// Keys of the turns; LLaVA-Med's instruction file has the second in some rows.
const TURNS: [&str; 3] = ["conversations", "conversatons", "messages"];
/// Fewest digits in front of `_` that are the number of an article.
const ARTICLE_DIGITS: usize = 5;

/// Whether the object is a conversation.
pub(super) fn is_conversation(object: &Written) -> bool {
    TURNS.iter().any(|key| matches!(object.get(key), Some(Written::List(_))))
}

/// Imports the conversations of one question and one answer about one image; others are left out.
///
/// # Errors
/// Fails if the file is damaged.
pub(super) fn import(job: &Job) -> Result<Imported> {
    job.refuse_mapping("conversations")?;
    if job.choices.question.is_some() {
        bail!("{}: conversations have their own questions; expected no --question", job.source.display());
    }
    let folder = job.choices.images.clone().unwrap_or_else(|| job.source.parent().unwrap_or(Path::new(".")).to_owned());
    let folder = if folder.as_os_str().is_empty() { Path::new(".").to_owned() } else { folder };
    let mut task = TaskMapping::new("vqa", TaskKind::ClosedVqa, "answer");
    task.question_column = Some("question".into());
    let mapping = ColumnMapping {
        name: job.name(),
        id: Some("id".into()),
        image: "image".into(),
        group: Some("group".into()),
        tasks: vec![task],
        ..ColumnMapping::default()
    };
    let columns: Arc<[String]> = ["id", "image", "question", "answer", "group"].map(String::from).into();
    let mut mapped = MappedRows::new(mapping, Some(ImageFiles::new(&[folder], None)?))?;
    let mut session = ImportSession::start(job.target, job.options, RowsAs::Both)?;
    let mut objects = JsonObjects::open(job.source)?;
    let mut done = 0;
    while let Some((place, object)) = objects.next_object()? {
        done += 1;
        (job.progress)(done, done);
        let turn = match the_turn(&object) {
            Ok(turn) => turn,
            Err(reason) => {
                session.leave_out(reason, &place);
                continue;
            }
        };
        let text = |text: String| Value::Text(text);
        let id = object.get("id").or_else(|| object.get("question_id")).and_then(identifier_of);
        let group = article_of(&turn.image).unwrap_or_else(|| turn.image.clone());
        let values = vec![
            text(id.unwrap_or_else(|| format!("row-{done}"))),
            text(turn.image),
            text(turn.question),
            text(turn.answer),
            text(group),
        ];
        mapped.add(&mut session, &Record { columns: Arc::clone(&columns), values, place }, None)?;
    }
    mapped.finish(session)
}

struct Turn {
    image: String,
    question: String,
    answer: String,
}

/// The one question about one image.
fn the_turn(object: &Written) -> Result<Turn, &'static str> {
    let image = match (object.get("image"), object.get("images")) {
        (Some(Written::Text(image)), _) if !image.trim().is_empty() => image.clone(),
        (Some(Written::List(images)), _) | (_, Some(Written::List(images))) => match &images[..] {
            [Written::Text(image)] => image.clone(),
            [] => return Err("no image"),
            _ => return Err("several images"),
        },
        _ => return Err("no image"),
    };
    let Some(Written::List(turns)) = TURNS.iter().find_map(|key| object.get(key)) else {
        return Err("no conversation");
    };
    let mut said: Vec<(&str, &str)> = Vec::new();
    for turn in turns {
        let who = turn.get("from").or_else(|| turn.get("role")).and_then(Written::as_text).unwrap_or_default();
        let what = turn.get("value").or_else(|| turn.get("content")).and_then(Written::as_text);
        match (who, what) {
            ("system", _) => {}
            (who, Some(what)) => said.push((who, what)),
            _ => return Err("a turn without text"),
        }
    }
    let [(asker, question), (answerer, answer)] = said[..] else {
        return Err(if said.len() > 2 { "several turns" } else { "no question with an answer" });
    };
    if !["human", "user"].contains(&asker) || !["gpt", "assistant", "bot", "model"].contains(&answerer) {
        return Err("turns of other speakers than human and gpt, or user and assistant");
    }
    Ok(Turn { image, question: question.replace("<image>", "").trim().to_owned(), answer: answer.trim().to_owned() })
}

/// The number of the article in `12345678_F1.jpg`.
fn article_of(image: &str) -> Option<String> {
    let name = image.rsplit('/').next()?;
    let (number, _) = name.split_once('_')?;
    (number.len() >= ARTICLE_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| number.to_owned())
}
