//! Tests of datasets on disk: reading, writing, checking, importing. One binary, because linking one is slow.

mod dataset;
mod picture;
mod support;
