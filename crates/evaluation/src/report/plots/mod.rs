//! The plots of the HTML report as SVG, drawn from the numbers of the tables.

mod flow;
mod intervals;
mod reliability;

use super::{Cell, Table};
use crate::Estimate;
use anyhow::Result;
use plotters::style::RGBColor;

/// Colours that colour-blind people can tell apart (Okabe and Ito 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(70, 70, 70),
];

/// A series of figures, one per place on the x axis.
struct Series {
    name: String,
    figures: Vec<Option<Estimate>>,
}

/// A plot with its heading.
pub(super) struct Plot {
    pub title: String,
    pub svg: String,
}

/// The plots of a table: none for most kinds.
///
/// # Errors
/// Fails if a plot cannot be drawn.
pub(super) fn plots(table: &Table) -> Result<Vec<Plot>> {
    let svg = match table.key {
        "accuracy" => intervals::draw(&by_second_column(table, "accuracy"))?,
        "oracle" => intervals::draw(&of_all_cases(table))?,
        "ranks" => {
            let mut plots = Vec::new();
            for (system, places, series) in rescue_by_place(table) {
                let svg = intervals::draw(&(places, series))?;
                plots.push(Plot { title: format!("{}, {system}", table.title), svg });
            }
            return Ok(plots);
        }
        "reliability" => reliability::draw(table)?,
        "flow" => flow::draw(table)?,
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Plot { title: table.title.clone(), svg }])
}

/// Places of the x axis and the series over them.
type Lines = (Vec<String>, Vec<Series>);

/// One series per system, over the values of the second column.
fn by_second_column(table: &Table, column: &str) -> Lines {
    let mut places: Vec<String> = Vec::new();
    let mut series: Vec<Series> = Vec::new();
    for row in &table.rows {
        let (name, place) = (row[0].text(), row[1].text());
        if !places.contains(&place) {
            places.push(place);
        }
        let figure = figure_of(table, row, column);
        match series.iter_mut().find(|series| series.name == name) {
            Some(known) => known.figures.push(figure),
            None => series.push(Series { name, figures: vec![figure] }),
        }
    }
    (places, series)
}

/// Fused and oracle accuracy over systems, on all cases.
fn of_all_cases(table: &Table) -> Lines {
    let rows: Vec<&Vec<Cell>> = table.rows.iter().filter(|row| row[1].text() == "all").collect();
    let places = rows.iter().map(|row| row[0].text()).collect();
    let series = ["fused", "oracle"].map(|column| Series {
        name: column.to_owned(),
        figures: rows.iter().map(|row| figure_of(table, row, column)).collect(),
    });
    (places, series.into())
}

/// Per system, the shares right, rescued and ruined by place.
fn rescue_by_place(table: &Table) -> Vec<(String, Vec<String>, Vec<Series>)> {
    let mut plots = Vec::new();
    for rows in table.rows.chunk_by(|one, other| one[0] == other[0]) {
        let places = rows.iter().map(|row| row[1].text()).collect();
        let series = ["right", "rescued", "ruined"].map(|column| Series {
            name: column.to_owned(),
            figures: rows.iter().map(|row| figure_of(table, row, column)).collect(),
        });
        plots.push((rows[0][0].text(), places, series.into()));
    }
    plots
}

fn figure_of(table: &Table, row: &[Cell], column: &str) -> Option<Estimate> {
    let place = table.columns.iter().position(|name| *name == column)?;
    match row.get(place) {
        Some(Cell::Estimate(figure)) if figure.value.is_some() => Some(figure.clone()),
        _ => None,
    }
}
