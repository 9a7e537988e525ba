//! Broken input and broken machines against the real binary: every fault gives a message that names it and exit code 1
//! (2 for wrong usage), none a panic.

mod dataset;
mod index;
mod models;
mod storage;
mod training;
mod usage;
