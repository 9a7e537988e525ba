//! The explorer over broken models and files: it says what is wrong, everything else works, and q leaves with 0.

use crate::support::fixtures;
use crate::support::program::PROGRAM;
use crate::support::pty::Pty;
use crate::support::world::World;
use dissent::run::Run;
use std::fs;
use std::path::Path;

fn explore(world: &World) -> Pty {
    explore_with(world, world.path("checkpoints/reader").to_str().unwrap())
}

fn explore_with(world: &World, reader: &str) -> Pty {
    let path = |name: &str| world.path(name).to_str().unwrap().to_owned();
    let (home, encoder) = (world.home().to_str().unwrap().to_owned(), path("checkpoints/dual-encoder"));
    let environment = [
        ("HOME", home.as_str()),
        ("TERM", "xterm-256color"),
        ("USER", "ada"),
        ("DISSENT_ENCODER", &encoder),
        ("DISSENT_READER", reader),
        ("DISSENT_DEVICE", "cpu"),
    ];
    fs::create_dir_all(world.home()).unwrap();
    let root = path("");
    let pty = Pty::start(Path::new(PROGRAM), &["explore", &root], &environment, (120, 40));
    pty.wait_for("c3 · test");
    pty
}

/// Annotates the case on the screen, leaves, and finds the annotation on disk and nothing said of a panic.
fn annotate_and_leave(world: &World, mut pty: Pty) {
    pty.type_keys("8");
    pty.wait_for("takes it back");
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0, "{}", pty.screen());
    pty.assert_restored();
    assert!(!String::from_utf8_lossy(&pty.bytes()).contains("panicked at"));
    let listed = world.dissent(&["annotations", "list", "DATASET"]);
    assert!(listed.succeeds().stdout.contains("ada"), "{listed:#?}");
}

#[test]
fn whole_models_answer() {
    let world = World::new();
    let pty = explore(&world);
    pty.wait_until("an answer of every hit", |pty| {
        let screen = pty.screen();
        screen.contains("agree") || screen.contains("differ")
    });
    annotate_and_leave(&world, pty);
}

#[test]
fn readers_of_every_family_answer() {
    for family in ["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "smolvlm", "gemma3", "internvl", "paligemma", "llava"] {
        let world = World::new();
        let reader = fixtures::path("readers").join(family).join("checkpoint");
        let pty = explore_with(&world, reader.to_str().unwrap());
        pty.wait_until("an answer of every hit", |pty| {
            let screen = pty.screen();
            screen.contains("agree") || screen.contains("differ")
        });
        annotate_and_leave(&world, pty);
    }
}

#[test]
fn damaged_weights_are_named_on_the_screen() {
    let world = World::new();
    let path = world.path("checkpoints/reader/model.safetensors");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let pty = explore(&world);
    // Written out in the place of the hits, broken into lines between words or within a long path.
    pty.wait_until("the damaged file", |pty| {
        let lines: Vec<String> =
            pty.screen().lines().map(|line| line.split(['│', '┃']).next_back().unwrap().to_owned()).collect();
        lines.iter().map(|line| line.trim()).collect::<String>().contains("model.safetensors")
    });
    annotate_and_leave(&world, pty);
}

#[test]
fn marks_on_a_stored_run_name_it_even_without_models() {
    let world = World::new();
    world.predict().succeeds();
    let run = Run::open(&world.path(".dissent/runs/r")).unwrap().identity.fingerprint();
    let (home, root) = (world.home().to_str().unwrap().to_owned(), world.root().to_str().unwrap().to_owned());
    fs::create_dir_all(world.home()).unwrap();
    let environment = [("HOME", home.as_str()), ("TERM", "xterm-256color"), ("USER", "ada")];
    let program = Path::new(PROGRAM);
    let pty = Pty::start(program, &["explore", &root, "--run", "r"], &environment, (120, 40));
    pty.wait_until("the stored answers", |pty| pty.screen().contains("agree") || pty.screen().contains("differ"));
    annotate_and_leave(&world, pty);
    let exported = world.dissent(&["annotations", "export", "DATASET", "--format", "jsonl"]);
    assert!(exported.succeeds().stdout.contains(run.as_str()), "{exported:#?}");
}

#[test]
fn a_missing_image_is_named_on_the_screen() {
    let world = World::new();
    fs::remove_file(world.path("images/c3.png")).unwrap();
    let pty = explore(&world);
    pty.wait_for("c3.png");
    annotate_and_leave(&world, pty);
}
