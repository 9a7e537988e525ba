//! Fills a collection. It is made under a name of its own and becomes visible when it is complete, by one change of the alias; a
//! build that was killed is continued, because rows are keys and whole blocks are recognised.

use super::blocks::{BLOCK, Block, content};
use super::connection::Connection;
use super::recall::{ExactScores, RecallSample, sample_rows};
use super::schema::create;
use super::stamp::{CONTENT_PROPERTY, Content, Inputs};
use super::store::{Target, target};
use super::{BuildOptions, MilvusStore, StoreSource};
use crate::index::{
    Embedder, EncoderStamp, KnownContents, Progress, Stage, VectorSide, embed_rows, refuse_empty_corpus, stemmed_words,
    unit,
};
use anyhow::{Context, Result, bail, ensure};
use dissent_core::data::{Dataset, Picture};
use dissent_core::files::fingerprint::Fingerprint;
use std::ops::Range;
use std::sync::mpsc::sync_channel;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Blocks that wait for the server; with those being embedded and sent at most three are in memory.
const WAITING_BLOCKS: usize = 1;
/// Vectors that are kept to embed equal images and captions once, in bytes.
const MOST_KNOWN_BYTES: usize = 1 << 30;

/// Fills the collection of a dataset's corpus, or opens it if it is up to date; whether anything was done.
///
/// # Errors
/// Fails if `progress` fails, the encoder fails, the server does not answer or refuses, or no image can be read.
pub(super) fn build(
    source: &StoreSource,
    dataset: &Dataset,
    encoder: &dyn Embedder,
    options: BuildOptions,
    progress: &mut dyn FnMut(Progress) -> Result<()>,
) -> Result<(MilvusStore, bool)> {
    refuse_empty_corpus(dataset)?;
    let connection = Connection::new(source)?;
    let version = connection.version()?;
    let stamp = EncoderStamp::of(encoder);
    ensure!(
        version.has_several_vectors() || stamp.only.is_some(),
        "{source}: the server is {version}, which holds one vector a document, and the encoder {} makes two; expected Milvus 2.4 \
         or later",
        stamp.name
    );
    // Computed before the images are read, so that a corpus that changes meanwhile makes the collection stale, not wrong.
    let corpus = dataset.corpus_fingerprint();
    let inputs = Inputs::new(dataset.corpus.len(), corpus, stamp, options.flat_limit, version.has_words());
    let alias = &source.address.collection;
    let before = match target(&connection, alias)? {
        Target::Foreign { reason } => {
            bail!("the collection {source} cannot be replaced: {reason}; choose another name")
        }
        Target::Complete { name, inputs: there, content } => {
            if !options.afresh && there.is_same(&inputs) {
                return Ok((MilvusStore::new(connection, name, *there, *content, version)?, false));
            }
            Some(name)
        }
        Target::Unfinished { name } => Some(name),
        Target::Nothing => None,
    };
    let name = place_for(&connection, &inputs, alias, before.as_deref(), options.afresh)?;
    let filled = Filling { connection: &connection, dataset, encoder, inputs: &inputs, name: &name };
    let content = filled.fill(progress)?;
    let text = serde_json::to_string(&content).context("cannot write what is in the collection")?;
    connection.set_property(&name, CONTENT_PROPERTY, &text)?;
    connection.set_alias(alias, &name, before.is_some())?;
    for old in connection.collection_names()? {
        let is_old = before.as_ref() == Some(&old) || options.afresh && old.starts_with(&format!("{alias}__"));
        if is_old && old != name {
            connection.drop_collection(&old)?;
        }
    }
    progress(Progress { stage: Stage::Writing, done: 1, total: 1 })?;
    Ok((MilvusStore::new(connection, name, inputs, content, version)?, true))
}

