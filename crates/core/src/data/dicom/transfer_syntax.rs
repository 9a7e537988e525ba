//! The transfer syntax of a DICOM file, without decoding it.

use super::super::dicom_start::{LETTERS, PREAMBLE};
use super::elements::Attributes;
use super::syntax::{self, Compression};

/// A transfer syntax (PS3.6, annex A).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::data) struct TransferSyntax {
    pub identifier: String,
    /// Words for people.
    pub name: &'static str,
    /// Whether this program decodes its pixels.
    pub is_decoded: bool,
}

impl TransferSyntax {
    /// The syntax that the start of a file names; `None` if it names none or is not DICOM.
    pub fn of_start(bytes: &[u8]) -> Option<Self> {
        if bytes.get(PREAMBLE..PREAMBLE + LETTERS.len()) != Some(LETTERS) {
            return None;
        }
        let (meta, _) = Attributes::read_meta(bytes, PREAMBLE + LETTERS.len()).ok()?;
        let identifier = meta.text(0x0002_0010)?;
        let is_decoded = !matches!(syntax::of_identifier(&identifier).compression, Compression::Other(_));
        Some(Self { name: name_of(&identifier), is_decoded, identifier })
    }
}

fn name_of(identifier: &str) -> &'static str {
    match identifier.strip_prefix("1.2.840.10008.1.2").unwrap_or("?") {
        "" | ".1" | ".2" => "uncompressed",
        ".1.99" => "deflated",
        ".5" => "RLE",
        ".4.50" => "JPEG baseline",
        ".4.51" => "JPEG extended",
        ".4.57" | ".4.70" => "JPEG lossless",
        ".4.80" => "JPEG-LS lossless",
        ".4.81" => "JPEG-LS near-lossless",
        ".4.90" => "JPEG 2000 lossless",
        ".4.91" => "JPEG 2000",
        ".4.110" | ".4.111" | ".4.112" => "JPEG XL",
        ".4.201" | ".4.202" | ".4.203" => "high-throughput JPEG 2000",
        _ => "another syntax",
    }
}
