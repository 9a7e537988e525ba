//! Small sources, and what an import made of them.

use crate::absent::absent;
use dissent_core::data::import::{ImportOptions, Imported, RowsAs, Target};
use dissent_core::data::{Dataset, Existing, Summary};
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A grey PNG of 4 x 4 pixels of this value.
pub fn grey_png(value: u8) -> Vec<u8> {
    let image = image::GrayImage::from_pixel(4, 4, image::Luma([value]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Options of an import into a new dataset.
pub fn rows_as(rows: RowsAs) -> ImportOptions {
    ImportOptions { rows: Some(rows), ..ImportOptions::default() }
}

/// Options of an import into a dataset that is there.
pub fn into(source: &str, existing: Existing) -> ImportOptions {
    ImportOptions { target: Target::Into { source: source.into(), existing }, ..ImportOptions::default() }
}

/// Opens what an import wrote, and makes sure that the import said what it wrote.
pub fn opened(imported: &Imported, target: &Path) -> Dataset {
    let dataset = Dataset::open(target).unwrap();
    assert_eq!(Summary::of(&dataset).unwrap(), imported.summary);
    dataset
}

/// The real data beside the checkout, if it is there; a test without it says so and stops.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    absent(&format!("{} is not there", path.display()), "DISSENT_REQUIRE_DATA");
    None
}

/// Writes a file below a folder, with the folders above it.
pub fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Writes a small image below a folder; its value is made of the name, so that different names are different images.
pub fn put_image(folder: &Path, name: &str) {
    let value = name.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    put(folder, name, grey_png(value));
}

/// What an import left out, as it says it.
pub fn left_out(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(ToString::to_string).collect()
}
