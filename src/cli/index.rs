//! `dissent index`: builds the index of a dataset.

use super::Common;
use super::build_progress::{BoundedBuild, BuildBar};
use super::costs::{ConsentFlag, CostFlags, say_usage};
use super::encoder_flags::EncoderFlags;
use super::given_vectors::{GivenFlags, given_lines};
use super::interrupt::InterruptFlag;
use super::models::{load_encoder, load_encoder_for};
use super::store_flags::StoreFlags;
use crate::cli::open_dataset::open_dataset;
use crate::data::Dataset;
use crate::index::{
    Embedder, FLAT_LIMIT, GivenStamp, Index, IndexError, IndexSettings, LeftOut, Shard, TOKENIZER, VectorCode,
    VectorSide,
};
use crate::milvus::{BuildOptions, StoreSource};
use crate::output::{one_line, print_json, print_line, say};
use crate::pipeline::ServerUsage;
use crate::workspace::Workspace;
use anyhow::{Result, ensure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `dissent index`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    #[command(flatten)]
    encoder: EncoderFlags,
    #[command(flatten)]
    given: GivenFlags,
    #[command(flatten)]
    costs: CostFlags,
    #[command(flatten)]
    store: StoreFlags,
    #[command(flatten)]
    size: SizeFlags,
    /// Embed only one shard of the corpus, such as 3/16, on this machine; --join makes the index of all
    #[arg(long, value_name = "I/N", conflicts_with_all = ["join", "force", "image_vectors", "caption_vectors", "query_vectors"])]
    shard: Option<Shard>,
    /// Join the shards of index-parts in the workspace to the index, without an encoder
    #[arg(long, conflicts_with_all = ["force", "image_vectors", "caption_vectors", "query_vectors"])]
    join: bool,
    /// Build the index anew even if it is up to date, and reuse nothing of it
    #[arg(long)]
    force: bool,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// How a large corpus is searched. What is not said stays as it was.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Large corpora")]
struct SizeFlags {
    /// Compare a query with every vector up to this many; above it, with the nearest clusters (100000 if not said)
    #[arg(long, value_name = "N")]
    exact_up_to: Option<usize>,
    /// Recall among the best ten that approximate search must reach: as many clusters are searched (0.98 if not said)
    #[arg(long, value_name = "SHARE", value_parser = share)]
    recall: Option<f64>,
    /// How approximate search keeps vectors; the best are always scored by the vectors themselves (8 bits above 1 GiB if not
    /// said)
    #[arg(long, value_name = "CODE")]
    vector_code: Option<VectorCode>,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a number between 0 and 1, such as 0.98".into()),
    }
}

impl SizeFlags {
    /// The settings of the index that is there, with those that were said.
    fn settings(&self, then: IndexSettings) -> IndexSettings {
        IndexSettings {
            exact_up_to: self.exact_up_to.unwrap_or(then.exact_up_to),
            recall: self.recall.unwrap_or(then.recall),
            code: self.vector_code.or(then.code),
        }
    }
}

/// JSON output of the command.
#[derive(Serialize)]
struct Report<'a> {
    /// "built" or "up to date".
    state: &'static str,
    folder: &'a Path,
    documents: usize,
    image: String,
    caption: String,
    tokenizer: &'static str,
    encoder: &'a str,
    date: &'a str,
    left_out: &'a [LeftOut],
    /// Where the vectors are from, if another program computed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<&'a GivenStamp>,
    /// Absent if nothing was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// Absent if nothing was embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    images_per_second: Option<f64>,
}

