//! Imports annotations made in Prodigy, from the JSON lines of its `db-out`, as journals.
//!
//! A line names a case (`case`, `id`, `meta.case` or `meta.id`, else an image of the dataset under `image` or `path`;
//! if several do, they must agree), an annotator (`_annotator_id`, else `_session_id`) and a time (`_timestamp`, in
//! seconds). Its `answer` is "accept" (the categories of the list `accept`; else `label`, which is added to what the
//! annotator accepted for the case before), "ignore" (a skip) or "reject" (the case gets no category but a flag, and a
//! note with the rejected label). `user_input` becomes the note. Numbers are read as their digits. The later of an
//! annotator's lines on a case counts, by time and then by place: a reject removes what was accepted before, and an
//! accept removes the flag of an earlier reject.

use super::category_id::CategoryId;
use super::event::{EVENT_VERSION, Event, EventContext, EventKind};
use super::names::check_annotator;
use super::{Category, Taxonomy, rated_cases::positions_of};
use dissent_core::data::identifier::{group_of, identifier_of, trimmed};
use dissent_core::data::{Case, Problem};
use dissent_core::files::input_file::without_bom;
use dissent_core::text::written_json::Written;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Component, Path};
use time::{Duration, OffsetDateTime};
use uuid::{Builder, Uuid};

/// Host of the events; part of the journals' names.
pub const PRODIGY_HOST: &str = "prodigy";

/// How to read a file.
#[derive(Clone, Debug)]
pub struct ProdigyOptions {
    /// Annotator of lines that name none.
    pub annotator: Option<String>,
    /// Prefix to remove from annotators' names: Prodigy puts its dataset there.
    pub drop_prefix: String,
    /// Our annotator by the name in the file, with or without the prefix.
    pub map: BTreeMap<String, String>,
    /// Time of lines that have none. It must be the same each time the file is read; otherwise reading it again would
    /// make its annotations the latest ones.
    pub otherwise_at: OffsetDateTime,
}

/// The content of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProdigyFile {
    /// By annotator, in the order of the lines.
    pub events: BTreeMap<String, Vec<Event>>,
    /// Number of lines with the answers accept, reject and ignore.
    pub accepted: usize,
    pub rejected: usize,
    pub ignored: usize,
    /// Number of answers that a later one of the same person on the same case takes back.
    pub overruled: usize,
    /// Lines that cannot be imported, with the field.
    pub problems: Vec<Problem>,
}

/// Everything needed to read a line.
struct Reader<'a> {
    cases: &'a [Case],
    positions: HashMap<&'a str, usize>,
    /// Cases by the file name of their image.
    by_file: HashMap<&'a OsStr, Vec<&'a Case>>,
    taxonomy: &'a Taxonomy,
    options: &'a ProdigyOptions,
}

/// The content of a line.
struct Judgement {
    index: usize,
    annotator: String,
    case: String,
    ts: OffsetDateTime,
    answer: Answer,
    note: Option<String>,
}

enum Answer {
    /// The case has these categories and no others.
    Accept(BTreeSet<CategoryId>),
    /// The case has this category beside those accepted before.
    AcceptLabel(CategoryId),
    Ignore,
    /// The annotator rejects this label, as it stands in the file, or the whole case.
    Reject(Option<String>),
}

/// An annotator's answers on a case so far.
#[derive(Default)]
struct AnswersSoFar {
    accepted: BTreeSet<CategoryId>,
    /// Labels rejected; an empty one stands for the case.
    rejected: BTreeSet<String>,
    ignored: bool,
    /// The note was made here, from a rejected label.
    noted: bool,
}

