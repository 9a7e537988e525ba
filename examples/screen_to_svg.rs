//! Turns a captured screen into an SVG: the picture in the README comes from a real session this way.
//!
//! ```sh
//! tmux new-session -d -s demo -x 120 -y 40 'dissent demo'
//! tmux capture-pane -e -p -t demo | cargo run --example screen_to_svg 120 40 > docs/screen.svg
//! ```

use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::io::Read;

/// Size of a cell in SVG units.
const CELL: (usize, usize) = (8, 16);
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d8dae0";
/// The sixteen named colours, as xterm shows them on a dark ground.
const NAMED: [&str; 16] = [
    "#1c1e24", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4", "#6b7280", "#ff8b92",
    "#b6e3a1", "#ffd68a", "#8cc8ff", "#e3a1f5", "#86dbe6", "#ffffff",
];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name: &str| -> Result<u16> {
        let text =
            arguments.next().with_context(|| format!("expected {name}: screen_to_svg COLUMNS ROWS < capture"))?;
        text.parse().with_context(|| format!("{name}: expected a number, found {text}"))
    };
    let (columns, rows) = (number("COLUMNS")?, number("ROWS")?);
    let mut capture = Vec::new();
    std::io::stdin().read_to_end(&mut capture)?;
    // The capture ends its lines with a line feed alone, and a last one would scroll.
    let text = String::from_utf8_lossy(&capture).trim_end_matches('\n').replace('\n', "\r\n");
    let mut terminal = vt100::Parser::new(
        rows.try_into().context("ROWS: expected 1 or more")?,
        columns.try_into().context("COLUMNS: expected 1 or more")?,
        0,
    );
    terminal.process(text.as_bytes());
    print!("{}", draw(terminal.screen(), usize::from(columns), usize::from(rows)));
    Ok(())
}

fn draw(screen: &vt100::Screen, columns: usize, rows: usize) -> String {
    let (width, height) = (columns * CELL.0, rows * CELL.1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"{BACKGROUND}\"/>\n"
    );
    for row in 0..rows {
        for column in 0..columns {
            let Some(cell) = screen.cell(row as u16, column as u16) else { continue };
            let (mut front, mut back) = (colour(cell.fgcolor(), FOREGROUND), colour(cell.bgcolor(), BACKGROUND));
            if cell.inverse() {
                std::mem::swap(&mut front, &mut back);
            }
            let (x, y) = (column * CELL.0, row * CELL.1);
            let half = CELL.1 / 2;
            if back != BACKGROUND {
                rectangle(&mut svg, x, y, CELL.1, &back);
            }
            match cell.contents() {
                "" | " " => {}
                "▀" => rectangle(&mut svg, x, y, half, &front),
                "▄" => rectangle(&mut svg, x, y + half, half, &front),
                "█" => rectangle(&mut svg, x, y, CELL.1, &front),
                text => {
                    let weight = if cell.bold() { " font-weight=\"bold\"" } else { "" };
                    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                    // Writing to a string cannot fail.
                    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" fill=\"{front}\"{weight}>{text}</text>", y + 12);
                }
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn rectangle(svg: &mut String, x: usize, y: usize, height: usize, fill: &str) {
    // A little overlap hides the seams that viewers draw between neighbours.
    let _ = writeln!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{}.3\" height=\"{height}.3\" fill=\"{fill}\"/>", CELL.0);
}

fn colour(colour: vt100::Color, default: &str) -> String {
    match colour {
        vt100::Color::Default => default.to_owned(),
        vt100::Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        vt100::Color::Idx(index @ 0..16) => NAMED[usize::from(index)].to_owned(),
        vt100::Color::Idx(index @ 16..232) => {
            let step = |value: u8| if value == 0 { 0 } else { 55 + 40 * value };
            let index = index - 16;
            format!("#{:02x}{:02x}{:02x}", step(index / 36), step(index / 6 % 6), step(index % 6))
        }
        vt100::Color::Idx(index) => {
            let grey = 8 + 10 * (index - 232);
            format!("#{grey:02x}{grey:02x}{grey:02x}")
        }
    }
}
