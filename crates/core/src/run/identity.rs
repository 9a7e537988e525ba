//! `run.toml`: the inputs of a run.

use super::{Ablation, CaptionShown, Head, ServiceRecord, TokenUsage};
use crate::data::{Dataset, SetPrompt, TaskKind};
use crate::files::fingerprint::Fingerprint;
use crate::text::toml_text;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Names for people, and the fingerprints that decide whether a run may be continued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// Version of this program.
    pub dissent: String,
    /// When the run was begun, RFC 3339 in UTC.
    pub created: String,
    /// Name of the dataset.
    pub dataset_name: String,
    /// Names of the checkpoints.
    pub reader_name: String,
    /// Absent if the run is closed-book only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder_name: Option<String>,
    /// Name of the trained heads; absent if the encoder itself searched (standard RAG).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads_name: Option<String>,
    /// Hits per head; 0 if the run is closed-book only.
    pub k_image: usize,
    pub k_caption: usize,
    #[serde(default)]
    pub k_lexical: usize,
    /// The ablation, as `Ablation` spells it.
    #[serde(default = "no_ablation")]
    pub ablation: String,
    /// Names of the models that stand in the place of documents: each prediction of a case is one model's, and nothing was
    /// retrieved. Empty in a run whose predictions are those of one reader with one document each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// Whether imported answers are counted samples; those of a server say so in `reader_service`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sampled_answers: bool,
    pub fingerprints: RunFingerprints,
    /// Server of the reader and its abilities; absent if the reader ran in this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_service: Option<ServiceRecord>,
    /// What the run has cost at the server so far; absent if nothing was counted. It does not decide a prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_usage: Option<TokenUsage>,
    /// The file that the hits came from; absent if this program retrieved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_hits: Option<GivenHits>,
}

/// Hits that another program found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenHits {
    /// The file, as it was named. It does not count when runs are compared.
    pub file: String,
    /// Fingerprint of the hits, whatever their format.
    pub fingerprint: Fingerprint,
    /// Names of the heads, in the order of the hits.
    pub heads: Vec<String>,
    /// Largest number of hits per head.
    pub k: usize,
    /// How the lists of several heads become one.
    pub merged: String,
}

/// One fingerprint per input that decides a prediction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFingerprints {
    /// Cases: every field, and the contents of the image files.
    pub dataset: Fingerprint,
    pub corpus: Fingerprint,
    /// Do `dataset` and `corpus` cover the contents of the images? Runs of dissent 0.1 before issue 18 cover their
    /// sizes only.
    #[serde(default)]
    pub image_contents: bool,
    /// Tasks: questions, labels, prompt templates.
    pub prompts: Fingerprint,
    /// Names of labels and the words that name them in captions. Swapped captions and the lexical head depend on them.
    /// Absent in runs of dissent 0.1 before issue 18.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_words: Option<Fingerprint>,
    /// How sets of labels are asked for, and the names of their labels. Absent without a task of several labels at once,
    /// and in runs of dissent before it predicted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_prompts: Option<Fingerprint>,
    /// Weights, tokenizer, image processor and number type.
    pub reader: Fingerprint,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<Fingerprint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Fingerprint>,
    /// Encoder, heads, index and K together, as the predictions name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retriever: Option<Fingerprint>,
}

/// The retriever of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrieverIdentity {
    pub encoder_name: String,
    pub encoder: Fingerprint,
    pub heads_name: Option<String>,
    pub heads: Option<Fingerprint>,
    pub index: Fingerprint,
    /// Encoder, heads, index and K together.
    pub fingerprint: Fingerprint,
    pub k_image: usize,
    pub k_caption: usize,
    pub k_lexical: usize,
}

/// Name of the ablation in a list of differences.
const WITHHELD: &str = "what is withheld from the reader";
const LABEL_WORDS: &str = "names of labels";
const SET_PROMPTS: &str = "questions for sets of labels";
const GIVEN_HITS: &str = "hits from a file";

fn mode_name(is_sampled: bool) -> &'static str {
    if is_sampled { "≈ shares of sampled answers" } else { "log-probabilities" }
}

