//! `dissent index`, `search`, `show` and `doctor` by the binary, with a CLIP checkpoint of random weights.

use super::support::{CAPTIONS, write_dataset};
use crate::support::patience::wait_until;
use crate::support::pictures::write_picture;
use crate::support::{fixtures, program};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn encoder(name: &str) -> String {
    let folder = fixtures::path("clip").join(name);
    folder.to_str().unwrap().to_string()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = program::dissent();
    command.args(arguments).stdin(Stdio::null());
    command.env_remove("NO_COLOR").env("TERM", "xterm-256color");
    command
}

fn dissent(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = dissent(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn stderr(arguments: &[&str], code: i32) -> String {
    let output = dissent(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    errors
}

fn dataset() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("scans");
    write_dataset(&root);
    (folder, root)
}

fn ids(json: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(json).unwrap();
    let results = value["results"].as_array().unwrap();
    results.iter().map(|found| found["id"].as_str().unwrap().to_string()).collect()
}

/// Another program builds the index: the wait is said, and a signal ends it.
#[cfg(target_os = "linux")]
#[test]
fn a_wait_for_another_builder_is_said_and_ends_with_130() {
    use std::io::{BufRead, BufReader, Read};
    let (_folder, root) = dataset();
    fs::create_dir(root.join(".dissent")).unwrap();
    let lock = fs::File::create(root.join(".dissent/index.lock")).unwrap();
    lock.lock().unwrap();
    let encoder = encoder("quick_gelu");
    for (name, rest) in [("index", &[][..]), ("search", &["--text", "effusion"])] {
        let arguments = [&[name, root.to_str().unwrap(), "--encoder", &encoder], rest].concat();
        let mut child = command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("another program is building this index; waiting") {
            assert!(errors.read_line(&mut said).unwrap() > 0, "{said}");
        }
        program::send("-TERM", &child);
        errors.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}: {said}");
        assert!(said.lines().last().unwrap().starts_with("interrupted; "), "{said}");
    }
}

/// Limits of shared machines: the work has a stack of its own, and a refusal of memory is an error like any other.
#[cfg(target_os = "linux")]
#[test]
fn a_small_stack_and_little_memory_abort_nothing() {
    let (_folder, root) = dataset();
    let encoder = encoder("quick_gelu");
    let limited = |limit: &str| {
        let whole = command(&["index", root.to_str().unwrap(), "--encoder", &encoder, "--force"]);
        let script = format!("ulimit {limit}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(whole.get_program()).args(whole.get_args()).stdin(Stdio::null());
        let output = shell.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = limited("-s 64");
    assert_eq!(code, Some(0), "{said}");
    for kilobytes in [150_000, 200_000, 300_000, 400_000, 600_000] {
        let (code, said) = limited(&format!("-v {kilobytes}"));
        // 127: the libraries themselves find no room.
        assert!(matches!(code, Some(0 | 1 | 127)) && !said.contains("RUST_BACKTRACE"), "{kilobytes}: {code:?} {said}");
    }
}

#[test]
fn an_index_is_built_then_up_to_date_then_searched() {
    let (_folder, root) = dataset();
    let root = root.to_str().unwrap();
    let encoder = encoder("quick_gelu");
    let built = stdout(&["index", root, "--encoder", &encoder]);
    assert!(built.starts_with("index built in ") && built.contains("images    Flat, 6 vectors of "), "{built}");
    let again: Value = serde_json::from_str(&stdout(&["index", root, "--encoder", &encoder, "--json"])).unwrap();
    assert_eq!((again["state"].as_str(), again["documents"].as_u64()), (Some("up to date"), Some(6)));
    let forced = stdout(&["index", root, "--encoder", &encoder, "--force"]);
    assert!(forced.starts_with("index built in "), "{forced}");

    // Words need no encoder.
    let table = stdout(&["search", root, "--text", "\"pleural effusion\"", "--color", "truecolor"]);
    assert_eq!(table.lines().count(), 2);
    assert!(table.contains("\x1b[1;4mpleural\x1b[0m"), "{table}");
    assert!(!stdout(&["search", root, "--text", "pleural"]).contains('\x1b'), "a pipe gets no escape sequences");
    let found = ids(&stdout(&["search", root, "--text", "effusion", "--words", "left", "--json"]));
    assert_eq!(found, ["d0"]);

    // An image of the corpus is its own nearest neighbour; filters hold for vectors too.
    let image = format!("{root}/images/d3.png");
    let search = |more: &[&str]| {
        ids(&stdout(&[&["search", root, "--image", &image, "--encoder", &encoder, "--json"], more].concat()))
    };
    assert_eq!(search(&["-k", "3"]).len(), 3);
    assert_eq!(search(&["-k", "1"]), ["d3"]);
    let mut roco = search(&["--source", "roco"]);
    roco.sort();
    assert_eq!(roco, ["d0", "d1", "d4"]);
    assert_eq!(search(&["--source", "mimic", "--words", "pneumonia"]), ["d3"]);
    let dense = ["search", root, "--text", CAPTIONS[4].0, "--by", "captions", "--encoder", &encoder, "--json"];
    assert_eq!(ids(&stdout(&dense))[0], "d4");
}

#[test]
fn a_stale_index_is_named_and_built_again() {
    let (_folder, root) = dataset();
    let path = root.to_str().unwrap();
    stdout(&["index", path, "--encoder", &encoder("quick_gelu")]);
    let output = dissent(&["index", path, "--encoder", &encoder("gelu")]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.contains("is stale: it was built from encoder"), "{errors}");
    assert!(!errors.contains('\x1b'), "no progress bar in a pipe");

    let corpus = fs::read_to_string(root.join("corpus.jsonl")).unwrap();
    fs::write(root.join("corpus.jsonl"), corpus.replace("knee", "elbow")).unwrap();
    let alone = ["search", path, "--text", "elbow", "--json"];
    let errors = stderr(&alone, 0);
    assert!(errors.contains("is stale: it was built from corpus") && errors.contains("needs no encoder"), "{errors}");
    assert_eq!(ids(&stdout(&alone)), ["d4"]);
    assert_eq!(fs::read_dir(root.join(".dissent/cache")).unwrap().count(), 0, "nothing is left of the captions' index");
    let found = stdout(&["search", path, "--text", "elbow", "--encoder", &encoder("gelu"), "--json"]);
    assert_eq!(ids(&found), ["d4"]);
}

#[test]
fn faults_are_named_and_have_their_exit_codes() {
    let (_folder, root) = dataset();
    let path = root.to_str().unwrap();
    let encoder = encoder("quick_gelu");
    assert!(stderr(&["search", path, "--text", "x"], 0).contains("no index in"));
    assert!(stderr(&["search", path, "--text", "x", "--by", "captions"], 1).contains("--encoder DIR"));
    assert!(stderr(&["index", path], 1).contains("--encoder DIR"));
    assert!(stderr(&["index", path, "--encoder", "/nowhere"], 1).contains("/nowhere: no such folder"));
    assert!(stderr(&["search", path], 2).contains("--text"));
    assert!(stderr(&["search", path, "--image", "x.png", "--by", "words"], 2).contains("--by images"));
    fs::write(root.join("images/d1.png"), b"").unwrap();
    let output = dissent(&["index", path, "--encoder", &encoder]);
    assert!(output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("document d1 can only be found by its caption") && errors.contains("d1.png"), "{errors}");
    assert!(stderr(&["search", path, "--text", "\"x"], 1).contains("not closed"));
    assert!(stderr(&["search", path, "--text", "x", "--source", "chest"], 1).contains("expected one of: mimic, roco"));
    let broken = root.join("images/d1.png");
    let broken = broken.to_str().unwrap();
    let message = stderr(&["search", path, "--image", broken, "--encoder", &encoder], 1);
    assert!(message.contains("empty file"), "{message}");
}

#[test]
fn a_killed_build_leaves_the_old_index() {
    let (_folder, root) = dataset();
    let path = root.to_str().unwrap();
    let mut corpus = fs::read_to_string(root.join("corpus.jsonl")).unwrap();
    for row in 0..120_u8 {
        write_picture(&root, &format!("images/m{row}.png"), [row, 2 * row, 7]);
        let line = format!("{{\"id\":\"m{row}\",\"image\":\"images/m{row}.png\",\"caption\":\"case number {row}\"}}\n");
        corpus.push_str(&line);
    }
    fs::write(root.join("corpus.jsonl"), corpus).unwrap();
    stdout(&["index", path, "--encoder", &encoder("quick_gelu")]);
    let workspace = root.join(".dissent");
    for (moment, has_come) in MOMENTS_OF_A_BUILD {
        // A build may pass a moment between two looks.
        wait_until(&format!("a build is killed when {moment}"), || {
            let left_behind = folders_aside(&workspace);
            let mut build = command(&["index", path, "--encoder", &encoder("gelu"), "--force"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut is_met = false;
            wait_until(&format!("{moment} or the build ends"), || {
                let mut own = folders_aside(&workspace);
                own.retain(|folder| !left_behind.contains(folder));
                is_met = has_come(&workspace, &own);
                is_met || build.try_wait().unwrap().is_some()
            });
            build.kill().unwrap();
            build.wait().unwrap();
            assert_eq!(ids(&stdout(&["search", path, "--text", "knee", "--json"])), ["d4"]);
            is_met
        });
    }
    stdout(&["index", path, "--encoder", &encoder("gelu"), "--force"]);
    assert_eq!(folders_aside(&workspace), [] as [PathBuf; 0]);
}

/// Detects the moment, given the workspace and the folders in it that this build has created.
type HasCome = fn(&Path, &[PathBuf]) -> bool;

/// When a build is killed.
const MOMENTS_OF_A_BUILD: [(&str, HasCome); 3] = [
    ("it has the lock", |workspace, _| {
        let lock = fs::File::open(workspace.join("index.lock")).unwrap();
        matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock))
    }),
    ("it writes beside the old index", |_, own| !own.is_empty()),
    ("its last file is written", |_, own| own.iter().any(|folder| folder.join("index/index.toml").exists())),
];

/// Folders in which an index is being built, or was when its build was killed.
fn folders_aside(workspace: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace).unwrap().map(|entry| entry.unwrap());
    let aside = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".index-building-"));
    aside.map(|entry| entry.path()).collect()
}

