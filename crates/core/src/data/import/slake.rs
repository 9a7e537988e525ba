//! `import slake`: the release of SLAKE. Yes/no questions become closed cases; choices and open questions become cases that
//! are answered in words, in a task each. Pictures that only training questions use become the corpus, with captions made of
//! their answers.

use super::slake_caption::caption_of;
use super::slake_pictures::Pictures;
use super::slake_rows::{Language, Row, read_rows};
use super::{ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Case, Document, Label, Manifest, PromptTemplate, Split, Task, TaskKind};
use anyhow::{Result, bail};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The languages to import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum SlakeLanguage {
    /// English, as in the paper.
    #[default]
    En,
    /// Chinese.
    Zh,
    /// Both; the picture is the group, because a test picture of one language is a training picture of the other.
    Both,
}

/// Choices of the SLAKE import.
#[derive(Clone, Copy, Debug, Default)]
pub struct SlakeOptions {
    pub language: SlakeLanguage,
    /// Leave out questions about pictures that a later split also uses; with both languages there are many.
    pub drop_shared_images: bool,
}

/// A row with its split and the name of its file.
struct SplitRow {
    row: Row,
    split: Split,
    file: String,
}

impl SplitRow {
    fn place(&self) -> String {
        format!("{}: qid {}", self.file, self.row.qid)
    }
}

/// Imports the folder `source`, which holds train.json, validate.json (or validation.json), test.json and the pictures.
///
/// # Errors
/// Fails if a file is missing or repackaged, a row lacks a field or has an unknown value, or the target cannot be written.
pub fn import_slake(
    source: &Path,
    target: &Path,
    choices: SlakeOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let nested = source.join("Slake1.0");
    let source = if !source.join("train.json").is_file() && nested.is_dir() { &nested } else { source };
    let rows = read_splits(source)?;
    let pictures = Pictures::find(source)?;
    let mut session = ImportSession::start(target, options, RowsAs::Both)?;
    let rows = wanted_rows(rows, choices.language, &mut session);
    let uses = latest_splits(&rows);

    let mut paths: HashMap<u32, Option<PathBuf>> = HashMap::new();
    let mut training: BTreeMap<u32, Vec<&Row>> = BTreeMap::new();
    let mut shared = (0, HashSet::new());
    for (done, one) in rows.iter().enumerate() {
        progress(done + 1, rows.len());
        let row = &one.row;
        let latest = uses.get(&row.picture).copied().unwrap_or(one.split);
        if latest > one.split {
            shared.0 += 1;
            shared.1.insert(row.picture);
            if choices.drop_shared_images {
                session.leave_out("about a picture that a later split also uses (--drop-shared-images)", &one.place());
                continue;
            }
        }
        if !session.wants(latest) {
            continue;
        }
        let path = if let Some(known) = paths.get(&row.picture) {
            known.clone()
        } else {
            let found = pictures.path_of(row.picture);
            let named = found.map(|path| session.image(&path, &format!("{}.jpg", row.picture_id()))).transpose()?;
            paths.insert(row.picture, named.clone());
            named
        };
        let Some(image) = path else {
            session.leave_out("no image file", &format!("{}, {}/source.jpg", one.place(), row.picture_id()));
            continue;
        };
        if latest == Split::Train {
            training.entry(row.picture).or_default().push(row);
        }
        session.case(case_of(one, image))?;
    }
    for (picture, rows) in &training {
        let Some(Some(image)) = paths.get(picture) else { continue };
        let id = format!("xmlab{picture}");
        session.document(Document {
            group: Some(id.clone()),
            id,
            image: image.clone(),
            caption: caption_of(rows),
            source: Some("SLAKE train".into()),
        })?;
    }
    remark_on(&mut session, &rows, choices, shared.0, shared.1.len());
    session.finish(manifest(choices.language))
}

fn read_splits(source: &Path) -> Result<Vec<SplitRow>> {
    let names = [
        (Split::Train, &["train.json"][..]),
        (Split::Validation, &["validate.json", "validation.json"]),
        (Split::Test, &["test.json"]),
    ];
    let mut all = Vec::new();
    let mut places: HashMap<String, String> = HashMap::new();
    for (split, known) in names {
        let found: Vec<&str> = known.iter().copied().filter(|name| source.join(name).is_file()).collect();
        let [file] = found[..] else {
            let parquet = "a copy in Parquet files is read by `dissent import hf`";
            bail!(
                "{}: expected one file {}, found {}; {parquet}",
                source.display(),
                known.join(" or "),
                if found.is_empty() { "none".into() } else { found.join(" and ") }
            );
        };
        for row in read_rows(&source.join(file))? {
            let one = SplitRow { row, split, file: file.into() };
            if let Some(other) = places.insert(one.row.qid.clone(), one.place()) {
                bail!("{}: expected every qid once in all files, found {other} too", one.place());
            }
            all.push(one);
        }
    }
    Ok(all)
}

