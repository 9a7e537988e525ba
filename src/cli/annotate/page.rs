//! A case as lines of text for people without a screen, and as JSON for scripts.

use crate::annotation::{AnnotationSession, CaseAnnotation, CategoryId, EarlierDefinition, Staleness};
use crate::cases::answer_names::{NO_LABEL, joined_names};
use crate::cases::given_evidence::{CAPTION_WITHHELD, IMAGE_WITHHELD, RunEvidence};
use crate::data::{self, Case, Dataset, Label, Split};
use crate::evaluation::PartialCaseAnswer;
use crate::output::one_line;
use crate::run::{Prediction, Provenance};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One case as it is printed. The gold answer is there only if it was asked for.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    /// Position in the queue, from 1.
    place: usize,
    of: usize,
    case: &'a str,
    task: &'a str,
    split: Split,
    question: &'a str,
    labels: &'a [Label],
    image: PathBuf,
    /// Whether a folder of the image has the name of a label.
    #[serde(skip)]
    folder_names_label: bool,
    hits: Vec<HitLine<'a>>,
    closed_book: Option<Answer<'a>>,
    fused: Option<Answer<'a>>,
    /// `None` until the reader has answered for every document.
    answers_differ: Option<bool>,
    /// Reason why there are no answers.
    trouble: Option<&'a str>,
    annotation: Option<AnnotationText<'a>>,
    /// How the case differs from when it was annotated.
    stale: Option<&'static str>,
    gold: Option<&'a str>,
    /// Labels of which it is not known whether they belong to the gold answer; only with it.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unknown: &'a [String],
}

#[derive(Serialize)]
struct HitLine<'a> {
    /// Position from 1; the command `hit` takes it.
    place: usize,
    /// `None` if a model stands in its place.
    document: Option<&'a str>,
    /// The model that stands in the place of a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    heads: &'a [Provenance],
    /// The caption that the model was given; `None` if it was given none.
    caption: Option<&'a str>,
    /// The document whose caption stood in the place of this one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    caption_of: Option<&'a str>,
    /// `None` if the model was given no image.
    image: Option<PathBuf>,
    answer: Option<Answer<'a>>,
}

/// An answer of the reader.
#[derive(Serialize)]
struct Answer<'a> {
    /// Id of the label; `None` if the text names none, and for a set of labels.
    label: Option<&'a str>,
    name: Option<&'a str>,
    /// Ids of a set of labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<Vec<&'a str>>,
    probability: Option<f32>,
    /// The 95 % interval, if the probability is a share of sampled answers (≈).
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<(f32, f32)>,
    text: Option<&'a str>,
    /// The task has no labels: the text is the answer.
    #[serde(skip)]
    is_open: bool,
}

/// An annotation of the case, as a line of text or as a JSON object.
#[derive(Serialize)]
pub(super) struct AnnotationText<'a> {
    categories: &'a BTreeSet<CategoryId>,
    hits: &'a BTreeMap<String, BTreeSet<CategoryId>>,
    note: Option<&'a str>,
    skipped: bool,
    unsure: bool,
    flagged: bool,
    pass: u32,
    earlier_definitions: Vec<EarlierDefinition>,
    #[serde(skip)]
    annotation: &'a CaseAnnotation,
}

impl<'a> AnnotationText<'a> {
    pub fn of(annotation: &'a CaseAnnotation, session: &AnnotationSession) -> Self {
        Self {
            categories: &annotation.categories,
            hits: &annotation.hits,
            note: annotation.note.as_deref(),
            skipped: annotation.skipped,
            unsure: annotation.unsure,
            flagged: annotation.flagged,
            pass: annotation.pass,
            earlier_definitions: session.earlier_definitions(annotation),
            annotation,
        }
    }

    /// [`CaseAnnotation::in_words`], with the earlier definitions under which categories were given.
    pub fn text(&self) -> String {
        let mut text = self.annotation.in_words();
        for earlier in &self.earlier_definitions {
            text.push_str("; ");
            text.push_str(&earlier.in_words());
        }
        one_line(&text)
    }
}

/// The case's position in the queue, and what is printed with it.
pub(super) struct Shown<'a> {
    pub place: usize,
    pub of: usize,
    pub annotation: Option<AnnotationText<'a>>,
    pub staleness: Staleness,
    pub with_gold: bool,
    pub evidence: &'a RunEvidence,
}

