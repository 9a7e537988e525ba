//! Imports runs of the reference code as a dataset with a stored run, so that they can be explored and evaluated
//! without any model (docs/method.md, "Files of the reference").

mod answer;
mod dataset;
mod doubled;
mod line;
mod options;

pub use options::{CandidateHeads, ReferenceRunOptions};

use self::answer::AnswerParser;
use self::dataset::DatasetParts;
use self::doubled::remarks_of_doubled;
use self::line::{Group, read_groups, read_singles};
use crate::data::import::Imported;
use crate::data::{Existing, Summary};
use crate::evaluation::{fuse, scored_hits};
use crate::files::fingerprint::Fingerprint;
use crate::run::{CaseAnswer, Head, Hit, Prediction, Provenance, RetrieverIdentity, RunIdentity, RunWriter};
use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use std::path::Path;

/// Cases written and synced together.
const CASES_PER_BATCH: usize = 1000;

/// Reads a per-candidate file of the reference code and writes dataset and run. `progress` receives the number of
/// images done and their total. The run goes to `workspace`, by default beside the dataset.
///
/// # Errors
/// Fails if a file cannot be read, a line is not in the reference's format (path, line and field are named), the
/// files do not belong together, or the dataset exists and may not be replaced.
pub fn import_reference_run(
    source: &Path,
    target: &Path,
    options: &ReferenceRunOptions,
    existing: Existing,
    workspace: Option<&Path>,
    progress: &dyn Fn(usize, usize),
) -> Result<Imported> {
    let groups = read_groups(source)?;
    let fused = options.fused.as_deref().map(|path| read_singles(path, &groups)).transpose()?;
    let closed_book = options.closed_book.as_deref().map(|path| read_singles(path, &groups)).transpose()?;
    let other_texts = [fused.as_deref(), closed_book.as_deref()].map(Option::unwrap_or_default).concat();
    let parser = AnswerParser::new(&options.labels, &groups, &other_texts, source)?;
    let images = options.images.clone().unwrap_or_else(|| source.parent().unwrap_or(Path::new(".")).to_path_buf());
    let parts = DatasetParts::of(&groups, &parser, options);
    let (dataset, missing) = parts.write(target, &images, source, existing, progress)?;

    let heads = options.heads.unwrap_or_else(|| heads_of_name(source));
    let mut answers = Vec::with_capacity(groups.len());
    let mut unparsed = 0;
    let mut differing = 0;
    let (mut scored, mut contradicted) = (0, 0);
    for (case, group) in groups.iter().enumerate() {
        let answer = answer_of(case, group, &parts, &parser, heads);
        let single = |texts: &Option<Vec<String>>| texts.as_ref().map(|texts| parser.prediction(&texts[case], None));
        let answer = CaseAnswer { closed_book: single(&closed_book), recorded_fusion: single(&fused), ..answer };
        unparsed += answer.predictions.iter().filter(|prediction| prediction.answer.is_none()).count();
        for prediction in &answer.predictions {
            if let (Some(label), Some(scores)) = (prediction.label(), &prediction.scores) {
                scored += 1;
                contradicted += usize::from(scores.arg_max() != label);
            }
        }
        let own = fuse(&scored_hits(&answer)).map(|fused| fused.prediction.answer);
        differing += usize::from(answer.recorded_fusion.as_ref().is_some_and(|recorded| Some(recorded.answer) != own));
        answers.push(answer);
    }
    let workspace = Workspace::open(target, workspace)?;
    let folder = workspace.run_dir(&options.run)?;
    let mut writer = RunWriter::open(&folder, &identity_of(source, &dataset, &answers)?)?;
    for batch in answers.chunks(CASES_PER_BATCH) {
        writer.append(&dataset, batch)?;
    }

    let predictions: usize = answers.iter().map(|answer| answer.predictions.len()).sum();
    let mut remarks = vec![
        format!("run {} in {}: {} cases, {predictions} predictions", options.run, folder.display(), answers.len()),
        format!("{unparsed} of {predictions} generated texts name no label; each is an answer of its own"),
    ];
    if fused.is_some() {
        let n = answers.len();
        remarks.push(format!(
            "the fused answer in the file differs from the one made here, all candidates weighing the same, in {differing} of \
             {n} cases: the file has no retriever scores"
        ));
    }
    if contradicted > 0 {
        remarks.push(format!(
            "the largest logit is another label than the text's in {contradicted} of {scored} predictions; where that is most \
             of them, the logits have the labels in another order than {}: --labels names it",
            parser.labels.join(",")
        ));
    }
    remarks.extend(remarks_of_doubled(&groups, &parser));
    if missing > 0 {
        remarks.push(format!("{missing} images were not found from {} on; --images DIR says where", images.display()));
    }
    Ok(Imported { summary: Summary::of(&dataset)?, left_out: Vec::new(), remarks })
}

