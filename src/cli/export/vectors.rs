//! `dissent export vectors`: the vectors of documents or cases, as `dissent index` reads them.

use super::searching::{NO_HITS, ensure_embeds_pictures, open_searching};
use crate::cli::Common;
use crate::cli::costs::{ConsentFlag, say_usage};
use crate::cli::encoder_flags::EncoderFlags;
use crate::cli::open_dataset::open_with_images;
use crate::data::vectors::{VectorFormat, write_vectors};
use crate::data::{Case, Dataset};
use crate::index::{DocumentStore, Embedder, VectorSide};
use crate::output::{one_line, print_json, print_line, progress_bar, say};
use crate::pipeline::{ServerUsage, planned_queries};
use crate::retriever::{HitSource, Retriever};
use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::collections::HashSet;
use std::path::PathBuf;

/// Arguments of `dissent export vectors`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dataset directory
    dataset: PathBuf,
    /// File to write, in the format of its ending: .npy (with the ids in FILE.ids.txt), .safetensors, .parquet or .jsonl
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Vectors of the documents' images, of their captions, or of the cases' images
    #[arg(long, value_enum, default_value_t = Of::Images)]
    of: Of,
    #[command(flatten)]
    encoder: EncoderFlags,
    #[command(flatten)]
    consent: ConsentFlag,
    /// Print what was written as JSON
    #[arg(long)]
    json: bool,
}

/// Whose vectors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    Images,
    Captions,
    Queries,
}

/// Runs `dissent export vectors`.
pub(super) fn run(args: Args, common: &Common) -> Result<()> {
    VectorFormat::of(&args.out)?;
    let dataset = open_with_images(&args.dataset)?;
    let workspace = Workspace::open(&args.dataset, common.workspace.as_deref())?;
    let retriever = open_searching(&dataset, &workspace, common, (&args.encoder, args.consent), (NO_HITS, None))?;
    let (count, files) = match args.of {
        Of::Images => documents(&args, &dataset, retriever.store(), VectorSide::Image)?,
        Of::Captions => documents(&args, &dataset, retriever.store(), VectorSide::Caption)?,
        Of::Queries => queries(&args, &dataset, &retriever)?,
    };
    say_usage(ServerUsage { encoder: retriever.usage(), reader: None });
    let dimension = retriever.store().dimension();
    if args.json {
        return print_json(&serde_json::json!({ "files": files, "vectors": count, "dimension": dimension }));
    }
    let files: Vec<String> = files.iter().map(|file| one_line(&file.display().to_string())).collect();
    print_line(&format!("{count} vectors of {dimension}, f32: {}", files.join(", ")))
}

type Written = (usize, Vec<PathBuf>);

/// Documents that have no image vector, because their image cannot be read, are not in the file.
fn documents(args: &Args, dataset: &Dataset, store: &dyn DocumentStore, side: VectorSide) -> Result<Written> {
    ensure!(
        store.has_side(side),
        "the index in {} has no such vectors; it was made without --{}-vectors",
        store.place(),
        if side == VectorSide::Image { "image" } else { "caption" }
    );
    let left_out: HashSet<usize> = store.left_out().iter().map(|document| document.row).collect();
    let has_vector = |row: &usize| side == VectorSide::Caption || !left_out.contains(row);
    let rows: Vec<usize> = (0..dataset.corpus.len()).filter(has_vector).collect();
    let ids: Vec<&str> = rows.iter().map(|row| dataset.corpus.document(*row).id).collect();
    let missing = dataset.corpus.len() - rows.len();
    if missing > 0 {
        say(&format!("{missing} documents have no vector, because their image could not be read"));
    }
    let files = write_vectors(&args.out, &ids, store.dimension(), &mut |position, vector| {
        let row = rows[position];
        let found = store.document_vectors(side, &[row])?.pop().flatten();
        vector.copy_from_slice(&found.with_context(|| format!("document {} has no vector", ids[position]))?);
        Ok(())
    })?;
    Ok((rows.len(), files))
}

/// One vector at a time, as retrieval computes them: in batches the last digits may differ.
fn queries(args: &Args, dataset: &Dataset, retriever: &Retriever) -> Result<Written> {
    ensure_embeds_pictures(retriever)?;
    let hosted = retriever.encoder().and_then(Embedder::hosted);
    args.consent.check(planned_queries(hosted, dataset.cases.len()).as_ref())?;
    let cases: Vec<(&Case, Vec<f32>)> = query_vectors(dataset, retriever)?;
    let ids: Vec<&str> = cases.iter().map(|(case, _)| case.id.as_str()).collect();
    let files = write_vectors(&args.out, &ids, retriever.store().dimension(), &mut |position, vector| {
        vector.copy_from_slice(&cases[position].1);
        Ok(())
    })?;
    Ok((ids.len(), files))
}

/// Cases whose image cannot be read, or that have no given vector, are named and left out.
fn query_vectors<'a>(dataset: &'a Dataset, retriever: &Retriever) -> Result<Vec<(&'a Case, Vec<f32>)>> {
    let bar = progress_bar("cases");
    bar.set_length(dataset.cases.len() as u64);
    let mut vectors = Vec::with_capacity(dataset.cases.len());
    let mut left_out = 0;
    for case in &dataset.cases {
        let vector = dataset.picture(&case.image).and_then(|picture| retriever.base_query(case, &picture));
        match vector {
            Ok(vector) => vectors.push((case, vector)),
            Err(error) => {
                if left_out == 0 {
                    say(&format!("case {} is left out: {error:#}", case.id));
                }
                left_out += 1;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if left_out > 0 {
        say(&format!("{left_out} of {} cases are left out", dataset.cases.len()));
    }
    ensure!(!vectors.is_empty(), "no case has a vector, so nothing is written");
    Ok(vectors)
}
