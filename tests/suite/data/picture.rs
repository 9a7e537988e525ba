//! Reading images: depths, channels, palettes, and files that are none.

use super::support::error_text;
use crate::support::fixtures;
use crate::support::pictures::{grey_png, png};
use dissent::data::Picture;
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};
use std::io::Cursor;
use std::path::Path;

fn decode(bytes: &[u8]) -> Picture {
    Picture::decode(Path::new("image"), bytes).unwrap()
}

fn first_pixel(bytes: &[u8]) -> [u8; 3] {
    decode(bytes).to_rgb8().get_pixel(0, 0).0
}

#[test]
fn eight_bit_grey_is_replicated() {
    assert_eq!(first_pixel(&grey_png(2, 2, 77)), [77; 3]);
}

#[test]
fn sixteen_bit_is_kept_and_scaled_not_cut() {
    // 65535 → 255, 257 × 100 → 100, 128 → 0 and 129 → 1 (nearest).
    let values = [65535_u16, 25700, 128, 129];
    let bytes = png(&DynamicImage::ImageLuma16(ImageBuffer::<Luma<u16>, _>::from_raw(4, 1, values.to_vec()).unwrap()));
    let picture = decode(&bytes);
    assert_eq!(picture.image.as_luma16().unwrap().as_raw().as_slice(), values);
    let scaled: Vec<u8> = picture.to_rgb8().pixels().map(|pixel| pixel.0[0]).collect();
    assert_eq!(scaled, [255, 100, 0, 1]);

    let colour = ImageBuffer::<Rgb<u16>, _>::from_pixel(2, 2, Rgb([0, 257, 65535]));
    assert_eq!(first_pixel(&png(&DynamicImage::ImageRgb16(colour))), [0, 1, 255]);
}

#[test]
fn alpha_is_laid_over_black() {
    let clear = ImageBuffer::from_pixel(1, 1, Rgba([200_u8, 100, 50, 0]));
    assert_eq!(first_pixel(&png(&clear.into())), [0; 3]);
    let half = ImageBuffer::from_pixel(1, 1, LumaA([200_u8, 51]));
    assert_eq!(first_pixel(&png(&DynamicImage::ImageLumaA8(half))), [40; 3]);
    let opaque = ImageBuffer::from_pixel(1, 1, Rgba([200_u8, 100, 50, 255]));
    assert_eq!(first_pixel(&png(&opaque.into())), [200, 100, 50]);
    let deep = ImageBuffer::from_pixel(1, 1, Rgba([65535_u16, 65535, 0, 32768]));
    assert_eq!(first_pixel(&png(&DynamicImage::ImageRgba16(deep))), [128, 128, 0]);
}

#[test]
fn palettes_and_single_bits_are_expanded() {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(vec![10, 20, 30, 200, 100, 0]);
    encoder.write_header().unwrap().write_image_data(&[1, 0]).unwrap();
    let picture = decode(&bytes).to_rgb8();
    assert_eq!((picture.get_pixel(0, 0).0, picture.get_pixel(1, 0).0), ([200, 100, 0], [10, 20, 30]));

    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.write_header().unwrap().write_image_data(&[0b1000_0000]).unwrap();
    let picture = decode(&bytes).to_rgb8();
    assert_eq!((picture.get_pixel(0, 0).0, picture.get_pixel(1, 0).0), ([255; 3], [0; 3]));
}

fn jpeg(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// An image whose coded form is long enough to be cut in many places.
fn busy_image() -> DynamicImage {
    DynamicImage::ImageRgb8(ImageBuffer::from_fn(64, 64, |x, y| {
        Rgb([(x * 37 + y * 11) as u8, (x * y) as u8, (x * 5 + y * 91) as u8])
    }))
}

#[test]
fn jpeg_in_grey_and_colour_is_read() {
    let grey = DynamicImage::ImageLuma8(ImageBuffer::from_pixel(16, 16, Luma([120])));
    let [red, green, blue] = first_pixel(&jpeg(&grey));
    assert!(red.abs_diff(120) <= 2 && red == green && green == blue);
    assert_eq!(decode(&jpeg(&busy_image())).width(), 64);
}

#[test]
fn a_file_cut_short_anywhere_is_an_error_with_its_path() {
    for whole in [png(&busy_image()), jpeg(&busy_image())] {
        for parts in 1..20 {
            let cut = &whole[..whole.len() * parts / 20];
            let error = error_text(Picture::decode(Path::new("scans/a.img"), cut));
            assert!(error.starts_with("scans/a.img: "), "{error}");
        }
        let almost = &whole[..whole.len() - 1];
        // A PNG without the last byte of its last checksum still has every pixel.
        if image::guess_format(&whole).unwrap() == ImageFormat::Jpeg {
            assert!(error_text(Picture::decode(Path::new("a"), almost)).contains("cut short"));
        }
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let scan = std::fs::read(fixtures::path("dicom/film.dcm")).unwrap();
    // Each panic caught in the DICOM decoder prints its trace, which takes time.
    for (whole, step) in [(png(&busy_image()), 1), (jpeg(&busy_image()), 1), (scan, 23)] {
        for position in (0..whole.len().min(900)).step_by(step) {
            let mut damaged = whole.clone();
            damaged[position] ^= 0x55;
            let _ = Picture::decode(Path::new("a"), &damaged).map(|picture| picture.to_rgb8());
        }
    }
}

#[test]
fn a_missing_file_a_folder_and_another_format_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("gone.png");
    let error = error_text(Picture::read(&missing));
    assert!(error.contains("gone.png: expected a PNG, JPEG, GIF, BMP, TIFF, WebP or DICOM file"), "{error}");
    assert!(error_text(Picture::read(folder.path())).contains("found a folder"));
    let text = folder.path().join("text.png");
    std::fs::write(&text, "PNG89a not really").unwrap();
    let error = error_text(Picture::read(&text));
    assert!(
        error.contains(
            "text.png: expected a PNG, JPEG, GIF, BMP, TIFF, WebP or DICOM image, found other content (PNG89a"
        ),
        "{error}"
    );
    std::fs::write(&text, "").unwrap();
    assert!(error_text(Picture::read(&text)).contains("found an empty file"));
}

#[test]
fn an_image_that_claims_to_be_huge_is_refused_before_memory_is_taken() {
    // A valid header of 60000 × 60000 pixels, RGBA 16 bit, with no data behind it.
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 60000, 60000);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    drop(encoder.write_header().unwrap());
    let error = error_text(Picture::decode(Path::new("huge.png"), &bytes));
    assert!(error.contains("huge.png"), "{error}");
}

