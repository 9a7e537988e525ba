//! Seconds per case for scoring the labels with every hit of a case (K prompts), cold: the reader has seen neither the
//! query nor the documents. `against_transformers.py` runs this and PyTorch in turn.
//!
//! `cargo bench --profile dev --bench reader -- RUN_FOLDER DATASET READER [DTYPE]` loads the reader, prints a line, and then
//! for every line of its input one JSON object:
//! `{"case": id, "seconds": s, "seconds_with_known_documents": s, "label_log_probabilities": [[..], ..]}`, the second number
//! for the query of the next case with the same documents. READER is a checkpoint folder, or URL=FOLDER for a server of that
//! checkpoint.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a benchmark stops at the first surprise")]

use candle_core::{DType, Device};
use dissent::data::{Case, Dataset};
use dissent::reader::remote::{
    ReaderMode, RemoteReader, SampleSettings, ServedModel, ServerAddress, ServerConnection, ServerRole,
};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader};
use dissent::run::{LabelScores, Run};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [run, dataset, reader] => time_cases(Path::new(run), Path::new(dataset), reader, "f32"),
        [run, dataset, reader, dtype] => time_cases(Path::new(run), Path::new(dataset), reader, dtype),
        _ => eprintln!("reader: not run; give RUN_FOLDER DATASET READER, or use benches/against_transformers.py"),
    }
}

fn time_cases(run: &Path, dataset: &Path, reader: &str, dtype: &str) {
    let dataset = Dataset::open(dataset).unwrap();
    let answers = Run::open(run).unwrap().into_answers(&dataset).unwrap();
    let begun = Instant::now();
    let mut reader = open(reader, dtype.parse().unwrap());
    println!("{}", serde_json::json!({"loaded_in": begun.elapsed().as_secs_f64()}));
    let mut turns = std::io::stdin().lines();
    let mut seen = HashSet::new();
    for (position, answer) in answers.iter().enumerate() {
        // The reader caches image features, so a case counts only if all its images are new to the reader.
        if answer.hits.iter().any(|hit| !seen.insert(hit.row)) {
            continue;
        }
        if turns.next().is_none() {
            return;
        }
        let documents: Vec<usize> = answer.hits.iter().map(|hit| hit.row).collect();
        let case = &dataset.cases[answer.case];
        let (seconds, scores) = timed(&mut *reader, &requests(&dataset, case, &documents));
        let next = &dataset.cases[answers[(position + 1) % answers.len()].case];
        let (again, _) = timed(&mut *reader, &requests(&dataset, next, &documents));
        let line = serde_json::json!({
            "case": case.id,
            "seconds": seconds,
            "seconds_with_known_documents": again,
            "label_log_probabilities": scores,
        });
        println!("{line}");
    }
}

fn timed(reader: &mut dyn Reader, requests: &[ReadRequest]) -> (f64, Vec<LabelScores>) {
    let begun = Instant::now();
    let scores = reader.score(requests, &|| false).unwrap();
    (begun.elapsed().as_secs_f64(), scores)
}

fn requests(dataset: &Dataset, case: &Case, documents: &[usize]) -> Vec<ReadRequest> {
    let task = Arc::new(dataset.tasks.iter().find(|task| task.id == case.task).unwrap().clone());
    let query = Arc::new(dataset.picture(&case.image).unwrap());
    let request = |row: &usize| {
        let document = dataset.corpus.document(*row);
        ReadRequest {
            task: task.clone(),
            question: dataset.question_of(case).to_owned(),
            query: query.clone(),
            evidence: Some(Evidence {
                image: Some(Arc::new(dataset.picture(document.image).unwrap())),
                caption: Some(document.caption.to_owned()),
            }),
        }
    };
    documents.iter().map(request).collect()
}

fn open(reader: &str, dtype: DType) -> Box<dyn Reader> {
    let Some((address, folder)) = reader.split_once('=') else {
        return Box::new(CandleReader::load(Path::new(reader), &Device::Cpu, dtype).unwrap());
    };
    let served = ServedModel {
        connection: ServerConnection {
            role: ServerRole::Reader,
            addresses: ServerAddress::parse_list(address, ServerRole::Reader).unwrap(),
            model: None,
            key: None,
            requests: 16,
            timeout: None,
            patience: Duration::from_secs(30),
        },
        processor: Some(folder.into()),
        answers: SampleSettings { mode: ReaderMode::Exact, ..SampleSettings::default() },
    };
    Box::new(RemoteReader::connect(&served, &|_| {}, &|| false).unwrap())
}
