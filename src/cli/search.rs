//! `dissent search`: finds documents by words or by an image.

use super::caption_line::caption_line;
use super::costs::{ConsentFlag, say_usage};
use super::encoder_flags::EncoderFlags;
use super::free_text::free_text;
use super::given_vectors::say_encoder_is_unused;
use super::index::open_or_build;
use super::models::{load_encoder, load_encoder_for, resolve_encoder};
use super::print_picture::PicturePrinter;
use super::store_flags::StoreFlags;
use super::{Cli, Common};
use crate::cli::open_dataset::open_dataset;
use crate::data::{Dataset, Picture};
use crate::files::durable::make_folder;
use crate::index::{
    CaptionResult, CaptionSearch, DocumentFilter, DocumentStore, Embedder, Index, SearchScope, TextIndex, VectorSide,
};
use crate::output::{print_json, print_styled, say, terminal_width};
use crate::pipeline::ServerUsage;
use crate::terminal::color_depth::{Depth, color_depth};
use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use clap::error::ErrorKind;
use clap::{CommandFactory, ValueEnum};
use serde::Serialize;
use std::io::IsTerminal;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr;

/// Arguments of `dissent search`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("query").required(true))]
pub struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// Query: words, "a phrase", -word, word~, source:NAME, AND, OR; with --by captions or images any sentence
    #[arg(long, group = "query", value_name = "QUERY", allow_hyphen_values = true, value_parser = free_text)]
    text: Option<String>,
    /// Query image: PNG, JPEG, GIF, BMP, TIFF, WebP or DICOM
    #[arg(long, group = "query", value_name = "FILE")]
    image: Option<PathBuf>,
    /// Number of results
    #[arg(short, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// Search words, captions or images; default: words for a text, images for an image
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Only documents of this source
    #[arg(long, value_name = "S")]
    source: Option<String>,
    /// Only documents whose caption contains all these words
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true, value_parser = free_text)]
    words: Option<String>,
    /// Show the images, too
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    encoder: EncoderFlags,
    #[command(flatten)]
    store: StoreFlags,
    #[command(flatten)]
    consent: ConsentFlag,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// The field that a query is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum By {
    /// Words of the captions (BM25)
    Words,
    /// Vectors of the captions (cosine similarity)
    Captions,
    /// Vectors of the images (cosine similarity)
    Images,
}

/// One line of the answer.
#[derive(Serialize)]
struct Found<'a> {
    rank: usize,
    score: f32,
    row: usize,
    id: &'a str,
    source: Option<&'a str>,
    image: PathBuf,
    caption: &'a str,
    /// Byte ranges of the caption that match.
    highlights: Vec<Range<usize>>,
}

/// Runs `dissent search`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let by = args.by.unwrap_or(if args.image.is_some() { By::Images } else { By::Words });
    if args.image.is_some() && by == By::Words {
        let message = "an image cannot be compared with words: use --by images or --by captions";
        Cli::command().error(ErrorKind::ArgumentConflict, message).exit();
    }
    let dataset = open_dataset(&args.dataset)?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    if let Some(source) = &args.source {
        check_source(&dataset, source)?;
    }
    let results = match by {
        By::Words => search_words(&args, common, &dataset, &workspace)?,
        By::Captions => search_vectors(&args, common, &dataset, &workspace, VectorSide::Caption)?,
        By::Images => search_vectors(&args, common, &dataset, &workspace, VectorSide::Image)?,
    };
    let mut found = Vec::with_capacity(results.len());
    for (position, result) in results.into_iter().enumerate() {
        let document = dataset
            .corpus
            .get(result.row)
            .context("the index names a document that the corpus does not have; run `dissent index --force`")?;
        found.push(Found {
            rank: position + 1,
            score: result.score,
            row: result.row,
            id: document.id,
            source: document.source,
            image: dataset.image_path(document.image),
            caption: document.caption,
            highlights: result.highlights,
        });
    }
    if args.json {
        print_json(&serde_json::json!({ "by": by, "results": found }))?;
    } else if found.is_empty() {
        say("nothing found");
    } else {
        print_table(&found, common, args.show)?;
    }
    // Words do not depend on images. Vectors do, and nobody waits for the results until all images were looked at.
    if by != By::Words
        && let Some(remark) = dataset.remark_on_changed_images()
    {
        say(&format!("warning: {remark}"));
    }
    Ok(())
}

