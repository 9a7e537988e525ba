//! Annotations made in Prodigy, from the JSON lines of its `db-out`, as journals.
//!
//! A line is about a case (`case`, `id`, `meta.case` or `meta.id`, else an image of the dataset under `image` or `path`) by an
//! annotator (`_annotator_id`, else `_session_id`), at `_timestamp` seconds. Its `answer` is "accept" (the categories of the
//! list `accept`; else `label`, which is added to what the annotator accepted for the case before), "ignore" (a skip) or
//! "reject" (no category follows: the case is flagged, with a note of the label rejected). `user_input` becomes the note.

use super::event::{Circumstances, EVENT_VERSION, Event, EventKind};
use super::names::check_annotator;
use super::{Taxonomy, rated_cases::positions_of};
use crate::data::{Case, Problem};
use serde_json::Value;
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
    /// Who annotated where a line does not say.
    pub annotator: Option<String>,
    /// Cut off the beginning of annotators' names: Prodigy puts its dataset there.
    pub drop_prefix: String,
    /// When a line was annotated that does not say. The same each time the file is read, or reading it again would make its
    /// words the latest ones.
    pub otherwise_at: OffsetDateTime,
}

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProdigyFile {
    /// By annotator, in the order of the lines.
    pub events: BTreeMap<String, Vec<Event>>,
    /// Lines that say accept, reject and ignore.
    pub accepted: usize,
    pub rejected: usize,
    pub ignored: usize,
    /// Lines that cannot be taken, with the field.
    pub problems: Vec<Problem>,
}

/// What a line is read against.
struct Reader<'a> {
    path: &'a Path,
    cases: &'a [Case],
    positions: HashMap<&'a str, usize>,
    /// Cases by the file name of their image.
    by_file: HashMap<&'a OsStr, Vec<&'a Case>>,
    taxonomy: &'a Taxonomy,
    options: &'a ProdigyOptions,
    /// Labels that an annotator accepted for a case, one line each.
    labels: HashMap<(String, String), BTreeSet<String>>,
}

/// Field, or the whole line, and what is wrong with it.
type Mistake = (&'static str, String);

const LINE: &str = "line";
const ONE_ONLY: &str = "taxonomy.toml does not say several = true";

/// Reads the lines of a file. The same lines give the same events, ids included, so that a file may be read in again.
pub fn read_prodigy(
    path: &Path,
    content: &str,
    cases: &[Case],
    taxonomy: &Taxonomy,
    options: &ProdigyOptions,
) -> ProdigyFile {
    let mut by_file: HashMap<&OsStr, Vec<&Case>> = HashMap::new();
    for case in cases {
        by_file.entry(case.image.file_name().unwrap_or_default()).or_default().push(case);
    }
    let positions = positions_of(cases);
    let mut reader = Reader { path, cases, positions, by_file, taxonomy, options, labels: HashMap::new() };
    let mut file = ProdigyFile::default();
    for (index, line) in content.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let value =
            serde_json::from_str::<Value>(line).map_err(|error| (LINE, format!("expected a JSON object: {error}")));
        if let Err((field, message)) = value.and_then(|value| reader.take_in(&value, index, &mut file)) {
            let problem = Problem::error(reader.path, message).at_line(index + 1);
            file.problems.push(if field == LINE { problem } else { problem.in_field(field) });
        }
    }
    file
}

