//! Tests of the importers. They stand in this crate, so that they build without the models.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod brset;
mod columns;
mod medmnist;
mod session;
mod slake;
mod support;
mod vindr_pcxr;