fn check_source(dataset: &Dataset, source: &str) -> Result<()> {
    let mut known: Vec<&str> = dataset.corpus.sources().collect();
    known.sort_unstable();
    if !known.contains(&source) {
        anyhow::bail!("no document has the source '{source}'; expected one of: {}", known.join(", "));
    }
    Ok(())
}

/// Opens the caption index, which needs no encoder. A missing or stale one is built with an encoder if there is one, so that the
/// next search by image finds it, too.
fn search_words(args: &Args, common: &Common, dataset: &Dataset, workspace: &Workspace) -> Result<Vec<CaptionResult>> {
    let query = args.text.as_deref().unwrap_or_default();
    let search = |captions: &dyn CaptionSearch| -> Result<Vec<CaptionResult>> {
        let filter = filter_of(args);
        Ok(captions.search_words(query, args.k as usize, SearchScope { filter: &filter, allowed: &|_| true })?)
    };
    if let Some(source) = args.store.resolve()? {
        return search(source.open(dataset, None)?.captions());
    }
    match Index::open_text(&workspace.index_dir(), &dataset.corpus_fingerprint()) {
        Ok(text) => search(&text),
        Err(error)
            if error.is_mended_by_building()
                && (Index::is_given(&workspace.index_dir())
                    || !args.encoder.is_named() && resolve_encoder(None, &workspace.path).is_err()) =>
        {
            say(&format!("{error}; the captions alone are indexed for this search, which needs no encoder"));
            search(&captions_alone(dataset, workspace)?.1)
        }
        Err(error) if error.is_mended_by_building() => {
            let encoder = load_encoder(&args.encoder, workspace, common).with_context(|| error.to_string())?;
            let found = search(open_or_build(dataset, workspace, &encoder, None, args.consent)?.text());
            say_usage(ServerUsage { encoder: encoder.usage(), reader: None });
            found
        }
        Err(error) => Err(error.into()),
    }
}

/// An index of the captions that is deleted with the folder beside it.
fn captions_alone(dataset: &Dataset, workspace: &Workspace) -> Result<(TempDir, TextIndex)> {
    let cache = workspace.cache_dir();
    make_folder(&cache)?;
    let aside = tempfile::Builder::new()
        .prefix(".captions-")
        .tempdir_in(&cache)
        .with_context(|| format!("cannot write in {}", cache.display()))?;
    let folder = aside.path().join("text");
    TextIndex::write(&folder, &dataset.corpus)?;
    let index = TextIndex::open(&folder, dataset.corpus.len())?;
    Ok((aside, index))
}

fn search_vectors(
    args: &Args,
    common: &Common,
    dataset: &Dataset,
    workspace: &Workspace,
    side: VectorSide,
) -> Result<Vec<CaptionResult>> {
    let (query, store): (Vec<f32>, Arc<dyn DocumentStore>) = if let Some(source) = args.store.resolve()? {
        let encoder = load_encoder_for(&args.encoder, Some(&source), workspace, common)?;
        let store = source.open(dataset, Some(&encoder))?;
        check_side(&*store, side)?;
        (query_vector(args, &encoder)?, store)
    } else if let Some(index) = Index::open_given(&workspace.index_dir(), &dataset.corpus_fingerprint())? {
        say_encoder_is_unused(&args.encoder, &index);
        (given_query(args, &index, side)?, Arc::new(index))
    } else {
        let encoder = load_encoder(&args.encoder, workspace, common)?;
        let query = query_vector(args, &encoder)?;
        let index = open_or_build(dataset, workspace, &encoder, None, args.consent)?;
        say_usage(ServerUsage { encoder: encoder.usage(), reader: None });
        check_side(&index, side)?;
        (query, Arc::new(index))
    };
    let scope = SearchScope { filter: &filter_of(args), allowed: &|_| true };
    let found = store.search(side, &query, args.k as usize, scope)?;
    Ok(found.into_iter().map(|(row, score)| CaptionResult { row, score, highlights: Vec::new() }).collect())
}

