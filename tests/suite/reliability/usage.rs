//! Wrong usage: exit code 2 and a hint.

use crate::support::world::World;

#[test]
fn wrong_usage_is_2() {
    let world = World::new();
    let wrong: [&[&str]; 8] = [
        &[],
        &["no-such-command"],
        &["check"],
        &["check", "DATASET", "--no-such-flag"],
        &["predict", "DATASET"],
        &["predict", "DATASET", "--run", "r", "--split", "exam"],
        &["predict", "DATASET", "--run", "r", "-k", "0"],
        &["annotations", "export", "DATASET", "--format", "xlsx"],
    ];
    for arguments in wrong {
        let outcome = world.dissent(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {outcome:#?}");
        assert!(
            outcome.stderr.contains("try '--help'") || outcome.stderr.contains("Usage: dissent"),
            "{arguments:?}: {outcome:#?}"
        );
    }
}

#[test]
fn a_name_that_leaves_the_workspace_is_refused() {
    let world = World::new();
    world.dissent(&["predict", "DATASET", "--run", "../../r"]).fails_with(&["run name", "../../r"]);
}

#[test]
fn a_missing_dataset_is_1_for_every_command() {
    let world = World::new();
    let commands: [&[&str]; 4] = [
        &["check", "no/such/dataset"],
        &["predict", "no/such/dataset", "--run", "r"],
        &["annotations", "list", "no/such/dataset"],
        &["annotations", "export", "no/such/dataset"],
    ];
    for arguments in commands {
        world.dissent(arguments).fails_with(&["no/such/dataset", "no such folder"]);
    }
}

#[test]
fn help_and_version_are_0() {
    let world = World::new();
    world.dissent(&["--help"]).succeeds();
    world.dissent(&["--version"]).succeeds();
}
