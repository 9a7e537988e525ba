//! Cells of CSV files that a person may open in a spreadsheet: texts of others must not run there.

use std::borrow::Cow;

/// What becomes of texts that a spreadsheet would run as a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// They begin with an apostrophe, by which spreadsheets know a text (OWASP, "CSV Injection").
    Escaped,
    /// They stay as they are, for programs that read the file again.
    Plain,
}

impl Formulas {
    /// The text as a cell. Of ours, numbers never come here: -0.5 stays a number.
    pub fn cell(self, text: &str) -> Cow<'_, str> {
        if self == Self::Escaped && runs(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
    }
}

/// Does a text begin, behind quotes and space, with what begins a formula? Excel knows the full-width signs, too, and some
/// programs split cells at a tab or a line end.
fn runs(text: &str) -> bool {
    if text.starts_with(['\t', '\r', '\n']) {
        return true;
    }
    let begin = text.trim_start_matches(|letter: char| {
        letter.is_whitespace()
            || letter.is_control()
            || matches!(letter, '\'' | '"' | '\u{200b}'..='\u{200f}' | '\u{feff}')
    });
    begin.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}

#[cfg(test)]
mod tests {
    use crate::text::csv_cells::*;

    #[test]
    fn what_a_spreadsheet_would_run_begins_with_an_apostrophe() {
        for text in
            ["=1+1", "+1", "-cmd", "@SUM(A1)", "\tx", "\rx", "\n=1", " =1", "\"=1", "'=1", "\u{feff}=1", "\u{ff1d}1"]
        {
            assert_eq!(Formulas::Escaped.cell(text), format!("'{text}"));
            assert_eq!(Formulas::Plain.cell(text), text);
        }
        for text in ["", "a=1", "no lesion", "'quoted'", "1-2", "x@y.z", " a"] {
            assert_eq!(Formulas::Escaped.cell(text), text);
        }
    }
}
