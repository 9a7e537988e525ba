//! Transfer syntaxes (PS3.6, annex A): the encoding of a data set and its pixels.

use super::elements::Coding;

/// The compression of the pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Compression {
    None,
    RunLength,
    Jpeg,
    JpegLs,
    #[cfg(feature = "jpeg2000")]
    Jpeg2000,
    /// Not supported; with its name.
    Other(&'static str),
}

#[cfg(feature = "jpeg2000")]
const JPEG_2000: Compression = Compression::Jpeg2000;
#[cfg(not(feature = "jpeg2000"))]
const JPEG_2000: Compression = Compression::Other("JPEG 2000");

/// A transfer syntax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Syntax {
    pub coding: Coding,
    pub is_deflated: bool,
    pub compression: Compression,
}

/// The syntax of this identifier; an unknown one has encapsulated pixels.
pub(super) fn of_identifier(identifier: &str) -> Syntax {
    let coding = |explicit, big_endian| Coding { explicit, big_endian };
    let native = |coding, is_deflated| Syntax { coding, is_deflated, compression: Compression::None };
    let compression = match identifier.strip_prefix("1.2.840.10008.1.2").unwrap_or("?") {
        "" => return native(coding(false, false), false),
        ".1" => return native(coding(true, false), false),
        ".1.99" => return native(coding(true, false), true),
        ".2" => return native(coding(true, true), false),
        ".5" => Compression::RunLength,
        ".4.50" | ".4.51" | ".4.57" | ".4.70" => Compression::Jpeg,
        ".4.80" | ".4.81" => Compression::JpegLs,
        ".4.90" | ".4.91" => JPEG_2000,
        ".4.92" | ".4.93" => Compression::Other("JPEG 2000 part 2"),
        ".4.100" | ".4.101" | ".4.100.1" | ".4.101.1" => Compression::Other("MPEG-2 video"),
        ".4.102" | ".4.103" | ".4.104" | ".4.105" | ".4.106" => Compression::Other("MPEG-4 video"),
        ".4.107" | ".4.108" => Compression::Other("HEVC video"),
        ".4.110" | ".4.111" | ".4.112" => Compression::Other("JPEG XL"),
        ".4.201" | ".4.202" | ".4.203" => Compression::Other("high-throughput JPEG 2000"),
        ".8.1" => Compression::Other("deflated frames"),
        _ => Compression::Other("an unknown compression"),
    };
    Syntax { coding: coding(true, false), is_deflated: false, compression }
}

/// Guesses the compression of a fragment from its first bytes.
pub(super) fn of_fragment(fragment: &[u8]) -> Compression {
    match fragment {
        [0xFF, 0x4F, 0xFF, 0x51, ..] => JPEG_2000,
        [0xFF, 0xD8, 0xFF, 0xF7, ..] => Compression::JpegLs,
        [0xFF, 0xD8, 0xFF, ..] => Compression::Jpeg,
        _ => Compression::Other("an unknown compression"),
    }
}
