//! The documented JSONL of predictions (docs/reference/formats.md, "Predictions"), which `dissent export predictions` writes.

use super::given_answer::{
    AnswerContent, AnswerPlace, AnswerRole, Chosen, GivenAnswer, GivenCase, GivenDocument, GivenPicture, GivenScores,
    LabelValue,
};
use super::json_file::text_field;
use crate::data::identifier::identifier_of;
use crate::files::input_file::without_bom;
use crate::files::line_blocks::LineBlocks;
use crate::run::{Ablation, Head, Provenance};
use crate::text::written_json::Written;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The fields that are read.
const FIELDS: [&str; 23] = [
    "case",
    "question",
    "image",
    "answer",
    "model",
    "document",
    "heads",
    "head",
    "rank",
    "score",
    "fused",
    "ablation",
    "labels",
    "label_log_probabilities",
    "label_probabilities",
    "label_log_odds",
    "label_counts",
    "no_label",
    "text",
    "prediction",
    "predicted_set",
    "task",
    "split",
];

/// The answers of a file, and the fields that are there and not read.
pub(super) fn read(path: &Path) -> Result<(Vec<GivenAnswer>, Vec<String>)> {
    let cannot_read = || format!("cannot read {}", path.display());
    let file: Arc<Path> = path.into();
    let mut blocks = LineBlocks::open(path).with_context(cannot_read)?;
    let mut answers = Vec::new();
    let mut unread: BTreeSet<String> = BTreeSet::new();
    while let Some(block) = blocks.next_block().with_context(cannot_read)? {
        for (number, bytes) in block.lines() {
            let bytes = if number == 1 { without_bom(bytes) } else { bytes };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let place = AnswerPlace { file: Arc::clone(&file), line: number };
            let at = place.to_string();
            let object = Written::parse_line(bytes).map_err(|message| anyhow!("{at}: {message}"))?;
            if let Written::Object(entries) = &object {
                let others = entries.iter().filter(|(key, _)| !FIELDS.contains(&key.as_str()));
                unread.extend(others.map(|(key, _)| key.clone()));
            }
            answers.push(answer_of(&object, place).context(at)?);
        }
    }
    Ok((answers, unread.into_iter().collect()))
}

fn answer_of(object: &Written, place: AnswerPlace) -> Result<GivenAnswer> {
    let case = GivenCase {
        id: text_field(object, "case")?,
        question: text_field(object, "question")?,
        picture: text_field(object, "image")?.map(GivenPicture::Path),
        ..GivenCase::default()
    };
    ensure!(
        case.id.is_some() || case.question.is_some(),
        "field case: the field is missing; expected the id of a case, or question and image"
    );
    let ablation: Ablation = match text_field(object, "ablation")? {
        Some(text) => text.parse().context("field ablation")?,
        None => Ablation::default(),
    };
    let content = AnswerContent {
        text: text_field(object, "text")?,
        scores: scores_of(object)?,
        chosen: chosen_of(object)?,
        ..AnswerContent::default()
    };
    ensure!(
        content.text.is_some() || content.scores.is_some() || content.chosen != Chosen::NotNamed,
        "expected an answer: text, prediction, predicted_set, label_log_probabilities, label_probabilities or label_log_odds"
    );
    let gold = text_field(object, "answer")?;
    Ok(GivenAnswer {
        place,
        model: text_field(object, "model")?,
        case,
        gold,
        role: role_of(object)?,
        ablation,
        content,
    })
}

fn role_of(object: &Written) -> Result<AnswerRole> {
    let is_fused = match object.get("fused") {
        None | Some(Written::Null | Written::Bool(false)) => false,
        Some(Written::Bool(true)) => true,
        Some(other) => bail!("field fused: expected true or false, found {}", other.kind()),
    };
    let Some(id) = text_field(object, "document")? else {
        for name in ["heads", "head", "rank", "score"] {
            let is_given =
                object.get(name).is_some_and(|value| *value != Written::Null && *value != Written::List(Vec::new()));
            ensure!(!is_given, "field {name}: expected it only beside a document");
        }
        return Ok(if is_fused { AnswerRole::Fused } else { AnswerRole::ClosedBook });
    };
    ensure!(!is_fused, "field document: expected none in a line of the fused answer, found {id:?}");
    Ok(AnswerRole::Document(GivenDocument { id, provenances: provenances_of(object)? }))
}