fn no_ablation() -> String {
    Ablation::default().to_string()
}

impl RunIdentity {
    /// The identity of a run that begins now. Without a retriever the run is closed-book only.
    pub fn new(
        dataset: &Dataset,
        reader_name: &str,
        reader: &Fingerprint,
        retriever: Option<&RetrieverIdentity>,
    ) -> Self {
        Self {
            dissent: env!("CARGO_PKG_VERSION").into(),
            // A clock outside the years of RFC 3339 is no reason to fail.
            created: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            dataset_name: dataset.name.clone(),
            reader_name: reader_name.into(),
            encoder_name: retriever.map(|retriever| retriever.encoder_name.clone()),
            heads_name: retriever.and_then(|retriever| retriever.heads_name.clone()),
            k_image: retriever.map_or(0, |retriever| retriever.k_image),
            k_caption: retriever.map_or(0, |retriever| retriever.k_caption),
            k_lexical: retriever.map_or(0, |retriever| retriever.k_lexical),
            ablation: no_ablation(),
            candidates: Vec::new(),
            sampled_answers: false,
            fingerprints: RunFingerprints {
                dataset: cases_fingerprint(dataset),
                corpus: dataset.corpus_fingerprint(),
                image_contents: true,
                prompts: prompts_fingerprint(dataset),
                label_words: Some(label_words_fingerprint(dataset)),
                set_prompts: set_prompts_fingerprint(dataset),
                reader: reader.clone(),
                encoder: retriever.map(|retriever| retriever.encoder.clone()),
                heads: retriever.and_then(|retriever| retriever.heads.clone()),
                index: retriever.map(|retriever| retriever.index.clone()),
                retriever: retriever.map(|retriever| retriever.fingerprint.clone()),
            },
            reader_service: None,
            reader_usage: None,
            given_hits: None,
        }
    }

    /// Are the answers shares of samples (`≈`) in place of log-probabilities?
    pub fn is_sampled(&self) -> bool {
        self.sampled_answers || self.reader_service.as_ref().is_some_and(|service| service.answers.is_some())
    }

    /// Records that the hits came from a file. `retriever` is the fingerprint of everything that decides them.
    pub fn set_given_hits(&mut self, given: GivenHits, retriever: Fingerprint) {
        let k_of = |head: Head| if given.heads.iter().any(|name| name == head.name()) { given.k } else { 0 };
        (self.k_image, self.k_caption, self.k_lexical) = (k_of(Head::Image), k_of(Head::Caption), k_of(Head::Lexical));
        self.fingerprints.retriever = Some(retriever);
        self.given_hits = Some(given);
    }

    /// Sets the ablation. Random documents count as another retriever.
    pub fn set_ablation(&mut self, ablation: Ablation) {
        self.ablation = ablation.to_string();
    }

