//! `dissent explore`: step through the cases of a dataset.

use super::models::{HeadChoice, RetrieverChoice, hits_per_head, resolve_encoder, resolve_retriever};
use super::open_explorer::{NothingLeft, Opener};
use super::queue_options::QueueOptions;
use super::reader_flags::ReaderFlags;
use super::{Common, ExitWith, relaunch};
use crate::data::{Dataset, Split};
use crate::model::device::choose_device;
use crate::output::{count, say};
use crate::pipeline::ModelChoice;
use crate::run::Run;
use crate::run::{Ablation, CaseAnswer};
use crate::terminal::guard;
use crate::terminal::{background, caps};
use crate::tui::keymap::Keymap;
use crate::tui::session::{self, Output};
use crate::tui::theme::Theme;
use crate::worker::{WorkerConfig, WorkerHandle};
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `dissent explore`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    pub dataset: PathBuf,
    /// Only cases of this split; default: test if the dataset has test cases, else all
    #[arg(long, value_enum)]
    pub split: Option<Split>,
    /// Show the answers of this stored run instead of asking the models
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
    /// Compare every case with this stored run
    #[arg(long, value_name = "NAME")]
    pub against: Option<String>,
    /// File with your own keys; default: keys.toml in the user's configuration folder (see `dissent keys`)
    #[arg(long, env = "DISSENT_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Record the session into a new file (asciicast v2, played by asciinema)
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Name of the annotator; default: the user's login name
    #[arg(long, value_name = "NAME")]
    pub annotator: Option<String>,
    /// Checkpoint of the dual encoder; default: WORKSPACE/models/encoder
    #[arg(long, env = "DISSENT_ENCODER", value_name = "DIR")]
    pub encoder: Option<PathBuf>,
    /// Retrieval heads: standard (the dual encoder itself), trained (WORKSPACE/models/retriever) or a folder of heads
    #[arg(long, env = "DISSENT_RETRIEVER", default_value = "standard", value_name = "standard|trained|DIR")]
    pub retriever: RetrieverChoice,
    #[command(flatten)]
    pub reader: ReaderFlags,
    /// Heads that retrieve documents; with `lexical` among them, their hits are merged by reciprocal rank
    #[arg(long, value_enum, value_delimiter = ',', default_value = "image,caption", value_name = "A,B,…")]
    pub heads: Vec<HeadChoice>,
    /// Documents retrieved per head
    #[arg(short, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub k: u16,
    #[command(flatten)]
    pub queue: QueueOptions,
}

impl Args {
    /// The default options.
    pub fn for_dataset(dataset: PathBuf) -> Self {
        Self {
            dataset,
            split: None,
            run: None,
            against: None,
            keys: None,
            record: None,
            annotator: None,
            encoder: None,
            retriever: RetrieverChoice::Standard,
            reader: ReaderFlags::default(),
            heads: vec![HeadChoice::Image, HeadChoice::Caption],
            k: 2,
            queue: QueueOptions::default(),
        }
    }

    fn names_a_model(&self) -> bool {
        self.heads.contains(&HeadChoice::Lexical)
            || self.encoder.is_some()
            || self.reader.reader.is_some()
            || self.reader.adapter.is_some()
            || self.retriever != RetrieverChoice::Standard
    }
}

/// Runs `dissent explore`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    require_terminal()?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    if reader_is_small(&args, common, &workspace) {
        relaunch::with_one_thread_per_kernel()?;
    }
    let environment = |name: &str| std::env::var(name).ok();
    let color_depth = caps::color_depth(common.color, &environment);
    let (theme, themes) = choose_theme(common, color_depth, &environment)?;
    let keymap = Keymap::load(&keys_file(args.keys.as_deref()))?;
    let annotator = args.annotator.clone().unwrap_or_else(user_name);
    let memory_file = workspace.path.join("explorer").join(format!("{annotator}.toml"));
    let (screens, recording) = (workspace.path.join("screens"), args.record.clone());
    let images = caps::image_mode(common.images, &environment);
    let opener = Opener {
        args,
        common: common.clone(),
        workspace,
        annotator,
        memory_file: memory_file.clone(),
        keymap,
        theme,
        themes,
        images,
    };
    let output =
        Output { depth: color_depth, images, memory: &memory_file, screens: &screens, recording: recording.as_deref() };
    // Without the guard the explorer works as well; only a crash would leave the terminal in raw mode.
    if let Ok(program) = std::env::current_exe() {
        let _ = guard::start(&program);
    }
    let ended = match session::run(opener.cover(), move || opener.open(), output) {
        Err(error) => return error.downcast::<NothingLeft>().map(|nothing| say(&nothing.to_string())),
        Ok(ended) => ended,
    };
    if let Some(reason) = &ended.not_kept {
        say(&format!("warning: cannot save the position and the views: {reason}"));
    }
    if let Some(annotations) = ended.annotations.filter(|annotations| annotations.written() > 0) {
        let path = annotations.path().map(|path| path.display().to_string()).unwrap_or_default();
        say(&format!("{} written to {path}", count(annotations.written(), "annotation event")));
    }
    if ended.code == 0 { Ok(()) } else { Err(ExitWith(ended.code).into()) }
}

