//! Documents as columns of a collection, and back.

use super::wire::{
    FLOAT_VECTOR, FieldData, Floats, INT64, Longs, ScalarValues, Scalars, Strings, VARCHAR, Values, Vectors,
};
use crate::index::{VectorSide, stemmed_words};
use anyhow::{Context, Result, ensure};

pub(super) const ROW: &str = "row";
pub(super) const ID: &str = "id";
/// Empty if the document has none, because `!=` drops rows that have no value.
pub(super) const GROUP: &str = "group_id";
pub(super) const SOURCE: &str = "source";
pub(super) const IMAGE: &str = "image";
pub(super) const CAPTION: &str = "caption";
/// The caption's words as the embedded engine stems them, [`server_word`] each.
pub(super) const STEMS: &str = "stems";
/// BM25 of the stems, computed by the server.
pub(super) const STEM_WEIGHTS: &str = "stem_weights";
/// Contents of image and caption.
pub(super) const CONTENT: &str = "content";
/// Why the image could not be read; empty if it could.
pub(super) const PROBLEM: &str = "problem";

/// Longest text of a field in bytes: Milvus's own limit.
pub(super) const LONGEST_TEXT: usize = 65_535;

/// The field of a side's vectors.
pub(super) fn vector_field(side: VectorSide) -> &'static str {
    match side {
        VectorSide::Image => "image_vector",
        VectorSide::Caption => "caption_vector",
    }
}

/// A stem as the server's analyser leaves it: letters and digits of ASCII as they are, everything else in hexadecimal, because
/// analysers differ in what they call a word. A document with another word of the same spelling is found too, and left out
/// when captions are compared here.
pub(super) fn server_word(stem: &str) -> String {
    if stem.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return stem.to_owned();
    }
    stem.bytes().fold("u".to_owned(), |word, byte| format!("{word}{byte:02x}"))
}

/// One document for a batch.
pub(super) struct StoreRow<'a> {
    pub row: usize,
    pub id: &'a str,
    pub group: &'a str,
    pub source: &'a str,
    pub image: &'a str,
    pub caption: &'a str,
    pub content: String,
    pub problem: String,
    /// Empty if the encoder embeds no images.
    pub image_vector: &'a [f32],
    /// Empty if the encoder embeds no texts.
    pub caption_vector: &'a [f32],
}

/// The columns of a batch under construction.
#[derive(Default)]
pub(super) struct Batch {
    pub rows: Vec<i64>,
    texts: [Vec<String>; 8],
    vectors: [Vec<f32>; 2],
    /// Words of the captions.
    pub tokens: u64,
    /// Size of the content, nearly.
    pub bytes: usize,
}

const TEXTS: [&str; 8] = [ID, GROUP, SOURCE, IMAGE, CAPTION, CONTENT, PROBLEM, STEMS];

impl Batch {
    /// Adds a document.
    ///
    /// # Errors
    /// Fails with the document and the field if a text is too long for Milvus.
    pub fn push(&mut self, document: &StoreRow) -> Result<()> {
        let words = stemmed_words(document.caption);
        self.tokens += words.len() as u64;
        let stems: Vec<String> = words.iter().map(|word| server_word(word)).collect();
        let texts = [
            document.id,
            document.group,
            document.source,
            document.image,
            document.caption,
            &document.content,
            &document.problem,
            &stems.join(" "),
        ]
        .map(str::to_owned);
        for ((column, text), name) in self.texts.iter_mut().zip(texts).zip(TEXTS) {
            ensure!(
                text.len() <= LONGEST_TEXT,
                "document {}: its {name} has {} bytes; Milvus stores at most {LONGEST_TEXT}",
                document.id,
                text.len()
            );
            self.bytes += text.len();
            column.push(text);
        }
        self.rows.push(document.row as i64);
        for (column, vector) in self.vectors.iter_mut().zip([document.image_vector, document.caption_vector]) {
            self.bytes += vector.len() * 4;
            column.extend_from_slice(vector);
        }
        Ok(())
    }

    /// The columns of a collection with or without words.
    pub fn into_columns(self, dimension: usize, words: bool) -> Vec<FieldData> {
        let mut columns = vec![column(ROW, INT64, scalars(ScalarValues::Longs(Longs { data: self.rows })))];
        for (name, data) in TEXTS.into_iter().zip(self.texts) {
            if words || name != STEMS {
                columns.push(column(name, VARCHAR, scalars(ScalarValues::Strings(Strings { data }))));
            }
        }
        for (side, data) in [VectorSide::Image, VectorSide::Caption].into_iter().zip(self.vectors) {
            if !data.is_empty() {
                let vectors = Vectors { dim: dimension as i64, floats: Some(Floats { data }) };
                columns.push(column(vector_field(side), FLOAT_VECTOR, Values::Vectors(vectors)));
            }
        }
        columns
    }
}

fn column(name: &str, data_type: i32, values: Values) -> FieldData {
    FieldData { data_type, field_name: name.into(), values: Some(values) }
}

fn scalars(values: ScalarValues) -> Values {
    Values::Scalars(Scalars { values: Some(values) })
}

/// The columns of an answer.
pub(super) struct Columns(pub Vec<FieldData>);

impl Columns {
    fn take(&mut self, name: &str) -> Option<Values> {
        let column = self.0.iter_mut().find(|column| column.field_name == name)?;
        column.values.take()
    }

    /// A column of whole numbers.
    ///
    /// # Errors
    /// Fails if the answer has none of this name.
    pub fn longs(&mut self, name: &str) -> Result<Vec<i64>> {
        match self.take(name) {
            Some(Values::Scalars(Scalars { values: Some(ScalarValues::Longs(longs)) })) => Ok(longs.data),
            _ => anyhow::bail!("the store's answer has no numbers '{name}'"),
        }
    }

    /// A column of texts.
    ///
    /// # Errors
    /// Fails if the answer has none of this name.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        match self.take(name) {
            Some(Values::Scalars(Scalars { values: Some(ScalarValues::Strings(strings)) })) => Ok(strings.data),
            _ => anyhow::bail!("the store's answer has no texts '{name}'"),
        }
    }

    /// A column of vectors, [rows, dimension].
    ///
    /// # Errors
    /// Fails if the answer has none of this name, or of another length.
    pub fn vectors(&mut self, name: &str, dimension: usize) -> Result<Vec<f32>> {
        let Some(Values::Vectors(vectors)) = self.take(name) else {
            anyhow::bail!("the store's answer has no vectors '{name}'");
        };
        ensure!(
            vectors.dim == dimension as i64,
            "expected vectors of {dimension} from the store, found {}",
            vectors.dim
        );
        Ok(vectors.floats.context("the store's answer has no numbers in its vectors")?.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_scripts_are_words_for_every_analyser() {
        assert_eq!(server_word("effus"), "effus");
        assert_eq!(server_word("ct12"), "ct12");
        assert_eq!(server_word("肺"), "ue882ba");
    }

    #[test]
    fn a_text_that_milvus_cannot_store_is_named() {
        let caption = "a".repeat(LONGEST_TEXT + 1);
        let document = StoreRow {
            row: 0,
            id: "doc-7",
            group: "",
            source: "",
            image: "a.png",
            caption: &caption,
            content: String::new(),
            problem: String::new(),
            image_vector: &[1.0],
            caption_vector: &[],
        };
        let message = Batch::default().push(&document).unwrap_err().to_string();
        assert!(message.contains("doc-7") && message.contains("caption has 65536 bytes"), "{message}");
    }
}
