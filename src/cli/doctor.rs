//! `dissent doctor`: reports what the program detects, for bug reports and troubleshooting.

use super::Common;
use super::config::Config;
use super::models::{
    RetrieverChoice, named_checkpoint, resolve_adapter, resolve_encoder, resolve_reader, resolve_retriever,
};
use super::picture_card::picture_card;
use super::reader_flags::ReaderFlags;
use super::store_flags::StoreFlags;
use crate::build_facts::{commit, features};
use crate::index::Index;
use crate::milvus::{StoreFacts, StoreSource};
use crate::model::checkpoint::fingerprint_of;
use crate::model::device::{choose_device, gpu_facts};
use crate::model::hub::cache_folder;
use crate::model::reader_family::ReaderFamily;
use crate::model::settings_notes::{notes_of_encoder, notes_of_reader};
use crate::output::{count, print_json, print_line, print_styled, say, within};
use crate::processor;
use crate::reader::remote::{RemoteReader, ServedModel};
use crate::reader::{Reader, ReaderError};
use crate::terminal::background::default_theme;
use crate::terminal::color_depth::color_depth;
use crate::terminal::image_protocol::{ImageProtocol, image_mode};
use crate::terminal::self_description::name_and_version;
use crate::terminal::size::terminal_size;
use crate::terminal::tmux::kitty_images_in_tmux;
use crate::text::printable::Printable;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde::Serialize;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `dissent doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory whose workspace is inspected
    dataset: Option<PathBuf>,
    /// With a server or checkpoint, only this one and its capabilities are reported
    #[command(flatten)]
    reader: ReaderFlags,
    /// With a store, only this one, what it can do and how much its search finds are reported
    #[command(flatten)]
    store: StoreFlags,
    /// Write how images are drawn into the configuration file, as the default of --images
    #[arg(long, value_name = "MODE", value_enum)]
    save_images: Option<ImageProtocol>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Versions of the crates that bug reports are about, from the lock file this program was built with.
const LOCK_FILE: &str = include_str!("../../Cargo.lock");
const CRATES: [&str; 8] =
    ["candle-core", "crossterm", "faiss", "ratatui", "ratatui-image", "tantivy", "tokenizers", "viuer"];

const PROGRAM: &str = "program";

/// Environment variables that affect the screen.
const VARIABLES: [&str; 15] = [
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "COLORFGBG",
    "TERM_PROGRAM",
    "VTE_VERSION",
    "KITTY_WINDOW_ID",
    "LC_TERMINAL",
    "TMUX",
    "STY",
    "ZELLIJ",
    "SSH_TTY",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
];

/// File systems over a network: slow to sync, and not all of them have locks.
const NETWORK_FILE_SYSTEMS: [&str; 7] = ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "afs"];

#[derive(Serialize)]
struct Fact {
    section: &'static str,
    name: String,
    value: String,
    /// A possible consequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Runs `dissent doctor`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    if let Some(choice) = args.save_images {
        let path = Config::path().context("found no home folder for the configuration; set HOME or XDG_CONFIG_HOME")?;
        Config::save_images(&path, choice)?;
        return print_line(&format!("images = \"{choice}\" written to {}", Printable(&path.display().to_string())));
    }
    let mut facts = Vec::new();
    let store = args.store.resolve()?;
    let describes_terminal = store.is_none() && args.reader.served()?.is_none() && args.reader.reader.is_none();
    if let Some(source) = store {
        document_store(&source, &mut facts)?;
    } else if let Some(served) = args.reader.served()? {
        served_reader(&served, &mut facts)?;
    } else if let Some(named) = &args.reader.reader {
        checkpoint_reader(named, args.reader.adapter.as_deref(), &mut facts)?;
    } else {
        program(&mut facts);
        terminal(common, &mut facts);
        models(args.dataset.as_deref(), common, &mut facts);
    }
    if args.json {
        return print_json(&facts);
    }
    print_line(&lines_of(&facts).join("\n"))?;
    if describes_terminal && std::io::stdout().is_terminal() {
        print_card(common)?;
    }
    Ok(())
}

/// A store, and what is wrong with it.
fn document_store(source: &StoreSource, facts: &mut Vec<Fact>) -> Result<()> {
    let StoreFacts { lines, warning } = source.facts()?;
    facts.extend(lines.into_iter().map(|(name, value)| fact("store", name, value)));
    if let Some(last) = facts.last_mut() {
        last.warning = warning;
    }
    Ok(())
}

/// The same picture in all block characters, and how to keep the one that looks best.
fn print_card(common: &Common) -> Result<()> {
    let Some(card) = picture_card(color_depth(common.color, &|name| std::env::var(name).ok())) else { return Ok(()) };
    print_styled(&card)?;
    print_line("The finest without gaps or boxes is the best. To keep it: dissent doctor --save-images octant")
}

/// A line for each fact; the short facts about the program share lines, so that all fit a screen of 80 × 24.
fn lines_of(facts: &[Fact]) -> Vec<String> {
    let (mut section, mut lines) = ("", Vec::new());
    for fact in facts {
        let begins = fact.section != section;
        if begins {
            section = fact.section;
            lines.push(section.to_string());
        }
        if section == PROGRAM && fact.warning.is_none() {
            let text = format!("{} {}", fact.name, fact.value);
            match lines.last_mut().filter(|line| !begins && line.len() + text.len() + 2 <= 80) {
                Some(line) => line.push_str(&format!(", {text}")),
                None => lines.push(format!("  {text}")),
            }
            continue;
        }
        lines.push(within(&format!("  {:15} {}", fact.name, Printable(&fact.value))).into_owned());
        if let Some(warning) = &fact.warning {
            lines.push(within(&format!("  {:15} warning: {}", "", Printable(warning))).into_owned());
        }
    }
    lines
}

/// Connects to a server and reports its capabilities.
fn served_reader(served: &ServedModel, facts: &mut Vec<Fact>) -> Result<()> {
    let section = "reader";
    let begun = Instant::now();
    // A signal may end this command at any point.
    let reader = match RemoteReader::connect(served, &|line| say(&line), &|| false) {
        Ok(reader) => reader,
        Err(ReaderError::Failed(error)) => return Err(error),
        Err(error @ ReaderError::Cancelled) => return Err(error.into()),
    };
    for address in &served.connection.addresses {
        let encrypted = if address.to_string().starts_with("https") { "TLS, verified" } else { "not encrypted" };
        facts.push(fact(section, "server", format!("{address} ({encrypted})")));
    }
    for (name, value) in reader.record().facts() {
        facts.push(fact(section, name, value));
    }
    facts.push(fact(section, "key", if served.connection.key.is_some() { "sent" } else { "none" }));
    facts.push(fact(section, "requests", format!("up to {} at a time to each server", served.connection.requests)));
    facts.push(fact(section, "fingerprint", reader.fingerprint().to_string()));
    facts.push(fact(section, "answered in", format!("{:.1} s", begun.elapsed().as_secs_f64())));
    Ok(())
}

/// A checkpoint folder, or a model of the hub in its cache. One that cannot be a reader is an error that says why.
fn checkpoint_reader(named: &Path, adapter: Option<&Path>, facts: &mut Vec<Fact>) -> Result<()> {
    let section = "reader";
    let folder = named_checkpoint(named)?;
    let notes = notes_of_reader(&folder)?;
    let warning = (!notes.is_empty()).then(|| notes.join("; "));
    facts.push(Fact { warning, ..fact(section, "checkpoint", folder.display().to_string()) });
    facts.push(fact(section, "family", ReaderFamily::of(&folder)?.name()));
    facts.push(fact(section, "fingerprint", fingerprint_of(&folder)?.to_string()));
    if let Some(adapter) = resolve_adapter(adapter)? {
        facts.push(fact(section, "adapter", adapter.display().to_string()));
    }
    Ok(())
}

fn fact(section: &'static str, name: &str, value: impl Into<String>) -> Fact {
    Fact { section, name: name.into(), value: value.into(), warning: None }
}

fn program(facts: &mut Vec<Fact>) {
    let section = PROGRAM;
    facts.push(fact(section, "dissent", env!("CARGO_PKG_VERSION")));
    facts.push(fact(section, "system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)));
    let threads = std::thread::available_parallelism().map_or_else(|_| "unknown".into(), |count| count.to_string());
    facts.push(fact(section, "threads", threads));
    facts.push(fact(section, "commit", commit()));
    facts.push(fact(section, "features", features()));
    facts.push(fact(section, "processor", processor::description()));
    for name in CRATES {
        facts.push(fact(section, name, locked_version(LOCK_FILE, name).unwrap_or("unknown")));
    }
}

/// The version of a package in a Cargo.lock, whose packages are a `name` line and a `version` line each.
fn locked_version<'a>(lock: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!("name = \"{name}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == wanted)?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

fn terminal(common: &Common, facts: &mut Vec<Fact>) {
    let section = "terminal";
    let environment = |name: &str| std::env::var(name).ok();
    for name in VARIABLES {
        if let Some(value) = environment(name) {
            facts.push(fact(section, name, value));
        }
    }
    let yes_no = |yes: bool| if yes { "terminal" } else { "no terminal" };
    facts.push(fact(section, "input", yes_no(std::io::stdin().is_terminal())));
    facts.push(fact(section, "output", yes_no(std::io::stdout().is_terminal())));
    let (columns, rows) = terminal_size();
    let mut size = fact(section, "size", format!("{columns} × {rows}"));
    if columns < 80 || rows < 24 {
        size.warning = Some("the explorer needs 80 × 24, better 120 × 40".into());
    }
    facts.push(size);
    facts.push(fact(section, "colours", format!("{:?}", color_depth(common.color, &environment)).to_lowercase()));
    let name = (std::io::stdin().is_terminal() && std::io::stdout().is_terminal())
        .then(|| name_and_version(&environment))
        .flatten();
    facts.extend(name.clone().map(|name| fact(section, "own name", name)));
    let tmux = kitty_images_in_tmux(&environment);
    let passes = matches!(tmux, Some(Ok(_)));
    match tmux {
        Some(Ok(found)) => facts.push(fact(section, "tmux", format!("kitty images pass: {found}"))),
        Some(Err(reason)) => facts.push(fact(section, "tmux", format!("no kitty images: {reason}"))),
        None => {}
    }
    facts.push(fact(section, "images", image_mode(common.images(), &environment, || name, || passes).name()));
    facts.extend(configuration(section));
    let theme = common.theme.as_deref().unwrap_or_else(|| default_theme(&environment));
    facts.push(fact(section, "theme", theme));
}

/// The path of the configuration file, and which options it sets.
fn configuration(section: &'static str) -> Option<Fact> {
    let path = Config::path()?;
    let (what, warning) = match Config::load() {
        _ if !path.is_file() => (" (none yet)".to_owned(), None),
        Ok(config) if config.names().is_empty() => (" (sets nothing)".to_owned(), None),
        Ok(config) => (format!(" (sets {})", config.names().join(", ")), None),
        Err(error) => (String::new(), Some(format!("{error:#}"))),
    };
    Some(Fact { warning, ..fact(section, "configuration", format!("{}{what}", path.display())) })
}

fn models(dataset: Option<&Path>, common: &Common, facts: &mut Vec<Fact>) {
    let section = "models and files";
    match choose_device(&common.device) {
        Ok((device, reason)) => {
            facts.push(fact(section, "device", reason));
            facts.extend(gpu_facts(&device).into_iter().map(|(name, value)| fact(section, name, value)));
        }
        Err(error) => facts.push(Fact { warning: Some(format!("{error:#}")), ..fact(section, "device", "none") }),
    }
    facts.push(fact(section, "hub cache", hub_cache()));
    let workspace = match (dataset, common.workspace.as_deref()) {
        (Some(dataset), explicit) => Workspace::open(dataset, explicit),
        (None, Some(explicit)) => Workspace::open(explicit, Some(explicit)),
        (None, None) => {
            facts.push(fact(section, "workspace", "none (give a dataset to see its index, encoder and reader)"));
            return;
        }
    };
    let workspace = match workspace {
        Ok(workspace) => workspace,
        Err(error) => {
            facts.push(Fact { warning: Some(format!("{error:#}")), ..fact(section, "workspace", "none") });
            return;
        }
    };
    facts.push(fact(section, "workspace", workspace.to_string()));
    if let Some(kind) = file_system(&workspace.path) {
        let mut line = fact(section, "file system", kind.clone());
        if NETWORK_FILE_SYSTEMS.contains(&kind.as_str()) {
            line.warning = Some(
                "network file system: every annotation takes longer to save; --workspace DIR moves the workspace"
                    .into(),
            );
        }
        facts.push(line);
    }
    let index = workspace.index_dir();
    let has_index = index.join("index.toml").is_file();
    facts.push(fact(section, "index", if has_index { index.display().to_string() } else { "none yet".into() }));
    if let Some(given) = Index::given_stamp(&index) {
        let files: Vec<String> = given.files().map(|(_, file)| file.path.display().to_string()).collect();
        let warning = given
            .changed_file()
            .map(|file| format!("{} has changed since the index was built; run `{}`", file.display(), given.command()));
        facts.push(Fact { warning, ..fact(section, "vectors", format!("of another program: {}", files.join(", "))) });
    }
    facts.push(fact(section, "words", crate::index::TOKENIZER.to_owned()));
    for (name, folder) in [
        ("encoder", resolve_encoder(None, &workspace.path)),
        ("reader", resolve_reader(None, &workspace.path)),
        ("retriever", resolve_retriever(&RetrieverChoice::Trained, &workspace.path).map(Option::unwrap_or_default)),
    ] {
        let Ok(folder) = folder else {
            facts.push(fact(section, name, "none"));
            continue;
        };
        let notes = match name {
            "encoder" => notes_of_encoder(&folder),
            "reader" => notes_of_reader(&folder),
            _ => Ok(Vec::new()),
        };
        let notes = notes.unwrap_or_else(|error| vec![error.to_string()]);
        let warning = (!notes.is_empty()).then(|| notes.join("; "));
        facts.push(Fact { warning, ..fact(section, name, folder.display().to_string()) });
    }
}

/// The cache folder of Hugging Face models, and how many it holds.
fn hub_cache() -> String {
    let Some(folder) = cache_folder() else { return "none".into() };
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let models = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("models--")).count();
    match models {
        0 => format!("no models in {}", folder.display()),
        _ => format!("{} in {}", count(models, "model"), folder.display()),
    }
}

/// Kind of the file system of a folder, on Linux.
fn file_system(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    kind_of_mount(&mounts, &path.canonicalize().ok()?)
}

/// The kind of the innermost mount around `path`: field 5 of a line is the mount point, the one after " - " the kind.
fn kind_of_mount(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (left.split(' ').nth(4), right.split(' ').next()) else { continue };
        // Spaces are written as octal escapes.
        let point = point.replace("\\040", " ");
        // A later mount on the same point hides the earlier one.
        if path.starts_with(&point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    best.map(|(_, kind)| kind.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_decides() {
        let mounts = "22 1 0:20 / / rw - ext4 /dev/sda1 rw\n\
                      30 22 0:40 / /home rw shared:1 - nfs4 server:/home rw\n\
                      31 22 0:41 / /my\\040data rw - tmpfs tmpfs rw\n";
        assert_eq!(kind_of_mount(mounts, Path::new("/home/a/scans")).as_deref(), Some("nfs4"));
        assert_eq!(kind_of_mount(mounts, Path::new("/homes")).as_deref(), Some("ext4"));
        assert_eq!(kind_of_mount(mounts, Path::new("/my data/x")).as_deref(), Some("tmpfs"));
    }

    #[test]
    fn the_facts_of_the_program_run_on() {
        let mut facts: Vec<Fact> = (0..9).map(|number| fact(PROGRAM, &format!("crate-{number}"), "1.2.3")).collect();
        facts.push(Fact { warning: Some("slow".into()), ..fact(PROGRAM, "AVX2", "no") });
        facts.push(fact("terminal", "TERM", "xterm"));
        let lines = lines_of(&facts);
        assert!(lines.iter().all(|line| line.len() <= 80), "{lines:?}");
        let expected = ["program", "  crate-0 1.2.3, crate-1 1.2.3"];
        assert!(
            lines[0] == expected[0] && lines[1].starts_with(expected[1]) && lines[2].contains("crate-8"),
            "{lines:?}"
        );
        assert_eq!(lines[4..], ["                  warning: slow", "terminal", "  TERM            xterm"]);
    }

    #[test]
    fn every_crate_named_is_in_the_lock_file() {
        for name in CRATES {
            let version = locked_version(LOCK_FILE, name).unwrap_or_default();
            assert!(version.split('.').count() >= 3, "{name}: {version}");
        }
        assert_eq!(locked_version(LOCK_FILE, "no-such-crate"), None);
    }
}
