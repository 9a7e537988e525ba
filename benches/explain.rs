//! Are explanations true? On the sample the truth is known: the outcome word of the caption decides the answer, and the
//! lesion's place is known from the drawing (docs/reference/explain.md).
//!
//! `cargo bench --profile dev --bench explain -- sample-data 200` explains 200 test predictions of the ultrasound task by
//! occlusion and by gradient and prints, with bootstrap intervals: how often the outcome word is the strongest word, how often
//! the strongest cell lies in the lesion, deletion and insertion curves against a random order, and how far gradient and
//! occlusion agree. `RAYON_NUM_THREADS=1` is fastest.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a benchmark stops at the first surprise")]

use dissent::data::{Dataset, Picture, Split};
use dissent::evaluation::{Bootstrap, Estimate};
use dissent::explain::{
    Block, Explanation, GRID, Method, RegionWeights, Wanted, WordWeights, covered_picture, mean_colour,
};
use dissent::model::precision::Precision;
use dissent::phantom::rng::PhantomRng;
use dissent::phantom::sample::{DEFAULT_SEED, lesion_covers};
use dissent::pipeline::{ExplainOutcome, ExplainRequest, GridChoice, LoadedModels, ModelChoice, load_models};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader};
use dissent::retriever::HitsPerHead;
use dissent::run::{Ablation, Probe};
use dissent::workspace::Workspace;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Cells that are covered or uncovered at each step of a curve.
const CELLS_PER_STEP: usize = 8;
/// A cell lies in the lesion if that covers at least this share of it.
const IN_LESION: f32 = 0.5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [sample, count] => measure(Path::new(sample), count.parse().unwrap()),
        _ => eprintln!("explain: not run; give sample-data and the number of predictions"),
    }
}

/// One column of figures, a value per prediction.
#[derive(Default)]
struct Figures(Vec<(String, Vec<f64>)>);

impl Figures {
    fn add(&mut self, name: &str, value: f64) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => values.push(value),
            None => self.0.push((name.to_owned(), vec![value])),
        }
    }

    fn print(&self) {
        for (name, values) in &self.0 {
            let is_share = values.iter().all(|value| *value == 0.0 || *value == 1.0);
            let outcomes: Vec<bool> = values.iter().map(|value| *value == 1.0).collect();
            let estimate =
                if is_share { Estimate::of(&outcomes) } else { Estimate::of_mean(values, Bootstrap::BY_CASE) };
            println!("{name:60} {}", estimate.text());
        }
    }
}

fn measure(sample: &Path, count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Arc::new(Dataset::open(&sample.join("dataset")).unwrap());
    let workspace = Workspace::open(&dataset.root, Some(folder.path())).unwrap();
    let reader_folder = sample.join("models/reader");
    let choice = ModelChoice {
        encoder: Some(sample.join("models/encoder").into()),
        given_vectors: false,
        store: None,
        heads: None,
        given: None,
        reader: reader_folder.clone().into(),
        device: "cpu".into(),
        precision: Precision::F32,
        hits: HitsPerHead { image: 2, caption: 2, lexical: 0 },
        ablation: Ablation::default(),
        confirm: |_| Ok(()),
    };
    let LoadedModels { mut pipeline, .. } = load_models(&dataset, &workspace, &choice, &|_| (), &|| false).unwrap();
    let mut reader = CandleReader::load(&reader_folder, &candle_core::Device::Cpu, candle_core::DType::F32).unwrap();
    let covers = lesion_covers(DEFAULT_SEED);
    let test_cases: Vec<usize> = (0..dataset.cases.len())
        .filter(|case| dataset.cases[*case].split == Split::Test && covers.contains_key(&dataset.cases[*case].id))
        .collect();
    let mut rng = PhantomRng::new(1, 0);
    let mut figures = Figures::default();
    for number in 0..count.min(test_cases.len()) {
        let case = test_cases[number * test_cases.len() / count];
        let hits = pipeline.retrieve(case, &|| false).unwrap();
        let row = hits[number % hits.len()].row;
        let probe = Some(Probe { row, ablation: Ablation::default() });
        let mut explain = |method: Method| {
            let wanted = Wanted { words: true, regions: true };
            let request = ExplainRequest { case, probe, wanted, method, grid: GridChoice::Whole, label: None };
            let begun = Instant::now();
            let outcome = pipeline.explain(&request, None, &|| false, &mut |_| ()).unwrap();
            let ExplainOutcome::Explained(explanation) = outcome else { panic!("no limit was given") };
            (*explanation, begun.elapsed().as_secs_f64())
        };
        let (occlusion, occlusion_seconds) = explain(Method::Occlusion);
        let (gradient, gradient_seconds) = explain(Method::Gradient);
        figures.add("seconds by occlusion", occlusion_seconds);
        figures.add("seconds by gradient", gradient_seconds);
        let request = request(&dataset, case, row);
        let (case_id, document_id) = (&dataset.cases[case].id, dataset.corpus.document(row).id);
        for (method, explanation) in [("occlusion", &occlusion), ("gradient", &gradient)] {
            judge_words(method, explanation, &mut figures);
            for (image, regions, id) in [
                ("document", explanation.document.as_ref().unwrap(), document_id),
                ("query", explanation.query.as_ref().unwrap(), case_id),
            ] {
                point(method, image, regions, &covers[id], &mut figures);
            }
        }
        compare(&occlusion, &gradient, &mut figures);
        curves(&mut reader, &request, &occlusion, &mut rng, &mut figures);
        if (number + 1) % 50 == 0 {
            println!("after {} predictions", number + 1);
            figures.print();
        }
    }
    println!("all");
    figures.print();
}

