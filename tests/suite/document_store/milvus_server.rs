//! milvus-lite as a process.

use crate::support::absent::absent;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A server over a folder of its own.
pub struct MilvusServer {
    process: Child,
    pub port: u16,
    folder: tempfile::TempDir,
}

impl MilvusServer {
    /// Starts one; `None` if it is not installed.
    pub fn start() -> Option<Self> {
        let program = program()?;
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let process = spawn(program, port, folder.path());
        Some(Self { process, port, folder })
    }

    /// The address of a collection.
    pub fn store(&self, collection: &str) -> String {
        format!("milvus://127.0.0.1:{}/{collection}", self.port)
    }

    /// Ends the server as a crash would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again over the same folder.
    pub fn restart(&mut self) {
        self.process = spawn(program().unwrap(), self.port, self.folder.path());
    }
}

impl Drop for MilvusServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(program: &Path, port: u16, folder: &Path) -> Child {
    let mut command = Command::new(program);
    command.args(["server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir"]).arg(folder);
    let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(120), "milvus-lite did not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    process
}

fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PROGRAM.get_or_init(|| {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/engines/milvus-lite/bin/milvus-lite");
        let named = std::env::var_os("DISSENT_TEST_MILVUS_LITE").map(PathBuf::from);
        named.into_iter().chain([own]).find(|program| program.is_file())
    });
    if found.is_none() {
        absent("no milvus-lite; `scripts/serving-engines milvus-lite` installs it", "DISSENT_REQUIRE_ENGINES");
    }
    found.as_deref()
}
