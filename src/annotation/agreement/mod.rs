//! How far annotators agree: coefficients over a neutral table of [`Ratings`], each with its interval and a line of words.
//!
//! Nothing here knows of journals. Figures are undefined for a reason that is said ([`Undefined`]), never a NaN.

mod chance;
mod coefficient;
mod counted;
mod masi;
mod measured;
mod ratings;
mod tables;

pub use coefficient::{Coefficient, Undefined};
pub use masi::masi_distance;
pub use measured::{Agreement, Measured, PairAgreement};
pub use ratings::Ratings;
pub use tables::{AgreementReport, RatedCases, agreement_table_keys, usual_agreement_table_keys};