fn deep_grey(values: &[u16]) -> Vec<u8> {
    let image = ImageBuffer::<Luma<u16>, _>::from_raw(values.len() as u32, 1, values.to_vec()).unwrap();
    png(&DynamicImage::ImageLuma16(image))
}

fn remarks(bytes: &[u8]) -> Vec<String> {
    let (_, remarks) = Picture::decode_with_remarks(Path::new("a"), bytes).unwrap();
    remarks.iter().map(ToString::to_string).collect()
}

#[test]
fn twelve_bits_in_sixteen_are_what_screen_and_models_see_stretched() {
    for (values, seen) in [([0_u16, 1365, 4095], [0, 85, 255]), ([32768, 34133, 36863], [0, 85, 255])] {
        let bytes = deep_grey(&values);
        let picture = decode(&bytes);
        let models: Vec<u8> = picture.to_rgb8().pixels().map(|pixel| pixel.0[0]).collect();
        assert_eq!(models, seen);
        assert_eq!(picture.as_models_see().to_luma8().into_raw(), seen);
        assert!(remarks(&bytes)[0].starts_with("values "), "{:?}", remarks(&bytes));
    }
    let colour = ImageBuffer::from_fn(2, 1, |x, _| Rgb([0, 100 * x as u16, 1000]));
    let models = decode(&png(&DynamicImage::ImageRgb16(colour))).to_rgb8();
    assert_eq!(models.into_raw(), [0, 0, 255, 0, 26, 255]);
}

#[test]
fn a_picture_that_shows_little_is_named() {
    assert_eq!(remarks(&grey_png(4, 4, 77)), ["every pixel has the same value"]);
    assert_eq!(remarks(&deep_grey(&[65535, 65535])), ["every pixel has the same value"]);
    assert_eq!(first_pixel(&deep_grey(&[65535, 65535])), [255; 3], "a white image stays white");
    let faint = ImageBuffer::from_fn(4, 4, |x, _| Luma([x as u8]));
    assert_eq!(remarks(&png(&DynamicImage::ImageLuma8(faint))), ["values 0 to 3 of 0 to 255"]);
    assert!(remarks(&png(&busy_image())).is_empty());
}

/// A little-endian EXIF block with one entry.
fn exif(orientation: u8) -> Vec<u8> {
    [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0], &[0; 4]].concat()
}

#[test]
fn a_photograph_is_turned_as_exif_asks_in_eye_and_models() {
    let plain = jpeg(&busy_image().crop_imm(0, 0, 48, 32));
    let block = [b"Exif\0\0", exif(6).as_slice()].concat();
    let length = (block.len() as u16 + 2).to_be_bytes();
    let turned = [&plain[..2], &[0xFF, 0xE1], &length, &block, &plain[2..]].concat();
    let (from, to) = (decode(&plain), decode(&turned));
    assert_eq!((to.width(), to.height()), (32, 48));
    assert_eq!(DynamicImage::ImageRgb8(to.to_rgb8()), DynamicImage::ImageRgb8(from.to_rgb8()).rotate90());
    assert_eq!(remarks(&turned), ["rotated according to EXIF (orientation 6)"]);

    let whole = png(&busy_image().crop_imm(0, 0, 48, 32));
    let mut body = b"eXIf".to_vec();
    body.extend(exif(8));
    let mut sum = flate2::Crc::new();
    sum.update(&body);
    let mut chunk = ((body.len() - 4) as u32).to_be_bytes().to_vec();
    chunk.extend(&body);
    chunk.extend(sum.sum().to_be_bytes());
    let turned = [&whole[..33], &chunk, &whole[33..]].concat();
    assert_eq!((decode(&turned).width(), decode(&turned).height()), (32, 48));
}

