//! Seconds per query of an index of brought vectors, and what was found. `against_faiss.py` runs this and FAISS from Python in
//! turn on the same file.
//!
//! `cargo bench --profile dev --bench vectors -- DATASET QUERIES.npy LIMIT` opens the index of the dataset, prints the seconds
//! that took, and then for every line of its input the seconds and rows of the next query.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a benchmark stops at the first surprise")]

use dissent::data::Dataset;
use dissent::data::vectors::VectorTable;
use dissent::index::{Index, VectorSide};
use std::path::Path;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [dataset, queries, limit] = arguments.as_slice() else {
        eprintln!("vectors: not run; give DATASET QUERIES.npy LIMIT, or use benches/against_faiss.py");
        return;
    };
    time_queries(Path::new(dataset), Path::new(queries), limit.parse().unwrap());
}

fn time_queries(root: &Path, queries: &Path, limit: usize) {
    let dataset = Dataset::open(root).unwrap();
    let corpus = dataset.corpus_fingerprint();
    let begun = Instant::now();
    let index = Index::open_given(&root.join(".dissent/index"), &corpus).unwrap().unwrap();
    let description = index.side(VectorSide::Image).description();
    println!("{}", serde_json::json!({"opened_in": begun.elapsed().as_secs_f64(), "index": description}));
    let table = VectorTable::open(queries, None).unwrap();
    let mut query = vec![0.0; table.dimension()];
    for (row, _turn) in std::io::stdin().lines().enumerate() {
        table.copy_row(row, &mut query);
        let begun = Instant::now();
        let found = index.search(VectorSide::Image, &query, limit, &|_| true).unwrap();
        let seconds = begun.elapsed().as_secs_f64();
        let rows: Vec<usize> = found.iter().map(|(row, _)| *row).collect();
        println!("{}", serde_json::json!({"seconds": seconds, "rows": rows}));
    }
}
