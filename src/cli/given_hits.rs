//! `--hits`: the hits of another program, by file or by the name of imported ones.

use crate::output::count;
use crate::pipeline::GivenHitsChoice;
use crate::retriever::{HitsAccount, Merging};
use crate::run::GivenHits;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::path::Path;

/// The file that `--hits` names: a path, else imported hits.
///
/// # Errors
/// Fails if there is neither; the message names the imported hits that there are.
pub(super) fn given_hits(
    name: &str,
    workspace: &Workspace,
    k: u16,
    merging: Option<Merging>,
) -> Result<GivenHitsChoice> {
    let choice = |path: &Path| GivenHitsChoice { path: path.into(), name: name.into(), k: k.into(), merging };
    if Path::new(name).exists() {
        return Ok(choice(Path::new(name)));
    }
    match workspace.hits_file(name) {
        Ok(imported) if imported.exists() => Ok(choice(&imported)),
        _ => {
            let known = match imported_names(workspace).as_slice() {
                [] => "there are none; `dissent import hits DATASET FILE` keeps some".to_owned(),
                names => format!("there are {}", names.join(", ")),
            };
            bail!("--hits {name}: no such file and no imported hits of this name: {known}")
        }
    }
}

fn imported_names(workspace: &Workspace) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(workspace.path.join("hits")) else { return Vec::new() };
    let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = files.filter_map(|file| Some(file.strip_suffix(".jsonl")?.to_owned())).collect();
    names.sort_unstable();
    names
}

/// "hits of colpali.trec, at most 2 by colpali: 350 cases, 12 of them without a hit, …"
pub(super) fn account_in_words(account: &HitsAccount, given: &GivenHits) -> String {
    let mut words = vec![format!(
        "hits of {}, at most {} each by {}: {}",
        given.file,
        given.k,
        given.heads.join(", "),
        count(account.cases, "case")
    )];
    if account.cases_without_hits > 0 {
        words.push(format!("{} of them without a hit, read closed-book only", account.cases_without_hits));
    }
    if account.not_allowed > 0 {
        let hits = count(account.not_allowed, "hit");
        words.push(format!("{hits} left out, because the document has the case's own id, group or picture"));
    }
    if account.beyond_k > 0 {
        words.push(format!("{} not used (-k)", count(account.beyond_k, "more hit")));
    }
    words.join("; ")
}
