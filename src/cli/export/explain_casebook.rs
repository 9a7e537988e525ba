//! What decided the answers of a casebook: what earlier explanations have left, and with `--explain` the rest.

use crate::casebook::Casebook;
use crate::cli::Common;
use crate::cli::costs::{ConsentFlag, say_usage};
use crate::cli::reader_flags::ReaderFlags;
use crate::data::Dataset;
use crate::explain::{Explanation, Method, Wanted};
use crate::files::fingerprint::Fingerprint;
use crate::output::{count, progress_bar, say};
use crate::pipeline::{
    CachedExplanations, ExplainOutcome, ExplainRequest, GridChoice, LoadedModels, ModelChoice, Pipeline, load_models,
};
use crate::reader::ReaderError;
use crate::retriever::HitsPerHead;
use crate::run::{Ablation, Probe};
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::sync::Arc;

/// Seconds from which a time is said in minutes.
const LONG_SECONDS: f64 = 120.0;

/// Shows what earlier explanations by this reader have left in the cache.
///
/// # Errors
/// Fails if the cache cannot be read.
pub(super) fn show_known(
    casebook: &mut Casebook,
    dataset: &Arc<Dataset>,
    workspace: &Workspace,
    reader: &Fingerprint,
) -> Result<()> {
    let Some(mut known) = CachedExplanations::open(Arc::clone(dataset), &workspace.cache_dir(), reader)? else {
        return Ok(());
    };
    let bar = progress_bar("hits looked up");
    bar.set_length(casebook.explained_hits().0 as u64);
    // An image that cannot be read has its reason on the page.
    let explain = &mut |case, probe| known.of(case, probe).ok().flatten();
    casebook.explain_hits(explain, &mut |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    Ok(())
}

/// Asks the reader about the hits that are not explained yet. The cost is said first. `run` is the name of the run, which the
/// reader with the fingerprint `expected` made.
///
/// # Errors
/// Fails if the reader cannot be loaded or is not the one that made the run.
pub(super) fn explain_rest(
    casebook: &mut Casebook,
    (dataset, workspace): (&Arc<Dataset>, &Workspace),
    (flags, common): (&ReaderFlags, &Common),
    (run, expected): (&str, &Fingerprint),
    consent: ConsentFlag,
) -> Result<()> {
    let choice = ModelChoice {
        encoder: None,
        given_vectors: false,
        store: None,
        heads: None,
        given: None,
        reader: flags.resolve(&workspace.path)?,
        device: common.device.clone(),
        precision: common.dtype,
        hits: HitsPerHead { image: 0, caption: 0, lexical: 0 },
        ablation: Ablation::default(),
        confirm: consent.confirm(),
    };
    let progress = |line: String| {
        if common.verbose > 0 {
            say(&line);
        }
    };
    let LoadedModels { mut pipeline, description, .. } =
        load_models(dataset, workspace, &choice, &progress, &|| false)?;
    if pipeline.reader().fingerprint() != expected {
        bail!(
            "--explain: run {run} was made by another model than {}, or with another number type: give --reader, --adapter and \
             --dtype as `dissent predict` had them",
            pipeline.reader().name()
        );
    }
    // The first round asks a few questions only, which measure how long one takes.
    let (mut hits, mut questions, mut seconds) = (0, 0, 0.0);
    let mut failures = Failures::default();
    let measure = &mut |case, probe| match explain(&mut pipeline, case, probe, Some(0.0)) {
        Ok(ExplainOutcome::Explained(explanation)) => Some(*explanation),
        Ok(ExplainOutcome::Costly(cost)) => {
            hits += 1;
            questions += cost.requests - cost.known;
            seconds += cost.seconds;
            None
        }
        // The second round says why.
        Err(_) => None,
    };
    casebook.explain_hits(measure, &mut |_| {});
    if hits > 0 {
        let hits_in_words = count(hits, "hit");
        let asked =
            description.hosted.as_ref().map(|hosted| hosted.asking(format!("explaining {hits_in_words}"), questions));
        consent.check(asked.as_ref())?;
        let questions = count(questions, "question");
        let time = if seconds < LONG_SECONDS {
            format!("{seconds:.0} seconds")
        } else {
            format!("{:.0} minutes", seconds / 60.0)
        };
        say(&format!("explaining {hits_in_words} takes at most {questions} to the model: about {time}"));
    }
    let (all, explained) = casebook.explained_hits();
    let bar = progress_bar("hits explained");
    bar.set_length((all - explained) as u64);
    let ask = &mut |case, probe| failures.unless_failed(explain(&mut pipeline, case, probe, None));
    casebook.explain_hits(ask, &mut |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    failures.say();
    say_usage(pipeline.server_usage());
    for error in pipeline.take_errors() {
        say(&format!("warning: {error:#}"));
    }
    Ok(())
}

fn explain(
    pipeline: &mut Pipeline,
    case: usize,
    probe: Probe,
    most_seconds: Option<f64>,
) -> Result<ExplainOutcome, ReaderError> {
    let wanted = Wanted { words: true, regions: true };
    let method = Method::Occlusion;
    let request = ExplainRequest { case, probe: Some(probe), label: None, wanted, method, grid: GridChoice::Auto };
    pipeline.explain(&request, most_seconds, &|| false, &mut |_| {})
}

/// Hits that could not be explained, and the first reason.
#[derive(Default)]
struct Failures {
    count: usize,
    first: Option<String>,
}

impl Failures {
    fn unless_failed(&mut self, outcome: Result<ExplainOutcome, ReaderError>) -> Option<Explanation> {
        match outcome {
            Ok(ExplainOutcome::Explained(explanation)) => return Some(*explanation),
            Ok(ExplainOutcome::Costly(_)) => {}
            Err(error) => {
                self.count += 1;
                self.first.get_or_insert(format!("{:#}", anyhow::Error::from(error)));
            }
        }
        None
    }

    fn say(&self) {
        if let Some(reason) = &self.first {
            say(&format!("warning: {} could not be explained: {reason}", count(self.count, "hit")));
        }
    }
}
