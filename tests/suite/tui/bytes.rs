//! Bytes that a step sends to the terminal: SSH users pay for every byte.

use crate::support::explorer;
use crate::support::wire::Wire;
use dissent::terminal::block_glyphs::BlockGrid;
use dissent::terminal::color_depth::Depth;
use dissent::terminal::image_protocol::ImageMode;
use dissent::tui::action::Action;
use image::{DynamicImage, ImageBuffer, Luma};
use std::path::Path;

/// No two neighbours are alike.
fn speckle(place: usize) -> DynamicImage {
    let mut state = (place as u32 + 1).wrapping_mul(2_654_435_761) | 1;
    DynamicImage::ImageLuma8(ImageBuffer::from_fn(64, 64, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Luma([(state >> 24) as u8])
    }))
}

/// The images of the eight files of a small dataset.
type Images = fn(usize) -> DynamicImage;

/// Films of the sample, all different.
fn film(place: usize) -> DynamicImage {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/dataset/images");
    image::open(folder.join(format!("us-d{:04}.png", place + 1))).unwrap()
}

/// The cost of stepping from one case to the next, both read, all images new.
fn step(images: Images, depth: Depth, mode: ImageMode) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer::app(folder.path(), 3);
    for (place, name) in ["q0", "q1", "q2", "d0", "d1", "d2", "d3", "d4"].iter().enumerate() {
        images(place).save(folder.path().join(format!("images/{name}.png"))).unwrap();
    }
    app.on_worker_event(explorer::ready());
    explorer::answer(&mut app, 0, &[0.9, 0.2, 0.9, 0.8]);
    explorer::answer(&mut app, 1, &[0.4, 0.2, 0.7, 0.6]);
    let mut wire = Wire::new(120, 40);
    wire.frames(&mut app, depth, mode);
    app.update(Action::Down);
    app.update(Action::NextHit);
    wire.frames(&mut app, depth, mode)
}

#[test]
fn a_step_costs_at_most_40_kb_at_120x40() {
    // Of noise, no cell is like the one before: nothing can be saved but the space between the codes.
    for (name, images, most) in [("films", film as Images, 40), ("noise", speckle, 44)] {
        for mode in BlockGrid::ALL.map(ImageMode::from) {
            for depth in [Depth::Truecolor, Depth::Indexed, Depth::Named, Depth::Monochrome] {
                let cost = step(images, depth, mode);
                println!("{name}, {mode:?}, {depth:?}: {cost} bytes");
                assert!(cost <= most * 1024, "{name}, {mode:?}, {depth:?}: {cost} bytes");
                // Both images changed, so a step that costs nearly nothing has drawn nothing.
                assert!(cost > 1000, "{name}, {mode:?}, {depth:?}: {cost} bytes");
            }
        }
    }
}

#[test]
fn a_frame_without_change_costs_only_the_hidden_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = explorer::app(folder.path(), 3);
    let mut wire = Wire::new(120, 40);
    wire.frames(&mut app, Depth::Truecolor, ImageMode::Half);
    assert!(wire.frame(&app, Depth::Truecolor) < 40);
}
