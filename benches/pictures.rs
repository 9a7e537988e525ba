//! What block characters are worth and what they cost: structural similarity to the film, time per image, time per frame, and
//! bytes per step of the explorer, with the films and with the sample. The argument is a folder of films; without one, the
//! sample's images are taken.
//! `cargo bench --profile dev --bench pictures -- FOLDER`.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

#[path = "../tests/support/dataset.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod dataset;
#[path = "../tests/support/explorer.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod explorer;
mod on_screen;
#[path = "../tests/support/picture_fidelity.rs"]
mod picture_fidelity;
#[path = "../tests/support/pty.rs"]
mod terminal;
#[path = "../tests/support/wire.rs"]
mod wire;

use dissent::data::{Corpus, Picture};
use dissent::pipeline::Event;
use dissent::terminal::block_glyphs::BlockGrid;
use dissent::terminal::color_depth::Depth;
use dissent::terminal::image_protocol::ImageMode;
use dissent::tui::App;
use dissent::tui::action::Action;
use on_screen::{STEPS, milliseconds, report, settle, steps};
use picture_fidelity::{drawn, similarity};
use ratatui::layout::Size;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use terminal::Pty;
use wire::Wire;

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
    for grid in BlockGrid::ALL {
        let (bytes, times) = steps_with_films(&films, grid.into());
        report(&format!("bytes per step at 120x40, films, {}", grid.name()), "KB", bytes);
        report(&format!("drawing a frame at 120x40, films, {}", grid.name()), "ms", times);
    }
    let home = tempfile::tempdir().unwrap();
    for grid in BlockGrid::ALL {
        let mut pty = start(home.path(), grid.name());
        pty.wait_for("exact search");
        // Cases that have been answered already; the steps go back through them.
        pty.type_keys(&"j".repeat(STEPS));
        settle(&pty);
        steps(&format!("bytes per step at 120x40, sample, {}", grid.name()), &mut pty);
    }
}

/// Kilobytes per step, and milliseconds of the frame with the images, in a dataset whose cases and documents have these films.
fn steps_with_films(films: &[Picture], mode: ImageMode) -> (Vec<f64>, Vec<f64>) {
    let folder = tempfile::tempdir().unwrap();
    let mut app = app_with_films(folder.path(), films, mode);
    let mut wire = Wire::new(SCREEN.0, SCREEN.1);
    let (mut bytes, mut times) = (Vec::new(), Vec::new());
    wire.frames(&mut app, Depth::Truecolor, mode);
    for _ in 0..STEPS {
        app.update(Action::Down);
        bytes.push(wire.frames(&mut app, Depth::Truecolor, mode) as f64 / 1024.0);
        // The images are ready: the same frame on an empty screen.
        let mut empty = Wire::new(SCREEN.0, SCREEN.1);
        let begun = Instant::now();
        empty.frame(&app, Depth::Truecolor);
        times.push(milliseconds(begun));
    }
    (bytes, times)
}

fn app_with_films(root: &Path, films: &[Picture], mode: ImageMode) -> App {
    let count = STEPS + 1;
    let film = |place: usize| films[place % films.len()].path.clone();
    let mut app = explorer::app_with(root, count, |setting| {
        setting.images = mode;
        let dataset = Arc::make_mut(&mut setting.known.dataset);
        for (place, case) in dataset.cases.iter_mut().enumerate() {
            case.image = film(place);
        }
        let mut documents = dataset.corpus.to_documents();
        for (place, document) in documents.iter_mut().enumerate() {
            document.image = film(place + films.len() / 2);
        }
        dataset.corpus = Corpus::of(&documents);
    });
    app.on_worker_event(explorer::ready());
    for case in 0..count {
        // The best hit differs from that of the case before.
        let mut hits = explorer::hits();
        hits.rotate_left(case % 4);
        app.on_worker_event(Event::Hits { case, hits });
        for (slot, yes) in [0.9, 0.2, 0.9, 0.8].into_iter().enumerate() {
            app.on_worker_event(Event::Prediction { case, slot, prediction: explorer::scores(yes).into() });
        }
    }
    app
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
