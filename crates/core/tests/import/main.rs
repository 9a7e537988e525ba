//! Tests of the importers. They stand in this crate, so that they build without the models.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says why it does not run"
)]

#[path = "../../../../tests/support/absent.rs"]
mod absent;
mod brset;
mod columns;
mod folder;
mod folder_json;
mod hf;
mod hf_copies;
mod kept_copies;
mod made_files;
mod medmnist;
mod mimic_cxr;
mod pmc;
mod predictions;
mod roco;
mod session;
mod shipped_tables;
mod slake;
mod streamed_check;
mod support;
mod table;
mod vindr_pcxr;
