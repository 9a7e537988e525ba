//! What the command line says of itself: completions and manual pages.

use crate::support::program::{dissent, stderr_of, stdout_of};
use clap::CommandFactory;
use dissent::cli::Cli;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    dissent().args(arguments).output().unwrap()
}

/// Names of the commands that `--help` lists.
fn commands() -> Vec<String> {
    let cli = Cli::command();
    let shown = cli.get_subcommands().filter(|sub| !sub.is_hide_set());
    shown.map(|sub| sub.get_name().to_owned()).collect()
}

#[test]
fn completions_name_every_command_and_their_shell_reads_them() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout_of(&run(&["completions", shell]));
        for command in commands() {
            assert!(script.contains(&command), "{shell} lacks {command}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        std::fs::write(&path, &script).unwrap();
        // A shell that is not installed cannot be asked.
        if let Ok(output) = Command::new(shell).arg("-n").arg(&path).output() {
            assert!(output.status.success(), "{shell}: {}", stderr_of(&output));
        }
    }
    assert_eq!(run(&["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn bash_completes_a_command_and_an_option() {
    let script = stdout_of(&run(&["completions", "bash"]));
    let complete = |line: &str, words: &str, place: usize| {
        let ask = format!(
            "{script}\nCOMP_LINE='{line}'; COMP_WORDS=({words}); COMP_CWORD={place}; _dissent dissent \"${{COMP_WORDS[{place}]}}\" ''; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        // As a file: a command line has less room on some machines than the script needs.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), ask).unwrap();
        stdout_of(&Command::new("bash").arg(file.path()).output().unwrap())
    };
    assert_eq!(complete("dissent pred", "dissent pred", 1).trim(), "predict");
    assert!(complete("dissent export casebook --fil", "dissent export casebook --fil", 3).contains("--filter"));
}

#[test]
fn every_command_has_a_manual_page() {
    let page = stdout_of(&run(&["man"]));
    assert!(page.contains(".TH dissent 1") && page.contains("dissent\\-predict(1)"), "{page}");
    let page = stdout_of(&run(&["man", "export", "casebook"]));
    assert!(page.contains(".TH dissent-export-casebook 1") && page.contains("\\-\\-filter"), "{page}");

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    stdout_of(&run(&["man", "--out", out.to_str().unwrap()]));
    for command in commands() {
        assert!(out.join(format!("dissent-{command}.1")).is_file(), "{command}");
    }
    assert!(!out.join("dissent-guard-terminal.1").exists());
    let output = run(&["man", "export", "nothing"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr_of(&output).contains("no page for 'nothing' after dissent export: expected one of casebook, hits, "),
        "{output:?}"
    );
}

#[test]
fn the_demo_takes_the_options_of_the_screen() {
    let of_demo = Cli::command();
    let of_demo = of_demo.find_subcommand("demo").unwrap();
    let has = |name: &str| of_demo.get_arguments().any(|argument| argument.get_long() == Some(name));
    for name in ["record", "run", "keys", "viewer", "annotator"] {
        assert!(has(name), "--{name}");
    }
}