impl<'a> Page<'a> {
    pub fn of(dataset: &'a Dataset, case: &'a Case, answers: &'a PartialCaseAnswer, shown: Shown<'a>) -> Self {
        let labels = dataset.task(&case.task).map(|task| task.labels.as_slice()).unwrap_or_default();
        let answer = |prediction: &'a Prediction| Answer::of(prediction, labels);
        let mut hits = Vec::new();
        for (slot, hit) in answers.hits().unwrap_or_default().iter().enumerate() {
            let given = shown.evidence.of(dataset, &case.task, hit.row);
            let is_model = given.is_some_and(|given| given.is_model());
            let given = given.filter(|_| !is_model);
            hits.push(HitLine {
                place: slot + 1,
                document: (!is_model).then_some(hit.document.as_str()),
                model: is_model.then_some(hit.document.as_str()),
                heads: if is_model { &[] } else { &hit.provenances },
                caption: given.and_then(|given| given.caption_text()),
                caption_of: given.and_then(|given| given.other_document()).map(|other| other.id),
                image: given.filter(|given| given.has_image).map(|given| dataset.image_path(given.document.image)),
                answer: answers.prediction_at(slot).map(answer),
            });
        }
        Self {
            place: shown.place,
            of: shown.of,
            case: &case.id,
            task: &case.task,
            split: case.split,
            question: dataset.question_of(case),
            labels,
            image: dataset.image_path(&case.image),
            folder_names_label: folder_names_label(&case.image, labels),
            hits,
            closed_book: answers.closed_book.as_ref().map(answer),
            fused: answers.fused().map(|fused| answer(&fused.prediction)),
            answers_differ: answers.verdict().map(|verdict| verdict == crate::evaluation::Verdict::Inconsistent),
            trouble: answers.failed.as_deref(),
            annotation: shown.annotation,
            stale: match shown.staleness {
                Staleness::AnswersChanged => Some("the documents or the answers have changed since you annotated it"),
                Staleness::RunChanged => Some("you annotated it on another run"),
                Staleness::Current | Staleness::Unknown => None,
            },
            gold: shown.with_gold.then_some(case.answer.as_str()),
            unknown: if shown.with_gold { &case.unknown } else { &[] },
        }
    }

    /// Plain lines, each with its own heading.
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            "case {} of {}: {} ({}, task {})",
            self.place,
            self.of,
            one_line(self.case),
            self.split,
            one_line(self.task)
        )];
        let labels: Vec<String> = self.labels.iter().map(label_text).collect();
        lines.push(format!("question: {}", one_line(self.question)));
        if !labels.is_empty() {
            lines.push(format!("labels: {}", labels.join(", ")));
        }
        lines.push(format!("image: {}", self.image_text()));
        for hit in &self.hits {
            let heads: Vec<String> = hit.heads.iter().map(provenance_text).collect();
            let answer = hit.answer.as_ref().map_or_else(|| "not read".to_owned(), Answer::text);
            if let Some(model) = hit.model {
                lines.push(format!("model {} ({}): {answer}", hit.place, one_line(model)));
                continue;
            }
            let document = one_line(hit.document.unwrap_or_default());
            lines.push(format!("hit {}: {document} ({}): {answer}", hit.place, heads.join("; ")));
            let of = hit.caption_of.map(|other| format!(" of {}", one_line(other))).unwrap_or_default();
            let caption = hit.caption.map_or_else(|| CAPTION_WITHHELD.into(), one_line);
            lines.push(format!("hit {} caption{of}: {caption}", hit.place));
            let image =
                hit.image.as_ref().map_or_else(|| IMAGE_WITHHELD.to_owned(), |image| image.display().to_string());
            lines.push(format!("hit {} image: {}", hit.place, one_line(&image)));
        }
        if let Some(answer) = &self.closed_book {
            lines.push(format!("without a document: {}", answer.text()));
        }
        if let Some(answer) = &self.fused {
            let agree = if self.answers_differ == Some(true) { "differ" } else { "agree" };
            lines.push(format!("fused: {}; the answers {agree}", answer.text()));
        }
        if let Some(trouble) = self.trouble {
            lines.push(format!("no answers: {}", one_line(trouble)));
        }
        if let Some(gold) = self.gold {
            let unknown = match self.unknown {
                [] => String::new(),
                labels => format!("; unknown: {}", labels.join(", ")),
            };
            lines.push(format!("gold: {}", one_line(&format!("{gold}{unknown}"))));
        }
        if let Some(own) = &self.annotation {
            let pass = if own.pass > 1 { format!(" (pass {})", own.pass) } else { String::new() };
            lines.push(format!("you said{pass}: {}", own.text()));
        }
        if let Some(stale) = self.stale {
            lines.push(format!("changed: {stale}"));
        }
        lines.join("\n")
    }
}

