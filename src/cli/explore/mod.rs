//! `dissent explore`: step through the cases of a dataset.

mod args;
mod open;
mod screen_options;
mod themes;

pub use self::args::Args;
pub(super) use self::open::{read_against, unlike_words};
pub use self::screen_options::ScreenOptions;

use self::open::{NothingLeft, Opener};
use self::themes::choose_theme;
use super::annotator::annotator_name;
use super::costs::say_usage;
use super::{Common, ExitWith, relaunch};
use crate::output::{count, say};
use crate::terminal::color_depth::color_depth;
use crate::terminal::guard;
use crate::terminal::image_protocol::image_mode;
use crate::terminal::self_description::name_and_version;
use crate::terminal::tmux::kitty_images_in_tmux;
use crate::tui::keymap::Keymap;
use crate::tui::session::{self, CasebookWriter, Output};
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

/// Runs `dissent explore`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    require_terminal()?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    if args.models.reader_is_small(common, &workspace) {
        relaunch::with_one_thread_per_kernel()?;
    }
    let environment = |name: &str| std::env::var(name).ok();
    let color_depth = color_depth(common.color, &environment);
    let (theme, themes) = choose_theme(common, color_depth, &environment)?;
    let keymap = Keymap::load(&keys_file(args.screen.keys.as_deref()))?;
    let annotator = annotator_name(args.annotator.as_deref())?;
    let session_file = session_file(&workspace, &annotator);
    let (screens, casebooks) = (workspace.path.join("screens"), workspace.path.join("casebooks"));
    let recording = args.screen.record.clone();
    let viewer = viewer_command(args.screen.viewer.as_deref());
    let images = image_mode(
        common.images(),
        &environment,
        || name_and_version(&environment),
        || matches!(kitty_images_in_tmux(&environment), Some(Ok(_))),
    );
    let mut opener = Opener {
        args,
        common: common.clone(),
        workspace,
        annotator,
        session_file: session_file.clone(),
        keymap,
        theme,
        themes,
        images,
        cases: None,
    };
    let output = Output {
        depth: color_depth,
        images,
        session_state: &session_file,
        screens: &screens,
        casebooks: &casebooks,
        viewer: &viewer,
        recording: recording.as_deref(),
    };
    // Without the guard the explorer works as well; only a crash would leave the terminal in raw mode.
    if let Ok(program) = std::env::current_exe() {
        let _ = guard::start(&program);
    }
    let preview = opener.preview();
    let mut ended = match session::run(preview, move || opener.open(), output) {
        Err(error) => return error.downcast::<NothingLeft>().map(|nothing| say(&nothing.to_string())),
        Ok(ended) => ended,
    };
    if let Some(reason) = &ended.not_kept {
        say(&format!("warning: cannot save the position and the views: {reason}"));
    }
    say_usage(ended.server_usage);
    say_pages(&mut ended.casebooks, ended.code == 0);
    if let Some(annotations) = ended.annotations.filter(|annotations| annotations.written() > 0) {
        let path = annotations.path().map(|path| path.display().to_string()).unwrap_or_default();
        say(&format!("{} written to {path}", count(annotations.written(), "annotation event")));
    }
    if ended.code == 0 { Ok(()) } else { Err(ExitWith(ended.code).into()) }
}

/// Names the pages that were written. A person who leaves in the usual way gets the one that is still being written, too.
fn say_pages(casebooks: &mut CasebookWriter, waits: bool) {
    if casebooks.is_writing() {
        if waits {
            say("finishing the page of the queue …");
            casebooks.wait();
        } else {
            say("left before the page of the queue was finished");
        }
    }
    for (path, written) in casebooks.pages() {
        say(&format!("{}: {}", path.display(), written.in_words()));
    }
}

/// The file in which an annotator's session keeps its place, views and opened cases.
pub(super) fn session_file(workspace: &Workspace, annotator: &str) -> PathBuf {
    workspace.path.join("explorer").join(format!("{annotator}.toml"))
}

/// The words of the command that opens an image in a window.
fn viewer_command(given: Option<&str>) -> Vec<String> {
    let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let words: Vec<String> = given.unwrap_or(usual).split_whitespace().map(str::to_owned).collect();
    if words.is_empty() { vec![usual.to_owned()] } else { words }
}

/// The given file, else the one in the user's configuration folder.
fn keys_file(given: Option<&Path>) -> PathBuf {
    let own =
        || directories::ProjectDirs::from("", "", "dissent").map(|folders| folders.config_dir().join("keys.toml"));
    given.map(Path::to_path_buf).or_else(own).unwrap_or_default()
}

/// Checks that standard output is a terminal that the explorer can draw on.
///
/// # Errors
/// Fails if standard output is not a terminal, or one that cannot move its cursor (`TERM=dumb`, as in Emacs's shell).
pub fn require_terminal() -> Result<()> {
    if !stdout().is_terminal() {
        bail!("the explorer needs a terminal, but the output is not a terminal; `dissent predict` works without one");
    }
    if std::env::var_os("TERM").is_some_and(|name| name == "dumb") {
        bail!(
            "the explorer needs a terminal that can move its cursor, but TERM is dumb; `dissent annotate` asks line by line, \
             or set TERM (xterm-256color, say) where the terminal is a better one"
        );
    }
    Ok(())
}
