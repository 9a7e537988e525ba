//! Effect of retrieval on closed-book answers: bands from right and wrong without documents to right and wrong with
//! them.

use super::{COLOURS, Table};
use anyhow::{Result, anyhow};
use plotters::prelude::*;

const WIDTH: i32 = 420;
const HEIGHT: i32 = 240;
/// Gap between right and wrong.
const GAP: f64 = 12.0;
const TOP: f64 = 34.0;

/// The four bands of a system: whether the closed-book answer is right, whether the fused one is, number of cases.
type Bands = [(bool, bool, f64); 4];

/// One flow per system, side by side, as SVG.
pub(super) fn draw(table: &Table) -> Result<String> {
    let systems: Vec<&[Vec<super::Cell>]> = table.rows.chunk_by(|one, other| one[0] == other[0]).collect();
    let mut svg = String::new();
    {
        let width = (WIDTH * systems.len().max(1) as i32) as u32;
        let root = SVGBackend::with_string(&mut svg, (width, HEIGHT as u32)).into_drawing_area();
        let draw_error = |error: &dyn std::fmt::Display| anyhow!("cannot draw a plot: {error}");
        for (number, rows) in systems.iter().enumerate() {
            let area = root.clone().shrink((WIDTH * number as i32, 0), (WIDTH, HEIGHT));
            let count = |row: usize| rows.get(row).and_then(|row| row[3].numbers()).and_then(|numbers| numbers[0]);
            let count = |row: usize| count(row).unwrap_or_default();
            let bands: Bands =
                [(true, true, count(0)), (true, false, count(1)), (false, true, count(2)), (false, false, count(3))];
            let total: f64 = bands.iter().map(|band| band.2).sum();
            if total == 0.0 {
                continue;
            }
            let unit = (f64::from(HEIGHT) - TOP - GAP - 8.0) / total;
            let sum = |pick: &dyn Fn(&(bool, bool, f64)) -> bool| -> f64 {
                bands.iter().filter(|band| pick(band)).map(|band| band.2).sum()
            };
            let wrong_from = TOP + sum(&|band| band.0) * unit + GAP;
            let wrong_to = TOP + sum(&|band| band.1) * unit + GAP;
            let mut left = [TOP, wrong_from];
            let mut right = [TOP, wrong_to];
            let (from_x, to_x) = (110.0, f64::from(WIDTH) - 120.0);
            for (from, to, cases) in bands {
                let (start, end) = (&mut left[usize::from(!from)], &mut right[usize::from(!to)]);
                let height = cases * unit;
                let colour = COLOURS[if to { 2 } else { 1 }].mix(if from == to { 0.35 } else { 0.8 });
                area.draw(&Polygon::new(band(from_x, to_x, (*start, *end), height), colour.filled()))
                    .map_err(|error| draw_error(&error))?;
                if cases > 0.0 {
                    // The number stands near the left end, where bands do not cross.
                    let place = (from_x + 8.0, *start + height / 2.0 - 6.0);
                    area.draw(&text(&format!("{cases:.0}"), place)).map_err(|error| draw_error(&error))?;
                }
                *start += height;
                *end += height;
            }
            area.draw(&text(&rows[0][0].text(), (from_x, 8.0))).map_err(|error| draw_error(&error))?;
            for (name, place) in [
                ("closed-book right", (4.0, TOP)),
                ("closed-book wrong", (4.0, wrong_from)),
                ("fused right", (to_x + 8.0, TOP)),
                ("fused wrong", (to_x + 8.0, wrong_to)),
            ] {
                area.draw(&text(name, place)).map_err(|error| draw_error(&error))?;
            }
        }
        root.present().map_err(|error| draw_error(&error))?;
    }
    Ok(svg)
}

fn text(text: &str, (x, y): (f64, f64)) -> Text<'static, (i32, i32), String> {
    Text::new(text.to_owned(), (x as i32, y as i32), ("sans-serif", 12))
}

/// The outline of a band with soft edges.
fn band(from_x: f64, to_x: f64, (start, end): (f64, f64), height: f64) -> Vec<(i32, i32)> {
    const STEPS: usize = 24;
    let mut upper = Vec::with_capacity(STEPS + 1);
    for step in 0..=STEPS {
        let share = step as f64 / STEPS as f64;
        // The curve is level at both ends.
        let eased = share * share * (3.0 - 2.0 * share);
        upper.push((from_x + (to_x - from_x) * share, start + (end - start) * eased));
    }
    let lower = upper.iter().rev().map(|(x, y)| (*x, y + height));
    upper.iter().copied().chain(lower).map(|(x, y)| (x.round() as i32, y.round() as i32)).collect()
}