/// `heads`, a list of objects, or `head`, `rank` and `score` of the one head.
fn provenances_of(object: &Written) -> Result<Vec<Provenance>> {
    let Some(heads) = object.get("heads").filter(|heads| **heads != Written::Null) else {
        return Ok(provenance_of(object)?.into_iter().collect());
    };
    for name in ["head", "rank", "score"] {
        ensure!(object.get(name).is_none(), "field {name}: expected either heads or {name}, found both");
    }
    let Written::List(heads) = heads else { bail!("field heads: expected a list, found {}", heads.kind()) };
    let mut found = Vec::with_capacity(heads.len());
    for head in heads {
        let provenance = provenance_of(head).context("field heads")?;
        let provenance = provenance.with_context(|| format!("field heads: expected head and rank, found {head}"))?;
        let twice = found.iter().any(|other: &Provenance| other.head == provenance.head);
        ensure!(!twice, "field heads: the head {} is there twice", provenance.head);
        found.push(provenance);
    }
    Ok(found)
}

fn provenance_of(object: &Written) -> Result<Option<Provenance>> {
    let head = match text_field(object, "head")? {
        Some(name) => Some(name.parse::<Head>().context("field head")?),
        None => None,
    };
    let rank = match object.get("rank") {
        None | Some(Written::Null) => None,
        Some(value) => {
            let rank = identifier_of(value).and_then(|digits| digits.parse::<usize>().ok()).filter(|rank| *rank > 0);
            Some(rank.with_context(|| format!("field rank: expected a whole number from 1, found {value}"))?)
        }
    };
    let score = match object.get("score") {
        None | Some(Written::Null) => None,
        Some(value) => Some(finite(value).context("field score")? as f32),
    };
    match (head, rank) {
        (Some(head), Some(rank)) => Ok(Some(Provenance { head, rank, score })),
        (None, None) if score.is_none() => Ok(None),
        (Some(_), None) => bail!("field rank: the field is missing; expected the rank within the head, from 1"),
        (None, _) => {
            bail!("field head: the field is missing; expected image, caption, lexical or another name of a head")
        }
    }
}

fn scores_of(object: &Written) -> Result<Option<GivenScores>> {
    let fields: [(&str, ReadValue, MakeScores); 4] = [
        ("label_log_probabilities", log_probability, GivenScores::LogProbabilities),
        ("label_probabilities", probability, GivenScores::Probabilities),
        ("label_log_odds", log_odds, GivenScores::LogOdds),
        ("label_counts", count, |named| GivenScores::Counts { named, unnamed: 0 }),
    ];
    let mut found: Option<(&str, GivenScores)> = None;
    for (name, read, make) in fields {
        let Some(value) = object.get(name).filter(|value| **value != Written::Null) else { continue };
        if let Some((other, _)) = found {
            bail!("field {name}: expected either {other} or {name}, found both");
        }
        let values = values_of(object, value, read).with_context(|| format!("field {name}"))?;
        found = Some((name, make(values)));
    }
    let no_label = object.get("no_label").filter(|value| **value != Written::Null);
    let Some(no_label) = no_label else { return Ok(found.map(|(_, scores)| scores)) };
    match found {
        Some((_, GivenScores::Counts { named, .. })) => {
            let unnamed = count(no_label).context("field no_label")?.0 as u32;
            Ok(Some(GivenScores::Counts { named, unnamed }))
        }
        _ => bail!("field no_label: expected it only beside label_counts"),
    }
}