fn request(dataset: &Dataset, case: usize, row: usize) -> ReadRequest {
    let case = &dataset.cases[case];
    let document = dataset.corpus.document(row);
    ReadRequest {
        task: Arc::new(dataset.task(&case.task).unwrap().clone()),
        question: dataset.question_of(case).to_owned(),
        query: Arc::new(dataset.picture(&case.image).unwrap()),
        evidence: Some(Evidence {
            image: Some(Arc::new(dataset.picture(document.image).unwrap())),
            caption: Some(document.caption.to_owned()),
        }),
    }
}

fn judge_words(method: &str, explanation: &Explanation, figures: &mut Figures) {
    let words = explanation.words.as_ref().unwrap();
    let strongest = words.text(words.strongest(1)[0]);
    let is_outcome = matches!(strongest, "benign" | "malignant");
    figures.add(&format!("{method}: the outcome word is the strongest"), f64::from(u8::from(is_outcome)));
    if method == "occlusion" {
        figures.add("chance of that (one of the words)", 1.0 / words.parts.len() as f64);
    }
}

/// The pointing game: does the strongest cell lie in the lesion?
fn point(method: &str, image: &str, regions: &RegionWeights, cover: &[f32], figures: &mut Figures) {
    let side = (cover.len() as f64).sqrt() as u32;
    let in_lesion = |row: usize, column: usize| {
        let (left, top, right, bottom) = Block { row, column, side: 1 }.pixels(side, side);
        let pixels = (top..bottom).flat_map(|y| (left..right).map(move |x| (y * side + x) as usize));
        let (count, sum) = pixels.fold((0, 0.0), |(count, sum), pixel| (count + 1, sum + cover[pixel]));
        sum / count as f32 >= IN_LESION
    };
    let mut inside = 0;
    let mut most_positive = (0, 0);
    for row in 0..GRID {
        for column in 0..GRID {
            inside += usize::from(in_lesion(row, column));
            if regions.weights[row][column] > regions.weights[most_positive.0][most_positive.1] {
                most_positive = (row, column);
            }
        }
    }
    let (strongest, _) = regions.strongest();
    let hit = |row: usize, column: usize| f64::from(u8::from(in_lesion(row, column)));
    figures.add(
        &format!("{method}, {image}: the strongest cell lies in the lesion"),
        hit(strongest.row, strongest.column),
    );
    figures
        .add(&format!("{method}, {image}: the most supporting cell lies in it"), hit(most_positive.0, most_positive.1));
    if method == "occlusion" {
        figures.add(&format!("chance of that in the {image} (share of cells)"), inside as f64 / (GRID * GRID) as f64);
        let largest = regions.strongest().1.abs();
        figures.add(&format!("largest weight of a cell of the {image}"), f64::from(largest));
    }
}

fn compare(occlusion: &Explanation, gradient: &Explanation, figures: &mut Figures) {
    let words = |explanation: &Explanation| -> Vec<f32> {
        explanation.words.as_ref().unwrap().parts.iter().map(|part| part.weight).collect()
    };
    let cells = |regions: &Option<RegionWeights>| -> Vec<f32> {
        regions.as_ref().unwrap().weights.iter().flatten().copied().collect()
    };
    for (what, a, b) in [
        ("words", words(occlusion), words(gradient)),
        ("document", cells(&occlusion.document), cells(&gradient.document)),
        ("query", cells(&occlusion.query), cells(&gradient.query)),
    ] {
        figures.add(&format!("rank correlation of gradient and occlusion: {what}"), rank_correlation(&a, &b));
    }
}

