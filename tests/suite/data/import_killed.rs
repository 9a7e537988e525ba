//! `dissent import --copy` under `kill -9`: whenever it comes, the same command goes on, and the dataset is byte for byte that of
//! an import which nobody killed.

use crate::support::program::{dissent, stderr_of, stdout_of};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PICTURES: usize = 3000;

/// A table of pictures of different lengths in a zip file.
fn source() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut zip = zip::ZipWriter::new(fs::File::create(folder.path().join("films.zip")).unwrap());
    let mut table = String::from("file,text\n");
    for number in 0..PICTURES {
        zip.start_file(format!("f{number}.png"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(format!("picture {number} ").repeat(1 + number % 50).as_bytes()).unwrap();
        table.push_str(&format!("f{number}.png,text {number}\n"));
    }
    zip.finish().unwrap();
    fs::write(folder.path().join("rows.csv"), table).unwrap();
    folder
}

fn import(folder: &Path, target: &str) -> Command {
    let mut command = dissent();
    command.current_dir(folder).args(["import", "table", "rows.csv", target, "--images-from", "films.zip"]);
    command.args(["--image", "file", "--caption", "text", "--as", "corpus", "--copy"]);
    command
}

/// Pictures that are noted as copied.
fn noted(folder: &Path) -> usize {
    fs::read_to_string(folder.join(".out.copying/copied")).map_or(0, |text| text.lines().count().saturating_sub(1))
}

/// Every file below a folder with its content.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(tree(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

/// Starts an import and kills it once it has noted this many pictures, or a moment after its start; returns whether it was
/// still at work.
fn killed(folder: &Path, pictures: usize, moment: Duration) -> bool {
    let mut import = import(folder, "out").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while import.try_wait().unwrap().is_none() && (noted(folder) < pictures || begun.elapsed() < moment) {
        std::thread::sleep(Duration::from_millis(1));
    }
    import.kill().unwrap();
    !import.wait().unwrap().success()
}

#[test]
fn a_killed_import_goes_on_and_comes_to_the_same() {
    let source = source();
    let folder = source.path();
    stdout_of(&import(folder, "undisturbed").output().unwrap());
    let expected = tree(&folder.join("undisturbed"));
    assert_eq!(expected.len(), PICTURES + 3);

    // One import after another is killed: before anything is noted, after every few hundred pictures, and while the copies of
    // the one before are looked over.
    let mut most = 0;
    for (pictures, moment) in
        [(0, 0), (0, 5), (256, 0), (256, 3), (600, 0), (600, 20), (1100, 0), (1600, 1), (2100, 0), (2600, 0)]
    {
        if !killed(folder, pictures, Duration::from_millis(moment)) {
            break;
        }
        assert!(!folder.join("out").exists());
        let now = noted(folder);
        assert!(now >= most, "a kill lost what was noted: {most}, then {now}");
        most = now;
    }
    assert!(most >= 256, "no import was killed after its first pictures");
    if !folder.join("out").exists() {
        let said = stdout_of(&import(folder, "out").output().unwrap());
        let before: usize = said
            .lines()
            .find_map(|line| line.trim().strip_suffix("pictures were copied before; this import went on from them"))
            .and_then(|line| line.split_once(" of 3000")?.0.parse().ok())
            .unwrap_or_else(|| panic!("{said}"));
        assert!((256..=PICTURES).contains(&before), "{before} pictures");
    }
    assert!(tree(&folder.join("out")) == expected, "the dataset differs from an undisturbed one");
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

#[test]
fn what_is_kept_is_said_when_the_next_import_fails() {
    let source = source();
    let folder = source.path();
    assert!(killed(folder, 256, Duration::ZERO));
    fs::rename(folder.join("rows.csv"), folder.join("away.csv")).unwrap();
    let output = import(folder, "out").output().unwrap();
    assert!(!output.status.success());
    let said = stderr_of(&output);
    assert!(said.contains("pictures that were copied are kept in .out.copying: the same command goes on"), "{said}");
    fs::rename(folder.join("away.csv"), folder.join("rows.csv")).unwrap();
    let said = stdout_of(&import(folder, "out").output().unwrap());
    assert!(said.contains("of 3000 pictures were copied before; this import went on from them"), "{said}");
}
