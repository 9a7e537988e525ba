//! A table of figures, independent of the output format.

use crate::{Bootstrap, Difference, Estimate, FEWEST_UNITS, Interval};
use dissent_core::text::printable::one_line;
use serde::Serialize;

/// Rows of figures with their names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Short name, used by `--tables`.
    pub key: &'static str,
    pub title: String,
    /// Explanation of the columns, in a sentence or two, or one line each.
    pub note: String,
    pub columns: Vec<&'static str>,
    /// One cell per column. The first one names the row; rows with the same name are adjacent.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Adds the reasons for missing intervals to the note, if any interval is missing.
    pub(super) fn with_reasons(mut self) -> Self {
        let mut reasons: Vec<String> = Vec::new();
        for cell in self.rows.iter().flatten() {
            let Some(reason) = cell.no_interval() else { continue };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if !reasons.is_empty() {
            self.note.push_str(&format!("\nA figure without an interval: {}.", reasons.join(", or ")));
        }
        self
    }
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    Text(String),
    Count(usize),
    #[serde(rename = "figure")]
    Estimate(Estimate),
    /// A paired difference over `n` cases; it has no value without a case, no interval if all cases changed alike.
    Difference {
        n: usize,
        value: Option<f64>,
        interval: Option<Interval>,
    },
    /// A p value.
    P(f64),
    /// A figure that cannot be computed, with a short reason.
    Undefined(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Cell {
    /// The change in the share of right cases; both slices have one value per case.
    pub fn change(first: &[bool], second: &[bool], bootstrap: Bootstrap) -> Self {
        let n = first.len();
        let share = |right: &[bool]| right.iter().filter(|right| **right).count() as f64 / n as f64;
        let difference = Difference::of_share(first, second, bootstrap);
        let interval = difference.map(|Difference { low, high, .. }| Interval { low, high });
        Self::Difference { n, value: (n > 0).then(|| share(second) - share(first)), interval }
    }

    /// The cell's text in a table; the n of figures has a separate column.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => one_line(text),
            Self::Count(count) => count.to_string(),
            Self::Estimate(Estimate { value: Some(value), low: Some(low), high: Some(high), .. }) => {
                format!("{} [{}, {}]", short(*value), short(*low), short(*high))
            }
            Self::Estimate(Estimate { value: Some(value), .. }) => short(*value),
            Self::Difference { value: Some(value), interval: Some(Interval { low, high }), .. } => {
                format!("{} [{}, {}]", signed(*value), signed(*low), signed(*high))
            }
            Self::Difference { value: Some(0.0), .. } => "no change".to_owned(),
            Self::Difference { value: Some(value), .. } => signed(*value),
            Self::Estimate(_) | Self::Difference { .. } => "-".to_owned(),
            Self::Undefined(reason) => format!("({reason})"),
            Self::P(p) if *p < 0.0001 => "<.0001".to_owned(),
            Self::P(p) => format!("{p:.4}").trim_start_matches('0').to_owned(),
        }
    }

    /// Reason why there is no interval, if one was computed.
    pub fn no_interval(&self) -> Option<String> {
        match self {
            Self::Estimate(figure) => Some(figure.no_interval?.to_string()),
            Self::Difference { value: Some(value), interval: None, .. } if *value != 0.0 => {
                Some(format!("fewer than {FEWEST_UNITS} cases or groups to draw from, or all changed alike"))
            }
            _ => None,
        }
    }

    /// Value, ends of the interval and n, for CSV.
    pub fn numbers(&self) -> Option<[Option<f64>; 4]> {
        match self {
            Self::Text(_) => None,
            Self::Count(count) => Some([Some(*count as f64), None, None, None]),
            Self::Estimate(figure) => Some([figure.value, figure.low, figure.high, Some(figure.n as f64)]),
            Self::Difference { n, value, interval } => {
                let [low, high] = [interval.map(|ends| ends.low), interval.map(|ends| ends.high)];
                Some([*value, low, high, Some(*n as f64)])
            }
            Self::P(p) => Some([Some(*p), None, None, None]),
            Self::Undefined(_) => Some([None; 4]),
        }
    }
}

/// Three decimals without the zero before the point, such as ".818", "1.000", "-.011".
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    format!("{sign}{}", digits.strip_prefix('0').unwrap_or(digits))
}

/// Like [`short`] with a sign, such as "+.036", "-.012".
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
        let figure = Estimate { value: Some(0.8175), n: 600, low: Some(0.7866), high: Some(1.0), no_interval: None };
        assert_eq!(Cell::Estimate(figure).text(), ".818 [.787, 1.000]");
        let interval = Some(Interval { low: -0.0232, high: 0.0927 });
        assert_eq!(Cell::Difference { n: 302, value: Some(0.0364), interval }.text(), "+.036 [-.023, +.093]");
        let below_chance = Estimate { value: Some(-0.011), n: 9, low: None, high: None, no_interval: None };
        assert_eq!(Cell::Estimate(below_chance).text(), "-.011");
        assert_eq!(Cell::P(0.000_01).text(), "<.0001");
        assert_eq!(Cell::P(0.27).text(), ".2700");
    }

    #[test]
    fn a_change_of_all_cases_is_no_missing_change() {
        let text = |first: &[bool], second: &[bool]| Cell::change(first, second, Bootstrap::BY_CASE).text();
        assert_eq!(text(&[false, false], &[true, true]), "+1.000");
        assert_eq!(text(&[false, true], &[false, true]), "no change");
        assert_eq!(text(&[], &[]), "-");
        assert_eq!(text(&[false, true, false], &[true, true, false]), "+.333", "three cases are too few");
        let (first, second) = ([false, true, false].repeat(2), [true, true, false].repeat(2));
        assert!(text(&first, &second).starts_with("+.333 ["));
    }
}
