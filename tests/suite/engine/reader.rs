//! The candle reader on the tiny checkpoint of the fixtures.

use super::support::reader_fixture;
use crate::support::pictures::grey_picture;
use candle_core::{DType, Device};
use dissent::data::{Label, Picture, PromptTemplate, Task, TaskKind};
use dissent::model::pixtral::{ContentPart, DecoderInput, DecoderRow, PixtralCheckpoint, TokenIndex};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader, ReaderError};
use dissent::run::LabelScores;
use std::cell::Cell;
use std::sync::Arc;

const TOLERANCE: f32 = 1e-4;

fn checkpoint() -> PixtralCheckpoint {
    PixtralCheckpoint::load(&reader_fixture(), &Device::Cpu, DType::F32).unwrap()
}

fn reader() -> CandleReader {
    CandleReader::new(checkpoint(), DType::F32).unwrap()
}

fn task(labels: &[&str]) -> Arc<Task> {
    Arc::new(Task {
        id: "malignancy".into(),
        kind: TaskKind::ClosedVqa,
        question: None,
        labels: labels.iter().map(|id| Label::new(*id, *id)).collect(),
        prompt: PromptTemplate::default(),
    })
}

fn request(task: &Arc<Task>, query: Arc<Picture>, evidence: Option<(Arc<Picture>, &str)>) -> ReadRequest {
    ReadRequest {
        task: task.clone(),
        question: "is there evidence of malignancy?".into(),
        query,
        evidence: evidence.map(|(image, caption)| Evidence { image: Some(image), caption: Some(caption.into()) }),
    }
}

/// Requests of different lengths, images of different sizes, some images more than once.
fn requests(task: &Arc<Task>) -> Vec<ReadRequest> {
    let query = grey_picture(64, 64, 1);
    vec![
        request(task, query.clone(), Some((grey_picture(64, 48, 2), "a hypoechoic mass"))),
        request(task, query.clone(), Some((grey_picture(24, 40, 3), "no mass, [IMG] is only text here"))),
        request(task, query.clone(), None),
        request(task, grey_picture(32, 32, 4), Some((grey_picture(64, 48, 2), "echoic"))),
    ]
}

fn score(reader: &mut CandleReader, requests: &[ReadRequest]) -> Vec<LabelScores> {
    reader.score(requests, &|| false).unwrap()
}

fn assert_close(left: &[LabelScores], right: &[LabelScores]) {
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(right) {
        for (one, other) in left.log_probabilities().iter().zip(right.log_probabilities()) {
            assert!((one - other).abs() < TOLERANCE, "{left:?} is not {right:?}");
        }
    }
}

/// log p of the tokens after the prompt, by reading prompt and tokens in one go without a cache.
fn by_hand(checkpoint: &PixtralCheckpoint, request: &ReadRequest, tokens: &[u32]) -> f32 {
    let mut pieces = Vec::new();
    let mut pixels = Vec::new();
    let caption =
        request.evidence.as_ref().map(|evidence| format!("background: {}\n\n", evidence.caption.as_deref().unwrap()));
    if let (Some(evidence), Some(caption)) = (&request.evidence, &caption) {
        let prepared = checkpoint.processor.prepare(&evidence.image.as_ref().unwrap().to_rgb8()).unwrap();
        pieces.extend([ContentPart::Image(prepared.grid), ContentPart::Text(caption)]);
        pixels.push(prepared.pixels);
    }
    let prepared = checkpoint.processor.prepare(&request.query.to_rgb8()).unwrap();
    pieces.extend([ContentPart::Image(prepared.grid), ContentPart::Text(&request.question)]);
    pixels.push(prepared.pixels);
    let mut ids = checkpoint.processor.encode(&pieces).unwrap();
    let prompt = ids.len();
    ids.extend(tokens);
    let features = checkpoint.model.vision_features(&pixels).unwrap();
    let decoded = checkpoint.model.decode(&DecoderInput::new(vec![DecoderRow { ids, features }]), None).unwrap();
    let mut sum = 0.0;
    for (position, token) in tokens.iter().enumerate() {
        let place = TokenIndex { row: 0, index: prompt - 1 + position };
        let logits: Vec<f32> = checkpoint.model.logits(&decoded, &[place]).unwrap().get(0).unwrap().to_vec1().unwrap();
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let normaliser: f32 = logits.iter().map(|value| (value - largest).exp()).sum::<f32>().ln() + largest;
        sum += logits[*token as usize] - normaliser;
    }
    sum
}

