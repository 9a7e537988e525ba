//! Pictures in every format that is read.

use super::check_message;
use dissent::data::Picture;
use flate2::Crc;
use std::path::Path;

/// A DICOM file; its mark is put where it is missing, so that no input is lost on it.
pub fn dicom(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    if file.len() < 132 {
        file.resize(132, 0);
    }
    file[128..132].copy_from_slice(b"DICM");
    decode("fuzz.dcm", &file);
    decode("fuzz.dcm", bytes);
}

/// A PNG or JPEG file; the checksums of a PNG's chunks are made to fit, or no change would come through.
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
