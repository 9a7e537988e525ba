//! Opening the explorer: first with the cases alone, then with everything.

use super::args::Args;
use crate::annotation::{AnnotationSession, AnnotationState, DefinitionHistory, Taxonomy, TaxonomyVersions, Wanted};
use crate::cases::InitialCases;
use crate::cases::annotations::{case_reviews, own_annotations};
use crate::cases::comparison::{Against, OTHER_KIND_OF_ANSWER};
use crate::cli::Common;
use crate::cli::queue_options::{cases_of_split, stored_answers};
use crate::cli::run_models::add_models_of;
use crate::data::{Dataset, OpenedCases, Problem};
use crate::run::{Ablation, Run, RunIdentity};
use crate::terminal::image_protocol::ImageMode;
use crate::tui::keymap::Keymap;
use crate::tui::session::{ExplanationSource, Opened};
use crate::tui::state::overlay::Notice;
use crate::tui::state::session_state::SessionState;
use crate::tui::theme::Theme;
use crate::tui::{App, Setting};
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The queue is empty, which is not an error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NothingLeft(String);

/// The inputs of the explorer.
pub struct Opener {
    pub args: Args,
    pub common: Common,
    pub workspace: Workspace,
    pub annotator: String,
    pub session_file: PathBuf,
    pub keymap: Keymap,
    pub theme: Theme,
    pub themes: Vec<(String, Theme)>,
    pub images: ImageMode,
    /// Cases that [`Opener::preview`] has read already.
    pub cases: Option<OpenedCases>,
}

impl Opener {
    /// The explorer with its cases alone, shown while the rest is read. `None` if the queue depends on the rest, or
    /// if something failed; [`Opener::open`] then returns the error.
    pub fn preview(&mut self) -> Option<App> {
        let names = [&self.args.run, &self.args.against];
        let are_there = |name: &String| self.workspace.run_dir(name).is_ok_and(|folder| folder.is_dir());
        if !names.into_iter().flatten().all(are_there) {
            return None;
        }
        let options = &self.args.queue;
        if options.wanted() != Wanted::All || options.hard_first {
            return None;
        }
        let taxonomy = Taxonomy::read(&self.workspace.annotations_dir()).ok()?;
        if self.keymap.conflict(&taxonomy.categories).is_some() {
            return None;
        }
        let opened = OpenedCases::read(&self.args.dataset).ok()?;
        let (dataset, is_usable) = (opened.dataset.clone(), opened.is_without_error());
        self.cases = Some(opened);
        if !is_usable {
            return None;
        }
        let options = &self.args.queue;
        let of_split = cases_of_split(&dataset, self.args.split);
        let chosen = options.choose(&dataset, &of_split, &self.annotator, &AnnotationState::default(), &[]).ok()?;
        if chosen.cases.is_empty() {
            return None;
        }
        let against = self.args.against.clone().map(|name| Against { name, ..Against::default() });
        let setting = Setting {
            known: InitialCases {
                dataset,
                categories: taxonomy.categories.clone(),
                several: taxonomy.several,
                definitions: Arc::new(DefinitionHistory::new(taxonomy, TaxonomyVersions::default())),
                annotator: self.annotator.clone(),
                stored_run: self.args.run.clone(),
                models: Vec::new(),
                ablation: Ablation::default(),
                against,
                annotations: FxHashMap::default(),
                reviews: FxHashMap::default(),
                is_blind: options.is_blind(),
            },
            queue: chosen.cases,
            left_out: Vec::new(),
            theme: self.theme.clone(),
            images: self.images,
            keymap: self.keymap.clone(),
            themes: self.themes.clone(),
            keep_gold: self.args.keep_gold,
        };
        let progress = match &self.args.run {
            Some(name) => format!("loading documents and run {name} …"),
            None => "loading documents …".to_owned(),
        };
        let mut app = App::preview(setting, progress);
        // [`Opener::open`] reports its errors.
        if let Ok(session_state) = SessionState::read(&self.session_file) {
            app.recall_place(&session_state);
        }
        Some(app)
    }