/// A field, or the whole line, and what is wrong with it.
type Mistake = (&'static str, String);

const LINE: &str = "line";
const ONE_ONLY: &str = "taxonomy.toml does not say several = true";

/// Reads the lines of a file. The same lines give the same events, including ids, so a file may be read again.
pub fn read_prodigy(
    path: &Path,
    content: &[u8],
    cases: &[Case],
    taxonomy: &Taxonomy,
    options: &ProdigyOptions,
) -> ProdigyFile {
    let mut by_file: HashMap<&OsStr, Vec<&Case>> = HashMap::new();
    for case in cases {
        by_file.entry(case.image.file_name().unwrap_or_default()).or_default().push(case);
    }
    let positions = positions_of(cases);
    let reader = Reader { cases, positions, by_file, taxonomy, options };
    let mut file = ProdigyFile::default();
    let mut judgements = Vec::new();
    let note_problem = |file: &mut ProdigyFile, index: usize, (field, message): Mistake| {
        let problem = Problem::error(path, message).at_line(index + 1);
        file.problems.push(if field == LINE { problem } else { problem.in_field(field) });
    };
    for (index, line) in without_bom(content).split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value = Written::parse_line(line).map_err(|message| (LINE, message));
        match value.and_then(|value| reader.judgement_of(&value, index)) {
            Ok(judgement) => judgements.push(judgement),
            Err(mistake) => note_problem(&mut file, index, mistake),
        }
    }
    judgements.sort_by_key(|judgement| judgement.ts);
    let mut words: HashMap<(String, String), AnswersSoFar> = HashMap::new();
    for judgement in judgements {
        let word = words.entry((judgement.annotator.clone(), judgement.case.clone())).or_default();
        let index = judgement.index;
        if let Err(mistake) = reader.take_in(judgement, word, &mut file) {
            note_problem(&mut file, index, mistake);
        }
    }
    file.problems.sort_by_key(|problem| problem.line);
    file
}

