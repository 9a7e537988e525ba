//! The sample's dataset and models, requests about its cases, and readers at an address.

use crate::support::fixtures;
use candle_core::{DType, Device};
use dissent::data::{Dataset, Label, Picture, Split, Task};
use dissent::reader::remote::{
    ReaderMode, RemoteReader, SampleSettings, ServedModel, ServerAddress, ServerConnection, ServerRole,
};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader, ReaderError};
use dissent::run::LabelScores;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub fn sample_dataset() -> PathBuf {
    fixtures::sample("dataset")
}

pub fn sample_encoder() -> PathBuf {
    fixtures::sample("models/encoder")
}

pub fn sample_reader() -> PathBuf {
    fixtures::sample("models/reader")
}

/// Test cases of both tasks, each with a document that `stride` walks through the corpus, every fifth closed-book.
pub fn requests(count: usize) -> Vec<ReadRequest> {
    let dataset = Dataset::open(&sample_dataset()).unwrap();
    let cases: Vec<_> = dataset.cases.iter().filter(|case| case.split == Split::Test).collect();
    let read = |image: &Path| Arc::new(Picture::read(&dataset.image_path(image)).unwrap());
    (0..count)
        .map(|number| {
            let case = cases[number * cases.len() / count];
            let document = dataset.corpus.document(number * 7 % dataset.corpus.len());
            let evidence = (number % 5 != 4)
                .then(|| Evidence { image: Some(read(document.image)), caption: Some(document.caption.to_owned()) });
            ReadRequest {
                task: Arc::new(dataset.task(&case.task).unwrap().clone()),
                question: dataset.question_of(case).to_owned(),
                query: read(&case.image),
                evidence,
            }
        })
        .collect()
}

/// The same requests with other labels.
pub fn with_labels(requests: &[ReadRequest], labels: &[&str]) -> Vec<ReadRequest> {
    let relabelled = |request: &ReadRequest| {
        let labels = labels.iter().map(|id| Label::new(*id, *id)).collect();
        let task = Arc::new(Task { labels, ..request.task.as_ref().clone() });
        ReadRequest { task, ..request.clone() }
    };
    requests.iter().map(relabelled).collect()
}

/// The sample's reader in this process.
pub fn candle() -> CandleReader {
    CandleReader::load(&sample_reader(), &Device::Cpu, DType::F32).unwrap()
}

/// The sample's reader at these addresses, impatient.
pub fn served(urls: &str) -> ServedModel {
    ServedModel {
        connection: ServerConnection {
            role: ServerRole::Reader,
            addresses: ServerAddress::parse_list(urls, ServerRole::Reader).unwrap(),
            model: None,
            key: None,
            requests: 8,
            timeout: None,
            patience: Duration::from_secs(20),
        },
        processor: Some(sample_reader()),
        answers: SampleSettings { mode: ReaderMode::Exact, ..SampleSettings::default() },
    }
}

/// The same model with another time limit.
pub fn with_timeout(mut model: ServedModel, timeout: Option<Duration>) -> ServedModel {
    model.connection.timeout = timeout;
    model
}

pub fn connect(served: &ServedModel) -> Result<RemoteReader, ReaderError> {
    RemoteReader::connect(served, &|_| {}, &|| false)
}

/// Why there is no reader.
pub fn refusal(served: &ServedModel) -> String {
    match connect(served) {
        Ok(_) => panic!("there should be no reader"),
        Err(error) => whole(error),
    }
}

/// The whole message of an error.
pub fn whole(error: ReaderError) -> String {
    match error {
        ReaderError::Failed(error) => format!("{error:#}"),
        ReaderError::Cancelled => "cancelled".into(),
    }
}

pub fn score(reader: &mut dyn Reader, requests: &[ReadRequest]) -> Vec<LabelScores> {
    reader.score(requests, &|| false).unwrap_or_else(|error| panic!("{}", whole(error)))
}

pub fn generate(reader: &mut dyn Reader, requests: &[ReadRequest]) -> Vec<String> {
    reader.generate(requests, &|| false).unwrap_or_else(|error| panic!("{}", whole(error)))
}

/// Answers in words are the same wherever the two likeliest labels are further apart than `tie`, and say the likeliest: that
/// is what the sample's reader was trained to say.
pub fn assert_same_words(there: &mut dyn Reader, here: &mut dyn Reader, requests: &[ReadRequest], tie: f32) {
    let (theirs, own) = (generate(there, requests), generate(here, requests));
    let scores = score(here, requests);
    let mut compared = 0;
    for (number, request) in requests.iter().enumerate() {
        let mut sorted = scores[number].log_probabilities().to_vec();
        sorted.sort_by(f32::total_cmp);
        if sorted[sorted.len() - 1] - sorted[sorted.len() - 2] > tie {
            assert_eq!(theirs[number], own[number], "request {number}");
            assert_eq!(own[number], request.task.labels[scores[number].arg_max()].id, "request {number}");
            compared += 1;
        }
    }
    assert!(compared * 2 > requests.len(), "only {compared} answers were no ties");
}

/// The largest difference of two log-probabilities.
pub fn largest_difference(left: &[LabelScores], right: &[LabelScores]) -> f32 {
    assert_eq!(left.len(), right.len());
    let mut largest = 0.0_f32;
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left.log_probabilities().len(), right.log_probabilities().len());
        for (left, right) in left.log_probabilities().iter().zip(right.log_probabilities()) {
            largest = largest.max((left - right).abs());
        }
    }
    largest
}

/// Checks that the arg max is the same wherever the two largest differ by more than `tie`.
pub fn assert_same_answers(left: &[LabelScores], right: &[LabelScores], tie: f32) {
    for (left, right) in left.iter().zip(right) {
        let mut sorted = left.log_probabilities().to_vec();
        sorted.sort_by(f32::total_cmp);
        if sorted.len() > 1 && sorted[sorted.len() - 1] - sorted[sorted.len() - 2] > tie {
            assert_eq!(left.arg_max(), right.arg_max(), "{left:?} {right:?}");
        }
    }
}
