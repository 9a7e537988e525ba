//! A table of figures, whatever it will be printed as.

use crate::analysis::{Difference, Figure};
use serde::Serialize;

/// Rows of figures with what they are about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Short name, for `--tables`.
    pub key: &'static str,
    pub title: String,
    /// What the columns mean, in a sentence or two.
    pub note: String,
    pub columns: Vec<&'static str>,
    /// One cell per column; the first one names the row, rows of the same name stand together.
    pub rows: Vec<Vec<Cell>>,
}

/// One place of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    Text(String),
    Count(usize),
    Figure(Figure),
    /// A paired difference over `n` cases; `None` where no case, or every case, changed.
    Difference {
        n: usize,
        difference: Option<Difference>,
    },
    /// A p value.
    P(f64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Cell {
    /// As it stands in a table for people; the n of figures has its own column.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Figure(Figure { value: Some(value), low: Some(low), high: Some(high), .. }) => {
                format!("{} [{}, {}]", short(*value), short(*low), short(*high))
            }
            Self::Figure(Figure { value: Some(value), .. }) => short(*value),
            Self::Difference { difference: Some(difference), .. } => {
                let Difference { value, low, high } = difference;
                format!("{} [{}, {}]", signed(*value), signed(*low), signed(*high))
            }
            Self::Figure(_) | Self::Difference { n: 0, .. } => "-".to_owned(),
            Self::Difference { .. } => "no change".to_owned(),
            Self::P(p) if *p < 0.0001 => "<.0001".to_owned(),
            Self::P(p) => format!("{p:.4}").trim_start_matches('0').to_owned(),
        }
    }

    /// Value, ends of the interval and n, for a file of numbers.
    pub fn numbers(&self) -> Option<[Option<f64>; 4]> {
        match self {
            Self::Text(_) => None,
            Self::Count(count) => Some([Some(*count as f64), None, None, None]),
            Self::Figure(figure) => Some([figure.value, figure.low, figure.high, Some(figure.n as f64)]),
            Self::Difference { n, difference } => Some([
                difference.map(|difference| difference.value),
                difference.map(|difference| difference.low),
                difference.map(|difference| difference.high),
                Some(*n as f64),
            ]),
            Self::P(p) => Some([Some(*p), None, None, None]),
        }
    }
}

/// Three decimals without the zero before the point: ".818", "1.000".
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

/// "+.036", "-.012".
fn signed(value: f64) -> String {
    let text = format!("{value:+.3}");
    let (sign, digits) = text.split_at(1);
    format!("{sign}{}", digits.strip_prefix('0').unwrap_or(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let figure = Figure { value: Some(0.8175), n: 600, low: Some(0.7866), high: Some(1.0) };
        assert_eq!(Cell::Figure(figure).text(), ".818 [.787, 1.000]");
        let difference = Some(Difference { value: 0.0364, low: -0.0232, high: 0.0927 });
        assert_eq!(Cell::Difference { n: 302, difference }.text(), "+.036 [-.023, +.093]");
        assert_eq!(Cell::P(0.000_01).text(), "<.0001");
        assert_eq!(Cell::P(0.27).text(), ".2700");
    }
}
