//! Cells of CSV files: other people's texts must not run as formulas in a spreadsheet.

use std::borrow::Cow;

/// How to write texts that a spreadsheet would run as a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// With an apostrophe in front, which marks a text (OWASP, "CSV Injection").
    Escaped,
    /// Unchanged, for programs that read the file.
    Plain,
}

impl Formulas {
    /// The text as a cell. Not for numbers: -0.5 must stay a number.
    pub fn cell(self, text: &str) -> Cow<'_, str> {
        if self == Self::Escaped && runs(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
    }
}

/// Whether a text starts a formula, after quotes and spaces. Excel also accepts full-width signs, and some
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
