//! Reliability diagram: the share of right answers over the confidence, one line per system; the diagonal is perfect
//! calibration.

use super::{COLOURS, Table};
use anyhow::{Result, anyhow};
use plotters::prelude::*;

const SIZE: (u32, u32) = (560, 400);

/// The plot as SVG; the area of a point grows with its number of cases.
pub(super) fn draw(table: &Table) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let draw_error = |error: &dyn std::fmt::Display| anyhow!("cannot draw a plot: {error}");
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(170)
            .x_label_area_size(40)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)
            .map_err(|error| draw_error(&error))?;
        (chart.configure_mesh().light_line_style(TRANSPARENT).x_desc("confidence").y_desc("share right"))
            .draw()
            .map_err(|error| draw_error(&error))?;
        let diagonal = PathElement::new(vec![(0.0, 0.0), (1.0, 1.0)], BLACK.mix(0.4));
        chart.draw_series([diagonal]).map_err(|error| draw_error(&error))?;
        for (number, rows) in table.rows.chunk_by(|one, other| one[0] == other[0]).enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let value = |cell: usize| rows.iter().map(move |row| row[cell].numbers().and_then(|numbers| numbers[0]));
            let counts: Vec<f64> = value(2).map(Option::unwrap_or_default).collect();
            let points: Vec<(f64, f64)> = value(3).zip(value(4)).filter_map(|(x, y)| Some((x?, y?))).collect();
            let all: f64 = counts.iter().sum();
            chart.draw_series(LineSeries::new(points.clone(), colour)).map_err(|error| draw_error(&error))?;
            let circle = |(point, count): (&(f64, f64), &f64)| {
                Circle::new(*point, (3.0 + 14.0 * (count / all).sqrt()) as i32, colour.mix(0.6).filled())
            };
            chart.draw_series(points.iter().zip(&counts).map(circle)).map_err(|error| draw_error(&error))?;
            let legend = (SIZE.0 as i32 - 160, 20 + 18 * number as i32);
            root.draw(&Circle::new(legend, 4, colour.filled())).map_err(|error| draw_error(&error))?;
            let text = Text::new(rows[0][0].text(), (legend.0 + 10, legend.1 - 6), ("sans-serif", 13));
            root.draw(&text).map_err(|error| draw_error(&error))?;
        }
        root.present().map_err(|error| draw_error(&error))?;
    }
    Ok(svg)
}