/// The collection to fill: one that was begun for the same inputs, or a new one, but never the visible one.
fn place_for(
    connection: &Connection,
    inputs: &Inputs,
    alias: &str,
    before: Option<&str>,
    afresh: bool,
) -> Result<String> {
    let base = inputs.name(alias);
    let first = format!("{base}_a");
    let name = if before == Some(first.as_str()) { format!("{base}_b") } else { first };
    match target(connection, &name)? {
        Target::Unfinished { .. } if !afresh && begun_for(connection, &name, inputs)? => return Ok(name),
        Target::Nothing => {}
        _ => connection.drop_collection(&name)?,
    }
    create(connection, &name, inputs)?;
    Ok(name)
}

/// Whether an unfinished collection was begun for these inputs.
fn begun_for(connection: &Connection, name: &str, inputs: &Inputs) -> Result<bool> {
    let properties = connection.describe(name)?.map(|described| described.properties).unwrap_or_default();
    let begun: Option<Inputs> =
        properties.get(super::stamp::INPUTS_PROPERTY).and_then(|text| serde_json::from_str(text).ok());
    Ok(begun.is_some_and(|begun| begun.is_same(inputs)))
}

struct Filling<'a> {
    connection: &'a Connection,
    dataset: &'a Dataset,
    encoder: &'a dyn Embedder,
    inputs: &'a Inputs,
    name: &'a str,
}

/// What is added up over the blocks.
struct Sums {
    contents: Vec<String>,
    tokens: u64,
    left_out: usize,
    first_problem: Option<String>,
    image: ExactScores,
    caption: ExactScores,
}

