//! Embedding that is spread over machines: each embeds one shard of the corpus into a part, and the parts are joined to the
//! index that one run would have made.
//!
//! `WORKSPACE/index-parts/3-of-16/` holds `part.toml`, `vectors.safetensors` and `contents.tsv` of the third of sixteen shards.

use super::build::{EmbeddedCorpus, KnownVectors, embed_corpus};
use super::files::{CONTENT_FILE, MOST_CONTENTS, VECTOR_FILE, contents_of, sync_all};
use super::finish::{Aside, Built, finish};
use super::lock::begin_build;
use super::manifest::EncoderStamp;
use super::store::{refuse_empty_corpus, rows_of_sides};
use super::vector_file::{VectorFile, VectorFileWriter};
use super::{Embedder, Index, IndexSettings, LeftOut, Progress, Stage, VectorSide};
use anyhow::{Context, Result, bail, ensure};
use dissent_core::data::{CONVERSION_VERSION, Dataset};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::{durable, input_file};
use dissent_core::text::toml_text;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The folder of the parts, beside the index.
const PARTS: &str = "index-parts";
const PART_FILE: &str = "part.toml";
/// Maximum size: a line of 1000 bytes for each of a million left-out images.
const MOST: u64 = 1 << 30;
/// With more shards than this a part would have fewer than 2,000 of a hundred million documents.
const MOST_SHARDS: usize = 65_536;
/// Missing parts that a message names.
const NAMED: usize = 8;
/// Longest vector of a part, as of a file of vectors.
const LONGEST_VECTOR: usize = 1 << 20;
/// Shards begin at a whole batch, so that an encoder is given the same batches as by one run.
const STEP: usize = 64;

/// One of several parts of a corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard {
    /// From 1.
    number: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = String;

    /// Parses text such as "3/16".
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a shard such as 3/16, the third of sixteen, found '{text}'");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let (number, of) = (number.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        if of > MOST_SHARDS {
            return Err(format!("expected at most {MOST_SHARDS} shards, found '{text}'"));
        }
        if (1..=of).contains(&number) { Ok(Self { number, of }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.number, self.of)
    }
}

impl Shard {
    /// Its rows of a corpus of `documents`; the last shards of a small corpus may have none.
    pub fn rows(self, documents: usize) -> Range<usize> {
        let batches = documents.div_ceil(STEP);
        let bound = |number: usize| (batches * number / self.of * STEP).min(documents);
        bound(self.number - 1)..bound(self.number)
    }

    fn folder(self, parts: &Path) -> PathBuf {
        parts.join(self.folder_name())
    }

    fn folder_name(self) -> String {
        format!("{}-of-{}", self.number, self.of)
    }

    fn of_folder_name(name: &str) -> Option<Self> {
        name.replacen("-of-", "/", 1).parse().ok().filter(|shard: &Self| shard.folder_name() == name)
    }
}

/// Content of `part.toml`.
#[derive(Serialize, Deserialize)]
struct Part {
    corpus: Fingerprint,
    conversion: String,
    encoder: EncoderStamp,
    #[serde(default)]
    left_out: Vec<LeftOut>,
}

