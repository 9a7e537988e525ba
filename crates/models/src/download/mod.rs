//! Downloads models of the Hugging Face hub into its local cache; no other code connects to the hub.
//!
//! Files are stored as blobs named by their checksum, which is verified before they get that name. When all blobs are
//! there, a snapshot of links to them is put in place, and then the reference of the branch. An interrupted file
//! remains as `.incomplete` and is continued later, so nothing incomplete looks whole.

mod checksum;
mod client;
mod listing;
mod snapshot;
mod transfer;

pub use client::{Hub, HubError};
pub use snapshot::readable_size;
pub use snapshot::{Plan, Step, download, plan, was_cancelled};
