//! The annotator's name: given, kept from an earlier answer, or the login name. If none is known, the user is asked
//! once. Annotations without a name could not be told apart later, so there is no default name.

use crate::annotation::check_annotator;
use crate::files::{durable, input_file};
use crate::output::say;
use anyhow::{Context, Result, bail, ensure};
use directories::ProjectDirs;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

/// Size limit of the file with the name, bytes.
const LONGEST: u64 = 1 << 10;

/// The name given with `--annotator`, else the one kept, else the login name, else the answer to a question.
///
/// # Errors
/// Fails if no name is known and nobody can be asked, or if the answer is not usable.
pub fn annotator_name(given: Option<&str>) -> Result<String> {
    let kept = kept_file();
    let known = given.map(str::to_owned).or_else(|| read_kept(kept.as_deref()?)).or_else(login_name);
    if let Some(name) = known {
        return Ok(name);
    }
    if !stdin().is_terminal() {
        bail!("no annotator's name is known: expected --annotator NAME, or USER in the environment");
    }
    let name = asked_name()?;
    if let Some(path) = &kept
        && let Err(error) = durable::write_file(path, format!("{name}\n").as_bytes())
    {
        say(&format!("warning: the name is not kept, so it will be asked for again: {error:#}"));
    }
    Ok(name)
}

/// Asks until a usable name is typed.
///
/// # Errors
/// Fails if the input ends.
fn asked_name() -> Result<String> {
    loop {
        say("Annotator's name, such as ada (it is kept; --annotator NAME overrides it):");
        let mut line = String::new();
        let read = stdin().read_line(&mut line).context("cannot read the annotator's name")?;
        ensure!(read > 0, "no annotator's name was given; --annotator NAME gives one");
        let name = line.trim();
        match check_annotator(name) {
            Ok(()) => return Ok(name.to_owned()),
            Err(error) => say(&format!("{error}")),
        }
    }
}

/// The file in the user's configuration folder that keeps the name.
fn kept_file() -> Option<PathBuf> {
    ProjectDirs::from("", "", "dissent").map(|folders| folders.config_dir().join("annotator"))
}

fn read_kept(path: &Path) -> Option<String> {
    let name = input_file::read_text(path, LONGEST).ok()?.trim().to_owned();
    check_annotator(&name).is_ok().then_some(name)
}

/// The user's login name, without characters that a file name cannot hold.
fn login_name() -> Option<String> {
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|variable| std::env::var(variable).ok())?;
    let usable = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' };
    let name: String = name.chars().map(usable).collect();
    let name = name.trim_start_matches(['.', '-']);
    (!name.is_empty()).then(|| name.to_owned())
}