/// The chosen theme and all themes that this terminal can show.
fn choose_theme(
    common: &Common,
    color_depth: caps::Depth,
    environment: caps::Environment,
) -> Result<(Theme, Vec<(String, Theme)>)> {
    let fit =
        |theme: Theme| if color_depth == caps::Depth::Named { theme.without_full_backgrounds() } else { Ok(theme) };
    let name = match &common.theme {
        _ if color_depth == caps::Depth::Monochrome => "monochrome",
        Some(name_or_path) => name_or_path,
        None => match background::is_light(environment) {
            Some(light) => {
                if light {
                    "light"
                } else {
                    "dark"
                }
            }
            None => caps::default_theme(environment),
        },
    };
    let theme = fit(Theme::load(name)?)?;
    let mut themes = Vec::new();
    // Without colours a coloured theme loses its distinctions.
    let is_offered = |name: &&str| color_depth != caps::Depth::Monochrome || *name == "monochrome";
    for name in Theme::names().filter(is_offered) {
        themes.push((name.to_owned(), fit(Theme::load(name)?)?));
    }
    Ok((theme, themes))
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

/// Whether the reader is small enough for one thread per kernel. Errors of the reader are reported when it is loaded.
pub(super) fn reader_is_small(args: &Args, common: &Common, workspace: &Workspace) -> bool {
    let Ok((device, _)) = choose_device(&common.device) else { return false };
    let Ok(reader) = args.reader.resolve(&workspace.path) else { return false };
    device.is_cpu() && reader.runs_in_shards().unwrap_or(false)
}

/// Starts the worker with the models. Without them it shows stored answers, searches captions and reports what is missing.
pub(super) fn start_engine(
    args: &Args,
    common: &Common,
    dataset: &Arc<Dataset>,
    workspace: &Workspace,
    run: Option<(String, Run)>,
) -> Result<WorkerHandle> {
    let models = match model_choice(args, common, workspace) {
        // The user named a model that is not there: a mistake in the command.
        Err(error) if args.names_a_model() => return Err(error),
        models => models.map_err(|error| format!("{error:#}")),
    };
    WorkerHandle::spawn(WorkerConfig { dataset: dataset.clone(), workspace: workspace.clone(), models, run })
}

fn model_choice(args: &Args, common: &Common, workspace: &Workspace) -> Result<ModelChoice> {
    Ok(ModelChoice {
        encoder: Some(resolve_encoder(args.encoder.as_deref(), &workspace.path)?),
        heads: resolve_retriever(&args.retriever, &workspace.path)?,
        reader: args.reader.resolve(&workspace.path)?,
        device: common.device.clone(),
        precision: common.dtype,
        hits: hits_per_head(&args.heads, args.k),
        ablation: Ablation::default(),
    })
}

/// The stored run's answers, if the order of the queue depends on them.
pub(super) fn answers_to_sort_by(args: &Args, workspace: &Workspace, dataset: &Dataset) -> Result<Vec<CaseAnswer>> {
    let Some(name) = args.run.as_deref().filter(|_| args.queue.hard_first) else { return Ok(Vec::new()) };
    Run::open(&workspace.run_dir(name)?)?.into_answers(dataset)
}

/// The user's login name, without characters that a file name cannot hold.
pub(super) fn user_name() -> String {
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|variable| std::env::var(variable).ok());
    let name = name.unwrap_or_default();
    let bent: String = name
        .chars()
        .map(|letter| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' })
        .collect();
    let bent = bent.trim_start_matches(['.', '-']);
    if bent.is_empty() { "anonymous".to_owned() } else { bent.to_owned() }
}
