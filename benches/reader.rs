//! Seconds per case for scoring the labels with every hit of a case (K prompts), cold: the reader has seen neither the
//! query nor the documents. `against_transformers.py` runs this and PyTorch in turn.
//!
//! `cargo bench --profile dev --bench reader -- RUN_FOLDER DATASET READER [DTYPE]` loads the reader, prints a line, and then
//! for every line of its input one JSON object:
//! `{"case": id, "seconds": s, "label_log_probabilities": [[..], ..]}`. READER is a checkpoint folder, or URL=FOLDER for a
//! server of that checkpoint.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a benchmark stops at the first surprise")]

use candle_core::{DType, Device};
use dissent::data::Dataset;
use dissent::engine::run::Run;
use dissent::reader::remote::{RemoteReader, ServedModel, ServerAddress};
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader};
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
    for answer in &answers {
        // The reader keeps the features of images: a case counts where it meets every one for the first time.
        if answer.hits.iter().any(|hit| !seen.insert(hit.row)) {
            continue;
        }
        if turns.next().is_none() {
            return;
        }
        let case = &dataset.cases[answer.case];
        let task = dataset.tasks.iter().find(|task| task.id == case.task).unwrap();
        let (task, query) = (Arc::new(task.clone()), Arc::new(dataset.picture(&case.image).unwrap()));
        let mut requests = Vec::new();
        for hit in &answer.hits {
            let document = &dataset.corpus[hit.row];
            requests.push(ReadRequest {
                task: task.clone(),
                question: dataset.question_of(case).to_owned(),
                query: query.clone(),
                evidence: Some(Evidence {
                    image: Some(Arc::new(dataset.picture(&document.image).unwrap())),
                    caption: Some(document.caption.clone()),
                }),
            });
        }
        let begun = Instant::now();
        let scores = reader.score(&requests, &|| false).unwrap();
        let seconds = begun.elapsed().as_secs_f64();
        let line = serde_json::json!({"case": case.id, "seconds": seconds, "label_log_probabilities": scores});
        println!("{line}");
    }
}

fn open(reader: &str, dtype: DType) -> Box<dyn Reader> {
    let Some((address, folder)) = reader.split_once('=') else {
        return Box::new(CandleReader::load(Path::new(reader), &Device::Cpu, dtype).unwrap());
    };
    let served = ServedModel {
        addresses: ServerAddress::parse_list(address).unwrap(),
        model: None,
        processor: Some(folder.into()),
        key: None,
        requests: 16,
        timeout: None,
        patience: Duration::from_secs(30),
    };
    Box::new(RemoteReader::connect(&served, &|_| {}, &|| false).unwrap())
}
