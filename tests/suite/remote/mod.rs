//! Readers on servers: against llama.cpp's own server with the sample's reader, and against faults put between.
//!
//! llama.cpp runs in a Python process (`xllamacpp` from PyPI). `scripts/serving-engines llama.cpp` installs it where
//! the tests look; where it is absent they say so, and fail under DISSENT_REQUIRE_ENGINES=1, which `.ci/run` sets. vLLM is
//! asked by `make test-engines`.

mod agreement;
mod answers;
mod commands;
mod download;
mod embedding_commands;
mod embedding_server;
mod embeddings;
mod error_table;
mod fault_proxy;
mod faults;
mod hosted_servers;
mod http2;
mod http_rules;
mod hub_limits;
mod limits;
mod llama_server;
mod planted_key;
mod refusals;
mod rule_server;
mod support;
mod vllm;