/// Runs `dissent index`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let interrupt = InterruptFlag::watch()?;
    let dataset = open_dataset(&args.dataset)?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let folder = workspace.index_dir();
    let start = Instant::now();
    let mut bar = BuildBar::new(Some(&interrupt));
    if let Some(source) = args.store.resolve()? {
        return fill_store(&args, &source, (&dataset, &workspace), &mut bar, common);
    }
    let settings = args.size.settings(Index::settings_of(&folder));
    let has_other_settings = settings != Index::settings_of(&folder);
    let again = args.force || has_other_settings;
    if args.join {
        if Index::is_given(&folder) {
            say("the index had vectors of another program; now those of the parts replace them");
        }
        let index = Index::join_shards(&dataset, &folder, settings, &mut |progress| bar.show(progress))?;
        bar.finish();
        let seconds = start.elapsed().as_secs_f64();
        return report(&index, Some(&Timing { seconds, image_seconds: bar.image_seconds }), args.json);
    }
    if let Some(shard) = args.shard {
        let encoder = load_encoder(&args.encoder, &workspace, common)?;
        args.costs.check_served(encoder.usage().is_some(), "encoder")?;
        let rows = shard.rows(dataset.corpus.len());
        let mut bounded = BoundedBuild::new(&mut bar, &encoder, args.costs, rows.len());
        let part = Index::build_shard(&dataset, &folder, &encoder, shard, &mut |progress| bounded.show(progress))?;
        bar.finish();
        say_usage(ServerUsage { encoder: encoder.usage(), reader: None });
        return print_line(&format!(
            "shard {shard} embedded in {:.1} s: {} documents in {}\nwhen all are in {} of one workspace, `dissent index DATASET \
             --join` makes the index",
            start.elapsed().as_secs_f64(),
            rows.len(),
            one_line(&part.display().to_string()),
            one_line(&part.parent().unwrap_or(&part).display().to_string()),
        ));
    }
    if let Some(files) = args.given.files(&folder, args.encoder.name().as_deref(), args.force, has_other_settings) {
        let index = Index::build_given(&dataset, &folder, &files, settings, &mut |progress| bar.show(progress))?;
        bar.finish();
        let seconds = start.elapsed().as_secs_f64();
        return report(&index, Some(&Timing { seconds, image_seconds: bar.image_seconds }), args.json);
    }
    if !args.force
        && let Some(index) = Index::open_given(&folder, &dataset.corpus_fingerprint_now())?
    {
        return report(&index, None, args.json);
    }
    let encoder = load_encoder(&args.encoder, &workspace, common)?;
    args.costs.check_served(encoder.usage().is_some(), "encoder")?;
    let mut is_built = again;
    let mut bounded = BoundedBuild::new(&mut bar, &encoder, args.costs, dataset.corpus.len());
    let index = if again {
        bounded.forget_kept(args.force)?;
        let mut show = |progress| bounded.show(progress);
        Index::build_with(&dataset, &folder, &encoder, settings, args.force, &mut show)?
    } else {
        let mut on_rebuild = |error: &IndexError| {
            is_built = true;
            // The first build needs no explanation.
            if !matches!(error, IndexError::Missing { .. }) {
                say(&format!("{error}: building"));
            }
        };
        Index::open_or_build(&dataset, &folder, &encoder, &mut on_rebuild, &mut |progress| bounded.show(progress))?
    };
    bar.finish();
    say_usage(ServerUsage { encoder: encoder.usage(), reader: None });
    let timing = is_built.then(|| Timing { seconds: start.elapsed().as_secs_f64(), image_seconds: bar.image_seconds });
    report(&index, timing.as_ref(), args.json)
}

/// JSON output for a store.
#[derive(Serialize)]
struct StoreReport<'a> {
    /// "built" or "up to date".
    state: &'static str,
    store: String,
    documents: usize,
    lines: BTreeMap<&'static str, String>,
    encoder: &'a str,
    left_out: &'a [LeftOut],
    seconds: f64,
}

/// Fills a collection, or finds that it is up to date.
fn fill_store(
    args: &Args,
    source: &StoreSource,
    (dataset, workspace): (&Dataset, &Workspace),
    bar: &mut BuildBar,
    common: &Common,
) -> Result<()> {
    ensure!(
        !args.given.is_named(),
        "--store takes the vectors of an encoder; vectors of another program are for an index in the workspace"
    );
    ensure!(
        args.size.recall.is_none() && args.size.vector_code.is_none() && args.shard.is_none() && !args.join,
        "--recall, --vector-code, --shard and --join are for an index in the workspace; a store chooses its own kind of index"
    );
    let start = Instant::now();
    let encoder = load_encoder_for(&args.encoder, Some(source), workspace, common)?;
    args.costs.check_served(encoder.usage().is_some(), "encoder")?;
    let mut bounded = BoundedBuild::new(bar, &encoder, args.costs, dataset.corpus.len());
    bounded.forget_kept(args.force)?;
    let options = BuildOptions { flat_limit: args.size.exact_up_to.unwrap_or(FLAT_LIMIT), afresh: args.force };
    let (store, is_built) = source.build(dataset, &encoder, options, &mut |progress| bounded.show(progress))?;
    bar.finish();
    say_usage(ServerUsage { encoder: encoder.usage(), reader: None });
    let (seconds, state) = (start.elapsed().as_secs_f64(), if is_built { "built" } else { "up to date" });
    let lines = store.report()?;
    if args.json {
        return print_json(&StoreReport {
            state,
            store: store.place(),
            documents: store.count(),
            lines: lines.into_iter().collect(),
            encoder: store.encoder_name(),
            left_out: store.left_out(),
            seconds,
        });
    }
    warn_of_left_out(store.left_out());
    let rate = store.count() as f64 / seconds.max(1e-9);
    let first = if is_built {
        format!("{} documents stored in {seconds:.1} s ({rate:.0} per second)", store.count())
    } else {
        format!("{} documents, up to date", store.count())
    };
    print_line(&format!("{first}: {}", one_line(&store.place())))?;
    for (name, value) in lines {
        print_line(&format!("{name:9} {value}"))?;
    }
    print_line(&format!("encoder   {}", one_line(store.encoder_name())))
}

