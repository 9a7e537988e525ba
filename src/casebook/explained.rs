//! Words and regions that decided an answer, as HTML: the caption with its words coloured, images with their regions tinted.
//! Blue speaks for the answer, orange against it.

use super::case_page::CasePage;
use crate::explain::{Block, Explanation, GRID, RegionWeights, WordWeight, WordWeights};
use crate::text::html_text::escaped;
use std::fmt::Write as _;

/// Words that are listed.
const LISTED: usize = 3;
/// Shares of the largest weight from which on a word is underlined and bold, and a region is tinted.
const UNDERLINED: f32 = 0.15;
const BOLD: f32 = 0.5;
const TINTED: f32 = 0.1;
/// Opacity of the largest weight.
const OPACITY: f32 = 0.55;

/// Red, green and blue of a weight's sign. Both are told apart by people who see no red or no green.
fn colour(weight: f32) -> &'static str {
    if weight < 0.0 { "213,94,0" } else { "0,114,178" }
}

/// `≈` stands before a weight that is known only approximately.
fn signed(weight: f32, is_bound: bool) -> String {
    format!("{}{weight:+.2}", if is_bound { "≈" } else { "" })
}

/// The caption, each word with a background as strong as its weight.
pub(super) fn caption(words: &WordWeights) -> String {
    let largest = words.parts.iter().map(|part| part.weight.abs()).fold(0.0, f32::max);
    let mut html = String::new();
    let mut end = 0;
    for part in &words.parts {
        html.push_str(&escaped(words.caption.get(end..part.range.start).unwrap_or_default()));
        end = part.range.end;
        let share = if largest > 0.0 { part.weight.abs() / largest } else { 0.0 };
        let class = match share {
            share if share >= BOLD => "strong",
            share if share >= UNDERLINED => "some",
            _ => "weak",
        };
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<span class=\"{class}\" style=\"background:rgba({},{:.2})\" title=\"{}\">{}</span>",
            colour(part.weight),
            share * OPACITY,
            signed(part.weight, part.is_bound),
            escaped(words.text(part))
        );
    }
    html.push_str(&escaped(words.caption.get(end..).unwrap_or_default()));
    html
}

/// "Why Yes and not No. Words: +0.67 malignant · …; region of the hit's image: +0.21 in row 6, column 5".
pub(super) fn summary(explanation: &Explanation, case: &CasePage) -> String {
    let name = |label: usize| case.labels.get(label).map_or("", String::as_str);
    let mut html = match (&explanation.text, explanation.target.runner_up) {
        (Some(text), _) => format!("<b>Why “{}”.</b>", escaped(text)),
        (None, _) if explanation.of_label.is_some() => {
            // Yes or no to the question about one label of the answer.
            let of = explanation.of_label.map_or("", |of| name(of.label));
            let likely = if explanation.target.answer == 0 { "more" } else { "less" };
            format!("<b>Why {} is {likely} likely than not.</b>", escaped(of))
        }
        (None, runner_up) => {
            let not = runner_up.map_or_else(String::new, |label| format!(" and not {}", escaped(name(label))));
            format!("<b>Why {}{not}.</b>", escaped(name(explanation.target.answer)))
        }
    };
    if let Some(words) = &explanation.words {
        let named = |part: &&WordWeight| {
            let word = words.text(part).trim_matches(|letter: char| letter.is_ascii_punctuation());
            format!("{} {}", signed(part.weight, part.is_bound), escaped(word))
        };
        let strongest: Vec<String> = words.strongest(LISTED).iter().map(named).collect();
        html.push_str(&format!(" Strongest words: {}.", strongest.join(" · ")));
    }
    for (whose, regions) in [("hit's", &explanation.document), ("case's", &explanation.query)] {
        let Some(regions) = regions else { continue };
        let (region, weight) = regions.strongest();
        let place = format!("row {}, column {} of a grid of {GRID} × {GRID}", region.row + 1, region.column + 1);
        html.push_str(&format!(
            " Strongest region of the {whose} image: {} in {place}.",
            signed(weight, regions.has_bounds)
        ));
    }
    html
}

/// The regions over an image of this size in pixels, as SVG: tints, and a box around the strongest.
pub(super) fn regions(regions: &RegionWeights, (width, height): (u32, u32)) -> String {
    let (strongest, largest) = regions.strongest();
    let largest = largest.abs();
    let mut svg = String::new();
    if largest <= 0.0 {
        return svg;
    }
    for cell in Block::tiling(1) {
        let weight = regions.weights[cell.row][cell.column];
        let share = weight.abs() / largest;
        if share < TINTED {
            continue;
        }
        let (left, top, right, bottom) = cell.pixels(width, height);
        let _ = write!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"rgb({})\" fill-opacity=\"{:.2}\"/>",
            right - left,
            bottom - top,
            colour(weight),
            share * OPACITY
        );
    }
    let (left, top, right, bottom) =
        Block { row: strongest.row, column: strongest.column, side: 1 }.pixels(width, height);
    let line = (width.max(height) as f32 / 120.0).max(0.5);
    let _ = write!(
        svg,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"rgb({})\" stroke-width=\"{line:.1}\"/>",
        right - left,
        bottom - top,
        colour(regions.weights[strongest.row][strongest.column])
    );
    svg
}
