//! FAISS: order, exclusion, the choice of the kind, what is refused.

use super::support::EVERYTHING;
use dissent::index::{IndexError, VectorCode, VectorIndex, VectorKind};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_units(count: usize, dimension: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut vectors = Vec::with_capacity(count * dimension);
    for _ in 0..count {
        let values: Vec<f32> = (0..dimension).map(|_| rng.random_range(-1.0..1.0)).collect();
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        vectors.extend(values.iter().map(|value| value / length));
    }
    vectors
}

fn rows(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

fn built(vectors: &[f32], dimension: usize, rows: Vec<u32>, kind: VectorKind) -> anyhow::Result<VectorIndex> {
    VectorIndex::build(vectors, dimension, rows, kind, &mut |_| Ok(()))
}

/// The results that an index must find: all inner products, sorted.
fn by_hand(vectors: &[f32], query: &[f32], allowed: &dyn Fn(usize) -> bool) -> Vec<usize> {
    let mut scores: Vec<(usize, f32)> = vectors
        .chunks(query.len())
        .map(|vector| vector.iter().zip(query).map(|(one, other)| one * other).sum())
        .enumerate()
        .filter(|(row, _)| allowed(*row))
        .collect();
    scores.sort_by(|one, other| other.1.total_cmp(&one.1));
    scores.into_iter().map(|(row, _)| row).collect()
}

#[test]
fn flat_finds_what_a_loop_finds() {
    let vectors = random_units(500, 16);
    let index = built(&vectors, 16, rows(500), VectorKind::Flat).unwrap();
    assert_eq!(index.description(), "Flat, 500 vectors of 16");
    for query in vectors.chunks(16).take(20) {
        let found: Vec<usize> = index.search(query, 10, EVERYTHING).unwrap().iter().map(|(row, _)| *row).collect();
        assert_eq!(found, by_hand(&vectors, query, EVERYTHING)[..10]);
    }
}

#[test]
fn what_is_not_allowed_is_never_found_and_the_rest_moves_up() {
    let vectors = random_units(300, 8);
    let index = built(&vectors, 8, rows(300), VectorKind::Flat).unwrap();
    let query = &vectors[..8];
    let best = by_hand(&vectors, query, EVERYTHING);
    // The 200 best are excluded, many more than are fetched at first.
    let excluded = &best[..200];
    let allowed = |row: usize| !excluded.contains(&row);
    let found: Vec<usize> = index.search(query, 5, &allowed).unwrap().iter().map(|(row, _)| *row).collect();
    assert_eq!(found, best[200..205]);
    assert_eq!(index.search(query, 1000, &allowed).unwrap().len(), 100);
    assert!(index.search(query, 3, &|_| false).unwrap().is_empty());
    assert!(index.search(query, 0, EVERYTHING).unwrap().is_empty());
}

#[test]
fn equal_scores_come_in_the_order_of_the_corpus() {
    // 100 equal vectors, so that any 3 of them are as good for FAISS.
    let vectors: Vec<f32> = [0.6, 0.8].repeat(100);
    let index = built(&vectors, 2, rows(100), VectorKind::Flat).unwrap();
    let found = index.search(&[1.0, 0.0], 3, &|row| row != 1).unwrap();
    assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 2, 3]);
    assert!((found[0].1 - 0.6).abs() < 1e-6);
}

#[test]
fn inverted_lists_are_chosen_above_the_limit_and_probe_until_enough_is_found() {
    assert_eq!(VectorKind::choose(1000, 16, 1000, None), VectorKind::Flat);
    let kind = VectorKind::choose(2000, 16, 1000, None);
    let VectorKind::Ivf { lists, probes, code: VectorCode::F32 } = kind else { panic!("{kind}") };
    assert!(lists * 39 <= 2000 && probes <= lists, "{kind}");
    assert_eq!(VectorKind::choose(50, 16, 10, None), VectorKind::Flat, "too few to cluster");

    let vectors = random_units(2000, 16);
    let index = built(&vectors, 16, rows(2000), kind).unwrap();
    assert_eq!(index.description(), format!("IVF of {lists} lists, {probes} probed, 2000 vectors of 16"));
    for query in vectors.chunks(16).take(20) {
        let (row, score) = index.search(query, 4, EVERYTHING).unwrap()[0];
        assert_eq!(row, by_hand(&vectors, query, EVERYTHING)[0]);
        assert!((score - 1.0).abs() < 1e-5);
    }
    // Everything is found if everything is wanted, whatever the lists.
    assert_eq!(index.search(&vectors[..16], 2000, EVERYTHING).unwrap().len(), 2000);
    let last = by_hand(&vectors, &vectors[..16], EVERYTHING)[1999];
    assert_eq!(index.search(&vectors[..16], 1, &|row| row == last).unwrap()[0].0, last);
}