impl Reader<'_> {
    fn judgement_of(&self, line: &Written, index: usize) -> Result<Judgement, Mistake> {
        let answer = match line.get("answer").and_then(Written::as_text) {
            Some("accept") => None,
            Some("ignore") => Some(Answer::Ignore),
            Some("reject") => Some(Answer::Reject(line.get("label").and_then(identifier_of))),
            _ => {
                return Err((
                    "answer",
                    format!("expected accept, reject or ignore, found {}", found(line.get("answer"))),
                ));
            }
        };
        let note = line.get("user_input").and_then(Written::as_text).map(trimmed).filter(|note| !note.is_empty());
        Ok(Judgement {
            index,
            annotator: self.annotator_of(line)?,
            case: self.case_of(line)?.to_owned(),
            ts: self.time_of(line, index)?,
            answer: answer.map_or_else(|| self.accepted_of(line), Ok)?,
            note: note.map(str::to_owned),
        })
    }

    fn take_in(&self, judgement: Judgement, word: &mut AnswersSoFar, file: &mut ProdigyFile) -> Result<(), Mistake> {
        let Judgement { annotator, case, ts, answer, note, .. } = judgement;
        let mut kinds = Vec::new();
        match answer {
            Answer::Ignore => {
                file.ignored += 1;
                file.overruled += usize::from(!word.accepted.is_empty());
                word.accepted.clear();
                word.ignored = true;
                kinds.push(EventKind::Skip);
            }
            Answer::Reject(label) => {
                file.rejected += 1;
                self.reject(label, word, file, &mut kinds);
            }
            Answer::Accept(set) => {
                file.accepted += 1;
                let is_other = !word.accepted.is_empty() && word.accepted != set;
                let was_rejected =
                    word.rejected.contains("") || set.iter().any(|id| word.rejected.contains(id.as_str()));
                file.overruled += usize::from(is_other || was_rejected || word.ignored);
                word.accepted = set;
                accept(word, was_rejected, &mut kinds);
            }
            Answer::AcceptLabel(label) => {
                if !self.taxonomy.several && !word.accepted.is_empty() && !word.accepted.contains(&label) {
                    let before = word.accepted.iter().map(CategoryId::as_str).collect::<Vec<_>>().join(", ");
                    return Err(("label", format!("the case was given {before} already; {ONE_ONLY}")));
                }
                file.accepted += 1;
                let was_rejected = word.rejected.contains(label.as_str()) || word.rejected.contains("");
                file.overruled += usize::from(was_rejected || word.ignored);
                word.accepted.insert(label);
                accept(word, was_rejected, &mut kinds);
            }
        }
        if let Some(note) = note {
            kinds.retain(|kind| !matches!(kind, EventKind::Note { .. }));
            word.noted = false;
            kinds.push(EventKind::Note { note });
        }
        let events = file.events.entry(annotator.clone()).or_default();
        for (place, kind) in kinds.into_iter().enumerate() {
            events.push(event_of(&annotator, &case, kind, ts + Duration::nanoseconds(place as i64)));
        }
        Ok(())
    }

    fn reject(
        &self,
        label: Option<String>,
        word: &mut AnswersSoFar,
        file: &mut ProdigyFile,
        kinds: &mut Vec<EventKind>,
    ) {
        let id = label.as_ref().map(|label| self.known(label).map_or(label.as_str(), |category| category.id.as_str()));
        let before = word.accepted.len();
        match id {
            Some(id) => drop(word.accepted.remove(id)),
            None => word.accepted.clear(),
        }
        if word.accepted.len() < before {
            file.overruled += 1;
            kinds.push(EventKind::Annotate { categories: word.accepted.clone().into() });
        }
        word.rejected.insert(id.unwrap_or_default().to_owned());
        kinds.push(EventKind::Flag { flag: true });
        if let Some(label) = label {
            word.noted = true;
            kinds.push(EventKind::Note { note: format!("rejected in Prodigy: {label}") });
        }
    }

    fn annotator_of(&self, line: &Written) -> Result<String, Mistake> {
        let named = ["_annotator_id", "_session_id"].into_iter().find_map(|field| {
            let name = line.get(field).and_then(identifier_of)?;
            Some((field, name))
        });
        let (field, whole) = match (named, &self.options.annotator) {
            (Some(named), _) => named,
            (None, Some(annotator)) => ("_annotator_id", annotator.clone()),
            (None, None) => {
                return Err((
                    "_annotator_id",
                    "expected the annotator's name here or in _session_id, or --annotator".into(),
                ));
            }
        };
        let name = whole.strip_prefix(&self.options.drop_prefix).unwrap_or(&whole);
        let map = &self.options.map;
        let name = map.get(&whole).or_else(|| map.get(name)).map_or(name, String::as_str);
        check_annotator(name).map_err(|error| {
            (field, format!("{error}; --map-annotator '{}=NAME' gives another name", name.escape_debug()))
        })?;
        Ok(name.to_owned())
    }

    /// The case that the line names. If several fields name one, they must name the same.
    fn case_of(&self, line: &Written) -> Result<&str, Mistake> {
        let meta = line.get("meta");
        let places = [
            ("case", line.get("case")),
            ("id", line.get("id")),
            ("meta.case", meta.and_then(|meta| meta.get("case"))),
            ("meta.id", meta.and_then(|meta| meta.get("id"))),
        ];
        let mut named: Option<(&'static str, usize)> = None;
        for (field, value) in places {
            let Some(id) = value.and_then(identifier_of) else { continue };
            // The same letters may be encoded in two ways; group_of unifies them.
            let position = self.positions.get(id.as_str()).or_else(|| self.positions.get(group_of(&id).as_str()));
            match (named, position.copied()) {
                (None, Some(position)) => named = Some((field, position)),
                (Some((before, known)), Some(position)) if position != known => {
                    let known = &self.cases[known].id;
                    return Err((field, format!("found {id}, but {before} says {known}; expected one case")));
                }
                _ => {}
            }
        }
        let of_image = self.cases_of_image(line);
        match (named, &of_image) {
            (Some((field, position)), Some((image, cases)))
                if !cases.is_empty() && cases.iter().all(|case| case.id != self.cases[position].id) =>
            {
                let (named, other) = (&self.cases[position].id, &cases[0].id);
                Err((
                    "image",
                    format!("{image} is the image of case {other}, but {field} says {named}; expected one case"),
                ))
            }
            (Some((_, position)), _) => Ok(&self.cases[position].id),
            (None, None) => {
                let said = places.into_iter().find_map(|(_, value)| value);
                let said = said.map(|id| format!("; found {id}, which is none")).unwrap_or_default();
                let message = "expected the id of a case of the dataset here, in id, meta.case or meta.id, or its image in \
                               image or path";
                Err(("case", format!("{message}{said}")))
            }
            (None, Some((image, cases))) => match cases[..] {
                [case] => Ok(&case.id),
                [] => Err(("image", format!("{image} is the image of no case of the dataset"))),
                [one, other, ..] => Err((
                    "image",
                    format!("{image} is the image of several cases ({}, {}, …): name one in case", one.id, other.id),
                )),
            },
        }
    }

    /// The image that the line names by a path, if it does, and the cases that have it.
    fn cases_of_image<'l>(&self, line: &'l Written) -> Option<(&'l str, Vec<&Case>)> {
        let text = |field: &str| line.get(field).and_then(Written::as_text);
        let image = text("image").or_else(|| text("path")).filter(|image| !image.starts_with("data:"))?;
        let path = Path::new(image);
        let same_name = self.by_file.get(path.file_name().unwrap_or_default()).into_iter().flatten();
        Some((image, same_name.filter(|case| ends_with(path, &case.image)).copied().collect()))
    }

    fn time_of(&self, line: &Written, index: usize) -> Result<OffsetDateTime, Mistake> {
        // Prodigy writes whole seconds; lines of the same second keep their order.
        let order = Duration::microseconds(index as i64);
        let Some(said) = line.get("_timestamp").filter(|said| **said != Written::Null) else {
            return Ok(self.options.otherwise_at + order);
        };
        let time =
            said.as_f64().and_then(|seconds| OffsetDateTime::from_unix_timestamp_nanos((seconds * 1e9) as i128).ok());
        let time = time.and_then(|time| time.checked_add(order));
        time.ok_or_else(|| ("_timestamp", format!("expected seconds since 1970, found {said}")))
    }

    fn accepted_of(&self, line: &Written) -> Result<Answer, Mistake> {
        if let Some(Written::List(chosen)) = line.get("accept") {
            let set = chosen
                .iter()
                .map(|said| self.category_of(said, "accept"))
                .collect::<Result<BTreeSet<CategoryId>, _>>()?;
            if set.len() > 1 && !self.taxonomy.several {
                return Err(("accept", format!("expected one category, found {}; {ONE_ONLY}", set.len())));
            }
            // A label that is no category may be a heading of the choices; a label that is a category must be chosen.
            let label = line.get("label").and_then(identifier_of).and_then(|label| self.known(&label));
            if let Some(label) = label.filter(|label| !set.contains(&label.id)) {
                let chosen = set.iter().map(CategoryId::as_str).collect::<Vec<_>>().join(", ");
                return Err(("label", format!("found {}, but accept says [{chosen}]; expected the same", label.id)));
            }
            return Ok(Answer::Accept(set));
        }
        match line.get("label") {
            None | Some(Written::Null) => Err(("accept", "expected a list of categories here, or one in label".into())),
            Some(label) => self.category_of(label, "label").map(Answer::AcceptLabel),
        }
    }

    fn category_of(&self, said: &Written, field: &'static str) -> Result<CategoryId, Mistake> {
        let text = identifier_of(said).ok_or_else(|| (field, format!("expected a category, found {said}")))?;
        if let Some(category) = self.known(&text) {
            if !category.level.is_of_case() {
                return Err((field, format!("{text:?} applies to documents, and a line is about a case")));
            }
            return Ok(category.id.clone());
        }
        let known: Vec<&str> = self.taxonomy.categories.iter().map(|category| category.id.as_str()).collect();
        Err((field, format!("{text:?} is no category; expected {}", known.join(", "))))
    }

    /// By id, else by name.
    fn known(&self, text: &str) -> Option<&Category> {
        let by_name = || self.taxonomy.categories.iter().find(|category| category.name.eq_ignore_ascii_case(text));
        self.taxonomy.by_id(text).or_else(by_name)
    }
}