fn answer_of(
    case: usize,
    group: &Group,
    parts: &DatasetParts,
    parser: &AnswerParser,
    heads: CandidateHeads,
) -> CaseAnswer {
    let count = group.candidates.len();
    let mut hits = Vec::with_capacity(count);
    let mut predictions = Vec::with_capacity(count);
    for (place, candidate) in group.candidates.iter().enumerate() {
        let half = count.div_ceil(2);
        let (head, rank) = match heads {
            CandidateHeads::Image => (Head::Image, place + 1),
            CandidateHeads::Caption => (Head::Caption, place + 1),
            CandidateHeads::Both if place < half => (Head::Image, place + 1),
            CandidateHeads::Both => (Head::Caption, place - half + 1),
        };
        let row = parts.row_of(&candidate.passage);
        let provenance = Provenance { head, rank, score: None };
        // A document found by both heads stands on two lines; here it is one hit.
        if let Some(known) = hits.iter_mut().find(|hit: &&mut Hit| hit.row == row) {
            known.provenances.push(provenance);
            continue;
        }
        hits.push(Hit { row, document: parts.document_id(row).to_owned(), provenances: vec![provenance] });
        let logits = group.logits.as_ref().and_then(|logits| logits.get(place));
        predictions.push(parser.prediction(&candidate.generation, logits.map(Vec::as_slice)));
    }
    CaseAnswer { case, hits, predictions, closed_book: None, recorded_fusion: None::<Prediction> }
}

/// Reader and retriever are unknown, so the fingerprint of the file stands for both.
fn identity_of(source: &Path, dataset: &crate::data::Dataset, answers: &[CaseAnswer]) -> Result<RunIdentity> {
    let print = Fingerprint::of_file(source).with_context(|| format!("cannot read {}", source.display()))?;
    let most = |head: Head| {
        let of_head = |hit: &&Hit| hit.provenances.iter().any(|provenance| provenance.head == head);
        answers.iter().map(|answer| answer.hits.iter().filter(of_head).count()).max().unwrap_or(0)
    };
    ensure!(!answers.is_empty(), "{}: no prediction", source.display());
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let retriever = RetrieverIdentity {
        encoder_name: format!("as recorded in {name}"),
        encoder: print.clone(),
        heads_name: None,
        heads: None,
        index: print.clone(),
        fingerprint: print.clone(),
        k_image: most(Head::Image),
        k_caption: most(Head::Caption),
        k_lexical: 0,
    };
    Ok(RunIdentity::new(dataset, &format!("as recorded in {name}"), &print, Some(&retriever)))
}

/// `S-img-step-t.jsonl`, `S-text-step-t.jsonl` and `S-step-t.jsonl` (docs/method.md, "Files of the reference").
fn heads_of_name(path: &Path) -> CandidateHeads {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.contains("-img-step-") {
        CandidateHeads::Image
    } else if name.contains("-text-step-") {
        CandidateHeads::Caption
    } else {
        CandidateHeads::Both
    }
}
