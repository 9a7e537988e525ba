//! A run folder of HELM or MedHELM: `display_predictions.json` has the answers, `instances.json` the questions and pictures,
//! `run_spec.json` the model.
//!
//! An instance's id counts its rows (`id7`), so cases are found by question and picture.

use super::format::HELM_PREDICTIONS;
use super::given_answer::{AnswerContent, AnswerPlace, GivenAnswer, GivenCase, GivenPicture};
use super::json_file::{read_objects, text_field};
use crate::data::import::{LeftOut, leave_out};
use crate::files::input_file;
use crate::text::written_json::Written;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const INSTANCES: &str = "instances.json";
const SPEC: &str = "run_spec.json";
/// Size of the longest run_spec.json, bytes.
const LONGEST_SPEC: u64 = 16 << 20;

/// Question, picture and gold answer of an instance.
#[derive(Clone, Debug, Default)]
struct Instance {
    question: Option<String>,
    picture: Option<String>,
    gold: Option<String>,
}

/// The files of a run that decide its answers, their cases and their model: those of [`read`] that are there.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let names = [HELM_PREDICTIONS, INSTANCES, SPEC];
    names.into_iter().map(|name| folder.join(name)).filter(|path| input_file::is_there(path)).collect()
}

/// The answers of a run. Answers to perturbed instances, and those of a second trial, are left out and counted.
pub(super) fn read(folder: &Path, left_out: &mut Vec<LeftOut>) -> Result<Vec<GivenAnswer>> {
    let path = folder.join(HELM_PREDICTIONS);
    let instances = read_instances(&folder.join(INSTANCES))?;
    let model = read_model(&folder.join(SPEC))?;
    let file: Arc<Path> = path.as_path().into();
    let mut answers = Vec::new();
    for (line, object) in read_objects(&path)? {
        let place = AnswerPlace { file: Arc::clone(&file), line };
        let at = place.to_string();
        if object.get("perturbation").is_some_and(|perturbation| *perturbation != Written::Null) {
            leave_out(left_out, "answers to an instance that HELM changed (perturbation)", &at);
            continue;
        }
        let trial = text_field(&object, "train_trial_index").with_context(|| at.clone())?;
        if trial.as_deref().is_some_and(|trial| trial != "0") {
            leave_out(left_out, "answers of a second trial of HELM", &at);
            continue;
        }
        let id = text_field(&object, "instance_id").with_context(|| at.clone())?.with_context(|| {
            format!("{at}: field instance_id: the field is missing; expected the id of an instance")
        })?;
        let instance = instances
            .get(&id)
            .with_context(|| format!("{at}: field instance_id: {id:?} is not in instances.json of the same run"))?;
        // The mapped output is the text of the option whose letter the model wrote.
        let mapped = text_field(&object, "mapped_output").with_context(|| at.clone())?;
        let predicted = text_field(&object, "predicted_text").with_context(|| at.clone())?;
        let text = mapped.or(predicted).with_context(|| format!("{at}: field predicted_text: the field is missing"))?;
        answers.push(GivenAnswer {
            place,
            model: model.clone(),
            case: GivenCase {
                question: instance.question.clone(),
                picture: instance.picture.clone().map(GivenPicture::Path),
                ..GivenCase::default()
            },
            gold: instance.gold.clone(),
            content: AnswerContent { text: Some(text), ..AnswerContent::default() },
            ..GivenAnswer::default()
        });
    }
    Ok(answers)
}

fn read_instances(path: &Path) -> Result<HashMap<String, Instance>> {
    let mut instances = HashMap::new();
    for (line, object) in read_objects(path)? {
        let at = format!("{}:{line}", path.display());
        let id = text_field(&object, "id")
            .with_context(|| at.clone())?
            .with_context(|| format!("{at}: field id is missing"))?;
        // A perturbed instance has the id of its original.
        if object.get("perturbation").is_some_and(|perturbation| *perturbation != Written::Null) {
            continue;
        }
        let instance = instance_of(&object).with_context(|| at.clone())?;
        if instances.insert(id.clone(), instance).is_some() {
            bail!("{at}: field id: the instance {id:?} is there twice");
        }
    }
    Ok(instances)
}

fn instance_of(object: &Written) -> Result<Instance> {
    let mut instance = Instance::default();
    let Some(input) = object.get("input") else { bail!("field input: the field is missing") };
    instance.question = text_field(input, "text").context("field input.text")?.filter(|text| !text.trim().is_empty());
    let objects = input.get("multimedia_content").and_then(|content| content.get("media_objects"));
    if let Some(Written::List(objects)) = objects {
        for media in objects {
            let kind = text_field(media, "content_type")?.unwrap_or_default();
            if kind.starts_with("image/") {
                let location = text_field(media, "location")?;
                if instance.picture.is_some() {
                    bail!("field input.multimedia_content: expected one picture, found several");
                }
                instance.picture = location;
            } else if kind == "text/plain" && instance.question.is_none() {
                instance.question = text_field(media, "text")?;
            }
        }
    }
    if let Some(Written::List(references)) = object.get("references") {
        let correct = Written::Text("correct".into());
        let is_correct = |reference: &&Written| matches!(reference.get("tags"), Some(Written::List(tags)) if tags.contains(&correct));
        let output = references.iter().find(is_correct).and_then(|reference| reference.get("output"));
        instance.gold = output.and_then(|output| text_field(output, "text").ok().flatten());
    }
    Ok(instance)
}

/// The model of the run; `None` without a `run_spec.json`.
fn read_model(path: &Path) -> Result<Option<String>> {
    if !input_file::is_there(path) {
        return Ok(None);
    }
    let bytes = input_file::read(path, LONGEST_SPEC).with_context(|| format!("cannot read {}", path.display()))?;
    let spec = Written::parse(&bytes).map_err(|error| anyhow!("{}: not valid JSON: {error}", path.display()))?;
    match spec.get("adapter_spec") {
        Some(adapter) => {
            text_field(adapter, "model").with_context(|| format!("{}: field adapter_spec", path.display()))
        }
        None => Ok(None),
    }
}
