//! What block characters are worth and what they cost: structural similarity to the film, time per image, and bytes per step
//! of the explorer. The argument is a folder of films; without one, the sample's images are taken.
//! `cargo bench --profile dev --bench pictures -- FOLDER`.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

mod on_screen;
#[path = "../tests/support/picture_fidelity.rs"]
mod picture_fidelity;
#[path = "../tests/support/pty.rs"]
mod terminal;

use dissent::data::Picture;
use dissent::terminal::block_glyphs::BlockGrid;
use dissent::terminal::image_protocol::ImageMode;
use on_screen::{STEPS, milliseconds, report, settle, steps};
use picture_fidelity::{drawn, similarity};
use ratatui::layout::Size;
use std::path::{Path, PathBuf};
use std::time::Instant;
use terminal::Pty;

/// Films, taken evenly from all files in the order of their paths.
const FILMS: usize = 20;
const SMALL: Size = Size::new(26, 13);
const LARGE: Size = Size::new(60, 30);
const SCREEN: (u16, u16) = (120, 40);

fn main() {
    let folder = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder = folder.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/sample-data/dataset/images").into());
    let films = films(Path::new(&folder));
    println!("{} films of {folder}", films.len());
    for grid in BlockGrid::ALL {
        let mode = ImageMode::from(grid);
        let similarities: Vec<f64> = films.iter().map(|film| similarity(film, SMALL, mode)).collect();
        let mean = similarities.iter().sum::<f64>() / similarities.len() as f64;
        println!("{:<46} {mean:>8.3}  mean (n={})", format!("similarity at 26x13 cells, {}", grid.name()), films.len());
    }
    for grid in BlockGrid::ALL {
        let mut times = Vec::new();
        for film in &films {
            let begun = Instant::now();
            drawn(film, LARGE, grid.into());
            times.push(milliseconds(begun));
        }
        report(&format!("image of 60x30 cells, {}", grid.name()), "ms", times);
    }
    let home = tempfile::tempdir().unwrap();
    for grid in BlockGrid::ALL {
        let mut pty = start(home.path(), grid.name());
        pty.wait_for("exact search");
        // Cases that have been answered already; the steps go back through them.
        pty.type_keys(&"j".repeat(STEPS));
        settle(&pty);
        steps(&format!("bytes written per step at 120x40, {}", grid.name()), &mut pty);
    }
}

fn films(folder: &Path) -> Vec<Picture> {
    let mut paths = Vec::new();
    collect(folder, &mut paths);
    paths.sort();
    let step = (paths.len() / FILMS).max(1);
    paths.iter().step_by(step).take(FILMS).map(|path| Picture::read(path).unwrap()).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn start(home: &Path, images: &str) -> Pty {
    let environment =
        [("HOME", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("USER", "bench")];
    let arguments = ["demo", "--images", images, "--theme", "dark"];
    Pty::start(Path::new(env!("CARGO_BIN_EXE_dissent")), &arguments, &environment, SCREEN)
}