#[test]
fn a_large_corpus_is_kept_in_codes_of_one_byte() {
    let kind = VectorKind::choose(2_000_000, 768, 100_000, None);
    assert_eq!(kind.to_string(), "IVF of 4096 lists in 8 bit, 256 probed");
    let kind = VectorKind::choose(2_000_000, 768, 100_000, Some(VectorCode::F16));
    assert_eq!(kind.to_string(), "IVF of 4096 lists in f16, 256 probed");
    assert_eq!(VectorKind::choose(300_000, 768, 100_000, None).code(), VectorCode::F32, "below 1 GiB");
}

#[test]
fn rows_between_those_that_are_indexed_are_passed_over() {
    let vectors = random_units(40, 8);
    let some: Vec<u32> = (0..40).filter(|row| row % 3 != 1).collect();
    let index = built(&vectors, 8, some, VectorKind::Flat).unwrap();
    for row in 0..40 {
        let found = index.search(&vectors[row * 8..row * 8 + 8], 1, EVERYTHING).unwrap()[0].0;
        assert_eq!(found == row, row % 3 != 1, "{row}: {found}");
    }
    assert!(built(&vectors, 8, vec![40], VectorKind::Flat).is_err(), "there is no such row");
}

#[test]
fn vectors_that_are_no_unit_vectors_are_refused() {
    let refused = |vectors: &[f32]| {
        let error = built(vectors, 2, rows(vectors.len() / 2), VectorKind::Flat).err().unwrap();
        format!("{error:#}")
    };
    assert_eq!(
        refused(&[1.0, 0.0, 0.5, 0.5]),
        "vector of corpus row 1: expected a vector of length 1, found length 0.70710677"
    );
    assert_eq!(refused(&[f32::NAN, 0.0]), "vector of corpus row 0: expected finite numbers, found NaN at position 0");
    let index = built(&[1.0, 0.0], 2, rows(1), VectorKind::Flat).unwrap();
    assert!(index.search(&[2.0, 0.0], 1, EVERYTHING).is_err());
    assert!(index.search(&[f32::INFINITY, 0.0], 1, EVERYTHING).is_err());
    let error = index.search(&[1.0, 0.0, 0.0], 1, EVERYTHING).unwrap_err().to_string();
    assert_eq!(error, "expected a query vector of 2 numbers, found 3: does the index belong to another encoder?");
}

#[test]
fn a_file_is_read_back_or_named_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.faiss");
    for (count, limit) in [(200, 1000), (200, 100)] {
        let vectors = random_units(count, 8);
        let kind = VectorKind::choose(count, 8, limit, None);
        let index = built(&vectors, 8, rows(count), kind).unwrap();
        index.save(&path).unwrap();
        let again = VectorIndex::load(&path, 8, rows(count), kind).unwrap();
        let query = &vectors[80..88];
        assert_eq!(again.search(query, 9, EVERYTHING).unwrap(), index.search(query, 9, EVERYTHING).unwrap());
        assert!(matches!(VectorIndex::load(&path, 8, rows(7), kind), Err(IndexError::Damaged { .. })));

        let bytes = std::fs::read(&path).unwrap();
        for content in [&bytes[..bytes.len() / 2], b"no index at all", b""] {
            std::fs::write(&path, content).unwrap();
            let error = VectorIndex::load(&path, 8, rows(count), kind).err().unwrap();
            assert!(matches!(error, IndexError::Damaged { .. }), "{error}");
        }
    }
}
