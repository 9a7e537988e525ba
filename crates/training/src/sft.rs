//! The retrieval-augmented training set for LLaMA-Factory: each case with each of its documents is one conversation,
//! with the same prompts as in inference (docs/method.md, "Fine-tuning").
//!
//! The layout is LLaMA-Factory's multimodal one: `dataset_info.json`, one JSON array of `{"messages", "images"}` per
//! split, `<image>` in the user's message for each image, and image files.

use super::known_answers::KnownAnswers;
use super::reader::documents_of;
use anyhow::{Context, Result, ensure};
use dissent_core::data::{Case, Dataset, Part, Picture, Split, Task};
use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_models::model::checkpoint::pretty_json;
use dissent_readers::reader::{Evidence, PromptPiece, ReadRequest};
use dissent_retrieval::retriever::Retriever;
use image::ImageFormat;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Placeholder of an image in LLaMA-Factory's conversations.
const IMAGE_MARK: &str = "<image>";

/// The readers of the paper: file name, model, LLaMA-Factory's template, batch size per device, gradient accumulation
/// steps.
const READERS: [(&str, &str, &str, u32, u32); 2] = [
    ("pixtral.yaml", "mistral-community/pixtral-12b", "pixtral", 5, 8),
    ("qwen2_vl.yaml", "Qwen/Qwen2-VL-7B-Instruct", "qwen2_vl", 3, 8),
];

/// Settings of an export.
#[derive(Clone, Debug)]
pub struct SftSettings {
    pub out: PathBuf,
    /// Add each case once more without a document.
    pub closed_book: bool,
    /// Export only this part of the training cases.
    pub part: Option<Part>,
}

/// Counts of the exported data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SftReport {
    /// Number of training conversations.
    pub train: usize,
    pub validation: usize,
    /// Image files.
    pub images: usize,
    /// Number of texts in which `<image>` was changed to `< image >`.
    pub changed_texts: usize,
    /// Number of cases that were left out because some of their labels are unknown.
    pub partly_unknown: usize,
}

/// Writes the training set of `dataset` to the new folder `settings.out`, whole or not at all. Documents come from
/// `pairs.jsonl` if the dataset has one, else from `retriever`; without either each case is asked closed-book.
///
/// # Errors
/// Fails if the folder exists already, an image cannot be read, or the dataset has no training cases.
pub fn export_sft(dataset: &Dataset, retriever: Option<&mut Retriever>, settings: &SftSettings) -> Result<SftReport> {
    let out = &settings.out;
    ensure!(!out.exists(), "{} is there already; name a new folder", out.display());
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    durable::make_folder(parent)?;
    let aside = tempfile::Builder::new()
        .prefix(".sft-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot write in {}", parent.display()))?;
    let report = write_files(dataset, retriever, settings, aside.path())?;
    durable::replace_folder(&aside.keep(), out)?;
    Ok(report)
}

fn write_files(
    dataset: &Dataset,
    retriever: Option<&mut Retriever>,
    settings: &SftSettings,
    folder: &Path,
) -> Result<SftReport> {
    let known = KnownAnswers::of(dataset, settings.part);
    let cases = known.cases(dataset);
    let documents = documents_of(dataset, &cases, retriever)?;
    let mut export = Export { dataset, folder, images: HashMap::new(), changed_texts: 0 };
    let tasks: HashMap<&str, Arc<Task>> =
        dataset.tasks.iter().map(|task| (task.id.as_str(), Arc::new(task.clone()))).collect();
    let mut train = Vec::new();
    let mut validation = Vec::new();
    for (case, rows) in cases.iter().zip(&documents) {
        let task = tasks.get(case.task.as_str()).with_context(|| format!("case {}: no task {}", case.id, case.task))?;
        let target = if case.split == Split::Train { &mut train } else { &mut validation };
        let query = Arc::new(dataset.picture(&case.image)?);
        for row in rows {
            target.push(export.conversation(case, task, &query, Some(*row))?);
        }
        if rows.is_empty() || settings.closed_book {
            target.push(export.conversation(case, task, &query, None)?);
        }
    }
    ensure!(!train.is_empty(), "{}: no case of the split train to export", dataset.root.display());
    let report = SftReport {
        train: train.len(),
        validation: validation.len(),
        images: export.images.len(),
        changed_texts: export.changed_texts,
        partly_unknown: known.partly_unknown,
    };
    let name = plain_name(&dataset.name);
    let mut sets = Map::new();
    for (split, conversations) in [("train", train), ("validation", validation)] {
        if conversations.is_empty() {
            continue;
        }
        let file = format!("{split}.json");
        durable::write_file(&folder.join(&file), &pretty_json(&Value::Array(conversations))?)?;
        sets.insert(format!("{name}_{split}"), description_of(&file));
    }
    durable::write_file(&folder.join("dataset_info.json"), &pretty_json(&Value::Object(sets))?)?;
    for (file, model, template, batch, sum) in READERS {
        let yaml = training_file(&name, model, template, batch, sum, report.validation > 0);
        durable::write_file(&folder.join(file), yaml.as_bytes())?;
    }
    Ok(report)
}

