//! The store of documents on a server, against milvus-lite (`scripts/serving-engines milvus-lite`): the same hits as the index in
//! the workspace, builds that are killed, and faults.

mod equal_hits;
mod faults;
mod killed_builds;
mod milvus_server;
