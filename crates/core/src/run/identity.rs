//! `run.toml`: what a run was made from.

use super::{Ablation, CaptionShown, ServiceRecord};
use crate::data::Dataset;
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
    /// Absent where the run is closed-book only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder_name: Option<String>,
    /// Name of the trained heads; absent where the encoder itself searched (standard RAG).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads_name: Option<String>,
    /// Hits per head; 0 where the run is closed-book only.
    pub k_image: usize,
    pub k_caption: usize,
    #[serde(default)]
    pub k_lexical: usize,
    /// What was withheld from the reader, as `Ablation` spells it.
    #[serde(default = "no_ablation")]
    pub ablation: String,
    pub fingerprints: RunFingerprints,
    /// What the server of the reader was and could do; absent where the reader was in this process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_service: Option<ServiceRecord>,
}

/// One fingerprint per thing that decides a prediction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFingerprints {
    /// Cases: every field, and the contents of the image files.
    pub dataset: Fingerprint,
    pub corpus: Fingerprint,
    /// Whether `dataset` and `corpus` stand for the images' contents; for their sizes alone in runs of dissent 0.1 before
    /// issue 18.
    #[serde(default)]
    pub image_contents: bool,
    /// Tasks: questions, labels, prompt templates.
    pub prompts: Fingerprint,
    /// Names of labels and their words in captions, by which captions are swapped and the lexical head asks; not recorded by
    /// dissent 0.1 before issue 18.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_words: Option<Fingerprint>,
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

/// Name of the ablation among the parts.
const WITHHELD: &str = "what is withheld from the reader";
const LABEL_WORDS: &str = "names of labels";

fn no_ablation() -> String {
    Ablation::default().to_string()
}

impl RunIdentity {
    /// The identity of a run begun now. Without a retriever it is closed-book only.
    pub fn new(
        dataset: &Dataset,
        reader_name: &str,
        reader: &Fingerprint,
        retriever: Option<&RetrieverIdentity>,
    ) -> Self {
        Self {
            dissent: env!("CARGO_PKG_VERSION").into(),
            // A clock outside the years that RFC 3339 can write is no reason to fail.
            created: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            dataset_name: dataset.name.clone(),
            reader_name: reader_name.into(),
            encoder_name: retriever.map(|retriever| retriever.encoder_name.clone()),
            heads_name: retriever.and_then(|retriever| retriever.heads_name.clone()),
            k_image: retriever.map_or(0, |retriever| retriever.k_image),
            k_caption: retriever.map_or(0, |retriever| retriever.k_caption),
            k_lexical: retriever.map_or(0, |retriever| retriever.k_lexical),
            ablation: no_ablation(),
            fingerprints: RunFingerprints {
                dataset: cases_fingerprint(dataset),
                corpus: dataset.corpus_fingerprint(),
                image_contents: true,
                prompts: prompts_fingerprint(dataset),
                label_words: Some(label_words_fingerprint(dataset)),
                reader: reader.clone(),
                encoder: retriever.map(|retriever| retriever.encoder.clone()),
                heads: retriever.and_then(|retriever| retriever.heads.clone()),
                index: retriever.map(|retriever| retriever.index.clone()),
                retriever: retriever.map(|retriever| retriever.fingerprint.clone()),
            },
            reader_service: None,
        }
    }

    /// Says what is withheld from the reader. Random documents make another retriever.
    pub fn set_ablation(&mut self, ablation: Ablation) {
        self.ablation = ablation.to_string();
    }

    /// One fingerprint of everything that decides a prediction; the date and the names do not count.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut values: Vec<String> = self.parts().into_iter().map(|(_, value)| value).collect();
        // Behind the others and only where they decide: what older runs are called by stays.
        values.extend(self.deciding_label_words().map(ToString::to_string));
        Fingerprint::of_parts(values.iter().map(String::as_str))
    }

    /// The same for runs that differ in what they withhold from the reader alone.
    pub fn family(&self) -> String {
        let withheld = |name: &str| name == WITHHELD;
        let parts = self.parts().into_iter().filter(|(name, _)| !withheld(name));
        parts.map(|(_, value)| value).collect::<Vec<_>>().join(" ")
    }

    /// What differs from another identity, each as "reader (0123… then, 4567… now)"; empty where nothing does.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut differences = Vec::new();
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
        if !differences.is_empty() && !self.fingerprints.image_contents {
            differences.push("it was begun by an older dissent, which did not look at the images' contents".into());
        }
        differences
    }

    /// Which of cases, corpus, prompts and names of labels are no longer what the run was made from; empty where that cannot be told, as of
    /// runs that did not look at the images' contents.
    pub fn changed_since(&self, dataset: &Dataset) -> Vec<&'static str> {
        let prints = &self.fingerprints;
        let mut changed = Vec::new();
        if prints.image_contents && prints.dataset != cases_fingerprint(dataset) {
            changed.push("cases or their images");
        }
        if prints.image_contents && prints.corpus != dataset.corpus_fingerprint() {
            changed.push("corpus or its images");
        }
        if prints.prompts != prompts_fingerprint(dataset) {
            changed.push("prompts");
        }
        if self.deciding_label_words().is_some_and(|words| *words != label_words_fingerprint(dataset)) {
            changed.push(LABEL_WORDS);
        }
        changed
    }

    /// Reads `run.toml`.
    ///
    /// # Errors
    /// Fails if the file is missing or is no `run.toml`.
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

    /// The words of labels, where a prediction of the run depends on them and they were recorded.
    fn deciding_label_words(&self) -> Option<&Fingerprint> {
        let is_swapped = self.ablation.parse().is_ok_and(|known: Ablation| known.caption == CaptionShown::Swapped);
        self.fingerprints.label_words.as_ref().filter(|_| is_swapped || self.k_lexical > 0)
    }

    fn parts(&self) -> [(&'static str, String); 11] {
        let prints = &self.fingerprints;
        let optional = |print: &Option<Fingerprint>| print.as_ref().map_or_else(|| "none".into(), ToString::to_string);
        [
            ("dataset", prints.dataset.to_string()),
            ("corpus", prints.corpus.to_string()),
            ("index", optional(&prints.index)),
            ("encoder", optional(&prints.encoder)),
            ("trained heads", optional(&prints.heads)),
            ("reader", prints.reader.to_string()),
            ("prompts", prints.prompts.to_string()),
            ("hits of the image head", self.k_image.to_string()),
            ("hits of the caption head", self.k_caption.to_string()),
            ("hits of the lexical head", self.k_lexical.to_string()),
            (WITHHELD, self.ablation.clone()),
        ]
    }
}

/// Bytes of the longest `run.toml`; ours have 2 KB.
const LONGEST: u64 = 1 << 20;

/// Of every case's fields and the contents of the image files.
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
    }
    Fingerprint::of_parts(parts.iter().map(String::as_str))
}

/// Of questions, labels and prompt templates.
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

/// Of the labels' names and the words by which captions name them.
fn label_words_fingerprint(dataset: &Dataset) -> Fingerprint {
    let mut parts: Vec<&str> = Vec::new();
    for task in &dataset.tasks {
        parts.push(&task.id);
        for label in &task.labels {
            // A word of one label must not pass for one of the next.
            parts.extend(["label", label.name.as_str(), "named as"]);
            parts.extend(label.named_as.iter().map(String::as_str));
        }
    }
    Fingerprint::of_parts(parts)
}
