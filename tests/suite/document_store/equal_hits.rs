//! The sample in a store gives the same hits as the index in the workspace, to the last digit. `DISSENT_EVERY_CASE=1` compares all
//! cases, which takes minutes.

use super::milvus_server::MilvusServer;
use crate::support::fixtures::sample;
use crate::support::folders::copy_folder;
use candle_core::{DType, Device};
use dissent::data::{Corpus, Dataset};
use dissent::index::{DocumentFilter, DocumentStore, FLAT_LIMIT, Index, IndexError, SearchScope, VectorSide};
use dissent::milvus::{BuildOptions, StoreSource};
use dissent::model::dual_encoder::DualEncoder;
use dissent::retriever::heads::{HeadBase, TrainedHeads};
use dissent::retriever::{HitSource, HitsPerHead, Retriever};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Setting {
    pub dataset: Dataset,
    pub folder: tempfile::TempDir,
}

impl Setting {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&sample("dataset"), &folder.path().join("data"));
        let dataset = Dataset::open(&folder.path().join("data")).unwrap();
        Self { dataset, folder }
    }
}

pub(super) fn encoder() -> DualEncoder {
    DualEncoder::load(&sample("models/encoder"), &Device::Cpu, DType::F32).unwrap()
}

pub(super) fn source(server: &MilvusServer, collection: &str) -> StoreSource {
    StoreSource {
        address: server.store(collection).parse().unwrap(),
        token: None,
        timeout: Duration::from_secs(60),
        patience: Duration::from_secs(60),
        on_wait: Arc::new(|_: &str| ()),
    }
}

pub(super) fn filled(source: &StoreSource, dataset: &Dataset, flat_limit: usize) -> (Arc<dyn DocumentStore>, bool) {
    let options = BuildOptions { flat_limit, afresh: false };
    source.build(dataset, &encoder(), options, &mut |_| Ok(())).unwrap()
}

/// Stems, phrases, signs, groups, sources, accents; what all documents have and what none has.
fn queries(corpus: &Corpus) -> Vec<String> {
    let words: Vec<&str> = corpus.iter().step_by(31).flat_map(|document| document.caption.split(' ').take(3)).collect();
    let mut queries: Vec<String> = words.chunks(2).map(|pair| pair.join(" ")).collect();
    queries.extend(words.windows(2).step_by(5).map(|pair| format!("\"{}\"", pair.join(" "))));
    let source = corpus.document(0).source.unwrap_or_default();
    for query in [
        "indistinct \"deep central\" -benign",
        "+benign margins",
        "benign AND circumscribed",
        "(indistinct OR circumscribed) -benign",
        "NOT benign",
        "*",
        "lésion MARGINS",
        "\"margin central\"~3 benign",
        "no-such-word",
        "id:nobody",
    ] {
        queries.push(query.into());
    }
    queries.push(format!("source:\"{source}\" benign"));
    queries.push(format!("+source:\"{source}\" +malignant"));
    queries
}

#[test]
fn a_store_and_the_index_give_the_same_hits() {
    let Some(server) = MilvusServer::start() else { return };
    let setting = Setting::new();
    let dataset = &setting.dataset;
    let index = Index::build(dataset, &setting.folder.path().join("w/index"), &encoder(), &mut |_| Ok(())).unwrap();
    let index: Arc<dyn DocumentStore> = Arc::new(index);
    let source = source(&server, "sample");
    let (store, is_built) = filled(&source, dataset, FLAT_LIMIT);
    assert!(is_built && !filled(&source, dataset, FLAT_LIMIT).1, "the second build finds nothing to do");
    assert!(store.report().unwrap()[0].1.contains("recall@10 1.000 on 64"), "{:?}", store.report());

    let every = std::env::var("DISSENT_EVERY_CASE").is_ok();
    let heads = |encoder: &DualEncoder| {
        TrainedHeads::load_over(&sample("models/retriever"), HeadBase::Encoder(encoder)).unwrap()
    };
    let mut compared = 0;
    for (is_trained, lexical) in [(false, 0), (true, 0), (false, 2)] {
        let hits = HitsPerHead { lexical, ..HitsPerHead::default() };
        let retriever = |store: &Arc<dyn DocumentStore>| {
            let encoder = encoder();
            let heads = is_trained.then(|| heads(&encoder));
            Retriever::new(encoder, store.clone(), hits, heads)
        };
        let (mut here, mut there) = (retriever(&index), retriever(&store));
        for case in dataset.cases.iter().step_by(if every { 1 } else { 23 }) {
            let picture = dataset.picture(&case.image).unwrap();
            let closed_book = (lexical > 0).then_some("malignant");
            let expected = here.retrieve(dataset, case, &picture, closed_book).unwrap();
            assert_eq!(there.retrieve(dataset, case, &picture, closed_book).unwrap(), expected, "case {}", case.id);
            compared += 1;
        }
    }
    assert!(compared >= 60);

    let scope = SearchScope { filter: &DocumentFilter::default(), allowed: &|_| true };
    let queries = queries(&dataset.corpus);
    assert!(queries.len() >= 50, "{}", queries.len());
    for query in &queries {
        let found = |store: &Arc<dyn DocumentStore>| {
            store.captions().search_words(query, 10, scope).map_err(|refusal| refusal.to_string())
        };
        let expected = found(&index);
        assert_eq!(expected.is_err(), query == "NOT benign", "{query}: {expected:?}");
        assert_eq!(found(&store), expected, "{query}");
    }
    let error = store.captions().search_words("indistinkt~", 10, scope).unwrap_err();
    assert!(matches!(error, IndexError::Unsupported { .. }), "{error}");

    let some = dataset.corpus.document(7);
    let words = DocumentFilter {
        words: Some("benign \"deep\"".into()),
        source: some.source.map(str::to_owned),
        ..DocumentFilter::default()
    };
    let scope = SearchScope { filter: &words, allowed: &|row| row % 3 != 0 };
    for side in [VectorSide::Image, VectorSide::Caption] {
        let query = index.document_vectors(side, &[7]).unwrap().remove(0).unwrap();
        assert_eq!(
            store.document_vectors(side, &[7]).unwrap()[0].as_ref(),
            Some(&query),
            "vectors come back as they were"
        );
        let expected = index.search(side, &query, 12, scope).unwrap();
        assert_eq!(store.search(side, &query, 12, scope).unwrap(), expected);
    }
    let ids = [dataset.corpus.document(9).id, "nobody", dataset.corpus.document(2).id];
    assert_eq!(store.documents(&ids).unwrap(), index.documents(&ids).unwrap());
}

#[test]
fn an_approximate_index_says_its_recall() {
    let Some(server) = MilvusServer::start() else { return };
    let setting = Setting::new();
    let (store, _) = filled(&source(&server, "graph"), &setting.dataset, 100);
    let lines = store.report().unwrap();
    assert!(lines[0].1.starts_with("HNSW") && lines[0].1.contains("recall@10 "), "{lines:?}");
    let recall: f64 = lines[0].1.split("recall@10 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((0.95..=1.0).contains(&recall) && !store.capabilities().exact_vectors, "{recall}");
}