#[test]
fn labels_that_differ_in_the_first_token_are_scored_on_it() {
    let (checkpoint, task) = (checkpoint(), task(&["No", "Yes"]));
    let requests = requests(&task);
    let expected: Vec<LabelScores> = requests
        .iter()
        .map(|request| {
            let first = |label: &str| checkpoint.processor.answer_ids(label, false).unwrap()[0];
            LabelScores::exact(["No", "Yes"].map(|label| by_hand(&checkpoint, request, &[first(label)])).to_vec())
        })
        .collect();
    assert_ne!(expected[0], expected[2], "the document counts");
    assert_close(&score(&mut reader(), &requests), &expected);
}

#[test]
fn labels_that_share_a_first_token_are_scored_whole() {
    let checkpoint = checkpoint();
    let names = ["malignant", "malign", "benign mass"];
    let task = task(&names);
    let tokens = names.map(|name| checkpoint.processor.answer_ids(name, true).unwrap());
    assert!(tokens[0].len() > 2 && tokens[0][0] == tokens[1][0], "the fixture's vocabulary makes this the hard case");
    let requests = requests(&task);
    let expected: Vec<LabelScores> = requests
        .iter()
        .map(|request| LabelScores::exact(tokens.iter().map(|tokens| by_hand(&checkpoint, request, tokens)).collect()))
        .collect();
    assert_close(&score(&mut reader(), &requests), &expected);
}

#[test]
fn an_answer_in_words_is_scored_over_all_its_tokens_and_its_end() {
    let checkpoint = checkpoint();
    let answer = "malignant mass";
    let tokens = checkpoint.processor.answer_ids(answer, true).unwrap();
    assert!(tokens.len() > 2);
    let requests = requests(&task(&["Yes", "No"]));
    let asked: Vec<ReadRequest> = requests
        .iter()
        .map(|request| ReadRequest { task: Arc::new(request.task.asking_for(answer)), ..request.clone() })
        .collect();
    let expected: Vec<LabelScores> =
        asked.iter().map(|request| LabelScores::exact(vec![by_hand(&checkpoint, request, &tokens)])).collect();
    assert_close(&score(&mut reader(), &asked), &expected);
}

#[test]
fn a_batch_gives_what_single_requests_give_also_from_cached_features() {
    let task = task(&["No", "Yes"]);
    let requests = requests(&task);
    let mut reader = reader();
    let together = score(&mut reader, &requests);
    let single: Vec<LabelScores> =
        requests.iter().flat_map(|request| score(&mut reader, std::slice::from_ref(request))).collect();
    assert_close(&together, &single);
    let many: Vec<ReadRequest> = requests.iter().cycle().take(30).cloned().collect();
    let many = score(&mut reader, &many);
    assert_close(&many[..4], &together);
    assert_close(&many[24..28], &together);
}

#[test]
fn reading_stops_between_batches() {
    let task = task(&["No", "Yes"]);
    let requests: Vec<ReadRequest> = requests(&task).into_iter().cycle().take(40).collect();
    let asked = Cell::new(0);
    let cancelled = || {
        asked.set(asked.get() + 1);
        asked.get() > 3
    };
    assert!(matches!(reader().score(&requests, &cancelled), Err(ReaderError::Cancelled)));
    assert_eq!(asked.get(), 4);
}

#[test]
fn labels_that_the_reader_cannot_tell_apart_are_an_error() {
    let requests = requests(&task(&["No", "No"]));
    let Err(ReaderError::Failed(error)) = reader().score(&requests, &|| false) else { panic!("should fail") };
    let message = format!("{error:#}");
    assert!(message.contains("task malignancy") && message.contains("the same tokens"), "{message}");
}

#[test]
fn the_number_type_is_part_of_the_fingerprint() {
    let half = CandleReader::new(checkpoint(), DType::BF16).unwrap();
    assert_ne!(half.fingerprint(), reader().fingerprint());
}
