//! Tests of datasets on disk: reading, writing, checking, importing. One binary, because linking one is slow.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "../support/absent.rs"]
mod absent;
mod check;
mod dataset;
mod dicom;
mod hostile_pictures;
mod identifiers;
mod import_medmnist;
mod import_nih_cxr;
mod import_vqa_rad;
mod picture;
mod support;
