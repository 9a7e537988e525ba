//! The documents agree with the repository: their links lead somewhere, the headings of `docs/method.md` that the code cites
//! exist, and so do the files that documents and code name.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository; `CARGO_MANIFEST_DIR` is its root when cargo builds the test.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files below `folder` with this ending, in order.
fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Every document: those at the root and those below `docs`.
fn documents() -> Vec<PathBuf> {
    let at_root = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut documents: Vec<PathBuf> =
        at_root.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    documents.extend(files_below(&root().join("docs"), "md"));
    documents
}

/// Lines outside of fenced code.
fn lines_of_text(markdown: &str) -> Vec<&str> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push(line);
        }
    }
    lines
}

/// The titles of a document's headings, as they are written.
fn headings(markdown: &str) -> Vec<String> {
    let lines = lines_of_text(markdown);
    let headings = lines.iter().filter(|line| line.starts_with('#'));
    headings.map(|line| line.trim_start_matches('#').trim().to_owned()).collect()
}

/// The anchor that GitHub gives to a heading: lower case, no punctuation, hyphens for spaces.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

/// Targets of `[text](target)` and `![text](target)`.
fn links(markdown: &str) -> Vec<String> {
    let text = lines_of_text(markdown).join("\n");
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let mut broken = Vec::new();
    let mut followed = 0;
    for document in documents() {
        let markdown = fs::read_to_string(&document).unwrap();
        let relative = links(&markdown).into_iter().filter(|link| !link.contains("://"));
        for link in relative {
            followed += 1;
            let (file, heading) =
                link.split_once('#').map_or((link.as_str(), None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { document.clone() } else { document.with_file_name(file) };
            let leads_to_a_heading = |wanted: &str| {
                let markdown = fs::read_to_string(&target).unwrap_or_default();
                headings(&markdown).iter().any(|title| anchor(title) == wanted)
            };
            if !target.exists() || !heading.is_none_or(leads_to_a_heading) {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
    assert!(followed > 50, "{followed} links: the search for links is broken");
}

/// A page that the index does not list is hard to find.
#[test]
fn the_index_of_the_documents_names_every_page() {
    let index = root().join("docs/README.md");
    let listed: BTreeSet<PathBuf> = links(&fs::read_to_string(&index).unwrap())
        .iter()
        .filter_map(|link| index.with_file_name(link).canonicalize().ok())
        .collect();
    let pages = files_below(&root().join("docs"), "md");
    let missing: Vec<&PathBuf> =
        pages.iter().filter(|page| **page != index && !listed.contains(&page.canonicalize().unwrap())).collect();
    assert!(missing.is_empty(), "not in docs/README.md: {missing:?}");
}

/// A comment cites a heading as `docs/method.md, "Loss"`; the citation may go over the end of a line.
#[test]
fn every_heading_of_the_method_that_the_code_cites_exists() {
    const CITED: &str = "docs/method.md, \"";
    let method = fs::read_to_string(root().join("docs/method.md")).unwrap();
    let headings: BTreeSet<String> = headings(&method).into_iter().collect();
    let mut missing = Vec::new();
    let mut cited = 0;
    for folder in ["crates", "src", "tests", "benches"] {
        for file in files_below(&root().join(folder), "rs") {
            if file.ends_with("tests/docs.rs") {
                continue;
            }
            let source = fs::read_to_string(&file).unwrap();
            let markers: &[char] = &['/', '!', ' '];
            let text: Vec<&str> = source.lines().map(|line| line.trim_start().trim_start_matches(markers)).collect();
            for rest in text.join(" ").split(CITED).skip(1) {
                cited += 1;
                let heading = rest.split('"').next().unwrap_or_default().trim_end_matches([',', '.']);
                if !headings.contains(heading) {
                    missing.push(format!("{}: {heading}", file.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "no such heading in docs/method.md:\n{}", missing.join("\n"));
    assert!(cited > 20, "{cited} citations: the search for citations is broken");
}

/// Code and scripts name documents in comments; documents name code in backticks.
#[test]
fn documents_and_code_name_files_of_each_other_that_exist() {
    let mut missing = Vec::new();
    let mut named = 0;
    let mut look = |file: &Path, path: &str| {
        named += 1;
        if !root().join(path).exists() {
            missing.push(format!("{}: {path}", file.display()));
        }
    };
    let is_of_a_path = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '.' | '-' | '_');
    let mut sources: Vec<PathBuf> = ["Makefile", "Cargo.toml", "scripts/fuzz"].map(|name| root().join(name)).into();
    for folder in ["crates", "src", "tests", "benches", "fuzz"] {
        sources.extend(files_below(&root().join(folder), "rs"));
    }
    for file in sources.iter().filter(|file| !file.ends_with("tests/docs.rs")) {
        for rest in fs::read_to_string(file).unwrap().split("docs/").skip(1) {
            let name: String = rest.chars().take_while(|letter| is_of_a_path(*letter)).collect();
            if let Some((page, _)) = name.split_once(".md") {
                look(file, &format!("docs/{page}.md"));
            }
        }
    }
    for document in documents() {
        let markdown = fs::read_to_string(&document).unwrap();
        for code in lines_of_text(&markdown).join("\n").split('`').skip(1).step_by(2) {
            let is_ours =
                ["crates/", "src/", "tests/", "benches/", "scripts/"].iter().any(|folder| code.starts_with(folder));
            // `src/jomed.py:263` is a line of the reference code; NAME stands for the name of a new file.
            if is_ours
                && !code.contains("NAME")
                && code.chars().all(is_of_a_path)
                && !(code.starts_with("src/") && code.contains(".py"))
            {
                look(&document, code);
            }
        }
    }
    assert!(missing.is_empty(), "no such file:\n{}", missing.join("\n"));
    assert!(named > 50, "{named} files named: the search for names is broken");
}
