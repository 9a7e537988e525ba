//! The filter of the queue: `task:fundus verdict:inconsistent fused:wrong -mine:none "posterior shadowing"`.
//!
//! | module | what is in it |
//! |---|---|
//! | `parse` | from the typed line to terms |
//! | [`field`] | what can be asked of a case, and the words that answer it |
//! | `matching` | does a case pass? |
//! | [`completion`] | what could be typed next, with how many cases it leaves |
//! | [`edit`] | the line while it is typed |

pub mod completion;
pub mod edit;
pub mod field;
mod matching;
mod parse;

use field::Field;

/// Terms that must all hold; no term passes every case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// With a minus before it: the case must not match.
    pub negated: bool,
    pub test: Test,
}

/// What a term asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Any of these words, in lower case.
    Is(Field, Vec<String>),
    /// More or less than a number.
    Compares(Field, Comparison, f64),
    /// These words stand in the id, the question or a hit's caption; lower case.
    Text(String),
}

/// `>`, `<` and their like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Below,
    AtMost,
    AtLeast,
    Above,
}

impl Filter {
    /// Does it let every case pass?
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Does a case that passes tell something of what others said of it?
    pub fn looks_at_others_words(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.test, Test::Is(Field::Final | Field::People, _)))
    }

    /// Does a case that passes tell something of its gold answer?
    pub fn looks_at_gold(&self) -> bool {
        self.terms.iter().any(|term| matches!(&term.test, Test::Is(field, _) if field.looks_at_gold()))
    }
}