/// Spearman's rank correlation; equal values share their ranks.
fn rank_correlation(a: &[f32], b: &[f32]) -> f64 {
    let ranks = |values: &[f32]| -> Vec<f64> {
        let rank = |value: &f32| {
            let below = values.iter().filter(|other| *other < value).count() as f64;
            let equal = values.iter().filter(|other| *other == value).count() as f64;
            below + (equal - 1.0) / 2.0
        };
        values.iter().map(rank).collect()
    };
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 - 1.0) / 2.0;
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    if scale > 0.0 { product(&a, &b) / scale } else { 0.0 }
}

/// Deletion: the parts are taken away, strongest support first; insertion: they are put back in that order. The area under
/// the curve is the mean probability of the answer, against the runner-up, over all steps.
fn curves(
    reader: &mut CandleReader,
    request: &ReadRequest,
    explanation: &Explanation,
    rng: &mut PhantomRng,
    figures: &mut Figures,
) {
    let words = explanation.words.as_ref().unwrap();
    let weights: Vec<f32> = words.parts.iter().map(|part| part.weight).collect();
    let shorten = |kept: &[bool]| {
        let mut request = request.clone();
        request.evidence.as_mut().unwrap().caption = Some(kept_words(words, kept));
        request
    };
    curve("words", reader, explanation, &weights, 1, &shorten, rng, figures);
    let document = request.evidence.as_ref().unwrap().image.as_ref().unwrap();
    for (name, picture, regions) in [
        ("document", document, explanation.document.as_ref().unwrap()),
        ("query", &request.query, explanation.query.as_ref().unwrap()),
    ] {
        let weights: Vec<f32> = regions.weights.iter().flatten().copied().collect();
        let cover = |kept: &[bool]| {
            let mut request = request.clone();
            let covered = Arc::new(with_cells(picture, kept));
            if name == "query" {
                request.query = covered;
            } else {
                request.evidence.as_mut().unwrap().image = Some(covered);
            }
            request
        };
        curve(name, reader, explanation, &weights, CELLS_PER_STEP, &cover, rng, figures);
    }
}

#[expect(clippy::too_many_arguments, reason = "one curve of many")]
fn curve(
    name: &str,
    reader: &mut CandleReader,
    explanation: &Explanation,
    weights: &[f32],
    per_step: usize,
    keeping: &dyn Fn(&[bool]) -> ReadRequest,
    rng: &mut PhantomRng,
    figures: &mut Figures,
) {
    let mut by_weight: Vec<usize> = (0..weights.len()).collect();
    by_weight.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    let mut at_random: Vec<usize> = (0..weights.len()).collect();
    rng.shuffle(&mut at_random);
    for (curve, inserts) in [("deletion", false), ("insertion", true)] {
        let mut areas = Vec::new();
        for order in [&by_weight, &at_random] {
            let mut kept = vec![!inserts; weights.len()];
            let mut requests = vec![keeping(&kept)];
            for step in order.chunks(per_step) {
                for part in step {
                    kept[*part] = inserts;
                }
                requests.push(keeping(&kept));
            }
            let scores = reader.score_variants(&requests, &|| false).unwrap();
            let probability = |log_odds: f32| 1.0 / (1.0 + f64::from(-log_odds).exp());
            let sum: f64 = scores.iter().map(|scores| probability(explanation.target.log_odds(scores))).sum();
            areas.push(sum / scores.len() as f64);
        }
        figures.add(&format!("{name}: area under the {curve} curve, by weight"), areas[0]);
        figures.add(&format!("{name}: area under the {curve} curve, random order"), areas[1]);
        figures.add(&format!("{name}: {curve}, by weight minus random"), areas[0] - areas[1]);
    }
}

fn kept_words(words: &WordWeights, kept: &[bool]) -> String {
    let texts: Vec<&str> =
        words.parts.iter().zip(kept).filter(|(_, kept)| **kept).map(|(part, _)| words.text(part)).collect();
    texts.join(" ")
}

fn with_cells(picture: &Picture, kept: &[bool]) -> Picture {
    let seen = picture.to_rgb8();
    let cells = Block::tiling(1).into_iter().zip(kept);
    let covered: Vec<Block> = cells.filter(|(_, kept)| !**kept).map(|(block, _)| block).collect();
    covered_picture(picture, &seen, mean_colour(&seen), &covered).unwrap_or_else(|| picture.clone())
}
