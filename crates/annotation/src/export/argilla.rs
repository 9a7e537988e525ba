//! A dataset for Argilla 2 as its Python client keeps one on disk (`rg.Dataset.to_disk`): settings, the dataset itself
//! and records with fields, metadata, suggestions and responses.

use super::for_tools::{ReviewedCase, ToolExport};
use crate::{AuthoredAnnotation, CaseAnnotation, CategoryId, remarks};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Names of the questions.
const CATEGORY: &str = "category";
const NOTE: &str = "note";

/// The files of the dataset's folder by their paths inside it. The final categories of a case are the suggestion; each
/// annotator whose user is known has a response. All annotations are in the metadata (`said`) as well, because Argilla
/// takes responses of its own users only. The gold answer is left out, so that people can annotate blind there.
///
/// # Errors
/// Fails if a user is no UUID, or is given for somebody who annotated nothing.
pub fn argilla_files(export: &ToolExport<'_>) -> Result<Vec<(&'static str, Value)>> {
    export.check_users()?;
    export.check_images("Argilla")?;
    let records: Result<Vec<Value>> = export.cases().iter().map(|case| record_of(export, case)).collect();
    let name: String = export
        .dataset
        .name
        .chars()
        .map(|letter| if letter.is_alphanumeric() || matches!(letter, '-' | '_') { letter } else { '-' })
        .collect();
    let dataset = json!({
        "id": null, "inserted_at": null, "updated_at": null, "name": name, "status": "draft",
        "guidelines": guidelines(export), "allow_extra_metadata": true, "distribution": null, "workspace_id": null,
        "last_activity_at": null,
    });
    Ok(vec![
        (".argilla/dataset.json", dataset),
        (".argilla/settings.json", settings(export)),
        ("records.json", Value::Array(records?)),
    ])
}

fn settings(export: &ToolExport<'_>) -> Value {
    let mut options = Vec::new();
    let (known, others) = export.categories();
    options.extend(known.iter().map(|category| json!({"text": category.name, "value": category.id})));
    options.extend(others.iter().map(|id| json!({"text": id, "value": id})));
    let kind = question_kind(export);
    let mut choice = json!({"type": kind, "options": options, "visible_options": null});
    if export.has_several() {
        choice["options_order"] = json!("natural");
    }
    let terms = |name: &str| {
        json!({
            "id": null, "name": name, "title": name, "visible_for_annotators": true,
            "settings": {"type": "terms", "visible_for_annotators": true, "values": null},
        })
    };
    let text = json!({"type": "text", "use_markdown": false});
    json!({
        "guidelines": guidelines(export),
        "fields": [
            {"id": null, "name": "image", "title": "image", "required": true, "type": "image", "settings": {"type": "image"}},
            {"id": null, "name": "question", "title": "question", "required": false, "type": "text", "settings": text},
        ],
        "questions": [
            {"id": null, "name": CATEGORY, "title": "Why do the documents disagree?", "description": null, "required": true,
             "type": kind, "settings": choice},
            {"id": null, "name": NOTE, "title": "Note", "description": null, "required": false, "type": "text",
             "settings": text},
        ],
        "metadata": [terms("task"), terms("split"), terms("standing"), terms("said")],
        "vectors": [],
        "allow_extra_metadata": true,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": null,
    })
}

/// The definitions, in Markdown.
fn guidelines(export: &ToolExport<'_>) -> String {
    let lines = export.taxonomy.categories.iter();
    lines.map(|category| format!("- **{}**: {}", category.name, category.definition)).collect::<Vec<_>>().join("\n")
}

fn question_kind(export: &ToolExport<'_>) -> &'static str {
    if export.has_several() { "multi_label_selection" } else { "label_selection" }
}

fn record_of(export: &ToolExport<'_>, reviewed: &ReviewedCase<'_>) -> Result<Value> {
    let ReviewedCase { case, review } = reviewed;
    let mut suggestions = Map::new();
    if let Some(categories) = review.final_categories().filter(|categories| !categories.is_empty()) {
        suggestions.insert(CATEGORY.into(), json!({"value": answer(export, categories), "agent": "final set"}));
    }
    let mut metadata = json!({"task": case.task, "split": case.split, "standing": review.standing().word()});
    let mut responses = Map::new();
    if !export.final_only {
        let mut lines = Vec::new();
        let (mut chosen, mut notes) = (Vec::new(), Vec::new());
        for AuthoredAnnotation { annotator, annotation } in &review.annotations {
            lines.push(Value::from(format!("{annotator}: {}", in_words(annotation))));
            let Some(user) = export.users.get(annotator.as_str()) else { continue };
            let user = Uuid::parse_str(user)
                .with_context(|| format!("--user {annotator}={user}: expected the UUID of an Argilla user"))?;
            let status = if annotation.categories.is_empty() { "discarded" } else { "submitted" };
            let value = (status == "submitted").then(|| answer(export, &annotation.categories));
            chosen.push(json!({"value": value, "user_id": user, "status": status}));
            if let Some(note) = &annotation.note {
                notes.push(json!({"value": note, "user_id": user, "status": status}));
            }
        }
        metadata["said"] = Value::Array(lines);
        for (question, given) in [(CATEGORY, chosen), (NOTE, notes)] {
            if !given.is_empty() {
                responses.insert(question.into(), Value::Array(given));
            }
        }
    }
    Ok(json!({
        "id": case.id,
        "fields": {"image": export.image_of(case), "question": export.dataset.question_of(case)},
        "metadata": metadata,
        "suggestions": suggestions,
        "responses": responses,
        "vectors": {},
        "status": "pending",
        "_server_id": null,
    }))
}

/// A list if the question takes several categories, else the one category.
fn answer(export: &ToolExport<'_>, categories: &BTreeSet<CategoryId>) -> Value {
    if export.has_several() { json!(categories) } else { json!(categories.first()) }
}

fn in_words(annotation: &CaseAnnotation) -> String {
    let mut words: Vec<&str> = annotation.categories.iter().map(CategoryId::as_str).collect();
    for remark in remarks(annotation.skipped, annotation.unsure, annotation.flagged) {
        words.push(remark);
    }
    if words.is_empty() { "no category".into() } else { words.join(", ") }
}
