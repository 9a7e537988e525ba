//! Fuzz targets: every place where bytes of others come in, each through the public function that the program calls.
//! A target fails by a panic, also if a value is wrong.
//!
//! The test suite runs the same targets over their seeds (`tests/hostile/seeds.rs`).

mod answers;
mod data;
mod folder;
mod models;
mod pictures;
mod records;
mod words;

/// A target and its name.
#[derive(Debug)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:literal: $run:path,)*) => {
        /// Every target.
        pub const ALL: &[Target] = &[$(Target { name: $name, run: $run },)*];
    };
}

targets! {
    "lines": data::lines,
    "manifest": data::manifest,
    "npz": data::npz,
    "vqa_rad": data::vqa_rad,
    "predictions": data::predictions,
    "prodigy": data::prodigy,
    "dicom": pictures::dicom,
    "picture": pictures::picture,
    "safetensors": models::safetensors,
    "gguf": models::gguf,
    "config": models::config,
    "processor": models::processor,
    "tokenizer": models::tokenizer,
    "template": models::template,
    "filter": words::filter,
    "search": words::search,
    "theme": words::theme,
    "keys": words::keys,
    "journal": records::journal,
    "run": records::run,
    "server": answers::server,
    "hub": answers::hub,
}

/// The target with this name.
pub fn named(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}

/// Checks the message of an error: it must be short enough to be read, whatever it quotes.
fn check_message(error: &impl std::fmt::Display) {
    let message = format!("{error:#}");
    let start: String = message.chars().take(300).collect();
    assert!(message.len() <= 4096, "a message of {} bytes: {start}…", message.len());
}
