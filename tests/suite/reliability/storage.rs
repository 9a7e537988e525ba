//! Disks that are full or cannot be written.

use crate::support::program::PROGRAM;
use crate::support::small_disk;
use crate::support::world::{World, outcome_of, predictions};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A folder mounted read-only on itself; undone when dropped.
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    fn mount(folder: &'a Path) -> Self {
        let mount = |arguments: &[&str]| {
            let done = Command::new("mount").args(arguments).arg(folder).output();
            done.is_ok_and(|output| output.status.success())
        };
        let bound = Command::new("mount").arg("--bind").args([folder, folder]).output();
        assert!(bound.is_ok_and(|output| output.status.success()), "mounting a folder takes root on Linux");
        let mounted = Self(folder);
        assert!(mount(&["-o", "remount,bind,ro"]), "a folder cannot be mounted read-only here");
        mounted
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// The one workspace under the home folder.
fn user_workspace(world: &World) -> std::path::PathBuf {
    let folder = world.home().join(".local/share/dissent/workspaces");
    let mut entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let first = entries.next().unwrap();
    assert!(entries.next().is_none());
    first
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "takes root on Linux: mounts a folder read-only; `make test-small-disks` runs it"]
fn a_read_only_dataset_works_from_the_users_folder() {
    let world = World::new();
    let root = world.root();
    let _mounted = ReadOnly::mount(&root);
    world.dissent(&["check", "DATASET"]).succeeds();
    world.predict().succeeds();
    assert!(predictions(&user_workspace(&world), "c3") >= 2);
    world.dissent(&["annotations", "list", "DATASET"]).succeeds();
    assert!(!world.path(".dissent").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_dataset_whose_workspace_cannot_be_made_works_from_the_users_folder() {
    let world = World::new();
    // A file in the folder's place stops even root, wherever mounting is not allowed.
    fs::write(world.path(".dissent"), b"").unwrap();
    world.predict().succeeds();
    assert!(predictions(&user_workspace(&world), "c3") >= 2);
}

#[test]
fn a_machine_with_no_place_to_write_says_so() {
    let world = World::new();
    fs::write(world.path(".dissent"), b"").unwrap();
    fs::write(world.home(), b"").unwrap();
    world.predict().fails_with(&["can be written", "give --workspace", ".dissent"]);
    let outcome = world.dissent(&["predict", "DATASET", "--run", "r", "--workspace", world.home().to_str().unwrap()]);
    outcome.fails_with(&["cannot use the workspace"]);
}

/// Every size up to what is needed: the disk fills up while the index is written, then the caches, then the run.
#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn a_disk_that_fills_up_stops_a_prediction_which_goes_on_once_there_is_room() {
    let world = World::new();
    let mut failures = 0;
    for kilobytes in (8..).step_by(8) {
        let disk = small_disk::mount(kilobytes);
        let workspace = disk.path().join("w");
        let place = workspace.to_str().unwrap();
        let arguments = ["predict", "DATASET", "--run", "r", "--workspace", place, "--device", "cpu"];
        let outcome = world.dissent(&arguments);
        let whole = predictions(&workspace, "c3") + predictions(&workspace, "c17");
        if outcome.code == 0 {
            assert!(whole >= 4, "{kilobytes} KB: {outcome:#?}");
            break;
        }
        failures += 1;
        outcome.fails_with(&["No space left on device", place]);
        disk.resize(8192);
        world.dissent(&arguments).succeeds();
        let lines = fs::read_to_string(workspace.join("runs/r/predictions.jsonl")).unwrap();
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
        assert!(predictions(&workspace, "c3") >= 2 && predictions(&workspace, "c17") >= 2);
    }
    assert!(failures >= 4, "the disks were not small");
}

#[test]
fn a_limited_file_size_is_an_error_and_no_death() {
    let world = World::new();
    let mut shell = Command::new("sh");
    // Blocks of 512 bytes: less than any index, more than any message.
    shell.args(["-c", "ulimit -f 4; exec \"$@\"", "sh"]).arg(PROGRAM);
    shell.args(["predict", "--run", "r", "--split", "test", "--device", "cpu"]).arg(world.root());
    shell.env("HOME", world.home());
    shell
        .env("DISSENT_ENCODER", world.path("checkpoints/dual-encoder"))
        .env("DISSENT_READER", world.path("checkpoints/reader"));
    outcome_of(&mut shell).fails_with(&["File too large"]);
    assert!(!world.path(".dissent/index").exists());
    world.predict().succeeds();
}

#[test]
#[ignore = "takes root on Linux: mounts a small disk; `make test-small-disks` runs it"]
fn an_export_to_a_full_disk_leaves_the_old_file() {
    let world = World::new();
    let disk = small_disk::mount(64);
    let file = disk.path().join("out.csv");
    fs::write(&file, "old").unwrap();
    fill(disk.path());
    let annotations = world.path(".dissent/annotations");
    let mut journal = dissent::annotation::Journal::open(&annotations, "ada", "box").unwrap();
    let note = dissent::annotation::EventKind::Note { note: "x".repeat(9000) };
    journal.append("c1", note, dissent::annotation::EventContext::default()).unwrap();
    let outcome = world.dissent(&["annotations", "export", "DATASET", "-o", file.to_str().unwrap()]);
    outcome.fails_with(&["out.csv", "No space left on device"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
}

/// Writes until nothing more fits.
fn fill(folder: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(folder.join("fill")).unwrap();
    while file.write_all(&[1; 512]).is_ok() {}
}
