//! Whether a JPEG file is whole: the end-of-image marker after its first scan (ITU-T T.81, annex B).

/// Walks the segments to the first scan and looks for the end marker behind it. A thumbnail's own end marker lies
/// inside a segment and is stepped over.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    let mut position = 2;
    loop {
        let Some([0xFF, marker]) = bytes.get(position..position + 2) else { return false };
        match marker {
            // Fill byte before a marker.
            0xFF => position += 1,
            // Markers without a length.
            0x01 | 0xD0..=0xD8 => position += 2,
            0xD9 => return true,
            _ => {
                let Some([high, low]) = bytes.get(position + 2..position + 4) else { return false };
                let scan = *marker == 0xDA;
                position += 2 + usize::from(u16::from_be_bytes([*high, *low]));
                if scan {
                    break;
                }
            }
        }
    }
    // Within coded data 0xFF is followed by 0x00 or a restart marker, so this pair is the end.
    bytes.get(position..).is_some_and(|coded| coded.windows(2).any(|pair| pair == [0xFF, 0xD9]))
}