/// Gives the case its accepted categories; an earlier reject of them no longer flags it.
fn accept(word: &mut AnswersSoFar, was_rejected: bool, kinds: &mut Vec<EventKind>) {
    word.ignored = false;
    kinds.push(EventKind::Annotate { categories: word.accepted.clone().into() });
    if !was_rejected {
        return;
    }
    word.rejected.remove("");
    word.rejected.retain(|id| !word.accepted.contains(id.as_str()));
    if word.rejected.is_empty() {
        kinds.push(EventKind::Flag { flag: false });
        if std::mem::take(&mut word.noted) {
            kinds.push(EventKind::Note { note: String::new() });
        }
    }
}

fn found(value: Option<&Written>) -> String {
    value.map_or_else(|| "null".to_owned(), ToString::to_string)
}

/// Whether the path of `image` ends in this path of a dataset's image.
fn ends_with(image: &Path, relative: &Path) -> bool {
    let parts = |path: &Path| -> Vec<String> {
        let normal = path.components().filter(|part| matches!(part, Component::Normal(_)));
        normal.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    parts(image).ends_with(&parts(relative))
}

fn event_of(annotator: &str, case: &str, kind: EventKind, ts: OffsetDateTime) -> Event {
    let context = EventContext::default();
    let mut event = Event {
        v: EVENT_VERSION,
        id: Uuid::nil(),
        ts,
        annotator: annotator.into(),
        host: PRODIGY_HOST.into(),
        case: case.into(),
        kind,
        context,
    };
    let digest = Sha256::digest(serde_json::to_vec(&event).unwrap_or_default());
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let milliseconds = (ts.unix_timestamp_nanos() / 1_000_000).max(0) as u64;
    event.id = Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid();
    event
}
