//! Plot of figures with their intervals; the series stand side by side at each place of the x axis.

use super::{COLOURS, Lines};
use anyhow::{Result, anyhow};
use plotters::prelude::*;

const HEIGHT: u32 = 320;

/// The plot as SVG; the y axis is a share.
pub(super) fn draw((places, series): &Lines) -> Result<String> {
    let width = (260 + places.len() * (40 + 26 * series.len())).clamp(480, 1000) as u32;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width, HEIGHT)).into_drawing_area();
        let draw_error = |error: &dyn std::fmt::Display| anyhow!("cannot draw a plot: {error}");
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(180)
            .x_label_area_size(28)
            .y_label_area_size(40)
            .build_cartesian_2d(0.0..places.len() as f64, 0.0..1.0)
            .map_err(|error| draw_error(&error))?;
        (chart.configure_mesh().disable_x_mesh().x_labels(0).y_labels(6).light_line_style(TRANSPARENT))
            .draw()
            .map_err(|error| draw_error(&error))?;
        for (number, line) in series.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let x_of = |place: usize| place as f64 + (number as f64 + 1.0) / (series.len() as f64 + 1.0);
            let mut intervals = Vec::new();
            let mut points = Vec::new();
            for (place, figure) in line.figures.iter().enumerate() {
                let Some(figure) = figure else { continue };
                if let (Some(low), Some(high)) = (figure.low, figure.high) {
                    intervals
                        .push(PathElement::new(vec![(x_of(place), low), (x_of(place), high)], colour.stroke_width(2)));
                }
                points.extend(figure.value.map(|value| Circle::new((x_of(place), value), 4, colour.filled())));
            }
            chart.draw_series(intervals).map_err(|error| draw_error(&error))?;
            chart.draw_series(points).map_err(|error| draw_error(&error))?;
            let legend = (width as i32 - 172, 20 + 18 * number as i32);
            root.draw(&Circle::new(legend, 4, colour.filled())).map_err(|error| draw_error(&error))?;
            let text = Text::new(line.name.clone(), (legend.0 + 10, legend.1 - 6), ("sans-serif", 13));
            root.draw(&text).map_err(|error| draw_error(&error))?;
        }
        for (place, name) in places.iter().enumerate() {
            let (x, y) = chart.backend_coord(&(place as f64 + 0.5, 0.0));
            let centred = ("sans-serif", 13).into_font().into_text_style(&root);
            let centred = centred.pos(plotters::style::text_anchor::Pos::new(
                plotters::style::text_anchor::HPos::Center,
                plotters::style::text_anchor::VPos::Top,
            ));
            root.draw(&Text::new(name.clone(), (x, y + 8), centred)).map_err(|error| draw_error(&error))?;
        }
        root.present().map_err(|error| draw_error(&error))?;
    }
    Ok(svg)
}