#[test]
fn show_prints_a_picture_or_a_case() {
    let (_folder, root) = dataset();
    let path = root.to_str().unwrap();
    let image = format!("{path}/images/d0.png");
    let facts = stdout(&["show", &image]);
    assert!(facts.contains("8 × 6  Rgb8\nnote: every pixel has the same value") && !facts.contains('\x1b'), "{facts}");
    let blocks = stdout(&["show", &image, "--images", "half", "--color", "truecolor"]);
    // 8 × 6 pixels at 4 columns a pixel; the picture is one colour, so its cells are spaces.
    let rows: Vec<&str> = blocks.lines().filter(|line| line.contains("48;2;255;0;20")).collect();
    assert!(rows.len() == 12 && rows.iter().all(|row| row.matches(' ').count() == 32), "{blocks}");
    let few = stdout(&["show", &image, "--images", "half", "--color", "256"]);
    assert!(few.contains("48;5;") && !few.contains("48;2;"), "{few}");
    let plain = stdout(&["show", &image, "--images", "half", "--color", "never"]);
    assert!(!plain.contains('\x1b') && plain.lines().count() == 14, "{plain}");

    let case = stdout(&["show", path, "c1"]);
    assert!(
        case.contains("question  Is there an effusion?") && case.contains("labels    *Yes (yes)  No (no)"),
        "{case}"
    );
    let case: Value = serde_json::from_str(&stdout(&["show", path, "c1", "--json"])).unwrap();
    assert_eq!(case["case"]["answer"], "Yes");
    assert!(stdout(&["show", path, "d2"]).contains("Bilateral effusions"));
    assert!(stderr(&["show", path, "c9"], 1).contains("no case or document 'c9'"));
    assert!(stderr(&["show", path], 1).contains("dissent show"));
    fs::write(root.join("images/query.png"), b"not an image").unwrap();
    let output = dissent(&["show", path, "c1"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Is there an effusion?"));
}

#[test]
fn doctor_says_what_it_found() {
    let (_folder, root) = dataset();
    let report = stdout(&["doctor", root.to_str().unwrap(), "--json"]);
    let facts: Value = serde_json::from_str(&report).unwrap();
    let value = |name: &str| -> &str {
        let facts = facts.as_array().unwrap();
        facts.iter().find(|fact| fact["name"] == name).and_then(|fact| fact["value"].as_str()).unwrap_or_default()
    };
    assert_eq!(value("TERM"), "xterm-256color");
    assert_eq!((value("colours"), value("output")), ("indexed", "no terminal"));
    assert!(value("workspace").contains(".dissent"), "{report}");
    assert!(value("tantivy").starts_with("0."), "{report}");
    let text = stdout(&["doctor"]);
    assert!(text.contains("terminal\n") && text.contains("none (give a dataset"), "{text}");
    assert!(text.lines().count() < 24, "it fits a screen: {text}");
}

#[test]
fn doctor_keeps_how_images_are_drawn() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("HOME", home.path()).env_remove("XDG_CONFIG_HOME").output().unwrap()
    };
    let images = || {
        let report: Value = serde_json::from_slice(&run(&["doctor", "--json"]).stdout).unwrap();
        let fact = report.as_array().unwrap().iter().find(|fact| fact["name"] == "images").unwrap();
        fact["value"].as_str().unwrap().to_owned()
    };
    let (_folder, root) = dataset();
    let show = ["show", root.to_str().unwrap(), "c1"];
    let into_a_pipe = run(&show).stdout;
    let said = String::from_utf8(run(&["doctor", "--save-images", "octant"]).stdout).unwrap();
    assert!(said.contains("images = \"octant\"") && said.contains("config.toml"), "{said}");
    assert_eq!(images(), "octants");
    assert_eq!(run(&show).stdout, into_a_pipe, "the file says how, but only a flag asks for a picture in a pipe");
    let with_flag = run(&["doctor", "--images", "half", "--json"]);
    assert!(String::from_utf8_lossy(&with_flag.stdout).contains("half-blocks"), "a flag comes before the file");
    let file = said.trim().rsplit(' ').next().unwrap();
    fs::write(file, "image = \"octant\"\n").unwrap();
    let shown = run(&show);
    let error = String::from_utf8(shown.stderr).unwrap();
    assert!(!shown.status.success() && error.contains("config.toml: line 1") && error.contains("`image`"), "{error}");
    let warned = String::from_utf8(run(&["doctor"]).stdout).unwrap();
    assert!(warned.contains("warning: ") && warned.contains("`image`"), "{warned}");
}