impl Index {
    /// Embeds one shard of the corpus for the index in `folder`. Returns the folder of the part.
    ///
    /// # Errors
    /// Fails like [`Index::build`].
    pub fn build_shard(
        dataset: &Dataset,
        folder: &Path,
        encoder: &dyn Embedder,
        shard: Shard,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<PathBuf> {
        refuse_empty_corpus(dataset)?;
        let (workspace, _lock) = begin_build(folder, progress)?;
        let rows = shard.rows(dataset.corpus.len());
        let corpus_fingerprint = dataset.corpus_fingerprint_now();
        let aside = Aside::create(workspace)?;
        let vectors = aside.vectors(rows_of_sides(encoder, rows.len()), encoder.dimension())?;
        let (mut images, mut captions) = <(KnownVectors, KnownVectors)>::default();
        let corpus = embed_corpus(dataset, rows, encoder, vectors, (&mut images, &mut captions), progress)?;
        progress(Progress { stage: Stage::Writing, done: 0, total: 1 })?;
        let building = aside.building();
        durable::write_file(&building.join(CONTENT_FILE), contents_of(&corpus).as_bytes())?;
        let part = Part {
            corpus: corpus_fingerprint,
            conversion: CONVERSION_VERSION.into(),
            encoder: EncoderStamp::of(encoder),
            left_out: corpus.left_out,
        };
        let text = toml::to_string_pretty(&part).context("cannot write part.toml")?;
        durable::write_file(&building.join(PART_FILE), text.as_bytes())?;
        sync_all(&building)?;
        let target = shard.folder(&workspace.join(PARTS));
        durable::make_folder(&workspace.join(PARTS))?;
        durable::replace_folder(&building, &target)?;
        Ok(target)
    }

    /// Joins the parts beside the index in `folder` to that index, and opens it; no encoder is needed.
    ///
    /// # Errors
    /// Fails if a part is missing, damaged, or of another corpus or encoder than the others, and like [`Index::build`].
    pub fn join_shards(
        dataset: &Dataset,
        folder: &Path,
        settings: IndexSettings,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Self> {
        refuse_empty_corpus(dataset)?;
        let (workspace, _lock) = begin_build(folder, progress)?;
        let parts = workspace.join(PARTS);
        let of = complete_set(&parts)?;
        let corpus_fingerprint = dataset.corpus_fingerprint_now();
        let total = dataset.corpus.len();
        let mut joined: Option<Joining> = None;
        let aside = Aside::create(workspace)?;
        for number in 1..=of {
            let shard = Shard { number, of };
            let place = shard.folder(&parts);
            let part = read_part(&place, &corpus_fingerprint)?;
            let joining = match &mut joined {
                Some(joining) => joining,
                None => joined.insert(Joining::begin(&aside, total, &part)?),
            };
            joining.add(&place, shard, part)?;
            progress(Progress { stage: Stage::Images, done: shard.rows(total).end, total })?;
        }
        let Joining { encoder, corpus, .. } = joined.context("expected at least one part")?;
        let built = Built { corpus_fingerprint, encoder, given: None, queries: None, settings };
        finish(dataset, (aside, folder), corpus, built, progress)
    }
}

/// Into how many shards the corpus of the parts was cut, all of which are there.
fn complete_set(parts: &Path) -> Result<usize> {
    let mut there: HashMap<usize, Vec<usize>> = HashMap::new();
    for entry in std::fs::read_dir(parts).into_iter().flatten().flatten() {
        if let Some(shard) = Shard::of_folder_name(&entry.file_name().to_string_lossy()) {
            there.entry(shard.of).or_default().push(shard.number);
        }
    }
    let complete: Vec<usize> = there.iter().filter(|(of, numbers)| numbers.len() == **of).map(|(of, _)| *of).collect();
    if let [of] = complete.as_slice() {
        return Ok(*of);
    }
    let parts = parts.display();
    if complete.len() > 1 {
        bail!("{parts} has the parts of {} cuts of the corpus; remove those that are not to be joined", complete.len());
    }
    let Some((of, numbers)) = there.iter().max_by_key(|(_, numbers)| numbers.len()) else {
        bail!("{parts} has no part; `dissent index DATASET --encoder DIR --shard 1/16` makes the first of sixteen");
    };
    let missing: Vec<usize> = (1..=*of).filter(|number| !numbers.contains(number)).collect();
    let named: Vec<String> = missing.iter().take(NAMED).map(|number| format!("{number}/{of}")).collect();
    let more = if missing.len() > NAMED { ", …" } else { "" };
    bail!("{parts} lacks {} of {of} parts: {}{more}", missing.len(), named.join(", "));
}

fn read_part(place: &Path, corpus: &Fingerprint) -> Result<Part> {
    let path = place.join(PART_FILE);
    let text = input_file::read_text(&path, MOST).with_context(|| format!("cannot read {}", path.display()))?;
    let part: Part = toml_text::parse(&text).with_context(|| format!("cannot read {}", path.display()))?;
    ensure!(
        (1..=LONGEST_VECTOR).contains(&part.encoder.dimension),
        "{}: expected vectors of 1 to {LONGEST_VECTOR} numbers, found {}",
        path.display(),
        part.encoder.dimension
    );
    ensure!(
        part.corpus == *corpus && part.conversion == CONVERSION_VERSION,
        "{} was made of the corpus {} (images: {}), the dataset's is {corpus} (images: {CONVERSION_VERSION}): make the part \
         again with the same dataset",
        place.display(),
        part.corpus,
        part.conversion
    );
    Ok(part)
}

/// The parts that were joined so far.
struct Joining {
    encoder: EncoderStamp,
    corpus: EmbeddedCorpus,
    /// The first row of each content: equal images have one vector, as in one run.
    images: HashMap<Fingerprint, usize>,
    captions: HashMap<Fingerprint, usize>,
}

impl Joining {
    fn begin(aside: &Aside, documents: usize, part: &Part) -> Result<Self> {
        let is_embedded = |side| part.encoder.only.is_none_or(|only| only == side);
        let rows = [VectorSide::Image, VectorSide::Caption].map(|side| if is_embedded(side) { documents } else { 0 });
        let vectors = aside.vectors(rows, part.encoder.dimension)?;
        Ok(Self {
            encoder: part.encoder.clone(),
            corpus: EmbeddedCorpus::empty(vectors, 0..documents),
            images: HashMap::new(),
            captions: HashMap::new(),
        })
    }

    fn add(&mut self, place: &Path, shard: Shard, part: Part) -> Result<()> {
        ensure!(
            part.encoder.fingerprint == self.encoder.fingerprint && part.encoder.dimension == self.encoder.dimension,
            "{} was made by the encoder {} ({}), the first part by {} ({}): all parts must be of one encoder",
            place.display(),
            part.encoder.name,
            part.encoder.fingerprint,
            self.encoder.name,
            self.encoder.fingerprint
        );
        let rows = shard.rows(self.corpus.image_contents.len());
        let shapes = ["image", "caption"].iter().zip([VectorSide::Image, VectorSide::Caption]);
        let is_embedded = |side| part.encoder.only.is_none_or(|only| only == side);
        let shapes: Vec<(&'static str, usize)> =
            shapes.map(|(name, side)| (*name, if is_embedded(side) { rows.len() } else { 0 })).collect();
        let vectors = VectorFile::open(&place.join(VECTOR_FILE), &shapes, part.encoder.dimension)?;
        let path = place.join(CONTENT_FILE);
        let contents =
            input_file::read_text(&path, MOST_CONTENTS).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            contents.lines().count() == rows.len(),
            "{}: expected a line for each of {} documents, found {}",
            path.display(),
            rows.len(),
            contents.lines().count()
        );
        for (position, line) in contents.lines().enumerate() {
            let row = rows.start + position;
            let (image, caption) = line.split_once('\t').unwrap_or_default();
            let (image, caption) = (Fingerprint::parse(image), Fingerprint::parse(caption));
            let caption =
                caption.with_context(|| format!("{}, line {}: expected two hashes", path.display(), position + 1))?;
            let writer = &mut self.corpus.vectors;
            if let Some(image) = &image {
                write_first(writer, &vectors, VectorSide::Image, (row, position), image, &mut self.images)?;
            }
            write_first(writer, &vectors, VectorSide::Caption, (row, position), &caption, &mut self.captions)?;
            self.corpus.image_contents[row] = image;
            self.corpus.caption_contents.push(caption);
        }
        self.corpus.left_out.extend(part.left_out);
        Ok(())
    }
}

/// Writes the vector of a content to a row: that of the first row with this content.
fn write_first(
    writer: &mut VectorFileWriter,
    vectors: &VectorFile,
    side: VectorSide,
    (row, position): (usize, usize),
    content: &Fingerprint,
    first: &mut HashMap<Fingerprint, usize>,
) -> Result<()> {
    let tensor = side as usize;
    if vectors.rows(tensor) == 0 {
        return Ok(());
    }
    if let Some(there) = first.get(content) {
        let vector = writer.read_row(tensor, *there)?;
        return writer.write_row(tensor, row, &vector);
    }
    first.insert(content.clone(), row);
    let vector = vectors.row(tensor, position).context("a part has fewer vectors than documents")?;
    writer.write_row(tensor, row, vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_a_cut_of_the_corpus_at_whole_batches() {
        for documents in [1, 63, 64, 65, 420, 1000] {
            for of in [1, 3, 16] {
                let mut next = 0;
                for number in 1..=of {
                    let rows = Shard { number, of }.rows(documents);
                    assert_eq!(rows.start, next, "{number} of {of}, {documents}");
                    assert!(rows.is_empty() || rows.start.is_multiple_of(STEP));
                    next = rows.end;
                }
                assert_eq!(next, documents);
            }
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        assert_eq!("3/16".parse(), Ok(Shard { number: 3, of: 16 }));
        for text in ["0/16", "17/16", "3", "3/0", "a/b", "3/16/2", "-1/4"] {
            assert!(text.parse::<Shard>().unwrap_err().contains("such as 3/16"), "{text}");
        }
        assert!("1/18446744073709551615".parse::<Shard>().unwrap_err().contains("at most 65536 shards"));
        assert_eq!(Shard::of_folder_name("3-of-16"), Some(Shard { number: 3, of: 16 }));
        assert_eq!(Shard::of_folder_name("03-of-16"), None);
    }
}
