//! Special files in the place of files, odd outputs, odd terminals.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::mutate;
use nix::sys::stat::Mode;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Puts something that is no regular file at `path`.
fn special(random: &mut Random, path: &Path) -> String {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        let _ = fs::remove_file(path);
    }
    let kind = *["fifo", "zero", "socket", "folder", "loop", "random", "gone", "pointer"].choose(random).unwrap();
    match kind {
        "fifo" => nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap(),
        "zero" => symlink("/dev/zero", path).unwrap(),
        "random" => symlink("/dev/urandom", path).unwrap(),
        "socket" => drop(UnixListener::bind(path).unwrap()),
        "folder" => fs::create_dir(path).unwrap(),
        "loop" => symlink(path, path).unwrap(),
        "pointer" => fs::write(path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n").unwrap(),
        _ => symlink("/nowhere", path).unwrap(),
    }
    kind.to_string()
}

/// A file of the dataset or of a checkpoint that is none: every one must be refused.
pub fn special_file(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.bare_copy(folder);
    let model = folder.join("m");
    crate::support::folders::copy_folder(&Ground::reader(), &model);
    let image = fs::read_to_string(dataset.join("corpus.jsonl")).unwrap();
    let image: serde_json::Value = serde_json::from_str(image.lines().next().unwrap()).unwrap();
    let image = image["image"].as_str().unwrap().to_string();
    let of_dataset = ["cases.jsonl", "corpus.jsonl", "dataset.toml", image.as_str()];
    let of_model = ["config.json", "tokenizer.json", "model.safetensors", "tokenizer_config.json"];
    let (path, name) = if random.random_range(0..3) > 0 {
        let name = *of_dataset.choose(random).unwrap();
        (dataset.join(name), name)
    } else {
        let name = *of_model.choose(random).unwrap();
        (model.join(name), name)
    };
    let kind = special(random, &path);
    let input = Input::predict(format!("{kind} for {name}"), &dataset, text_of(&model), &[]);
    // A document whose image cannot be read is left out, with a word.
    if name == image { input.said(&[SKIPPED]) } else { input.refused() }
}

/// The program's words for a document whose image it cannot read.
const SKIPPED: &str = "skipped";

/// A source of an import or a setting that is no file.
pub fn special_source(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let path = folder.join("odd");
    let kind = special(random, &path);
    let (odd, dataset, out) = (text_of(&path), ground.dataset(), folder.join("out"));
    let (dataset, out) = (text_of(&dataset), text_of(&out));
    let commands: [&[&str]; 9] = [
        &["import", "medmnist", odd, out, "--labels", "a,b", "--question", "q"],
        &["import", "predictions", odd, out],
        &["import", "vqa-rad", odd, out],
        &["import", "nih-cxr", odd, out],
        &["annotations", "import", "prodigy", odd, dataset, "--annotator", "a"],
        &["show", odd],
        &["search", dataset, "--text", "mass", "--by", "images", "--encoder", odd],
        &["doctor", "--reader", odd],
        &[
            "doctor",
            "--reader",
            "http://127.0.0.1:9",
            "--reader-key-file",
            odd,
            "--reader-timeout",
            "2",
            "--reader-patience",
            "1",
        ],
    ];
    let command = commands.choose(random).unwrap();
    let input = Input::new(format!("{kind} for {}", command[1]), command)
        .with_variable("DISSENT_WORKSPACE", text_of(&folder.join("ws")));
    // `doctor` tells of a reader that cannot be had; its exit code is its own affair.
    if command[0] == "doctor" { input } else { input.refused() }
}

/// An output that is there already and no regular file: it stays what it is.
pub fn output(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.copy(folder);
    let place = dataset.join(".dissent/annotations");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("ada@vm.jsonl"), crate::annotations::journal_text("ada")).unwrap();
    let path = folder.join("out");
    let kind = *["fifo", "link", "folder", "socket", "dangling"].choose(random).unwrap();
    match kind {
        "fifo" => nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap(),
        "folder" => fs::create_dir(&path).unwrap(),
        "socket" => drop(UnixListener::bind(&path).unwrap()),
        "dangling" => symlink(folder.join("later"), &path).unwrap(),
        _ => {
            fs::write(folder.join("target"), "keep").unwrap();
            symlink(folder.join("target"), &path).unwrap();
        }
    }
    let before = fs::symlink_metadata(&path).unwrap().file_type();
    let (dataset, out) = (text_of(&dataset), text_of(&path));
    let commands: [&[&str]; 2] = [
        &["annotations", "export", dataset, "--format", "csv", "-o", out],
        &["evaluate", dataset, "--runs", "a", "--resamples", "200", "--html", out],
    ];
    Input::new(format!("output to a {kind}"), commands.choose(random).unwrap()).expecting(move |_, folder| {
        let now = fs::symlink_metadata(folder.join("out"))
            .map_err(|error| format!("the {kind} is gone: {error}"))?
            .file_type();
        let same = now.is_fifo() == before.is_fifo()
            && now.is_symlink() == before.is_symlink()
            && now.is_dir() == before.is_dir()
            && now.is_socket() == before.is_socket();
        if same { Ok(()) } else { Err(format!("the {kind} was replaced by another kind of file")) }
    })
}

/// Sizes and kinds of a terminal that no terminal has.
pub fn terminal(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let dataset = ground.dataset();
    let workspace = folder.join("ws");
    let numbers = ["0", "1", "65535", "65536", "999999999", "-1", "18446744073709551616", "x", ""];
    let image = dataset.join("images/us-t0001.png");
    let commands: [&[&str]; 6] = [
        &["doctor"],
        &["show", text_of(&image), "--images", "half"],
        &["keys"],
        &["check", text_of(&dataset)],
        &["search", text_of(&dataset), "--text", "mass"],
        &["evaluate", text_of(&dataset), "--runs", "a", "--resamples", "200"],
    ];
    let (columns, lines) = (*numbers.choose(random).unwrap(), *numbers.choose(random).unwrap());
    let terminal = *["xterm-256color", "dumb", "", "\u{1b}[96969m", "linux"].choose(random).unwrap();
    let mut input =
        Input::new(format!("COLUMNS={columns} LINES={lines} TERM={terminal:?}"), commands.choose(random).unwrap());
    if random.random_range(0..4) == 0 {
        input = Input::new(
            format!("explore, TERM={terminal:?}"),
            &["explore", text_of(&dataset), "--workspace", text_of(&workspace)],
        );
        input = input.typing("j").typing("\u{3}").typing("\u{3}");
    }
    let names = ["DISSENT_THEME", "DISSENT_COLOR", "DISSENT_DTYPE", "DISSENT_DEVICE", "HF_ENDPOINT", "LANG"];
    let name = *names.choose(random).unwrap();
    if random.random_range(0..3) == 0 {
        input = input.with_variable(name, mutate::hostile_text(random).replace('\0', ""));
        input.what = format!("{} {name}", input.what);
    }
    input
        .with_variable("COLUMNS", columns)
        .with_variable("LINES", lines)
        .with_variable("TERM", terminal)
        .with_variable("RAYON_NUM_THREADS", *["", "0", "1", "99999", "x"].choose(random).unwrap())
}
