//! What keys do to the state, and what they ask of the world.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod annotation;
mod evidence;
mod filters;
mod navigation;
mod people;
#[path = "../support/mod.rs"]
mod support;
