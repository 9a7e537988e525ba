//! The help of `dissent annotate`: its commands, and the categories of the taxonomy.

use super::command::COMMANDS;
use crate::annotation::{Category, Level, Taxonomy};
use crate::output::one_line;
use serde_json::{Value, json};

/// A line per category and per command.
pub(super) fn help_text(taxonomy: &Taxonomy) -> String {
    let mut lines = Vec::new();
    for category in &taxonomy.categories {
        let level = match category.level {
            Level::Case => "",
            Level::Hit => " (for documents)",
            Level::Both => " (for cases and documents)",
        };
        let (id, name) = (one_line(&category.id), one_line(&category.name));
        lines.push(format!("{} {id}: {name}{level}", category.key));
    }
    let many = if taxonomy.several { "several" } else { "one" };
    lines.push(format!("a case or document may have {many} of these"));
    lines.extend(COMMANDS.iter().map(|(words, meaning)| format!("{words}: {meaning}")));
    lines.join("\n")
}

/// Like [`help_text`], as a JSON object.
pub(super) fn help_json(taxonomy: &Taxonomy) -> Value {
    let command = |(words, meaning): &(&str, &str)| json!({ "words": words, "meaning": meaning });
    let commands: Vec<Value> = COMMANDS.iter().map(command).collect();
    json!({ "type": "help", "several": taxonomy.several, "categories": taxonomy.categories, "commands": commands })
}

/// A category with its definition and examples.
pub(super) fn definition_text(category: &Category) -> String {
    let mut lines = vec![
        format!("{} {}: {}", category.key, one_line(&category.id), one_line(&category.name)),
        format!("definition: {}", one_line(&category.definition)),
    ];
    for (what, example) in [("belongs here", &category.positive_example), ("does not", &category.negative_example)] {
        if let Some(example) = example {
            lines.push(format!("{what}: {}", one_line(example)));
        }
    }
    lines.join("\n")
}
