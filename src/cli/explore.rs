//! `dissent explore`: step through the cases of a dataset.

use super::models::{HeadChoice, RetrieverChoice, hits_per_head, resolve_encoder, resolve_retriever};
use super::output::{count, say};
use super::queue_options::{QueueOptions, cases_of_split};
use super::reader_flags::ReaderFlags;
use super::{Common, ExitWith, relaunch};
use crate::annotation::Taxonomy;
use crate::data::{Dataset, LenientDataset, Problem, Split};
use crate::engine::run::Run;
use crate::engine::{Ablation, CaseAnswer, EngineConfig, EngineHandle, ModelChoice};
use crate::model::device::choose_device;
use crate::tui::app::Notice;
use crate::tui::comparison::Against;
use crate::tui::keymap::Keymap;
use crate::tui::memory::Memory;
use crate::tui::notebook::Notebook;
use crate::tui::recording::Recording;
use crate::tui::session::Output;
use crate::tui::theme::Theme;
use crate::tui::{App, Setting, background, depth, session};
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
    /// Only cases of this split; default: test where there is one, else all
    #[arg(long, value_enum)]
    pub split: Option<Split>,
    /// Show the answers of this stored run
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
    /// Compare with this stored run on every case
    #[arg(long, value_name = "NAME")]
    pub against: Option<String>,
    /// Keys that differ from the usual ones; default: keys.toml in the user's configuration folder (see `dissent keys`)
    #[arg(long, env = "DISSENT_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Write the session into a new file as asciicast v2, to be played by asciinema
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Name under which annotations are kept; default: the user's name
    #[arg(long, value_name = "NAME")]
    pub annotator: Option<String>,
    /// Checkpoint of the dual encoder; default: WORKSPACE/models/encoder
    #[arg(long, env = "DISSENT_ENCODER", value_name = "DIR")]
    pub encoder: Option<PathBuf>,
    /// Which heads search: standard (the dual encoder itself), trained (WORKSPACE/models/retriever) or a folder of heads
    #[arg(long, env = "DISSENT_RETRIEVER", default_value = "standard", value_name = "standard|trained|DIR")]
    pub retriever: RetrieverChoice,
    #[command(flatten)]
    pub reader: ReaderFlags,
    /// Which heads search; with the lexical one they are merged by reciprocal rank
    #[arg(long, value_enum, value_delimiter = ',', default_value = "image,caption", value_name = "A,B,…")]
    pub heads: Vec<HeadChoice>,
    /// Hits per head
    #[arg(short, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub k: u16,
    #[command(flatten)]
    pub queue: QueueOptions,
}

impl Args {
    /// Every option as it is by default.
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
    let color_depth = depth::color_depth(common.color, &environment);
    let (theme, themes) = choose_theme(common, color_depth, &environment)?;
    let keymap = Keymap::load(&keys_file(args.keys.as_deref()))?;
    let run_folder = args.run.as_deref().map(|name| workspace.run_dir(name)).transpose()?;
    let (opened, run) =
        rayon::join(|| Dataset::open_lenient(&args.dataset), || run_folder.as_deref().map(Run::open).transpose());
    let LenientDataset { dataset, problems, .. } = opened;
    let errors: Vec<Problem> = problems.into_iter().filter(Problem::is_error).collect();
    let Some(dataset) = dataset else {
        let Some(first) = errors.into_iter().next() else { bail!("{}: no dataset", args.dataset.display()) };
        return Err(first.into());
    };
    let dataset = Arc::new(dataset);
    let of_split = cases_of_split(&dataset, args.split);
    if of_split.is_empty() {
        match errors.into_iter().next() {
            Some(problem) => return Err(problem.into()),
            None => bail!("{}: no case of the split asked for", args.dataset.display()),
        }
    }
    let folder = workspace.annotations_dir();
    let taxonomy = Taxonomy::load(&folder)?;
    let (categories, several) = (taxonomy.categories.clone(), taxonomy.several);
    if let Some((category, action)) = keymap.conflict(&categories) {
        bail!("taxonomy.toml: category {}: key {:?} is taken by the action {action}", category.id, category.key);
    }
    let annotator = args.annotator.clone().unwrap_or_else(user_name);
    let host = gethostname::gethostname();
    let (mut notebook, journal_problems) =
        Notebook::open(&folder, &annotator, &host.to_string_lossy(), dataset.clone(), taxonomy)?;
    let chosen = {
        let state = notebook.desk().state();
        args.queue.choose(&dataset, &of_split, &annotator, state, &answers_to_sort_by(&args, &workspace, &dataset)?)?
    };
    if chosen.cases.is_empty() {
        say(&args.queue.nothing_left(&annotator, of_split.len()));
        return Ok(());
    }
    notebook.begin(chosen.passes);
    let left_out: Vec<String> =
        errors.iter().chain(&journal_problems).map(|problem| sentence(problem, &args.dataset)).collect();
    let mut app = App::new(Setting {
        dataset: dataset.clone(),
        queue: chosen.cases,
        left_out,
        categories,
        several,
        marks: notebook.marks(),
        people: notebook.people(),
        is_blind: args.queue.is_blind(),
        theme,
        images: depth::image_mode(common.images, &environment),
        stored_run: args.run.clone(),
        against: args.against.as_deref().map(|name| read_against(name, &workspace, &dataset)).transpose()?,
        keymap,
        themes,
    });
    let run = args.run.clone().zip(run?);
    let run_fingerprint = run.as_ref().map(|(_, run)| run.identity.fingerprint().to_string());
    let engine = start_engine(&args, common, &dataset, &workspace, run)?;
    // The answers of a stored run are there already: the first frame shows them.
    while let Ok(event) = engine.events.try_recv() {
        app.on_engine_event(event);
    }
    let memory_file = workspace.path.join("explorer").join(format!("{annotator}.toml"));
    match Memory::read(&memory_file) {
        Ok(memory) => app.recall(memory),
        Err(error) => app.left_out.push(format!("{error:#}")),
    }
    if let Some(notice) = first_notice(&app, &notebook) {
        app.notice = Some(notice);
    }
    // The models of the run may never be loaded here; what is marked was seen in this run all the same.
    if run_fingerprint.is_some() {
        app.run_fingerprint = run_fingerprint;
    }
    notebook.run_fingerprint.clone_from(&app.run_fingerprint);
    let size = crossterm::terminal::size().unwrap_or((80, 24));
    let output = Output {
        depth: color_depth,
        memory: &memory_file,
        screens: &workspace.path.join("screens"),
        recording: args.record.as_deref().map(|path| Recording::start(path, size)).transpose()?,
    };
    let code = session::run(app, &mut notebook, &engine, output)?;
    if notebook.written() > 0 {
        say(&format!("{} written to {}", count(notebook.written(), "annotation event"), notebook.path()));
    }
    if code == 0 { Ok(()) } else { Err(ExitWith(code).into()) }
}

