//! A filter of cases: `task:fundus verdict:inconsistent fused:wrong -mine:none "posterior shadowing"`.
//!
//! | module | what is in it |
//! |---|---|
//! | `parse` | parses the typed line into terms |
//! | [`field`] | the fields of a case and their values |
//! | `matching` | decides whether a case passes |
//! | `check` | decides whether the dataset has the names of a filter |
//! | [`completion`] | completions, each with the number of cases it leaves |

mod check;
pub mod completion;
pub mod field;
mod matching;
mod parse;

use field::Field;

/// Terms that must all hold; a filter without terms passes every case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The term has a minus before it: the case must not match.
    pub negated: bool,
    pub test: Test,
    /// Names or words as they were typed, because they are compared without case; empty for other tests.
    pub typed: Vec<String>,
}

/// The test of a term.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The field has any of these values, given in lower case.
    Is(Field, Vec<String>),
    /// The field is above or below a number.
    Compares(Field, Comparison, f64),
    /// The id, the question or a hit's caption contains these words, given in lower case.
    Text(String),
}

/// A comparison such as `>` or `<`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Below,
    AtMost,
    AtLeast,
    Above,
}

impl Filter {
    /// Whether it lets every case pass.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether passing depends on who asks.
    pub fn depends_on_annotator(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.test, Test::Is(Field::Mine | Field::Seen, _)))
    }

    /// Whether passing reveals something of the annotations of others.
    pub fn depends_on_others(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.test, Test::Is(Field::Final | Field::People, _)))
    }

    /// Whether passing reveals something of the gold answer.
    pub fn depends_on_gold(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.test, Test::Is(field, _) if field.depends_on_gold()))
    }
}