impl Reader<'_> {
    fn take_in(&mut self, line: &Value, index: usize, file: &mut ProdigyFile) -> Result<(), Mistake> {
        if !line.is_object() {
            return Err((LINE, format!("expected a JSON object, found {line}")));
        }
        let answer = line["answer"].as_str().unwrap_or_default();
        if !["accept", "reject", "ignore"].contains(&answer) {
            return Err(("answer", format!("expected accept, reject or ignore, found {}", line["answer"])));
        }
        let annotator = self.annotator_of(line)?;
        let case = self.case_of(line)?.to_owned();
        let ts = self.time_of(line, index)?;
        let mut kinds = Vec::new();
        match answer {
            "accept" => {
                let categories = self.categories_of(line, &annotator, &case)?;
                kinds.push(EventKind::Annotate { categories: categories.into() });
            }
            "ignore" => kinds.push(EventKind::Skip),
            _ => {
                kinds.push(EventKind::Flag { flag: true });
                if let Some(label) = line["label"].as_str() {
                    kinds.push(EventKind::Note { note: format!("rejected in Prodigy: {label}") });
                }
            }
        }
        if let Some(note) = line["user_input"].as_str().filter(|note| !note.trim().is_empty()) {
            kinds.retain(|kind| !matches!(kind, EventKind::Note { .. }));
            kinds.push(EventKind::Note { note: note.trim().to_owned() });
        }
        match answer {
            "accept" => file.accepted += 1,
            "ignore" => file.ignored += 1,
            _ => file.rejected += 1,
        }
        let events = file.events.entry(annotator.clone()).or_default();
        for (place, kind) in kinds.into_iter().enumerate() {
            events.push(event_of(&annotator, &case, kind, ts + Duration::nanoseconds(place as i64)));
        }
        Ok(())
    }

    fn annotator_of(&self, line: &Value) -> Result<String, Mistake> {
        let field = if line["_annotator_id"].is_string() { "_annotator_id" } else { "_session_id" };
        let said = line[field].as_str().map(|name| name.strip_prefix(&self.options.drop_prefix).unwrap_or(name));
        let Some(name) = said.or(self.options.annotator.as_deref()) else {
            return Err((
                "_annotator_id",
                "expected the annotator's name here or in _session_id, or --annotator".into(),
            ));
        };
        check_annotator(name).map_err(|error| (field, error.to_string()))?;
        Ok(name.to_owned())
    }

    fn case_of(&self, line: &Value) -> Result<&str, Mistake> {
        for named in [&line["case"], &line["id"], &line["meta"]["case"], &line["meta"]["id"]] {
            if let Some(position) = named.as_str().and_then(|id| self.positions.get(id)) {
                return Ok(&self.cases[*position].id);
            }
        }
        let image =
            line["image"].as_str().or_else(|| line["path"].as_str()).filter(|image| !image.starts_with("data:"));
        let Some(image) = image else {
            return Err((
                "case",
                "expected the id of a case of the dataset here, in id, meta.case or meta.id, or its image in \
                image or path"
                    .into(),
            ));
        };
        let path = Path::new(image);
        let same_name = self.by_file.get(path.file_name().unwrap_or_default());
        let mut with_image = same_name.into_iter().flatten().filter(|case| ends_with(path, &case.image));
        match (with_image.next(), with_image.next()) {
            (Some(case), None) => Ok(&case.id),
            (None, _) => Err(("image", format!("{image} is the image of no case of the dataset"))),
            (Some(one), Some(other)) => Err((
                "image",
                format!("{image} is the image of several cases ({}, {}, …): name one in case", one.id, other.id),
            )),
        }
    }

    fn time_of(&self, line: &Value, index: usize) -> Result<OffsetDateTime, Mistake> {
        // Prodigy has whole seconds; lines of one second keep their order.
        let order = Duration::microseconds(index as i64);
        if line["_timestamp"].is_null() {
            return Ok(self.options.otherwise_at + order);
        }
        let seconds = line["_timestamp"].as_f64();
        let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp_nanos((seconds * 1e9) as i128).ok());
        let time =
            time.ok_or_else(|| ("_timestamp", format!("expected seconds since 1970, found {}", line["_timestamp"])));
        Ok(time? + order)
    }

    fn categories_of(&mut self, line: &Value, annotator: &str, case: &str) -> Result<BTreeSet<String>, Mistake> {
        if let Some(chosen) = line["accept"].as_array() {
            let set =
                chosen.iter().map(|said| self.category_of(said, "accept")).collect::<Result<BTreeSet<String>, _>>()?;
            if set.len() > 1 && !self.taxonomy.several {
                return Err(("accept", format!("expected one category, found {}; {ONE_ONLY}", set.len())));
            }
            return Ok(set);
        }
        if line["label"].is_null() {
            return Err(("accept", "expected a list of categories here, or one in label".into()));
        }
        let label = self.category_of(&line["label"], "label")?;
        let labels = self.labels.entry((annotator.to_owned(), case.to_owned())).or_default();
        if !self.taxonomy.several && !labels.is_empty() && !labels.contains(&label) {
            let before = labels.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(("label", format!("the case was given {before} already; {ONE_ONLY}")));
        }
        labels.insert(label);
        Ok(labels.clone())
    }

    /// By id, else by name.
    fn category_of(&self, said: &Value, field: &'static str) -> Result<String, Mistake> {
        let text = said.as_str().ok_or_else(|| (field, format!("expected a category, found {said}")))?;
        let by_name = || self.taxonomy.categories.iter().find(|category| category.name.eq_ignore_ascii_case(text));
        if let Some(category) = self.taxonomy.by_id(text).or_else(by_name) {
            if !category.level.is_of_case() {
                return Err((field, format!("{text:?} is said of a document, and a line is about a case")));
            }
            return Ok(category.id.clone());
        }
        let known: Vec<&str> = self.taxonomy.categories.iter().map(|category| category.id.as_str()).collect();
        Err((field, format!("{text:?} is no category; expected {}", known.join(", "))))
    }
}

/// Is `image`, wherever it lies, the dataset's file of this relative path?
fn ends_with(image: &Path, relative: &Path) -> bool {
    let parts = |path: &Path| -> Vec<String> {
        let normal = path.components().filter(|part| matches!(part, Component::Normal(_)));
        normal.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    parts(image).ends_with(&parts(relative))
}

fn event_of(annotator: &str, case: &str, kind: EventKind, ts: OffsetDateTime) -> Event {
    let circumstances = Circumstances::default();
    let mut event = Event {
        v: EVENT_VERSION,
        id: Uuid::nil(),
        ts,
        annotator: annotator.into(),
        host: PRODIGY_HOST.into(),
        case: case.into(),
        kind,
        circumstances,
    };
    let digest = Sha256::digest(serde_json::to_vec(&event).unwrap_or_default());
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let milliseconds = (ts.unix_timestamp_nanos() / 1_000_000).max(0) as u64;
    event.id = Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid();
    event
}
