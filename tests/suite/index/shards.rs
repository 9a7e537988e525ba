//! Embedding spread over machines: the joined index is the one of a single run; what does not fit is refused.

use super::support::{LetterEncoder, small_dataset};
use crate::support::pictures::write_picture;
use dissent::data::Dataset;
use dissent::index::{Index, IndexSettings};
use std::fs;
use std::path::Path;

/// 200 documents, some of which share images and captions across shards, and one without a readable image.
fn large_dataset() -> (tempfile::TempDir, Dataset) {
    let (folder, _) = small_dataset();
    let mut lines = String::new();
    for row in 0..200_u8 {
        let image = row % 150;
        write_picture(folder.path(), &format!("images/m{row}.png"), [image, 255 - image, image.wrapping_mul(37)]);
        let caption = "aeio".repeat(usize::from(row) % 7) + &"a".repeat(usize::from(row % 120));
        lines.push_str(&format!("{{\"id\":\"m{row}\",\"image\":\"images/m{row}.png\",\"caption\":\"x {caption}\"}}\n"));
    }
    fs::write(folder.path().join("images/m70.png"), b"no image").unwrap();
    fs::write(folder.path().join("corpus.jsonl"), lines).unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    (folder, dataset)
}

fn shard(dataset: &Dataset, folder: &Path, encoder: &LetterEncoder, shard: &str) {
    Index::build_shard(dataset, folder, encoder, shard.parse().unwrap(), &mut |_| Ok(())).unwrap();
}

fn joined(dataset: &Dataset, folder: &Path) -> anyhow::Result<Index> {
    Index::join_shards(dataset, folder, IndexSettings::default(), &mut |_| Ok(()))
}

#[test]
fn joined_shards_are_the_index_of_one_run_to_the_bit() {
    let (_folder, dataset) = large_dataset();
    let encoder = LetterEncoder::new("letters");
    let (one, other) = (dataset.root.join("one/index"), dataset.root.join("other/index"));
    let whole = Index::build(&dataset, &one, &encoder, &mut |_| Ok(())).unwrap();
    for number in [2, 1, 3] {
        shard(&dataset, &other, &encoder, &format!("{number}/3"));
    }
    let index = joined(&dataset, &other).unwrap();
    assert_eq!(index.fingerprint(), whole.fingerprint());
    assert_eq!(index.left_out(), whole.left_out());
    assert_eq!(index.left_out()[0].document, "m70");
    for name in ["vectors.safetensors", "image.faiss", "caption.faiss", "contents.tsv"] {
        assert!(fs::read(one.join(name)).unwrap() == fs::read(other.join(name)).unwrap(), "{name}");
    }
    // More shards than batches: the last ones are empty.
    let third = dataset.root.join("third/index");
    for number in 1..=5 {
        shard(&dataset, &third, &encoder, &format!("{number}/5"));
    }
    assert_eq!(joined(&dataset, &third).unwrap().fingerprint(), whole.fingerprint());
}

#[test]
fn parts_that_are_missing_or_do_not_fit_are_named() {
    let (folder, dataset) = large_dataset();
    let encoder = LetterEncoder::new("letters");
    let index = dataset.root.join("workspace/index");
    let refused = |dataset: &Dataset| format!("{:#}", joined(dataset, &index).err().unwrap());
    assert!(refused(&dataset).contains("has no part"), "{}", refused(&dataset));
    shard(&dataset, &index, &encoder, "1/3");
    shard(&dataset, &index, &encoder, "3/3");
    assert!(refused(&dataset).contains("lacks 1 of 3 parts: 2/3"), "{}", refused(&dataset));
    shard(&dataset, &index, &LetterEncoder::new("other"), "2/3");
    assert!(refused(&dataset).contains("all parts must be of one encoder"), "{}", refused(&dataset));
    shard(&dataset, &index, &encoder, "2/3");
    shard(&dataset, &index, &encoder, "1/1");
    assert!(refused(&dataset).contains("the parts of 2 cuts"), "{}", refused(&dataset));
    fs::remove_dir_all(index.parent().unwrap().join("index-parts/1-of-1")).unwrap();

    let contents = index.parent().unwrap().join("index-parts/2-of-3/contents.tsv");
    let whole = fs::read_to_string(&contents).unwrap();
    fs::write(&contents, whole.lines().skip(1).collect::<Vec<_>>().join("\n")).unwrap();
    assert!(refused(&dataset).contains("expected a line for each of 64 documents, found 63"), "{}", refused(&dataset));
    fs::write(&contents, whole).unwrap();
    assert!(joined(&dataset, &index).is_ok());

    let corpus = fs::read_to_string(folder.path().join("corpus.jsonl")).unwrap();
    fs::write(folder.path().join("corpus.jsonl"), corpus.replacen("x a", "x e", 1)).unwrap();
    let changed = Dataset::open(folder.path()).unwrap();
    assert!(refused(&changed).contains("make the part again with the same dataset"), "{}", refused(&changed));
}