/// A flag comes before the environment, that before the file.
#[test]
fn the_configuration_file_gives_what_flags_and_environment_do_not() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = command(arguments);
        command.env("HOME", home.path()).env_remove("XDG_CONFIG_HOME").envs(environment.iter().copied());
        command.output().unwrap()
    };
    let fact = |arguments: &[&str], environment: &[(&str, &str)], name: &str| {
        let output = run(&[&["doctor", "--json"], arguments].concat(), environment);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let fact = report.as_array().unwrap().iter().find(|fact| fact["name"] == name).unwrap();
        fact["value"].as_str().unwrap().to_owned()
    };
    let none = fact(&[], &[], "configuration");
    let path = none.strip_suffix(" (none yet)").unwrap();
    fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
    fs::write(path, "theme = \"light\"\nkeep-gold = true\n").unwrap();
    assert!(fact(&[], &[], "configuration").ends_with(" (sets theme, keep-gold)"));
    assert_eq!(fact(&[], &[], "theme"), "light");
    assert_eq!(fact(&[], &[("DISSENT_THEME", "sixteen")], "theme"), "sixteen");
    assert_eq!(fact(&["--theme", "dark"], &[("DISSENT_THEME", "sixteen")], "theme"), "dark");
    fs::write(path, "theme = \"light\"\ncolour = \"16\"\n").unwrap();
    let checked = run(&["check", "d"], &[]);
    let error = String::from_utf8(checked.stderr).unwrap();
    assert_eq!(checked.status.code(), Some(1));
    for part in ["config.toml: line 2", "`colour`", "`color`", "`keep-gold`"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert_eq!(run(&["keys"], &[]).status.code(), Some(0), "the file has nothing to do with it");
}

#[test]
fn doctor_says_what_a_checkpoint_is() {
    let folder = fixtures::path("readers/qwen2_5_vl/checkpoint");
    let folder = folder.to_str().unwrap();
    let text = stdout(&["doctor", "--reader", folder]);
    assert!(text.contains(folder) && text.contains("Qwen2.5-VL"), "{text}");
    let output = command(&["doctor", "--reader", "no/such/folder/there"]).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && message.contains("no such folder"), "{message}");
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let (_folder, root) = dataset();
    let mut child =
        command(&["doctor", root.to_str().unwrap()]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
