//! Dual encoders of every family: against their references, under mutation, from damaged and hostile folders, and in the
//! commands.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod commands;
mod fixture;
mod hostile;
#[path = "../support/json_places.rs"]
mod json_places;
mod mutation;
mod reference;
