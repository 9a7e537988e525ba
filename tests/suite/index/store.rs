//! The index folder: round trip, staleness, damage, broken images, what is taken over, killed and refused builds.

use super::support::{EVERYTHING, LetterEncoder, small_dataset};
use crate::support::pictures::write_picture;
use dissent::data::Dataset;
use dissent::index::{Embedder, Index, IndexError, IndexSettings, Progress, Stage, VectorCode, VectorSide};
use image::RgbImage;
use std::fs;
use std::path::{Path, PathBuf};

fn index_folder(dataset: &Dataset) -> PathBuf {
    dataset.root.join(".dissent/index")
}

fn build(dataset: &Dataset, encoder: &LetterEncoder) -> Index {
    Index::build(dataset, &index_folder(dataset), encoder, &mut |_| Ok(())).unwrap()
}

fn open(dataset: &Dataset, encoder: &LetterEncoder) -> Result<Index, IndexError> {
    Index::open(&index_folder(dataset), &dataset.corpus_fingerprint(), encoder.fingerprint())
}

#[test]
fn what_is_built_is_opened_and_finds_every_document_by_its_own_vector() {
    let (_folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    assert!(matches!(open(&dataset, &encoder), Err(IndexError::Missing { .. })));
    let mut seen: Vec<Progress> = Vec::new();
    let mut note = |step| {
        seen.push(step);
        Ok(())
    };
    let built = Index::build(&dataset, &index_folder(&dataset), &encoder, &mut note).unwrap();
    assert!(seen.contains(&Progress { stage: Stage::Images, done: 6, total: 6 }));
    assert!(seen.contains(&Progress { stage: Stage::Captions, done: 6, total: 6 }));
    let index = open(&dataset, &encoder).unwrap();
    assert_eq!(index.fingerprint(), built.fingerprint());
    assert_eq!(index.description(), "Flat, 6 vectors of 4");
    assert_eq!(index.summary(), "exact search, 6 images");
    assert_eq!((index.documents(), index.encoder_name(), index.left_out()), (6, "letters", &[][..]));
    for (row, document) in dataset.corpus.iter().enumerate() {
        let picture = dataset.picture(document.image).unwrap().to_rgb8();
        let image_vector = encoder.embed_pictures(&[&picture]).unwrap().remove(0);
        let (found, score) = index.search(VectorSide::Image, &image_vector, 1, EVERYTHING).unwrap()[0];
        assert_eq!(found, row);
        assert!((score - 1.0).abs() < 1e-5);
        let caption_vector = encoder.embed_texts(&[document.caption]).unwrap().remove(0);
        assert_eq!(index.search(VectorSide::Caption, &caption_vector, 1, EVERYTHING).unwrap()[0].0, row);
        for (side, expected) in [(VectorSide::Image, image_vector), (VectorSide::Caption, caption_vector)] {
            let stored = index.document_vector(side, row).unwrap().unwrap();
            assert!(stored.iter().zip(&expected).all(|(one, other)| (one - other).abs() < 1e-6), "{side:?} {row}");
        }
    }
    assert_eq!(index.text().search("knee", None, 1, EVERYTHING).unwrap()[0].row, 4);
}

#[test]
fn no_case_finds_itself_or_its_group() {
    let (_folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    let index = build(&dataset, &encoder);
    let case = &dataset.cases[0];
    let query = encoder.embed_pictures(&[&dataset.picture(&case.image).unwrap().to_rgb8()]).unwrap().remove(0);
    assert_eq!(index.search(VectorSide::Image, &query, 1, EVERYTHING).unwrap()[0].0, 0, "the case's own patient");
    let allowed = |row: usize| dataset.may_retrieve(case, row);
    let found = index.search(VectorSide::Image, &query, 6, &allowed).unwrap();
    assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn another_corpus_and_another_encoder_are_stale() {
    let (folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    build(&dataset, &encoder);
    let other = LetterEncoder::new("other letters");
    let error = open(&dataset, &other).err().unwrap();
    assert!(matches!(&error, IndexError::Stale { what: "encoder", expected, .. } if *expected == other.fingerprint));
    assert!(error.to_string().contains("`dissent index`"), "{error}");

    let corpus = fs::read_to_string(folder.path().join("corpus.jsonl")).unwrap();
    fs::write(folder.path().join("corpus.jsonl"), corpus.replace("knee", "elbow")).unwrap();
    let changed = Dataset::open(folder.path()).unwrap();
    assert!(matches!(open(&changed, &encoder), Err(IndexError::Stale { what: "corpus", .. })));
    let text = Index::open_text(&index_folder(&changed), &changed.corpus_fingerprint());
    assert!(matches!(text, Err(IndexError::Stale { what: "corpus", .. })));

    // The one caption that changed is all that the encoder looks at again.
    encoder.looked_at.set(0);
    let index =
        Index::open_or_build(&changed, &index_folder(&changed), &encoder, &mut |_| (), &mut |_| Ok(())).unwrap();
    assert_eq!(encoder.looked_at.get(), 1);
    assert_eq!(index.text().search("elbow", None, 1, EVERYTHING).unwrap()[0].row, 4);
    Index::open_or_build(&changed, &index_folder(&changed), &encoder, &mut |_| panic!("built again"), &mut |_| Ok(()))
        .unwrap();
}

#[test]
fn equal_images_and_captions_are_looked_at_once() {
    let (folder, dataset) = small_dataset();
    for row in 1..6 {
        fs::copy(folder.path().join("images/d0.png"), folder.path().join(format!("images/d{row}.png"))).unwrap();
    }
    let encoder = LetterEncoder::new("letters");
    let index = build(&dataset, &encoder);
    assert_eq!(encoder.looked_at.get(), 1 + 6);
    assert_eq!(index.side(VectorSide::Image).len(), 6);
}

#[test]
fn a_broken_image_is_named_and_the_rest_works() {
    let (folder, dataset) = small_dataset();
    let whole = fs::read(folder.path().join("images/d2.png")).unwrap();
    fs::write(folder.path().join("images/d2.png"), &whole[..whole.len() / 2]).unwrap();
    fs::remove_file(folder.path().join("images/d4.png")).unwrap();
    let encoder = LetterEncoder::new("letters");
    build(&dataset, &encoder);
    let index = open(&dataset, &encoder).unwrap();
    let left_out = index.left_out();
    assert_eq!(left_out.iter().map(|document| document.row).collect::<Vec<_>>(), [2, 4]);
    assert!(left_out[0].reason.contains("d2.png") && left_out[1].reason.contains("d4.png"), "{left_out:?}");
    assert_eq!(index.description(), "Flat, 4 vectors of 4");
    // Rows behind a gap keep their numbers.
    let picture = dataset.picture(dataset.corpus.document(5).image).unwrap().to_rgb8();
    let query = encoder.embed_pictures(&[&picture]).unwrap().remove(0);
    assert_eq!(index.search(VectorSide::Image, &query, 9, EVERYTHING).unwrap()[0].0, 5);
    assert_eq!(index.search(VectorSide::Image, &query, 9, EVERYTHING).unwrap().len(), 4);
    assert_eq!(index.document_vector(VectorSide::Image, 2).unwrap(), None);
    assert!(index.document_vector(VectorSide::Caption, 2).unwrap().is_some());
    assert_eq!(index.text().search("thickening", None, 1, EVERYTHING).unwrap()[0].row, 2);

    // Once mended it is the only one to be looked at.
    write_picture(folder.path(), "images/d4.png", [1, 2, 3]);
    encoder.looked_at.set(0);
    let mended =
        Index::open_or_build(&dataset, &index_folder(&dataset), &encoder, &mut |_| (), &mut |_| Ok(())).unwrap();
    assert_eq!((encoder.looked_at.get(), mended.left_out().len()), (1, 1));
}

#[test]
fn another_image_of_the_same_size_is_told_apart_and_a_mended_one_is_taken_in() {
    let (folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    let path = folder.path().join("images/d2.png");
    let whole = fs::read(&path).unwrap();
    let before = build(&dataset, &encoder).fingerprint();
    assert_eq!(build(&dataset, &encoder).fingerprint(), before, "the same files, the same hits");

    fs::write(&path, vec![0; whole.len()]).unwrap();
    let without = build(&dataset, &encoder);
    assert_eq!(without.left_out().len(), 1);
    assert_ne!(without.fingerprint(), before);

    fs::write(&path, &whole).unwrap();
    let mut reasons = Vec::new();
    let mut on_rebuild = |error: &IndexError| reasons.push(error.to_string());
    let mended =
        Index::open_or_build(&dataset, &index_folder(&dataset), &encoder, &mut on_rebuild, &mut |_| Ok(())).unwrap();
    assert_eq!((mended.left_out().len(), mended.fingerprint()), (0, before));
    assert!(reasons[0].contains("is stale"), "{reasons:?}");
}

#[test]
fn no_readable_image_at_all_is_an_error() {
    let (folder, dataset) = small_dataset();
    for row in 0..6 {
        fs::write(folder.path().join(format!("images/d{row}.png")), b"x").unwrap();
    }
    let error = Index::build(&dataset, &index_folder(&dataset), &LetterEncoder::new("letters"), &mut |_| Ok(())).err();
    assert!(error.unwrap().to_string().contains("none of the 6 corpus images can be read"));
}

#[test]
fn every_damaged_file_is_named_and_mended() {
    let (_folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    for name in ["image.faiss", "caption.faiss", "vectors.safetensors", "text/meta.json", "index.toml"] {
        let index = build(&dataset, &encoder);
        let path = index.folder().join(name);
        drop(index);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = open(&dataset, &encoder).err().unwrap();
        let IndexError::Damaged { path: named, .. } = &error else { panic!("{name}: {error}") };
        assert!(path.starts_with(named), "{name}: {error}");
        Index::open_or_build(&dataset, &index_folder(&dataset), &encoder, &mut |_| (), &mut |_| Ok(())).unwrap();
    }
    fs::remove_file(index_folder(&dataset).join("caption.faiss")).unwrap();
    assert!(matches!(open(&dataset, &encoder), Err(IndexError::Damaged { .. })));
    let toml = index_folder(&dataset).join("index.toml");
    let text = fs::read_to_string(&toml).unwrap();
    fs::write(&toml, text.replace("version = 3", "version = 99")).unwrap();
    assert!(open(&dataset, &encoder).err().unwrap().to_string().contains("it has format 99, this program writes 3"));
}

#[test]
fn vectors_of_a_broken_encoder_never_reach_the_disk() {
    let (_folder, dataset) = small_dataset();
    let sound = LetterEncoder::new("letters");
    build(&dataset, &sound);
    for factor in [0.5, f32::NAN] {
        let broken = LetterEncoder { factor, ..LetterEncoder::new("broken") };
        let error = Index::build(&dataset, &index_folder(&dataset), &broken, &mut |_| Ok(())).err().unwrap();
        let message = format!("{error:#}");
        assert!(message.starts_with("encoder letters, the image of document d0: expected"), "{message}");
        assert!(open(&dataset, &sound).is_ok(), "the old index stays");
    }
}

/// Dies in the middle of the images, as a killed process does: nothing after it runs.
struct DyingEncoder(LetterEncoder);

impl Embedder for DyingEncoder {
    fn embed_pictures(&self, pictures: &[&RgbImage]) -> anyhow::Result<Vec<Vec<f32>>> {
        self.0.embed_pictures(pictures)
    }
    fn embed_texts(&self, _: &[&str]) -> anyhow::Result<Vec<Vec<f32>>> {
        anyhow::bail!("killed")
    }
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn fingerprint(&self) -> &dissent::files::fingerprint::Fingerprint {
        self.0.fingerprint()
    }
    fn name(&self) -> &'static str {
        "dying"
    }
}

#[test]
fn a_build_that_dies_leaves_the_old_index_and_no_rubbish() {
    let (_folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    build(&dataset, &encoder);
    let workspace = dataset.root.join(".dissent");
    let dying = DyingEncoder(LetterEncoder::new("dying"));
    assert!(Index::build(&dataset, &index_folder(&dataset), &dying, &mut |_| Ok(())).is_err());
    // A kill during writing leaves such a folder.
    let rubbish = workspace.join(".index-building-left");
    fs::create_dir_all(rubbish.join("index")).unwrap();
    fs::write(rubbish.join("index/image.faiss"), b"half").unwrap();
    assert!(open(&dataset, &encoder).is_ok());
    build(&dataset, &encoder);
    assert_eq!(names(&workspace), ["index", "index.lock"]);
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn inverted_lists_work_through_the_folder() {
    let (folder, _) = small_dataset();
    let mut lines = String::new();
    for row in 0..200_u8 {
        write_picture(folder.path(), &format!("images/m{row}.png"), [row, 255 - row, row.wrapping_mul(37)]);
        let caption = "aeio".repeat(usize::from(row) % 7) + &"a".repeat(usize::from(row));
        lines.push_str(&format!("{{\"id\":\"m{row}\",\"image\":\"images/m{row}.png\",\"caption\":\"x {caption}\"}}\n"));
    }
    fs::write(folder.path().join("corpus.jsonl"), lines).unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    let encoder = LetterEncoder::new("letters");
    let path = index_folder(&dataset);
    let picture = dataset.picture(dataset.corpus.document(123).image).unwrap().to_rgb8();
    let query = encoder.embed_pictures(&[&picture]).unwrap().remove(0);
    for code in [VectorCode::F32, VectorCode::F16, VectorCode::Sq8] {
        let settings = IndexSettings { exact_up_to: 100, recall: 0.9, code: Some(code) };
        Index::build_with(&dataset, &path, &encoder, settings, false, &mut |_| Ok(())).unwrap();
        let index = open(&dataset, &encoder).unwrap();
        let recall = index.side(VectorSide::Image).recall().unwrap();
        assert!(recall.recall >= 0.85 && recall.at == 10 && recall.queries == 100, "{recall:?}");
        let description = index.description();
        assert!(description.starts_with("IVF of 5 lists"), "{description}");
        assert!(description.ends_with(&format!("200 vectors of 4; {recall}")), "{description}");
        let found = index.search(VectorSide::Image, &query, 3, EVERYTHING).unwrap();
        assert_eq!(found[0].0, 123, "{code:?}");
        for (row, score) in found {
            let vector = index.document_vector(VectorSide::Image, row).unwrap().unwrap();
            let exact: f32 = vector.iter().zip(&query).map(|(one, other)| one * other).sum();
            assert!((score - exact).abs() < 1e-6, "{code:?} {row}: {score}, {exact}");
        }
        assert_eq!(Index::settings_of(&path), settings);
    }
    // A build for another reason keeps the settings.
    let other = LetterEncoder::new("other letters");
    let index = Index::open_or_build(&dataset, &path, &other, &mut |_| (), &mut |_| Ok(())).unwrap();
    assert!(index.description().contains("in 8 bit"), "{}", index.description());
}

#[test]
fn an_image_replaced_by_one_of_equal_size_and_age_is_stale() {
    let (folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    build(&dataset, &encoder);
    let path = folder.path().join("images/d0.png");
    let before = fs::metadata(&path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(before.modified().unwrap()).unwrap();
    assert!(matches!(open(&dataset, &encoder), Err(IndexError::Stale { what: "corpus", .. })));
    let again = Dataset::open(folder.path()).unwrap();
    assert!(matches!(open(&again, &encoder), Err(IndexError::Stale { what: "corpus", .. })));
}

#[test]
fn an_index_of_an_older_version_or_another_rule_is_stale() {
    let (_folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    build(&dataset, &encoder);
    let path = index_folder(&dataset).join("index.toml");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to, named) in [
        ("version = 3", "version = 2", "has format 2"),
        ("words-2", "words-1", "its tokenizer is words-1"),
        ("pixels 3", "pixels 1", "its conversion of images is pixels 1"),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        let error = open(&dataset, &encoder).err().unwrap();
        assert!(error.is_mended_by_building() && error.to_string().contains("is stale"), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_count_that_lies_in_a_faiss_file_is_damage() {
    let (_folder, dataset) = small_dataset();
    let encoder = LetterEncoder::new("letters");
    build(&dataset, &encoder);
    for name in ["image.faiss", "caption.faiss", "vectors.safetensors"] {
        let path = index_folder(&dataset).join(name);
        let whole = fs::read(&path).unwrap();
        for place in [8, 37, whole.len() - 4] {
            let mut bytes = whole.clone();
            bytes[place..place + 4].fill(0x7F);
            fs::write(&path, &bytes).unwrap();
            let error = open(&dataset, &encoder).err().unwrap();
            assert!(matches!(error, IndexError::Damaged { .. }) && error.to_string().contains(name), "{error}");
        }
        fs::write(&path, &whole).unwrap();
    }
}
