//! Recognises a DICOM file by its start. A build that cannot decode DICOM needs this too, so that fingerprints agree.

/// Number of bytes before the magic letters `DICM`.
pub(super) const PREAMBLE: usize = 128;
pub(super) const LETTERS: &[u8; 4] = b"DICM";

/// Whether the bytes are a DICOM file, or a data set without file header.
pub(super) fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(PREAMBLE..PREAMBLE + 4) == Some(LETTERS) || bytes.starts_with(LETTERS) || bare_start(bytes).is_some()
}

/// A data set without preamble starts with group 0002 or 0008, a small element and a plausible length. Returns whether its
/// value representations are explicit, and whether it is big-endian.
pub(super) fn bare_start(bytes: &[u8]) -> Option<(bool, bool)> {
    let big_endian = match bytes.get(..2)? {
        [2 | 8, 0] => false,
        [0, 8] => true,
        _ => return None,
    };
    let [low, high] = bytes.get(2..4)? else { return None };
    let element = if big_endian { u16::from_be_bytes([*low, *high]) } else { u16::from_le_bytes([*low, *high]) };
    let explicit = bytes.get(4..6)?.iter().all(u8::is_ascii_uppercase);
    let length = u32::from_le_bytes(*bytes.get(4..)?.first_chunk::<4>()?) as usize;
    let fits = explicit || (!big_endian && length <= bytes.len());
    (element < 0x0100 && fits).then_some((explicit, big_endian))
}
