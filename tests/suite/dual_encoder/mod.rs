//! Dual encoders of every family: against their references, under mutation, from damaged and hostile folders, and in the
//! commands.

mod candle_transformers;
mod commands;
mod fixture;
mod hostile;
mod mutation;
mod reference;
mod refused_networks;