    /// Reads everything and starts the worker.
    ///
    /// # Errors
    /// Fails if something that the user named cannot be used, and with [`NothingLeft`] if the queue is empty.
    pub fn open(self) -> Result<Opened> {
        let Self { args, common, workspace, annotator, session_file, keymap, theme, themes, images, cases } = self;
        let run_folder = args.run.as_deref().map(|name| workspace.existing_run(name)).transpose()?;
        let (opened, run) = rayon::join(
            || match cases {
                Some(cases) => cases.open_usable(),
                None => Dataset::open_usable(&args.dataset),
            },
            || run_folder.as_deref().map(Run::open).transpose(),
        );
        let (dataset, errors) = opened?;
        let run = run?;
        let ablation = run.as_ref().map_or(Ok(Ablation::default()), |run| run.identity.ablation.parse())?;
        let mut dataset = dataset;
        let names = args.run.iter().chain(&args.against).map(String::as_str);
        add_models_of(&mut dataset, &workspace, names)?;
        let dataset = Arc::new(dataset);
        let of_split = cases_of_split(&dataset, args.split);
        if of_split.is_empty() {
            match errors.into_iter().next() {
                Some(problem) => return Err(problem.into()),
                None => bail!("{}", dataset.without_cases(args.split)),
            }
        }
        let folder = workspace.annotations_dir();
        let taxonomy = Taxonomy::load(&folder)?;
        let (categories, several) = (taxonomy.categories.clone(), taxonomy.several);
        if let Some((category, action)) = keymap.conflict(&categories) {
            bail!(
                "taxonomy.toml: category {}: the key {:?} is already used by the action {action}",
                category.id,
                category.key
            );
        }
        let host = gethostname::gethostname();
        let (mut annotations, journal_problems) =
            AnnotationSession::open(&folder, &annotator, &host.to_string_lossy(), taxonomy)?;
        let answers = stored_answers(&args.queue, args.run.as_deref(), &workspace, &dataset)?;
        let chosen = args.queue.choose(&dataset, &of_split, &annotator, annotations.state(), &answers)?;
        if chosen.cases.is_empty() {
            return Err(NothingLeft(args.queue.nothing_left(&annotator, of_split.len())).into());
        }
        annotations.set_passes(chosen.passes);
        let mut left_out: Vec<String> =
            errors.iter().chain(&journal_problems).map(|problem| sentence(problem, &args.dataset)).collect();
        let session_state = SessionState::read(&session_file).unwrap_or_else(|error| {
            left_out.push(format!("{error:#}; {}", set_aside(&session_file)));
            SessionState::default()
        });
        let identity = run.as_ref().map(|run| &run.identity);
        let against =
            args.against.as_deref().map(|name| read_against(name, identity, &workspace, &dataset)).transpose()?;
        let unlike = against.as_ref().and_then(unlike_words);
        let known = InitialCases {
            dataset: dataset.clone(),
            categories,
            several,
            stored_run: args.run.clone(),
            models: run.as_ref().map(|run| run.identity.candidates.clone()).unwrap_or_default(),
            ablation,
            against,
            definitions: Arc::clone(annotations.definitions()),
            annotator,
            annotations: own_annotations(&annotations, &dataset),
            reviews: case_reviews(annotations.state(), &dataset),
            is_blind: args.queue.is_blind(),
        };
        let mut app = App::new(Setting {
            known,
            queue: chosen.cases,
            left_out,
            theme,
            images,
            keymap,
            themes,
            keep_gold: args.keep_gold,
        });
        let run = args.run.clone().zip(run);
        let reader = run.as_ref().map(|(_, run)| run.identity.fingerprints.reader.clone());
        let explanations = ExplanationSource { dataset: dataset.clone(), cache: workspace.cache_dir(), reader };
        let run_fingerprint = run.as_ref().map(|(_, run)| run.identity.fingerprint().to_string());
        let worker = args.models.start_worker(&common, &dataset, &workspace, run, args.consent)?;
        // The answers of a stored run are ready, so the first frame can show them.
        while let Ok(event) = worker.events.try_recv() {
            app.on_worker_event(event);
        }
        app.recall(session_state);
        if let Some(words) = unlike {
            app.notify(with_earlier(Notice::Error(words), &app));
        }
        if !dataset.remarks.is_empty() {
            app.notify(with_earlier(Notice::Said(dataset.remarks.join("; ")), &app));
        }
        if let Some(notice) = first_notice(&app, &annotations).map(|notice| with_earlier(notice, &app)) {
            app.notify(notice);
        }
        // The models may never be loaded here; annotations refer to the stored run all the same.
        if let Some(fingerprint) = run_fingerprint {
            app.set_run_fingerprint(fingerprint);
        }
        annotations.set_run_fingerprint(app.cases().run_fingerprint());
        Ok(Opened { app, annotations, worker, explanations })
    }
}

