//! `dissent bench`, and `scripts/gpu-check` as far as a machine without a GPU goes.

use crate::support::fixtures;
use crate::support::folders::copy_folder;
use crate::support::program::{PROGRAM, dissent, stderr_of, stdout_of};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// `dissent bench` on the CPU, with the sample unpacked below `home`.
fn bench(home: &Path, arguments: &[&str]) -> Output {
    let mut command = dissent();
    command.env("HOME", home).env("XDG_CACHE_HOME", home).env("XDG_DATA_HOME", home);
    command.args(["bench", "--device", "cpu", "--cases", "1", "--documents", "2"]).args(arguments).output().unwrap()
}

/// The lines of standard output.
fn outcomes(output: &Output) -> Vec<Value> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn fixture(name: &str) -> String {
    fixtures::path(name).to_str().unwrap().to_owned()
}

#[test]
fn readers_and_encoders_are_measured_and_compared_with_the_cpu() {
    let home = tempfile::tempdir().unwrap();
    let models =
        [fixture("readers/qwen2_vl/checkpoint"), fixture("dual_encoders/siglip"), fixture("dual_encoders/dinov2")];
    let [reader, encoder, of_images] = models.each_ref().map(String::as_str);
    let output = bench(home.path(), &["--against-cpu", "--dtype", "bf16", "--json", reader, encoder, of_images]);
    assert!(output.status.success(), "{}", stderr_of(&output));
    let found = outcomes(&output);
    assert_eq!(found.len(), 3);
    assert!(found[0]["kind"] == "reader" && found[1]["kind"] == "encoder" && found[0]["device"] == "cpu", "{found:?}");
    for outcome in &found {
        assert!(outcome["speed"]["dtype"] == "bf16" && outcome["on_cpu"]["dtype"] == "f32", "{outcome}");
        assert!(outcome["speed"]["cases_per_second"].as_f64().unwrap() > 0.0, "{outcome}");
        let difference = outcome["difference"].as_f64().unwrap();
        // bf16 that is f32 after all would not differ.
        assert!(difference > 1e-4 && difference < outcome["tolerance"].as_f64().unwrap(), "{outcome}");
    }
    assert_eq!(found[2]["speed"]["tokens_per_second"], 0.0, "an encoder of images alone reads no captions");

    let output = bench(home.path(), &["--against-cpu", "--dtype", "bf16", "--tolerance", "1e-5", reader]);
    assert_eq!(output.status.code(), Some(1));
    let line = String::from_utf8(output.stdout).unwrap();
    assert!(
        line.contains("DIFFERS") && line.contains("expected at most 1e-5") && line.contains("prompt tokens/s"),
        "{line}"
    );
}

#[test]
fn a_model_that_fails_is_named_and_the_others_are_measured() {
    let home = tempfile::tempdir().unwrap();
    let broken = tempfile::tempdir().unwrap();
    copy_folder(&fixtures::path("dual_encoders/siglip"), broken.path());
    std::fs::write(broken.path().join("model.safetensors"), b"none").unwrap();
    let siglip = fixture("dual_encoders/siglip");
    let output = bench(home.path(), &["--json", broken.path().to_str().unwrap(), &siglip, "/nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    let found = outcomes(&output);
    let ok: Vec<bool> = found.iter().map(|outcome| outcome["ok"].as_bool().unwrap()).collect();
    assert_eq!(ok, [false, true, false]);
    assert!(found[0]["error"].as_str().unwrap().contains("model.safetensors"), "{}", found[0]);
    assert!(found[2]["error"].as_str().unwrap().contains("no such folder"), "{}", found[2]);
    let output = bench(home.path(), &["--tolerance", "0.1"]);
    assert!(output.status.code() == Some(2) && stderr_of(&output).contains("--against-cpu"), "{}", stderr_of(&output));
}

/// `scripts/gpu-check` and the JSON object that it prints, whatever happened.
fn gpu_check(program: &str, variables: &[(&str, &str)]) -> (Option<i32>, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/gpu-check");
    let mut command = Command::new("sh");
    command.arg(script).arg(program).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

#[test]
fn without_a_gpu_nothing_is_checked_and_the_exit_status_says_so() {
    if dissent::model::device::choose_device("cuda").is_ok() {
        return;
    }
    let (status, report) = gpu_check(PROGRAM, &[]);
    assert_eq!(status, Some(2), "{report}");
    let words = report["status"].as_str().unwrap();
    assert!(words.starts_with("no GPU: nothing checked; device cuda:0: "), "{words}");
    assert!(report["ok"] == false && report["checks"].as_array().unwrap().is_empty(), "{report}");
    assert!(report["doctor"].as_array().unwrap().iter().any(|fact| fact["name"] == "device"), "{report}");
}

#[test]
fn programs_that_are_none_or_do_not_start_are_named() {
    let (status, report) = gpu_check("/nowhere/dissent", &[]);
    assert_eq!(status, Some(2));
    assert!(report["status"].as_str().unwrap().contains("/nowhere/dissent"), "{report}");
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("dissent");
    std::fs::write(&damaged, "#!/bin/sh\necho 'libof_nobody.so: \"no\\such\" file' >&2\nexit 127\n").unwrap();
    std::fs::set_permissions(&damaged, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (status, report) = gpu_check(damaged.to_str().unwrap(), &[]);
    assert_eq!(status, Some(2));
    let words = report["status"].as_str().unwrap();
    assert!(words.starts_with("the program does not start: libof_nobody.so: \"no"), "{words}");
}

#[test]
fn checks_for_which_no_time_is_left_are_failures() {
    let (status, report) = gpu_check(PROGRAM, &[("GPU_CHECK_DEVICE", "cpu"), ("GPU_CHECK_SECONDS", "1")]);
    assert_eq!(status, Some(2), "{report}");
    assert_eq!(report["status"], "rehearsal on cpu: nothing checked");
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 7, "{report}");
    for check in checks {
        let error = check["error"].as_str().unwrap();
        assert!(check["ok"] == false && error.contains("expected to begin within 1 s"), "{check}");
    }
}

#[test]
fn the_sample_is_the_default() {
    let home = tempfile::tempdir().unwrap();
    let lines = stdout_of(&bench(home.path(), &[]));
    assert!(lines.lines().count() == 2 && lines.contains("models/reader: "), "{lines}");
}