/// The rows of the chosen languages that have an answer; the others are counted.
fn wanted_rows(rows: Vec<SplitRow>, language: SlakeLanguage, session: &mut ImportSession) -> Vec<SplitRow> {
    let mut wanted = Vec::new();
    for one in rows {
        match (language, one.row.language) {
            (SlakeLanguage::En, Language::Chinese) => {
                session.leave_out("in Chinese (--language zh or both imports them)", &one.place());
            }
            (SlakeLanguage::Zh, Language::English) => {
                session.leave_out("in English (--language en or both imports them)", &one.place());
            }
            _ if one.row.answer.is_empty() => session.leave_out("no answer", &one.place()),
            _ => wanted.push(one),
        }
    }
    wanted
}

/// The last split that uses each picture: train, validation, test.
fn latest_splits(rows: &[SplitRow]) -> HashMap<u32, Split> {
    let mut uses: HashMap<u32, Split> = HashMap::new();
    for one in rows {
        let latest = uses.entry(one.row.picture).or_insert(one.split);
        *latest = one.split.max(*latest);
    }
    uses
}

fn case_of(one: &SplitRow, image: PathBuf) -> Case {
    let row = &one.row;
    let (part, answer) = match (row.closed, row.yes_or_no()) {
        (true, Some(yes)) => ("", yes_id(row.language, yes).to_owned()),
        (true, None) => ("-choice", row.answer.clone()),
        (false, _) => ("-open", row.answer.clone()),
    };
    Case {
        id: format!("q{}", row.qid),
        task: task_id(row.language, part),
        split: one.split,
        image,
        question: Some(row.question.clone()),
        answer,
        unknown: Vec::new(),
        group: Some(row.picture_id()),
    }
}

fn task_id(language: Language, part: &str) -> String {
    match language {
        Language::English => format!("slake{part}"),
        Language::Chinese => format!("slake-zh{part}"),
    }
}

fn yes_id(language: Language, yes: bool) -> &'static str {
    match (language, yes) {
        (Language::English, true) => "yes",
        (Language::English, false) => "no",
        (Language::Chinese, true) => "是",
        (Language::Chinese, false) => "否",
    }
}

fn remark_on(
    session: &mut ImportSession,
    rows: &[SplitRow],
    choices: SlakeOptions,
    shared: usize,
    shared_pictures: usize,
) {
    let choices_of = |language| {
        rows.iter()
            .filter(|one| one.row.language == language && one.row.closed && one.row.yes_or_no().is_none())
            .count()
    };
    for language in [Language::English, Language::Chinese] {
        let count = choices_of(language);
        if count > 0 {
            session.remark(format!(
                "{count} closed questions are choices that the question names (\"lung or heart?\"); they are cases of the \
                 task {}, answered in words",
                task_id(language, "-choice")
            ));
        }
    }
    if rows.iter().any(|one| one.row.language == Language::Chinese) {
        session.remark("Chinese closed answers that repeat the verb (包含, 没有, 不是) count as 是 or 否");
    }
    if shared > 0 {
        let what = if choices.drop_shared_images {
            "left out"
        } else {
            "kept, as in the release; --drop-shared-images leaves them out"
        };
        session.remark(format!(
            "{shared} questions are about {shared_pictures} pictures that a later split also uses: {what}; none of these \
             pictures is a document"
        ));
    }
    let mut asked = HashSet::new();
    let repeated = rows.iter().filter(|one| !asked.insert((one.row.picture, one.row.question.to_lowercase()))).count();
    if repeated > 0 {
        session.remark(format!("{repeated} questions repeat an earlier one about the same picture"));
    }
}

fn manifest(language: SlakeLanguage) -> Manifest {
    let languages = match language {
        SlakeLanguage::En => &[Language::English][..],
        SlakeLanguage::Zh => &[Language::Chinese],
        SlakeLanguage::Both => &[Language::English, Language::Chinese],
    };
    let mut tasks = Vec::new();
    for language in languages {
        let yes_no = [(true, "Yes"), (false, "No")].map(|(yes, name)| Label::new(yes_id(*language, yes), name));
        for (part, kind, labels) in [
            ("", TaskKind::ClosedVqa, yes_no.to_vec()),
            ("-choice", TaskKind::OpenVqa, Vec::new()),
            ("-open", TaskKind::OpenVqa, Vec::new()),
        ] {
            let id = task_id(*language, part);
            tasks.push(Task { id, kind, question: None, labels, prompt: PromptTemplate::default() });
        }
    }
    Manifest {
        name: "SLAKE".into(),
        licence: Some("CC BY 4.0".into()),
        note: Some("SLAKE (Liu et al., ISBI 2021); for research, not for diagnosis".into()),
        only: None,
        tasks,
    }
}
