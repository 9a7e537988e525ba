//! libFuzzer over one of the targets: `DISSENT_FUZZ_TARGET=dicom dissent-fuzz …`. One binary for all of them, because each
//! would be 130 MB and a minute of linking.

#![no_main]

mod targets;

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use targets::Target;

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("DISSENT_FUZZ_TARGET").unwrap_or_default();
        let Some(target) = targets::named(&name) else {
            let known: Vec<&str> = targets::ALL.iter().map(|target| target.name).collect();
            println!("DISSENT_FUZZ_TARGET: expected one of {}, found {name:?}", known.join(" "));
            std::process::exit(2);
        };
        let _ = CHOSEN.set(target);
    },
    |bytes: &[u8]| {
        if let Some(target) = CHOSEN.get() {
            (target.run)(bytes);
        }
    }
);
