//! Tasks for Label Studio's import (JSON, "Basic Label Studio JSON format": `data`, `annotations` and `predictions`
//! with `result`s of type `choices` and `textarea`) and the labelling configuration that they belong to.

use super::for_tools::{ReviewedCase, ToolExport};
use crate::{AuthoredAnnotation, CaseAnnotation, remarks};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The default prefix of images: files that the server reads itself.
pub const LABEL_STUDIO_PREFIX: &str = "/data/local-files/?d=";

/// Names of the tags in the configuration.
const IMAGE: &str = "image";
const CATEGORY: &str = "category";
const NOTE: &str = "note";
const REMARKS: &str = "remarks";

/// The array of tasks. Each annotator's annotation is an annotation of the task, in the order of `data.annotators`, and
/// the final categories are a prediction of the model "final set"; if only the final set is wanted, it is the one
/// annotation, marked as ground truth. The gold answer is left out, so that people can annotate blind there.
///
/// # Errors
/// Fails if a user is no number, or is given for somebody who annotated nothing.
pub fn label_studio_tasks(export: &ToolExport<'_>) -> Result<Value> {
    export.check_users()?;
    export.check_images("Label Studio")?;
    let tasks: Result<Vec<Value>> = export.cases().iter().map(|case| task_of(export, case)).collect();
    Ok(Value::Array(tasks?))
}

/// The labelling configuration (XML) of a project that takes the tasks.
pub fn label_studio_config(export: &ToolExport<'_>) -> String {
    let choice = if export.has_several() { "multiple" } else { "single" };
    let mut choices = String::new();
    let (known, others) = export.categories();
    for category in known {
        choices.push_str(&format!(
            "    <Choice value=\"{}\" alias=\"{}\" hotkey=\"{}\" hint=\"{}\"/>\n",
            escaped(&category.name),
            escaped(&category.id),
            escaped(&category.key.to_string()),
            escaped(&category.definition)
        ));
    }
    for id in others {
        choices.push_str(&format!("    <Choice value=\"{0}\" alias=\"{0}\"/>\n", escaped(id)));
    }
    format!(
        "<View>\n  <Header value=\"$question\"/>\n  <Image name=\"{IMAGE}\" value=\"$image\" zoom=\"true\"/>\n  \
         <Choices name=\"{CATEGORY}\" toName=\"{IMAGE}\" choice=\"{choice}\">\n{choices}  </Choices>\n  \
         <Choices name=\"{REMARKS}\" toName=\"{IMAGE}\" choice=\"multiple\">\n    <Choice value=\"unsure\"/>\n    \
         <Choice value=\"flagged\"/>\n  </Choices>\n  \
         <TextArea name=\"{NOTE}\" toName=\"{IMAGE}\" maxSubmissions=\"1\" editable=\"true\"/>\n</View>\n"
    )
}

fn task_of(export: &ToolExport<'_>, reviewed: &ReviewedCase<'_>) -> Result<Value> {
    let ReviewedCase { case, review } = reviewed;
    let mut data = json!({
        "image": export.image_of(case),
        "question": export.dataset.question_of(case),
        "case": case.id,
        "task": case.task,
        "split": case.split,
    });
    let final_result = review.final_categories().map(|categories| vec![choices(CATEGORY, categories)]);
    if export.final_only {
        let annotations = final_result
            .into_iter()
            .map(|result| json!({"result": result, "was_cancelled": false, "ground_truth": true}));
        return Ok(json!({"data": data, "annotations": annotations.collect::<Vec<_>>()}));
    }
    data["annotators"] = review.annotations.iter().map(|authored| authored.annotator.as_str()).collect();
    let mut annotations = Vec::new();
    for AuthoredAnnotation { annotator, annotation } in &review.annotations {
        annotations.push(annotation_of(export, annotator, annotation)?);
    }
    let predictions: Vec<Value> =
        final_result.into_iter().map(|result| json!({"model_version": "final set", "result": result})).collect();
    Ok(json!({"data": data, "annotations": annotations, "predictions": predictions}))
}

fn annotation_of(export: &ToolExport<'_>, annotator: &str, annotation: &CaseAnnotation) -> Result<Value> {
    let mut result = Vec::new();
    if !annotation.categories.is_empty() {
        result.push(choices(CATEGORY, &annotation.categories));
    }
    // Label Studio has its own word for a skip.
    let remarks: BTreeSet<&str> = remarks(false, annotation.unsure, annotation.flagged).collect();
    if !remarks.is_empty() {
        result.push(choices(REMARKS, &remarks));
    }
    if let Some(note) = &annotation.note {
        result.push(json!({"from_name": NOTE, "to_name": IMAGE, "type": "textarea", "value": {"text": [note]}}));
    }
    let mut object = json!({
        "result": result,
        "was_cancelled": annotation.skipped,
        "ground_truth": false,
    });
    if let Some(seconds) = annotation.seconds {
        object["lead_time"] = json!(seconds);
    }
    if let Some(user) = export.users.get(annotator) {
        let number: u64 = user
            .parse()
            .with_context(|| format!("--user {annotator}={user}: expected the number of a Label Studio user"))?;
        object["completed_by"] = json!(number);
    }
    Ok(object)
}

fn choices(name: &str, values: &impl serde::Serialize) -> Value {
    json!({"from_name": name, "to_name": IMAGE, "type": "choices", "value": {"choices": values}})
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
