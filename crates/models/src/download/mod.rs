//! Models of the Hugging Face hub, fetched into its cache on this machine; the only code that asks the hub.
//!
//! Files come as blobs that are called by their checksum, checked before they get that name; a snapshot of links to them
//! is put in its place when all are there, and the name of the branch after it. What is cut off stays as `.incomplete`
//! and is continued, so nothing half fetched looks whole.

mod checksum;
mod client;
mod listing;
mod snapshot;
mod transfer;

pub use client::{Hub, HubError};
pub use snapshot::readable_size;
pub use snapshot::{Plan, Step, download, plan, was_cancelled};
