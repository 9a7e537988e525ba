//! Many hostile inputs, several at once, and the tests that ask for them.

use crate::ground::{Ground, project};
use crate::input::{Make, Random};
use crate::judge::{Kind, judge};
use crate::report::{Report, one_line};
use crate::{
    annotations, datasets, explorer, imports, known_values, models, pictures, places, program, records, servers, words,
};
use rand::SeedableRng;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

/// Classes of inputs; input number N is of class N modulo their number.
pub const CLASSES: [(&str, Make); 22] = [
    ("dataset", datasets::dataset),
    ("picture", pictures::picture),
    ("reader", models::reader),
    ("search", words::search),
    ("known value", known_values::known_value),
    ("dicom", pictures::dicom),
    ("encoder", models::encoder),
    ("journal", annotations::journal),
    ("server", servers::reader),
    ("import", imports::import),
    ("run", records::run),
    ("special file", places::special_file),
    ("explorer", explorer::typed),
    ("download", servers::download),
    ("prodigy", annotations::prodigy),
    ("terminal", places::terminal),
    ("annotate", annotations::annotate),
    ("index", records::index),
    ("arguments", datasets::arguments),
    ("special source", places::special_source),
    ("output", places::output),
    ("settings", words::settings),
];

/// One that is slow by nature has its turn less often.
const RARE: (&str, Make) = ("screen", explorer::shown);

/// Result of one input.
pub struct Ran {
    pub number: u64,
    pub class: &'static str,
    pub what: String,
    pub wrong: Vec<(Kind, String)>,
    /// Exit code 0.
    pub succeeded: bool,
    pub seconds: f64,
}

fn class_of(number: u64) -> (&'static str, Make) {
    let round = number / CLASSES.len() as u64;
    let class = CLASSES[(number % CLASSES.len() as u64) as usize];
    if class.0 == "settings" && round % 2 == 1 { RARE } else { class }
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seed() -> u64 {
    variable("HOSTILE_SEED").unwrap_or(18)
}

/// Folder of failing inputs.
fn kept() -> PathBuf {
    project().join("target/hostile")
}

/// Makes and runs input `number`, and keeps its folder where something is wrong.
fn run_one(ground: &Ground, seed: u64, number: u64) -> Ran {
    let (class, make) = class_of(number);
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let input = make(&mut random, ground, folder.path());
    let outcome = program::run(&input, ground, folder.path());
    let wrong = judge(&outcome, input.look.as_ref(), folder.path());
    if !wrong.is_empty() {
        keep(folder, &format!("{seed}-{number}-{}", class.replace(' ', "-")), |place| {
            let story = format!(
                "{}\n{:?}\n{:?}\ntyped: {:?}\nwrong: {wrong:?}\n",
                input.what, input.arguments, input.environment, input.typed
            );
            fs::write(place.join("story.txt"), story).unwrap();
            fs::write(place.join("output.txt"), &outcome.output).unwrap();
        });
    }
    Ran {
        number,
        class,
        what: one_line(&input.what),
        wrong,
        succeeded: outcome.code == Some(0),
        seconds: outcome.seconds,
    }
}

fn keep(folder: tempfile::TempDir, name: &str, write: impl Fn(&Path)) {
    let place = kept().join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(kept()).unwrap();
    write(folder.path());
    // Links and special files are moved as they are; a copy would read a FIFO for ever.
    let moved = std::process::Command::new("mv").arg(folder.path()).arg(&place).status();
    assert!(moved.is_ok_and(|status| status.success()), "cannot keep {}", place.display());
}

/// Runs these inputs, as many at once as there are processors.
fn drive(numbers: &[u64]) -> Report {
    let ground = Ground::new();
    let seed = seed();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(2, std::num::NonZero::get).min(8);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(number) = numbers.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let ran = run_one(&ground, seed, *number);
                    done.lock().unwrap().push(ran);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|ran| ran.number);
    Report { seed, done }
}

#[test]
fn nothing_falls_over_on_a_hundred_and_fifty_hostile_inputs() {
    let count = variable("HOSTILE_COUNT").unwrap_or(154);
    drive(&(0..count).collect::<Vec<u64>>()).assert_good();
}

/// The whole of it: `make hostile`; `HOSTILE_SEED` and `HOSTILE_COUNT` change what is run.
#[test]
#[ignore = "takes ten minutes: 3,000 inputs"]
fn three_thousand_hostile_inputs() {
    let count = variable("HOSTILE_COUNT").unwrap_or(3000);
    let first = variable("HOSTILE_FIRST").unwrap_or(0);
    drive(&(first..first + count).collect::<Vec<u64>>()).assert_good();
}

/// One alone, as the report says: `HOSTILE_SEED=18 HOSTILE_ONLY=7 cargo test --test hostile -- --ignored only_this`.
#[test]
#[ignore = "for one input that failed: HOSTILE_ONLY has its number"]
fn only_this_hostile_input() {
    let number = variable("HOSTILE_ONLY").expect("HOSTILE_ONLY=NUMBER");
    drive(&[number]).assert_good();
}