/// Conversations and the images that they need.
struct Export<'a> {
    dataset: &'a Dataset,
    folder: &'a Path,
    /// Image file of each content, relative to the folder.
    images: HashMap<Fingerprint, String>,
    changed_texts: usize,
}

impl Export<'_> {
    fn conversation(
        &mut self,
        case: &Case,
        task: &Arc<Task>,
        query: &Arc<Picture>,
        row: Option<usize>,
    ) -> Result<Value> {
        let document = row.map(|row| self.dataset.corpus.document(row));
        let evidence = match document {
            None => None,
            Some(document) => Some(Evidence {
                image: Some(Arc::new(self.dataset.picture(document.image)?)),
                caption: Some(document.caption.to_owned()),
            }),
        };
        let request = ReadRequest {
            task: task.clone(),
            question: self.dataset.question_of(case).to_owned(),
            query: query.clone(),
            evidence,
        };
        let mut words = String::new();
        let mut images = Vec::new();
        for piece in request.prompt()? {
            let picture = match piece {
                PromptPiece::Text(text) => {
                    words.push_str(&self.without_marks(&text));
                    continue;
                }
                PromptPiece::QueryImage => request.query.clone(),
                PromptPiece::DocumentImage => {
                    let image = request.evidence.as_ref().and_then(|evidence| evidence.image.clone());
                    image.context("the prompt needs a document's image, but there is none")?
                }
            };
            words.push_str(IMAGE_MARK);
            images.push(self.file_of(&picture)?);
        }
        Ok(json!({
            "messages": [{ "role": "user", "content": words }, { "role": "assistant", "content": task.taught_text(&case.answer) }],
            "images": images,
        }))
    }

    /// Removes image placeholders from a text: a text must not request an image.
    fn without_marks(&mut self, text: &str) -> String {
        if text.contains(IMAGE_MARK) {
            self.changed_texts += 1;
        }
        text.replace(IMAGE_MARK, "< image >")
    }

    /// Writes the picture as readers see it (8 bits, three channels) once, and returns its file.
    fn file_of(&mut self, picture: &Picture) -> Result<String> {
        if let Some(file) = self.images.get(&picture.fingerprint) {
            return Ok(file.clone());
        }
        let file = format!("images/{}.png", picture.fingerprint);
        let mut bytes = Vec::new();
        picture
            .to_rgb8()
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .with_context(|| format!("cannot write {} as PNG", picture.path.display()))?;
        let path = self.folder.join(&file);
        fs::create_dir_all(self.folder.join("images"))?;
        fs::write(&path, bytes).with_context(|| format!("cannot write {} (is the disk full?)", path.display()))?;
        self.images.insert(picture.fingerprint.clone(), file.clone());
        Ok(file)
    }
}

/// An entry of `dataset_info.json`.
fn description_of(file: &str) -> Value {
    json!({
        "file_name": file,
        "formatting": "sharegpt",
        "columns": { "messages": "messages", "images": "images" },
        "tags": { "role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant" },
    })
}

/// The paper's settings for a reader (docs/method.md, "Fine-tuning").
fn training_file(name: &str, model: &str, template: &str, batch: u32, sum: u32, has_validation: bool) -> String {
    let evaluation = if has_validation {
        format!(
            "\n### evaluation\neval_dataset: {name}_validation\nper_device_eval_batch_size: 1\neval_strategy: steps\neval_steps: 108\n"
        )
    } else {
        String::new()
    };
    format!(
        "\
# llamafactory-cli train {template}.yaml, in this folder. The reference trained on one device: batch {batch} x {sum}.
### model
model_name_or_path: {model}
trust_remote_code: false

### method
stage: sft
do_train: true
finetuning_type: lora
lora_target: all
freeze_vision_tower: false

### data
dataset_dir: .
media_dir: .
dataset: {name}_train
template: {template}
cutoff_len: 204800
max_samples: 200000
overwrite_cache: true

### output
output_dir: saves/{template}-lora
logging_steps: 10
save_steps: 108
plot_loss: true

### training
per_device_train_batch_size: {batch}
gradient_accumulation_steps: {sum}
learning_rate: 1.0e-4
num_train_epochs: 15
max_steps: 2160
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
{evaluation}"
    )
}

/// Keeps letters, digits and `_`: the name is one item of a comma-separated list.
fn plain_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' })
        .collect();
    if plain.is_empty() { "dissent".to_string() } else { plain }
}