impl Page<'_> {
    /// The image's path. A folder that has the name of a label stays hidden as long as the gold answer does.
    fn image_text(&self) -> String {
        if self.gold.is_some() || !self.folder_names_label {
            return one_line(&self.image.display().to_string());
        }
        let name = self.image.file_name().unwrap_or(self.image.as_os_str()).to_string_lossy();
        format!(
            "{} (its folder has the name of a label and is hidden until the gold answer is shown; `dissent explore` shows the \
             image)",
            one_line(&name)
        )
    }
}

/// Whether a folder above the image has the id or the name of a label, as class folders do.
fn folder_names_label(image: &Path, labels: &[Label]) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let folders: Vec<String> = image.iter().map(|part| plain(&part.to_string_lossy())).collect();
    let Some((_, folders)) = folders.split_last() else { return false };
    let is_folder = |text: &str| folders.iter().any(|folder| !folder.is_empty() && *folder == plain(text));
    labels.iter().any(|label| is_folder(&label.id) || is_folder(&label.name))
}

impl<'a> Answer<'a> {
    fn of(prediction: &'a Prediction, labels: &'a [Label]) -> Self {
        let label = prediction.answer.and_then(|answer| answer.label_in(labels));
        Self {
            label: label.map(|label| label.id.as_str()),
            name: label.map(|label| label.name.as_str()),
            set: prediction
                .answer
                .and_then(data::Answer::label_set)
                .map(|set| set.labels().filter_map(|label| labels.get(label)).map(|label| label.id.as_str()).collect()),
            probability: prediction.probability(),
            interval: prediction.interval(),
            text: prediction.text.as_deref(),
            is_open: labels.is_empty(),
        }
    }

    fn text(&self) -> String {
        let mut text = match (self.label, self.name) {
            (Some(id), Some(name)) if id != name => format!("{} ({})", one_line(id), one_line(name)),
            (Some(id), _) => one_line(id),
            (None, _) if self.is_open => {
                self.text.map(one_line).filter(|words| !words.is_empty()).unwrap_or_else(|| "no answer".into())
            }
            (None, _) => match self.set.as_deref() {
                None => "no label".to_owned(),
                Some([]) => NO_LABEL.to_owned(),
                Some(ids) => one_line(&joined_names(ids)),
            },
        };
        if let Some(probability) = self.probability {
            text += &match self.interval {
                Some((low, high)) => {
                    format!(", ≈ {probability:.2} of the sampled answers (95 % interval {low:.2} to {high:.2})")
                }
                None => format!(", probability {probability:.2}"),
            };
        }
        if let Some(said) = self.text.filter(|_| !self.is_open) {
            text += &format!(", in words: {}", one_line(said));
        }
        text
    }
}

fn label_text(label: &Label) -> String {
    let (id, name) = (one_line(&label.id), one_line(&label.name));
    if id == name { id } else { format!("{id} ({name})") }
}

fn provenance_text(found: &Provenance) -> String {
    let score = found.score.map(|score| format!(", score {score:.3}")).unwrap_or_default();
    format!("{} head, rank {}{score}", found.head, found.rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_called_like_a_label_is_found() {
        let label = |id: &str, name: &str| -> Label {
            serde_json::from_value(serde_json::json!({ "id": id, "name": name })).unwrap()
        };
        let labels = [label("0", "no finding"), label("1", "Pleural effusion")];
        for hidden in ["train/1/a.png", "/data/pleural_effusion/a.png", "films.zip!/test/No Finding/a.png"] {
            assert!(folder_names_label(Path::new(hidden), &labels), "{hidden}");
        }
        for shown in ["train/11/a.png", "images/1.png", "a.png", "/data/effusions/a.png", "films.parquet!/image/1"] {
            assert!(!folder_names_label(Path::new(shown), &labels), "{shown}");
        }
    }
}
