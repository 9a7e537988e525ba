//! The synthetic sample: its images, captions and datasets.

mod datasets;
mod pictures;