/// The theme that was asked for, and all there are to choose from, as this terminal can show them.
fn choose_theme(
    common: &Common,
    color_depth: depth::Depth,
    environment: depth::Environment,
) -> Result<(Theme, Vec<(String, Theme)>)> {
    let fit =
        |theme: Theme| if color_depth == depth::Depth::Named { theme.without_full_backgrounds() } else { Ok(theme) };
    let name = match &common.theme {
        _ if color_depth == depth::Depth::Monochrome => "monochrome",
        Some(name_or_path) => name_or_path,
        None => match background::is_light(environment) {
            Some(light) => {
                if light {
                    "light"
                } else {
                    "dark"
                }
            }
            None => depth::default_theme(environment),
        },
    };
    let theme = fit(Theme::load(name)?)?;
    let mut themes = Vec::new();
    for name in Theme::names() {
        themes.push((name.to_owned(), fit(Theme::load(name)?)?));
    }
    Ok((theme, themes))
}

/// The file given, else the user's own.
fn keys_file(given: Option<&Path>) -> PathBuf {
    let own =
        || directories::ProjectDirs::from("", "", "dissent").map(|folders| folders.config_dir().join("keys.toml"));
    given.map(Path::to_path_buf).or_else(own).unwrap_or_default()
}

/// The answers of the run that is compared with.
fn read_against(name: &str, workspace: &Workspace, dataset: &Arc<Dataset>) -> Result<Against> {
    let run = Run::open(&workspace.run_dir(name)?)?;
    let mut against = Against { name: name.to_owned(), ..Against::default() };
    for answer in run.into_answers(dataset)? {
        against.answers.insert(answer.case, answer.into());
    }
    Ok(against)
}

/// The explorer without a terminal has nothing to draw on.
///
/// # Errors
/// Where standard output is no terminal.
pub fn require_terminal() -> Result<()> {
    if !stdout().is_terminal() {
        bail!("the explorer needs a terminal and standard output is none; `dissent predict` answers without a screen");
    }
    Ok(())
}

/// Is there a reader that suits one thread per kernel? What is wrong with it, if anything, is said once it is loaded.
pub(super) fn reader_is_small(args: &Args, common: &Common, workspace: &Workspace) -> bool {
    let Ok((device, _)) = choose_device(&common.device) else { return false };
    let Ok(reader) = args.reader.resolve(&workspace.path) else { return false };
    device.is_cpu() && reader.runs_in_shards().unwrap_or(false)
}

/// The engine on real models; without them one that shows stored answers, finds captions and says why it reads nothing.
pub(super) fn start_engine(
    args: &Args,
    common: &Common,
    dataset: &Arc<Dataset>,
    workspace: &Workspace,
    run: Option<(String, Run)>,
) -> Result<EngineHandle> {
    let models = match model_choice(args, common, workspace) {
        // Asked for by name and not there: a mistake in the command.
        Err(error) if args.names_a_model() => return Err(error),
        models => models.map_err(|error| format!("{error:#}")),
    };
    EngineHandle::spawn(EngineConfig { dataset: dataset.clone(), workspace: workspace.clone(), models, run })
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

/// The stored run's answers, where the order of the queue goes by them.
pub(super) fn answers_to_sort_by(args: &Args, workspace: &Workspace, dataset: &Dataset) -> Result<Vec<CaseAnswer>> {
    let Some(name) = args.run.as_deref().filter(|_| args.queue.hard_first) else { return Ok(Vec::new()) };
    Run::open(&workspace.run_dir(name)?)?.into_answers(dataset)
}

/// What the status line says first: that nothing can be marked, or that lines were left out.
fn first_notice(app: &App, notebook: &Notebook) -> Option<Notice> {
    if let Some(trouble) = notebook.trouble() {
        return Some(Notice::Error(format!("nothing can be marked: {trouble}")));
    }
    let first = app.left_out.first()?;
    let rest = match app.left_out.len() {
        1 => String::new(),
        more => format!(" (and {} more, see ?)", more - 1),
    };
    Some(Notice::Said(format!("left out: {first}{rest}")))
}

/// The problem with its file named from the dataset.
fn sentence(problem: &Problem, root: &Path) -> String {
    let path = problem.path.strip_prefix(root).unwrap_or(&problem.path).to_path_buf();
    Problem { path, ..problem.clone() }.to_string()
}

/// The user's name as the system has it, bent to what a file name may hold.
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
