//! One sample of a WebDataset shard: tar members that stand beside each other and share a key.

use super::default_mapping::PICTURE;
use crate::data::import::Value;
use crate::data::import::columns::stem_of_image;
use crate::data::import::table::fields_of;
use crate::files::archive_member;
use crate::text::written_json::Written;
use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Maximum length of a field that is not an image, in bytes.
const LONGEST: u64 = 16 << 20;

/// Names of the columns that every sample has.
pub(super) const IMAGE: &str = "image";

/// The members of one key.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub key: String,
    /// Name of the field, after the first dot, and of the member.
    members: Vec<(String, String)>,
}

/// The fields of a sample by name, or why it cannot be used.
pub(super) type SampleFields = Result<Vec<(String, Value)>, &'static str>;

impl Sample {
    /// Key and field of a member: the key is the path up to the first dot after the last slash (the rule of WebDataset).
    /// `None` if there is none.
    pub fn key_and_field(member: &str) -> Option<(&str, &str)> {
        let start = member.rfind('/').map_or(0, |slash| slash + 1);
        let (stem, field) = member[start..].split_once('.')?;
        (!stem.is_empty()).then(|| (&member[..start + stem.len()], field))
    }

    pub fn new(key: &str) -> Self {
        Self { key: key.into(), members: Vec::new() }
    }

    pub fn add(&mut self, field: &str, member: &str) {
        self.members.push((field.to_ascii_lowercase(), member.into()));
    }

    /// Reads the fields: texts, classes and the fields of the JSON object; the image stays in the shard.
    ///
    /// # Errors
    /// Fails if the shard cannot be read.
    pub fn fields(&self, shard: &Path) -> Result<SampleFields> {
        let at = |member: &str| PathBuf::from(format!("{}!/{member}", shard.display()));
        let is_image = |field: &str| stem_of_image(&format!("x.{field}")).is_some();
        let images: Vec<&(String, String)> = self.members.iter().filter(|(field, _)| is_image(field)).collect();
        let [image] = images[..] else {
            let reason = if images.is_empty() {
                "no image in the sample"
            } else {
                "several images in the sample (a dot in the names of its files ends the key)"
            };
            return Ok(Err(reason));
        };
        let shard_name = shard.file_name().unwrap_or_default().to_string_lossy();
        let mut fields = vec![
            (IMAGE.to_owned(), Value::Image(at(&image.1))),
            (PICTURE.to_owned(), Value::Text(format!("{shard_name}/{}", image.1))),
        ];
        for (field, member) in &self.members {
            let (kind, packed) = match field.strip_suffix(".gz") {
                Some(kind) => (kind, true),
                None => (field.as_str(), false),
            };
            let kind = kind.rsplit('.').next().unwrap_or(kind);
            if !["txt", "text", "caption", "cls", "json"].contains(&kind) {
                continue;
            }
            let bytes = archive_member::read(&at(member), LONGEST)?;
            let bytes =
                if packed { unpacked(&bytes).with_context(|| format!("cannot unpack {member}"))? } else { bytes };
            let Ok(text) = String::from_utf8(bytes) else { return Ok(Err("a text of the sample is not UTF-8")) };
            if kind != "json" {
                fields.push((kind.into(), Value::Text(text.trim().into())));
                continue;
            }
            match Written::parse(text.trim().as_bytes()) {
                Ok(object @ Written::Object(_)) => fields.extend(fields_of(&object)),
                _ => return Ok(Err("the JSON of the sample is not an object")),
            }
        }
        Ok(Ok(fields))
    }
}

fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).take(LONGEST).read_to_end(&mut text)?;
    Ok(text)
}