#[test]
fn only_what_is_converted_has_the_conversion_in_its_fingerprint() {
    use dissent::files::fingerprint::Fingerprint;
    for (bytes, is_plain) in [(grey_png(2, 2, 7), true), (jpeg(&busy_image()), true), (deep_grey(&[0, 4095]), false)] {
        assert_eq!(decode(&bytes).fingerprint, Picture::fingerprint_of(&bytes));
        assert_eq!(Picture::fingerprint_of(&bytes) == Fingerprint::of_bytes(&bytes), is_plain);
    }
}

#[test]
fn a_jpeg_whose_data_ends_before_the_picture_is_refused_or_remarked() {
    let whole = jpeg(&busy_image());
    for part in [2, 3] {
        let mut cut = whole[..whole.len() / part].to_vec();
        cut.extend([0xFF, 0xD9]);
        let message = error_text(Picture::decode(Path::new("cut.jpg"), &cut));
        assert!(message.contains("cut short or damaged"), "1/{part}: {message}");
    }
    let behind = [&whole[..], &[0; 100]].concat();
    assert_eq!(decode(&behind).to_rgb8(), decode(&whole).to_rgb8(), "what follows the end harms nothing");
}

#[test]
fn a_progressive_jpeg_without_its_last_scans_is_named() {
    let folder = fixtures::path("pictures");
    let whole = std::fs::read(folder.join("progressive.jpg")).unwrap();
    assert_eq!(remarks(&whole), [""; 0]);
    let last_scan = whole.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let lacking = [&whole[..last_scan], &[0xFF, 0xD9]].concat();
    assert_eq!(remarks(&lacking), ["the last scans are missing"]);
}

#[test]
fn what_a_png_says_of_its_pixels_is_remarked() {
    let with = |kind: &[u8; 4], data: &[u8]| {
        let png = grey_png(4, 4, 100);
        let chunk = [&kind[..], data].concat();
        let mut checksum = flate2::Crc::new();
        checksum.update(&chunk);
        // Behind the signature and IHDR.
        [&png[..33], &(data.len() as u32).to_be_bytes(), &chunk, &checksum.sum().to_be_bytes(), &png[33..]].concat()
    };
    let said = |kind, data: &[u8]| remarks(&with(kind, data)).join("; ");
    assert!(said(b"pHYs", &[0, 0, 0, 2, 0, 0, 0, 1, 0]).contains("non-square"));
    assert!(!said(b"pHYs", &[0, 0, 11, 19, 0, 0, 11, 19, 1]).contains("non-square"));
    assert!(said(b"cICP", &[9, 16, 0, 1]).contains("colour profile"));
    assert!(!said(b"cICP", &[1, 13, 0, 1]).contains("colour profile"));
    assert!(said(b"cHRM", &[0; 32]).contains("colour profile"));
    let film = ImageBuffer::from_fn(64, 64, |x, y| Luma([if (x, y) == (7, 0) { 65535_u16 } else { 900 }]));
    let film = png(&DynamicImage::ImageLuma16(film));
    assert!(remarks(&film).join("; ").contains("999 of 1000 values lie below"));
}

#[test]
fn a_png_header_is_believed_once_and_with_its_checksum() {
    let mut png = grey_png(4, 4, 100);
    png[16..20].copy_from_slice(&0x8d00_0001_u32.to_be_bytes());
    let message = error_text(Picture::decode(Path::new("a.png"), &png));
    assert!(message.contains("checksum of its IHDR chunk is wrong"), "{message}");
    // A second header behind the first: the first one counts, here as in the decoder.
    let second = [&grey_png(4, 4, 1)[..33], &grey_png(9, 9, 1)[8..]].concat();
    let said = Picture::decode(Path::new("a.png"), &second).map(|picture| (picture.width(), picture.height()));
    assert!(said.is_err() || said.is_ok_and(|size| size == (4, 4)));
}

#[test]
fn restart_markers_are_followed_where_they_are_and_missed_where_they_are_not() {
    let whole = jpeg(&busy_image());
    // Announced and not there, as some tools leave it when they crop.
    let announced = [&whole[..2], &[0xFF, 0xDD, 0, 4, 0, 4], &whole[2..]].concat();
    assert_eq!(decode(&announced).width(), 64);
    let folder = fixtures::path("pictures");
    let restarted = std::fs::read(folder.join("restarts.jpg")).unwrap();
    assert!(restarted.windows(2).any(|pair| pair == [0xFF, 0xD1]));
    assert_eq!(decode(&restarted).width(), 40);
    // Cut in the middle of an interval, with an end behind it.
    let cut = [&restarted[..restarted.len() - 60], &[0xFF, 0xD9]].concat();
    assert!(error_text(Picture::decode(Path::new("cut.jpg"), &cut)).contains("cut short or damaged"));
}
