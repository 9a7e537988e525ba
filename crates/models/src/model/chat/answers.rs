//! The loop of the child process that renders templates for [`process`](super::process).

use super::engine::Engine;
#[cfg(unix)]
use super::process_limits::{allow_processor_time, limit_memory};
use anyhow::{Context, Result};
use std::io::{self, BufRead};
use std::sync::mpsc::channel;

/// Answers requests on standard input, one JSON value per line, until it is closed; `write` puts an answer on standard
/// output. When standard input is closed the process exits at once, even in the middle of a rendering.
///
/// # Errors
/// Fails if a request is not valid JSON, an answer cannot be written, or resource limits cannot be set.
pub fn answer_requests(write: &dyn Fn(&[u8]) -> io::Result<()>) -> Result<()> {
    #[cfg(unix)]
    limit_memory()?;
    let (sender, requests) = channel();
    let reader = move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
        signal_hook::low_level::exit(0);
    };
    std::thread::Builder::new()
        .name("dissent-requests".into())
        .spawn(reader)
        .context("cannot start the thread that reads requests")?;
    let mut template = None;
    for request in requests {
        #[cfg(unix)]
        allow_processor_time()?;
        let answer = match &template {
            None => Engine::compile(serde_json::from_str(&request)?).map(|engine| {
                template = Some(engine);
                String::new()
            }),
            Some(engine) => engine.render(serde_json::from_str(&request)?),
        };
        let mut answer = serde_json::to_vec(&answer)?;
        answer.push(b'\n');
        write(&answer).context("cannot write the answer")?;
    }
    Ok(())
}