impl Filling<'_> {
    fn fill(&self, progress: &mut dyn FnMut(Progress) -> Result<()>) -> Result<Content> {
        let total = self.dataset.corpus.len();
        progress(Progress { stage: Stage::Documents, done: 0, total })?;
        self.connection.load(self.name, &mut || Ok(()))?;
        let (image, caption) = self.sample_queries()?;
        let mut sums = Sums {
            contents: Vec::with_capacity(total.div_ceil(BLOCK)),
            tokens: 0,
            left_out: 0,
            first_problem: None,
            image: ExactScores::new(image),
            caption: ExactScores::new(caption),
        };
        self.send_blocks(&mut sums, progress)?;
        if let (Some(problem), true) = (&sums.first_problem, sums.left_out == total) {
            bail!("none of the {total} corpus images can be read; the first: {problem}");
        }
        progress(Progress { stage: Stage::Writing, done: 0, total: 1 })?;
        self.connection.settle(self.name, &mut || progress(Progress { stage: Stage::Writing, done: 0, total: 1 }))?;
        let found = self.connection.count(self.name, "row >= 0")?;
        ensure!(
            found == total as u64,
            "{}: expected {total} documents in the new collection, found {found}; run the same command again",
            self.connection.place()
        );
        Ok(Content {
            date: OffsetDateTime::now_utc().format(&Rfc3339).context("cannot write the date")?,
            contents: Fingerprint::of_parts(sums.contents.iter().map(String::as_str)),
            tokens: sums.tokens,
            left_out: sums.left_out,
            sample: RecallSample { image: sums.image.finish(), caption: sums.caption.finish() },
        })
    }

    /// Embeds one block while the one before is sent. A server that is slower than the encoder makes the encoder wait.
    fn send_blocks(&self, sums: &mut Sums, progress: &mut dyn FnMut(Progress) -> Result<()>) -> Result<()> {
        let total = self.dataset.corpus.len();
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel::<Block>(WAITING_BLOCKS);
            let (connection, name, dataset, inputs) = (self.connection, self.name, self.dataset, self.inputs);
            let sending = scope.spawn(move || -> Result<()> {
                for block in receiver {
                    block.write(connection, name, dataset, inputs)?;
                }
                Ok(())
            });
            let embedded = self.embed_blocks(sums, progress, &mut |block| sender.send(block).is_ok());
            drop(sender);
            let sent = sending.join().map_err(|_| anyhow::anyhow!("the thread that writes to the store failed"))?;
            // A failure to send ends the embedding, so it is the first.
            sent.and(embedded)?;
            progress(Progress { stage: Stage::Documents, done: total, total })
        })
    }

    fn embed_blocks(
        &self,
        sums: &mut Sums,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
        send: &mut dyn FnMut(Block) -> bool,
    ) -> Result<()> {
        let total = self.dataset.corpus.len();
        let dimension = self.inputs.encoder.dimension;
        let mut known = KnownContents::default();
        for start in (0..total).step_by(BLOCK) {
            let rows = start..(start + BLOCK).min(total);
            progress(Progress { stage: Stage::Documents, done: start, total })?;
            let known_bytes = (known.images.len() + known.captions.len()) * dimension * 4;
            if known_bytes > MOST_KNOWN_BYTES {
                // Whatever was kept is forgotten at the same block in every build.
                known = KnownContents::default();
            }
            let there = Block::read(self.connection, self.name, self.dataset, rows.clone(), self.inputs)?;
            if let Some(block) = there {
                block.remember(dimension, &mut known);
                self.add(&block, sums);
                continue;
            }
            let block = self.embed(rows, &mut known, &mut |step| {
                progress(Progress { stage: Stage::Documents, done: start + step.done / 2, total })
            })?;
            self.add(&block, sums);
            if !send(block) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn embed(
        &self,
        rows: Range<usize>,
        known: &mut KnownContents,
        progress: &mut dyn FnMut(Progress) -> Result<()>,
    ) -> Result<Block> {
        let embedded = embed_rows(self.dataset, rows.clone(), self.encoder, known, progress)?;
        let contents = embedded.image_contents.iter().zip(&embedded.caption_contents);
        let contents = contents.map(|(image, caption)| content(image.as_ref(), caption)).collect();
        let mut problems = vec![String::new(); rows.len()];
        for document in embedded.left_out {
            problems[document.row - rows.start] = document.reason;
        }
        Ok(Block { rows, contents, problems, images: embedded.images, captions: embedded.captions })
    }

    fn add(&self, block: &Block, sums: &mut Sums) {
        let dimension = self.inputs.encoder.dimension;
        sums.contents.push(Fingerprint::of_parts(block.contents.iter().map(String::as_str)).to_string());
        for (place, row) in block.rows.clone().enumerate() {
            sums.tokens += stemmed_words(self.dataset.corpus.document(row).caption).len() as u64;
            let problem = &block.problems[place];
            let vector = |side| block.vectors(side).get(place * dimension..(place + 1) * dimension);
            if problem.is_empty()
                && let Some(vector) = vector(VectorSide::Image)
            {
                sums.image.see(vector);
            }
            if !problem.is_empty() {
                sums.left_out += 1;
                sums.first_problem.get_or_insert_with(|| problem.clone());
            }
            if let Some(vector) = vector(VectorSide::Caption) {
                sums.caption.see(vector);
            }
        }
    }

    /// The queries by which recall is measured: vectors of documents spread over the corpus, on both sides.
    #[expect(clippy::type_complexity, reason = "rows with their vectors, for each side")]
    fn sample_queries(&self) -> Result<(Vec<(usize, Vec<f32>)>, Vec<(usize, Vec<f32>)>)> {
        let (mut images, mut captions) = (Vec::new(), Vec::new());
        let one = |vectors: Vec<Vec<f32>>| -> Result<Vec<f32>> {
            unit(&vectors.into_iter().next().context("the encoder returned no vector")?)
        };
        for row in sample_rows(self.dataset.corpus.len()) {
            let document = self.dataset.corpus.document(row);
            if self.encoder.embeds_pictures()
                && let Ok(picture) = Picture::read(&self.dataset.image_path(document.image))
            {
                images.push((row, one(self.encoder.embed_pictures(&[&picture.to_rgb8()])?)?));
            }
            if self.encoder.embeds_texts() {
                captions.push((row, one(self.encoder.embed_texts(&[document.caption])?)?));
            }
        }
        Ok((images, captions))
    }
}
