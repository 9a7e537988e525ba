//! The flags of `dissent index` for vectors that another program computed.

use super::encoder_flags::EncoderFlags;
use crate::index::{GivenFile, GivenFiles, GivenStamp, Index, VectorSource};
use crate::output::{one_line, say};
use std::path::{Path, PathBuf};

/// Files of vectors, in place of an encoder: .npy, .safetensors, .parquet or .jsonl.
#[derive(Debug, Default, clap::Args)]
#[command(
    next_help_heading = "Vectors of another program, in place of an encoder (.npy, .safetensors, .parquet, .jsonl)"
)]
pub(super) struct GivenFlags {
    /// Vectors of the documents' images, by id or in the order of corpus.jsonl
    #[arg(long, value_name = "FILE")]
    image_vectors: Option<PathBuf>,
    /// Vectors of the documents' captions, by id or in the order of corpus.jsonl
    #[arg(long, value_name = "FILE")]
    caption_vectors: Option<PathBuf>,
    /// Vectors of the cases' images, by id or in the order of cases.jsonl; retrieval compares them with the documents'
    #[arg(long, value_name = "FILE")]
    query_vectors: Option<PathBuf>,
    /// Ids of the image vectors, one a line; default: FILE.ids.txt where it is
    #[arg(long, value_name = "FILE", requires = "image_vectors")]
    image_ids: Option<PathBuf>,
    /// Ids of the caption vectors, one a line; default: FILE.ids.txt where it is
    #[arg(long, value_name = "FILE", requires = "caption_vectors")]
    caption_ids: Option<PathBuf>,
    /// Ids of the query vectors, one a line; default: FILE.ids.txt where it is
    #[arg(long, value_name = "FILE", requires = "query_vectors")]
    query_ids: Option<PathBuf>,
}

impl GivenFlags {
    /// The files to build the index in `folder` from: those of the flags, or those that it was built from if it is to have
    /// other settings, or with `force` and without an encoder; `None` if an encoder is to build it, or nothing is to be built.
    pub fn files(
        &self,
        folder: &Path,
        encoder: Option<&str>,
        force: bool,
        has_other_settings: bool,
    ) -> Option<GivenFiles> {
        let source = |path: &Option<PathBuf>, ids: &Option<PathBuf>| {
            path.clone().map(|path| VectorSource { path, ids: ids.clone() })
        };
        let files = GivenFiles {
            image: source(&self.image_vectors, &self.image_ids),
            caption: source(&self.caption_vectors, &self.caption_ids),
            query: source(&self.query_vectors, &self.query_ids),
        };
        if files != GivenFiles::default() {
            if let Some(encoder) = encoder {
                say(&format!("the encoder {encoder} is not used: the vectors are given"));
            }
            return Some(files);
        }
        let stamp = Index::given_stamp(folder)?;
        match encoder {
            Some(encoder) if force => {
                say(&format!("the index had vectors of another program; now {encoder} makes them"));
                None
            }
            Some(encoder) => {
                say(&format!(
                    "the encoder {encoder} is not used: the index has vectors of another program, which --force replaces"
                ));
                has_other_settings.then(|| stamp.sources())
            }
            None => (force || has_other_settings).then(|| stamp.sources()),
        }
    }
}

/// A line for each kind of vector, such as "images    570 vectors of 64, by id from image.npy".
pub(super) fn given_lines(given: &GivenStamp, dimension: usize) -> String {
    let sides = [("images   ", &given.image), ("captions ", &given.caption), ("cases    ", &given.query)];
    let lines = sides.map(|(name, file)| {
        let text = file.as_ref().map_or_else(|| "no vectors".to_owned(), |file| given_line(file, dimension));
        format!("{name} {}", one_line(&text))
    });
    lines.join("\n")
}

fn given_line(file: &GivenFile, dimension: usize) -> String {
    let order = match (&file.ids, file.by_id) {
        (Some(ids), _) => format!("by the ids of {}", ids.display()),
        (None, true) => "by id".into(),
        (None, false) => "in the dataset's order".into(),
    };
    let lengths = file.lengths.text(file.vectors).map_or_else(String::new, |text| format!("; {text}"));
    format!("{} vectors of {dimension} from {}, {order}{lengths}", file.vectors, file.path.display())
}

/// Says that a named encoder is not used, because the index has vectors of another program.
pub(super) fn say_encoder_is_unused(encoder: &EncoderFlags, index: &Index) {
    if let Some(encoder) = encoder.name() {
        say(&format!("the encoder {encoder} is not used: the index has {}", index.encoder_name()));
    }
}
