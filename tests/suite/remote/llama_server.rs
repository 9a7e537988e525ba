//! llama.cpp's server as a process of its own.

use super::support::sample_reader;
use crate::support::absent::absent;
use crate::support::gguf;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// A server that ends with its value.
pub struct LlamaServer {
    pub port: u16,
    settings: Settings,
    process: Child,
}

/// Settings with which a server is started.
#[derive(Clone, Debug)]
pub struct Settings {
    pub alias: &'static str,
    pub context: u32,
    pub has_projector: bool,
    /// Whether it gives vectors of texts in place of answers.
    pub embeds: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { alias: "sample-reader", context: 2048, has_projector: true, embeds: false }
    }
}

impl LlamaServer {
    /// A server of the sample's reader; `None`, with a message, where no Python has xllamacpp.
    pub fn start() -> Option<Self> {
        Self::start_with(&Settings::default())
    }

    pub fn start_with(settings: &Settings) -> Option<Self> {
        let python = python()?;
        let port = free_port();
        Some(Self { port, settings: settings.clone(), process: spawn(python, port, settings) })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends the process at once, in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same port.
    pub fn restart(&mut self) {
        self.restart_as(&self.settings.clone());
    }

    /// Starts another on the same port.
    pub fn restart_as(&mut self, settings: &Settings) {
        self.kill();
        self.settings = settings.clone();
        self.process = spawn(python().unwrap(), self.port, settings);
    }
}

impl Drop for LlamaServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(python: &Path, port: u16, settings: &Settings) -> Child {
    let models = converted();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/remote/llama_server.py");
    let mut command = Command::new(python);
    command.arg(script).args([port.to_string(), settings.context.to_string()]).arg(models.join("model.gguf"));
    command.arg(settings.alias);
    if settings.embeds {
        command.arg("--embeddings");
    } else if settings.has_projector {
        command.arg(models.join("mmproj.gguf"));
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let is_ready = output.lines().map_while(Result::ok).any(|line| line == "ready");
    assert!(is_ready, "llama.cpp's server did not start");
    process
}

/// The sample's reader as GGUF, converted once per test run.
fn converted() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sample-reader-gguf");
        std::fs::create_dir_all(&folder).unwrap();
        gguf::convert(&sample_reader(), &folder);
        folder
    })
}

/// A Python that has xllamacpp: named by the environment, that of `scripts/serving-engines`, or the usual one.
pub fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/engines/llama.cpp/bin/python");
        let named = std::env::var_os("DISSENT_TEST_PYTHON").map(PathBuf::from);
        let candidates = named.into_iter().chain([own, "python3".into()]);
        candidates.into_iter().find(|python| {
            let has = Command::new(python).args(["-c", "import xllamacpp"]).stderr(Stdio::null()).status();
            has.is_ok_and(|status| status.success())
        })
    });
    if found.is_none() {
        absent("no Python has xllamacpp; `scripts/serving-engines llama.cpp` installs it", "DISSENT_REQUIRE_ENGINES");
    }
    found.as_deref()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