/// The query if another program computed the vectors: a document's image, whose vector the index has.
fn given_query(args: &Args, index: &Index, side: VectorSide) -> Result<Vec<f32>> {
    check_side(index, side)?;
    let path = args.image.as_ref().with_context(|| {
        format!(
            "a text cannot be compared with vectors of another program ({}), because there is no encoder; search the words \
             of the captions (--by words), or make an index with `dissent index {} --encoder DIR --force`",
            index.encoder_name(),
            args.dataset.display()
        )
    })?;
    index.given_vector_of(None, &Picture::read(path)?)
}

/// Fails if the documents have no vectors on this side.
fn check_side(store: &dyn DocumentStore, side: VectorSide) -> Result<()> {
    let name = if side == VectorSide::Image { "image" } else { "caption" };
    ensure!(
        store.has_side(side),
        "the index in {} has no {name} vectors to search; index the dataset with --{name}-vectors, too, or with an encoder \
         that embeds {name}s",
        store.place()
    );
    Ok(())
}

fn query_vector(args: &Args, encoder: &dyn Embedder) -> Result<Vec<f32>> {
    let vectors = match (&args.image, &args.text) {
        (Some(path), _) => encoder.embed_pictures(&[&Picture::read(path)?.to_rgb8()])?,
        (None, text) => encoder.embed_texts(&[text.as_deref().unwrap_or_default()])?,
    };
    vectors.into_iter().next().context("the encoder returned no vector")
}

/// `--source` and `--words`.
fn filter_of(args: &Args) -> DocumentFilter {
    DocumentFilter { source: args.source.clone(), words: args.words.clone(), ..DocumentFilter::default() }
}

fn print_table(found: &[Found], common: &Common, show: bool) -> Result<()> {
    let terminal = std::io::stdout().is_terminal();
    let environment = |name: &str| std::env::var(name).ok();
    let marked = color_depth(common.color, &environment) != Depth::Monochrome
        && (terminal || common.color != super::ColorDepth::Auto);
    let clean = |text: &str| caption_line(text, &[], 24, false);
    let id_width = found.iter().map(|line| clean(line.id).width()).max().unwrap_or(0);
    let source_width = found.iter().map(|line| clean(line.source.unwrap_or("")).width()).max().unwrap_or(0);
    // Rank, score, id and source, with two spaces after each.
    let before = 3 + 2 + 7 + 2 + id_width + 2 + if source_width > 0 { source_width + 2 } else { 0 };
    let caption_columns = if terminal { terminal_width().saturating_sub(before).max(16) } else { usize::MAX };
    let printer = show.then(|| PicturePrinter::new(common));
    for line in found {
        let mut text = format!("{:>3}  {:>7.4}  {}", line.rank, line.score, padded(&clean(line.id), id_width));
        if source_width > 0 {
            text.push_str(&padded(&clean(line.source.unwrap_or("")), source_width));
        }
        text.push_str(&caption_line(line.caption, &line.highlights, caption_columns, marked));
        print_styled(&text)?;
        if let Some(printer) = &printer {
            match Picture::read(&line.image) {
                Ok(picture) => printer.print(&picture, 16)?,
                Err(error) => say(&format!("warning: {error:#}")),
            }
        }
    }
    Ok(())
}

/// The text padded to `width` terminal columns, which `format!` does not count, and two spaces.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width()) + 2))
}