/// Renames an unreadable session file, so that saving the session does not overwrite it.
fn set_aside(session_file: &Path) -> String {
    let aside = (1..1000)
        .map(|number| session_file.with_extension(format!("unreadable-{number}.toml")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| session_file.with_extension("unreadable.toml"));
    match std::fs::rename(session_file, &aside) {
        Ok(()) => format!("renamed to {}", aside.display()),
        Err(error) => format!("cannot rename it to {}: {error}", aside.display()),
    }
}

/// The answers of the run given by `--against`, which is compared with the run of this identity, or without one with the
/// dataset as it is now.
pub(in crate::cli) fn read_against(
    name: &str,
    shown: Option<&RunIdentity>,
    workspace: &Workspace,
    dataset: &Arc<Dataset>,
) -> Result<Against> {
    let run = Run::open(&workspace.existing_run(name)?)?;
    let ablation = run.identity.ablation.parse()?;
    let has_other_corpus = match shown {
        Some(shown) => shown.has_other_corpus_than(&run.identity),
        None => run.identity.corpus_changed_since(dataset),
    };
    let has_other_kind_of_answer = shown.is_some_and(|shown| shown.is_sampled() != run.identity.is_sampled());
    let is_sampled = run.identity.is_sampled();
    let mut against = Against {
        name: name.to_owned(),
        ablation,
        has_other_corpus,
        has_other_kind_of_answer,
        is_sampled,
        ..Against::default()
    };
    for answer in run.into_answers(dataset)? {
        against.answers.insert(answer.case, answer.into());
    }
    Ok(against)
}

/// What to know before two runs are compared that are unlike in more than their answers; `None` if there is nothing.
pub(in crate::cli) fn unlike_words(other: &Against) -> Option<String> {
    let mut words = Vec::new();
    if other.has_other_corpus {
        words.push(
            "was made on another corpus: documents, ranks and answers of the two runs differ for that reason, too",
        );
    }
    if other.has_other_kind_of_answer {
        words.push(OTHER_KIND_OF_ANSWER);
    }
    (!words.is_empty()).then(|| format!("run {} {}", other.name, words.join("; and it ")))
}

/// The first notice of the status line: annotations cannot be saved, or lines were skipped.
fn first_notice(app: &App, annotations: &AnnotationSession) -> Option<Notice> {
    if let Some(error) = annotations.write_error() {
        return Some(Notice::Error(format!("annotations cannot be saved: {error}")));
    }
    let first = app.left_out().first()?;
    let rest = match app.left_out().len() {
        1 => String::new(),
        more => format!(" (and {} more, see ?)", more - 1),
    };
    Some(Notice::Said(format!("skipped: {first}{rest}")))
}

/// The notice, and after it the one that stands already: that marks were kept or dropped.
fn with_earlier(notice: Notice, app: &App) -> Notice {
    let Some(Notice::Said(earlier)) = app.notice() else { return notice };
    match notice {
        Notice::Error(text) => Notice::Error(format!("{text}; {earlier}")),
        Notice::Said(text) => Notice::Said(format!("{text}; {earlier}")),
    }
}

/// The problem, with its file relative to the dataset.
fn sentence(problem: &Problem, root: &Path) -> String {
    let path = problem.path.strip_prefix(root).unwrap_or(&problem.path).to_path_buf();
    Problem { path, ..problem.clone() }.to_string()
}
