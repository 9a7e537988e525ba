//! Effects of keys on the state, and the effects that updates ask for.

mod annotation;
mod casebook;
mod digits;
mod evidence;
mod filters;
mod gold;
mod label_many;
mod navigation;
mod people;
mod reading_rest;
mod spending;
pub mod why;
