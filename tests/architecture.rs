//! The layers of ARCHITECTURE.md hold: no module uses one that its row does not name.

#![allow(clippy::unwrap_used)]

#[path = "support/source_files.rs"]
mod source_files;

use source_files::source_files;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Modules that a module may use; `None` for all above it.
type Table = Vec<(String, Option<BTreeSet<String>>)>;

#[test]
fn modules_use_only_what_the_table_of_layers_allows() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = table_of(&fs::read_to_string(project.join("ARCHITECTURE.md")).unwrap());
    let order: BTreeMap<&str, usize> = table.iter().enumerate().map(|(row, (name, _))| (name.as_str(), row)).collect();
    let arrows = arrows_of(project);
    let mut wrong = Vec::new();
    for (module, used) in &arrows {
        let Some(&row) = order.get(module.as_str()) else {
            wrong.push(format!("{module} has no row in ARCHITECTURE.md"));
            continue;
        };
        for (other, file) in used {
            match order.get(other.as_str()) {
                None => wrong.push(format!("{file} uses crate::{other}, which has no row in ARCHITECTURE.md")),
                Some(&above) if above >= row => {
                    wrong.push(format!("{file} uses crate::{other}, a layer above {module}"));
                }
                Some(_) if table[row].1.as_ref().is_some_and(|allowed| !allowed.contains(other)) => {
                    wrong.push(format!("{file} uses crate::{other}, which the row of {module} does not name"));
                }
                Some(_) => {}
            }
        }
    }
    for (module, allowed) in &table {
        let Some(used) = arrows.get(module) else {
            wrong.push(format!("ARCHITECTURE.md has a row for {module}, which is nowhere"));
            continue;
        };
        for other in allowed.iter().flatten().filter(|other| !used.contains_key(*other)) {
            wrong.push(format!("the row of {module} names {other}, which it does not use"));
        }
    }
    assert!(arrows.len() > 20, "{} modules were found", arrows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn table_of(text: &str) -> Table {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 5, "module, crate, what is in it, starts at, uses: {line}");
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<String>>();
        let allowed = (cells[4] != "all of the above").then(|| names(cells[4]).into_iter().collect());
        (names(cells[0]).concat(), allowed)
    })
    .collect()
}

/// By module: the others that it uses outside its tests, each with a file that does.
fn arrows_of(project: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut arrows: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (name, path) in source_files(project) {
        let Some(module) = module_of(&name) else { continue };
        let used = arrows.entry(module.clone()).or_default();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for other in modules_named(line, &name).into_iter().filter(|other| *other != module) {
                used.entry(other).or_insert_with(|| name.clone());
            }
        }
    }
    arrows
}

/// Crates that are one module; in the others every top-level module has a row.
const ONE_MODULE: [&str; 3] = ["annotation", "evaluation", "training"];

/// The module of a file: `src/tui/…` is of `tui`, `crates/core/src/data/…` of `data`, `crates/training/src/…` of `training`.
fn module_of(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split('/').collect();
    let module = match parts.as_slice() {
        ["crates", only, "src", ..] if ONE_MODULE.contains(only) => only,
        ["src", module, ..] | ["crates", _, "src", module, ..] => module,
        _ => panic!("{name}: expected src/… or crates/…/src/…"),
    };
    let module = module.trim_end_matches(".rs");
    (!["lib", "main"].contains(&module)).then(|| module.to_owned())
}

/// Modules after `crate::` and `dissent_…::`.
fn modules_named(line: &str, file: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut named = Vec::new();
    if !ONE_MODULE.iter().any(|only| file.starts_with(&format!("crates/{only}/"))) {
        named.extend(line.split("crate::").skip(1).map(word));
    }
    for after in line.split("dissent_").skip(1) {
        let owner = word(after);
        if ONE_MODULE.contains(&owner.as_str()) {
            named.push(owner);
            continue;
        }
        let Some(path) = after.strip_prefix(&format!("{owner}::")) else { continue };
        match path.strip_prefix('{') {
            // At the start of a path of the list, or after a comma.
            Some(list) => named.extend(list.split(',').map(|item| word(item.trim()))),
            None => named.push(word(path)),
        }
    }
    named.retain(|module| !module.is_empty());
    named
}