    /// One fingerprint of everything that decides a prediction; date and names do not count.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut values: Vec<String> = self.parts().into_iter().map(|(_, value)| value).collect();
        // Label words come last and only if they decide, so that the fingerprints of older runs stay the same.
        values.extend(self.deciding_label_words().map(ToString::to_string));
        values.extend(self.fingerprints.set_prompts.as_ref().map(ToString::to_string));
        values.extend(self.given_hits.as_ref().map(GivenHits::parts).unwrap_or_default());
        Fingerprint::of_parts(values.iter().map(String::as_str))
    }

    /// A fingerprint that ignores the ablation: runs that differ in nothing else share it.
    pub fn family(&self) -> String {
        let withheld = |name: &str| name == WITHHELD;
        let parts = self.parts().into_iter().filter(|(name, _)| !withheld(name));
        let mut values: Vec<String> = parts.map(|(_, value)| value).collect();
        values.extend(self.given_hits.as_ref().map(GivenHits::parts).unwrap_or_default());
        values.join(" ")
    }

    /// The differences from another identity, each as "reader (0123… then, 4567… now)"; empty if there are none.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        if self.is_sampled() != now.is_sampled() {
            let (then, now) = (mode_name(self.is_sampled()), mode_name(now.is_sampled()));
            differences.push(format!("kind of answer ({then} then, {now} now)"));
        }
        for ((name, then), (_, now)) in self.parts().into_iter().zip(now.parts()) {
            if then != now {
                differences.push(format!("{name} ({then} then, {now} now)"));
            }
        }
        if let (Some(then), Some(now)) = (self.deciding_label_words(), now.deciding_label_words())
            && then != now
        {
            differences.push(format!("{LABEL_WORDS} ({then} then, {now} now)"));
        }
        let (asked_then, asked_now) = (&self.fingerprints.set_prompts, &now.fingerprints.set_prompts);
        if asked_then != asked_now {
            differences.push(format!(
                "{SET_PROMPTS} ({} then, {} now)",
                optional(asked_then.as_ref()),
                optional(asked_now.as_ref())
            ));
        }
        let [then, given_now] = [self, now].map(|identity| identity.given_hits.as_ref().map(GivenHits::parts));
        if then != given_now {
            let said = |parts: Option<Vec<String>>| parts.map_or_else(|| "none".into(), |parts| parts.join(" "));
            differences.push(format!("{GIVEN_HITS} ({} then, {} now)", said(then), said(given_now)));
        }
        if !differences.is_empty() && !self.fingerprints.image_contents {
            differences
                .push("it was begun by an older dissent, which did not compare the contents of the images".into());
        }
        differences
    }

    /// Whether the two runs retrieved from different corpora. False if this cannot be decided, because only one of them covers
    /// the images' contents.
    pub fn has_other_corpus_than(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.fingerprints, &other.fingerprints);
        ours.image_contents == theirs.image_contents && ours.corpus != theirs.corpus
    }

    /// Whether the corpus or its images changed since the run. False if this cannot be decided.
    pub fn corpus_changed_since(&self, dataset: &Dataset) -> bool {
        self.fingerprints.image_contents && self.fingerprints.corpus != dataset.corpus_fingerprint()
    }

    /// The inputs that changed since the run (cases, corpus, prompts, names of labels). Empty if this cannot be
    /// decided, as for runs that do not cover the images' contents.
    pub fn changed_since(&self, dataset: &Dataset) -> Vec<&'static str> {
        let prints = &self.fingerprints;
        let mut changed = Vec::new();
        if prints.image_contents && prints.dataset != cases_fingerprint(dataset) {
            changed.push("cases or their images");
        }
        if self.corpus_changed_since(dataset) {
            changed.push("corpus or its images");
        }
        if prints.prompts != prompts_fingerprint(dataset) {
            changed.push("prompts");
        }
        if self.deciding_label_words().is_some_and(|words| *words != label_words_fingerprint(dataset)) {
            changed.push(LABEL_WORDS);
        }
        if prints.set_prompts.is_some() && prints.set_prompts != set_prompts_fingerprint(dataset) {
            changed.push(SET_PROMPTS);
        }
        changed
    }

    /// Reads `run.toml`.
    ///
    /// # Errors
    /// Fails if the file is missing or is not a valid `run.toml`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = crate::files::input_file::read_text(path, LONGEST)
            .with_context(|| format!("cannot read {}", path.display()))?;
        toml_text::parse(&text).with_context(|| format!("{}: expected the fields of a run.toml", path.display()))
    }

    /// Writes `run.toml`, whole or not at all.
    ///
    /// # Errors
    /// Fails if the folder cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = toml::to_string_pretty(self).context("cannot write run.toml")?;
        crate::files::durable::write_file(path, text.as_bytes())
    }

    /// Fingerprint of the label words, if a prediction of the run depends on them and the run records them.
    fn deciding_label_words(&self) -> Option<&Fingerprint> {
        let is_swapped = self.ablation.parse().is_ok_and(|known: Ablation| known.caption == CaptionShown::Swapped);
        let searches_words = self.k_lexical > 0 && self.given_hits.is_none();
        self.fingerprints.label_words.as_ref().filter(|_| is_swapped || searches_words)
    }

    fn parts(&self) -> [(&'static str, String); 11] {
        let prints = &self.fingerprints;
        [
            ("dataset", prints.dataset.to_string()),
            ("corpus", prints.corpus.to_string()),
            ("index", optional(prints.index.as_ref())),
            ("encoder", optional(prints.encoder.as_ref())),
            ("trained heads", optional(prints.heads.as_ref())),
            ("reader", prints.reader.to_string()),
            ("prompts", prints.prompts.to_string()),
            ("hits of the image head", self.k_image.to_string()),
            ("hits of the caption head", self.k_caption.to_string()),
            ("hits of the lexical head", self.k_lexical.to_string()),
            (WITHHELD, self.ablation.clone()),
        ]
    }
}

