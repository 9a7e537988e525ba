//! A source in the layout of ROCO with as many rows as an argument says (default 200,000), imported as a corpus that names its
//! images, then checked; each in a process of its own. Prints one line per step: time, rows a minute, peak memory.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use dissent_core::data::check;
use dissent_core::data::import::{ImportOptions, RocoOptions, import_roco};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const ROWS: usize = 200_000;
/// Rows with one picture; file systems allow about 65,000 names of a file.
const NAMES_OF_A_FILE: usize = 50_000;
/// Images of an article.
const IMAGES_OF_AN_ARTICLE: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["import", source, target] => {
            let (options, choices) = (RocoOptions::default(), ImportOptions::default());
            import_roco(Path::new(source), Path::new(target), &options, &choices, &|_, _| ()).unwrap();
        }
        ["check", dataset] => {
            let report = check(Path::new(dataset), &|_, _| ());
            assert_eq!(report.errors(), 0, "{:?}", report.problems.first());
        }
        _ => measure(arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(ROWS)),
    }
}

fn measure(rows: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (source, dataset) = (folder.path().join("roco"), folder.path().join("dataset"));
    let begun = Instant::now();
    generate(&source.join("data/train/radiology"), rows);
    println!("{rows} rows, made in {:.1} s", begun.elapsed().as_secs_f64());
    step("import", rows, &["import", source.to_str().unwrap(), dataset.to_str().unwrap()]);
    step("check", rows, &["check", dataset.to_str().unwrap()]);
}

/// Writes captions, licences, and images that are links to a few pictures.
fn generate(folder: &Path, rows: usize) {
    let images = folder.join("images");
    fs::create_dir_all(&images).unwrap();
    let mut captions = BufWriter::new(File::create(folder.join("captions.txt")).unwrap());
    let mut licences = BufWriter::new(File::create(folder.join("licences.txt")).unwrap());
    writeln!(licences, "ROCO_ID,PMC_ID,CC").unwrap();
    let mut picture = images.clone();
    for row in 0..rows {
        let id = format!("ROCO_{row:07}");
        let image = images.join(format!("{id}.jpg"));
        if row % NAMES_OF_A_FILE == 0 {
            let value = (row / NAMES_OF_A_FILE % 256) as u8;
            let grey = image::GrayImage::from_pixel(4, 4, image::Luma([value]));
            grey.save_with_format(&image, image::ImageFormat::Png).unwrap();
            picture = image;
        } else {
            fs::hard_link(&picture, image).unwrap();
        }
        writeln!(captions, "{id}\t Axial image number {row} of the abdomen shows a mass in the left kidney (arrow).")
            .unwrap();
        let article = 100_000 + row / IMAGES_OF_AN_ARTICLE;
        writeln!(licences, "{id},PMC{article}_journal-g{row:07}.jpg,CC BY").unwrap();
    }
}

/// Runs one step in a process and prints what it took.
fn step(name: &str, rows: usize, arguments: &[&str]) {
    let begun = Instant::now();
    let mut child = Command::new(std::env::current_exe().unwrap()).args(arguments).spawn().unwrap();
    let mut peak = 0.0_f64;
    let status = loop {
        peak = peak.max(peak_memory(child.id()));
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    assert!(status.success());
    let seconds = begun.elapsed().as_secs_f64();
    println!("{name:<8} {seconds:>7.1} s {:>10.0} rows a minute {peak:>7.0} MB at most", rows as f64 / seconds * 60.0);
}

/// Peak memory of a process in MB; 0 where the system does not say.
fn peak_memory(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
