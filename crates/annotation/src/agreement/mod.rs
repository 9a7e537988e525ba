//! Agreement between annotators: coefficients over a table of [`Ratings`], each with its interval and an explanation.
//!
//! Nothing here depends on journals. A figure that is undefined has a reason ([`Undefined`]) and is never a NaN.

mod coefficient_names;
mod coefficients;
mod counted;
mod masi;
mod measured;
mod ratings;
mod tables;

pub use coefficient_names::{Coefficient, Undefined};
pub use masi::masi_distance;
pub use measured::{Agreement, Measured, PairAgreement};
pub use ratings::Ratings;
pub use tables::{AgreementReport, RatedCases, agreement_table_keys, usual_agreement_table_keys};