/// Opens the index for another command, or builds it with a progress bar; an interrupt stops the build.
pub(super) fn open_or_build(
    dataset: &Dataset,
    workspace: &Workspace,
    encoder: &dyn Embedder,
    interrupt: Option<&InterruptFlag>,
    consent: ConsentFlag,
) -> Result<Index> {
    let mut bar = BuildBar::new(interrupt);
    let mut is_built = false;
    let mut on_rebuild = |error: &IndexError| {
        is_built = true;
        say(&format!("{error}: building"));
    };
    let folder = workspace.index_dir();
    let costs = CostFlags { consent, budget: None };
    let mut bounded = BoundedBuild::new(&mut bar, encoder, costs, dataset.corpus.len());
    let index =
        Index::open_or_build(dataset, &folder, encoder, &mut on_rebuild, &mut |progress| bounded.show(progress))?;
    bar.finish();
    if is_built {
        warn_of_left_out(index.left_out());
    }
    Ok(index)
}

struct Timing {
    seconds: f64,
    image_seconds: f64,
}

fn report(index: &Index, timing: Option<&Timing>, json: bool) -> Result<()> {
    let images = index.side(VectorSide::Image);
    let embedded = timing.filter(|_| index.given().is_none());
    let rate = embedded.map(|timing| index.documents() as f64 / timing.image_seconds.max(1e-9));
    if json {
        let report = Report {
            state: if timing.is_some() { "built" } else { "up to date" },
            folder: index.folder(),
            documents: index.documents(),
            image: images.description(),
            caption: index.side(VectorSide::Caption).description(),
            tokenizer: TOKENIZER,
            encoder: index.encoder_name(),
            date: index.date(),
            left_out: index.left_out(),
            given: index.given(),
            seconds: timing.map(|timing| timing.seconds),
            images_per_second: rate,
        };
        return print_json(&report);
    }
    warn_of_left_out(index.left_out());
    let first = match (timing, rate) {
        // Reading given vectors is a small part of the time, so its rate would mislead.
        (Some(timing), _) if index.given().is_some() => {
            let rate = index.documents() as f64 / timing.seconds.max(1e-9);
            format!("index built in {:.1} s ({rate:.0} documents per second)", timing.seconds)
        }
        (Some(timing), Some(rate)) => format!("index built in {:.1} s ({rate:.0} images per second)", timing.seconds),
        _ => format!("index up to date (built {})", index.date()),
    };
    if let Some(given) = index.given() {
        let lines = given_lines(given, index.dimension());
        let folder = one_line(&index.folder().display().to_string());
        let sides = [("images", VectorSide::Image), ("captions", VectorSide::Caption)];
        let searched: Vec<String> = sides
            .into_iter()
            .filter(|(_, side)| index.has_side(*side))
            .map(|(what, side)| format!("search    {what}: {}\n", index.side(side).description()))
            .collect();
        return print_line(&format!("{first}: {folder}\n{lines}\n{}words     {TOKENIZER}", searched.concat()));
    }
    print_line(&format!(
        "{first}: {}\nimages    {}\ncaptions  {}\nwords     {TOKENIZER}\nencoder   {}",
        one_line(&index.folder().display().to_string()),
        line_of(index, VectorSide::Image),
        line_of(index, VectorSide::Caption),
        one_line(index.encoder_name())
    ))
}

/// The vectors of one side, or which head is missing without them.
fn line_of(index: &Index, side: VectorSide) -> String {
    if index.has_side(side) {
        return index.side(side).description();
    }
    let (embedded, head) = if side == VectorSide::Image { ("texts", "image") } else { ("images", "caption") };
    format!("no vectors: the encoder embeds {embedded} alone, so that there is no {head} head")
}

fn warn_of_left_out(left_out: &[LeftOut]) {
    for document in left_out {
        say(&format!("warning: document {} can only be found by its caption: {}", document.document, document.reason));
    }
}
