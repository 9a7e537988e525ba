//! Pictures in every supported format.

use super::check_message;
use dissent::data::Picture;
use flate2::Crc;
use std::path::Path;

/// A DICOM file; missing magic letters are added, so that no input is rejected for them.
pub fn dicom(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    if file.len() < 132 {
        file.resize(132, 0);
    }
    file[128..132].copy_from_slice(b"DICM");
    decode("fuzz.dcm", &file);
    decode("fuzz.dcm", bytes);
}

/// A file of any format; the checksums of a PNG's chunks are corrected, or every change would be rejected.
pub fn picture(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    if file.starts_with(b"\x89PNG\r\n\x1a\n") {
        mend_checksums(&mut file);
    }
    decode("fuzz", &file);
}

fn decode(name: &str, bytes: &[u8]) {
    match Picture::decode(Path::new(name), bytes) {
        Err(error) => check_message(&error),
        Ok(picture) => {
            let rgb = picture.to_rgb8();
            assert_eq!((rgb.width(), rgb.height()), (picture.width(), picture.height()));
            assert!(rgb.width() > 0 && rgb.height() > 0, "a picture without pixels");
        }
    }
}

fn mend_checksums(file: &mut [u8]) {
    let mut place = 8;
    while let Some(length) = file.get(place..place + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let end = place + 8 + length;
        if end + 4 > file.len() {
            return;
        }
        let mut crc = Crc::new();
        crc.update(&file[place + 4..end]);
        file[end..end + 4].copy_from_slice(&crc.sum().to_be_bytes());
        place = end + 4;
    }
}
