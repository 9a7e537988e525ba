//! The layers of ARCHITECTURE.md hold: no module uses one that its row does not name.

#![allow(clippy::unwrap_used)]

#[path = "support/source_files.rs"]
mod source_files;

use source_files::rust_files;
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
    let arrows = arrows_of(&project.join("src"));
    let mut wrong = Vec::new();
    for (module, used) in &arrows {
        let Some(&row) = order.get(module.as_str()) else {
            wrong.push(format!("src/{module} has no row in ARCHITECTURE.md"));
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
            wrong.push(format!("ARCHITECTURE.md has a row for {module}, which is not in src"));
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
        assert_eq!(cells.len(), 4, "module, what is in it, starts at, uses: {line}");
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<String>>();
        let allowed = (cells[3] != "all of the above").then(|| names(cells[3]).into_iter().collect());
        (names(cells[0]).concat(), allowed)
    })
    .collect()
}

/// By top-level module: the others that it uses outside its tests, each with a file that does.
fn arrows_of(source: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut arrows: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for path in rust_files(source) {
        let name = path.strip_prefix(source).unwrap().to_string_lossy().into_owned();
        let module = name.split(['/', '.']).next().unwrap().to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let used = arrows.entry(module.clone()).or_default();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for after in line.split("crate::").skip(1) {
                let other: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if other != module && !other.is_empty() {
                    used.entry(other).or_insert_with(|| format!("src/{name}"));
                }
            }
        }
    }
    arrows
}
