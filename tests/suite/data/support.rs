//! Small datasets and images for the data tests.

use crate::support::absent::absent;
use image::{DynamicImage, ImageFormat};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A dataset of 20 cases (id `c1` on line 1 and so on) and 3 documents in a folder of its own. Case 1 asks the task's
/// question; document `d2` is of patient 1, document `d3` has the bytes of case image `a.png`.
pub struct TinyDataset {
    folder: TempDir,
}

impl TinyDataset {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tiny = Self { folder };
        let root = tiny.root();
        fs::create_dir(root.join("images")).unwrap();
        for (name, value) in [("a.png", 1), ("b.png", 2), ("d1.png", 3), ("d2.png", 4), ("d3.png", 1)] {
            fs::write(root.join("images").join(name), grey_png(4, 4, value)).unwrap();
        }
        fs::write(root.join("dataset.toml"), MANIFEST).unwrap();
        let mut cases = String::new();
        for number in 1..=20 {
            let split = ["train", "validation", "test"][(number - 1) % 3];
            let (image, answer) = if number % 2 == 1 { ("a.png", "Yes") } else { ("b.png", "No") };
            let question = if number == 2 { r#","question":"Own question?""# } else { "" };
            cases.push_str(&format!(
                r#"{{"id":"c{number}","task":"lesion","split":"{split}","image":"images/{image}","answer":"{answer}"{question}}}"#
            ));
            cases.push('\n');
        }
        fs::write(root.join("cases.jsonl"), cases).unwrap();
        fs::write(root.join("corpus.jsonl"), CORPUS).unwrap();
        tiny
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces one line, counted from 1.
    pub fn replace_line(&self, file: &str, line: usize, text: &str) {
        let path = self.root().join(file);
        let content = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = content.lines().collect();
        lines[line - 1] = text;
        fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
}

const MANIFEST: &str = r#"
name = "tiny"

[[task]]
id = "lesion"
kind = "closed-vqa"
question = "Is there a lesion?"
labels = [{ id = "Yes", name = "lesion" }, { id = "No", name = "no lesion" }]
"#;

const CORPUS: &str = r#"{"id":"d1","image":"images/d1.png","caption":"a cyst","source":"book"}
{"id":"d2","image":"images/d2.png","caption":"no lesion","group":"patient 1"}
{"id":"d3","image":"images/d3.png","caption":"a lesion"}
"#;

/// A grey 8-bit PNG of one value.
pub fn grey_png(width: u32, height: u32, value: u8) -> Vec<u8> {
    png(&DynamicImage::ImageLuma8(image::GrayImage::from_pixel(width, height, image::Luma([value]))))
}

/// An image as PNG bytes, in its own depth and channels.
pub fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The whole chain of an error that must be there.
pub fn error_text<T>(result: anyhow::Result<T>) -> String {
    match result {
        Ok(_) => panic!("expected an error, found none"),
        Err(error) => format!("{error:#}"),
    }
}

/// The real data beside the checkout, if it is there; a test without it says so and stops.
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    absent(&format!("{} is not there", path.display()), "DISSENT_REQUIRE_DATA");
    None
}