impl GivenHits {
    /// Everything that decides the hits, for comparison.
    fn parts(&self) -> Vec<String> {
        vec![self.fingerprint.to_string(), format!("{} by {}", self.k, self.heads.join(", ")), self.merged.clone()]
    }
}

/// Bytes of the longest `run.toml`; ours have 2 KB.
const LONGEST: u64 = 1 << 20;

/// Fingerprint of all fields of the cases and the contents of the image files.
pub fn cases_fingerprint(dataset: &Dataset) -> Fingerprint {
    let mut parts = Vec::with_capacity(dataset.cases.len() * 8);
    let contents = dataset.image_contents(dataset.cases.iter().map(|case| &case.image));
    for (case, content) in dataset.cases.iter().zip(contents) {
        parts.push(case.id.clone());
        parts.push(case.task.clone());
        parts.push(case.split.to_string());
        parts.push(case.image.display().to_string());
        parts.push(content.map_or_else(|| "missing".into(), |content| content.to_string()));
        parts.push(case.question.clone().unwrap_or_default());
        parts.push(case.answer.clone());
        parts.push(case.group.clone().unwrap_or_default());
        // Added only where there are some, so that the fingerprints of older runs stay the same.
        parts.extend((!case.unknown.is_empty()).then(|| format!("unknown: {}", case.unknown.join("\n"))));
    }
    Fingerprint::of_parts(parts.iter().map(String::as_str))
}

/// Fingerprint of questions, labels and prompt templates.
pub fn prompts_fingerprint(dataset: &Dataset) -> Fingerprint {
    let mut parts: Vec<&str> = Vec::new();
    for task in &dataset.tasks {
        parts.push(&task.id);
        parts.push(task.question.as_deref().unwrap_or_default());
        parts.push(&task.prompt.with_document);
        parts.push(&task.prompt.closed_book);
        parts.extend(task.labels.iter().map(|label| label.id.as_str()));
    }
    Fingerprint::of_parts(parts)
}

/// Fingerprint of everything that decides how sets of labels are asked for and read; `None` without such a task.
fn set_prompts_fingerprint(dataset: &Dataset) -> Option<Fingerprint> {
    let mut parts: Vec<String> = Vec::new();
    for task in dataset.tasks.iter().filter(|task| task.kind == TaskKind::MultiLabel) {
        let SetPrompt { ask, question, yes, no, threshold, none } = &task.prompt.sets;
        let settings =
            [format!("{ask:?}"), question.clone(), yes.clone(), no.clone(), threshold.to_string(), none.clone()];
        parts.push(task.id.clone());
        parts.extend(settings);
        for label in &task.labels {
            parts.extend(["label".to_owned(), label.name.clone(), "named as".to_owned()]);
            parts.extend(label.named_as.iter().cloned());
        }
    }
    (!parts.is_empty()).then(|| Fingerprint::of_parts(parts.iter().map(String::as_str)))
}

fn optional(print: Option<&Fingerprint>) -> String {
    print.map_or_else(|| "none".into(), ToString::to_string)
}

/// Fingerprint of the names of labels and the words that name them in captions.
fn label_words_fingerprint(dataset: &Dataset) -> Fingerprint {
    let mut parts: Vec<&str> = Vec::new();
    for task in &dataset.tasks {
        parts.push(&task.id);
        for label in &task.labels {
            // Separators keep a word of one label from passing for a word of the next.
            parts.extend(["label", label.name.as_str(), "named as"]);
            parts.extend(label.named_as.iter().map(String::as_str));
        }
    }
    Fingerprint::of_parts(parts)
}
