//! Finer block characters show more of a film.

use crate::support::picture_fidelity::similarity;
use dissent::data::Picture;
use dissent::terminal::block_glyphs::BlockGrid;
use ratatui::layout::Size;
use std::path::Path;

#[test]
fn each_finer_grid_is_nearer_to_the_film() {
    for name in ["fu-d0004.png", "us-d0006.png"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/dataset/images").join(name);
        let film = Picture::read(&path).unwrap();
        let similarities = BlockGrid::ALL.map(|grid| similarity(&film, Size::new(26, 13), grid.into()));
        println!("{name}: {similarities:.3?}");
        assert!(similarities.is_sorted_by(|coarse, fine| coarse < fine), "{name}: {similarities:?}");
        assert!(similarities[3] < 1.0, "{name}: {similarities:?}");
    }
}