/// Numbers by label id, or in the order of the field `labels`, else of the task's labels.
fn values_of(object: &Written, value: &Written, value_of: ReadValue) -> Result<Vec<LabelValue>> {
    let mut values = Vec::new();
    match value {
        Written::Object(entries) => {
            for (label, value) in entries {
                let (value, is_bound) = value_of(value).with_context(|| format!("label {label}"))?;
                values.push(LabelValue { label: Some(label.clone()), value, is_bound });
            }
        }
        Written::List(items) => {
            let labels = match object.get("labels") {
                None | Some(Written::Null) => None,
                Some(Written::List(labels)) => {
                    let names: Option<Vec<String>> = labels.iter().map(identifier_of).collect();
                    Some(names.context("field labels: expected a list of texts")?)
                }
                Some(other) => bail!("field labels: expected a list, found {}", other.kind()),
            };
            if let Some(labels) = &labels {
                let (expected, found) = (labels.len(), items.len());
                ensure!(expected == found, "expected {expected} numbers, one per entry of labels, found {found}");
            }
            for (place, item) in items.iter().enumerate() {
                let (value, is_bound) = value_of(item).with_context(|| format!("number {}", place + 1))?;
                let label = labels.as_ref().and_then(|labels| labels.get(place).cloned());
                values.push(LabelValue { label, value, is_bound });
            }
        }
        other => bail!("expected an object of numbers by label, or a list of numbers, found {}", other.kind()),
    }
    Ok(values)
}

/// Says what the numbers of a field are.
type MakeScores = fn(Vec<LabelValue>) -> GivenScores;
/// Reads a number, and whether it is a bound.
type ReadValue = fn(&Written) -> Result<(f64, bool)>;

/// A number, or `{"at_most": -6.9}`. A masked label has the log-probability -Infinity.
fn log_probability(value: &Written) -> Result<(f64, bool)> {
    match value {
        Written::NotFinite("-Infinity") => Ok((f64::NEG_INFINITY, false)),
        Written::Object(entries) => Ok((bound(entries, &["at_most"])?.1, true)),
        other => Ok((finite(other)?, false)),
    }
}

fn count(value: &Written) -> Result<(f64, bool)> {
    let count = identifier_of(value).and_then(|digits| digits.parse::<u32>().ok());
    let count = count.filter(|_| value.as_f64().is_some());
    Ok((f64::from(count.with_context(|| format!("expected a number of answers, found {value}"))?), false))
}

fn probability(value: &Written) -> Result<(f64, bool)> {
    Ok((finite(value)?, false))
}

/// A number, or a bound: an upper one is below 0, a lower one is not.
fn log_odds(value: &Written) -> Result<(f64, bool)> {
    let Written::Object(entries) = value else { return Ok((finite(value)?, false)) };
    let (is_upper, number) = bound(entries, &["at_most", "at_least"])?;
    ensure!(is_upper == (number < 0.0), "expected at_most below 0, or at_least from 0 on, found {number}");
    Ok((number, true))
}

/// Whether the bound is an upper one, and its number.
fn bound(entries: &[(String, Written)], names: &[&str]) -> Result<(bool, f64)> {
    let [(key, number)] = entries else { bail!("expected a number or a bound, found an object") };
    ensure!(names.contains(&key.as_str()), "expected a number or {}, found {key:?}", names.join(" or "));
    Ok((key == "at_most", finite(number)?))
}

fn finite(value: &Written) -> Result<f64> {
    let number = value.as_f64().filter(|number| (*number as f32).is_finite());
    number.with_context(|| format!("expected a finite number, found {value}"))
}

fn chosen_of(object: &Written) -> Result<Chosen> {
    if let Some(set) = object.get("predicted_set").filter(|set| **set != Written::Null) {
        let Written::List(labels) = set else {
            bail!("field predicted_set: expected a list of label ids, found {}", set.kind())
        };
        let labels: Option<Vec<String>> = labels.iter().map(identifier_of).collect();
        return Ok(Chosen::Set(labels.context("field predicted_set: expected a list of label ids")?));
    }
    Ok(match object.get("prediction") {
        None => Chosen::NotNamed,
        Some(_) => Chosen::Label(text_field(object, "prediction")?),
    })
}
