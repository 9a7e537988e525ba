//! The threads on which requests run, and waiting for their answers.

use super::fleet::Fleet;
use crate::reader::ReaderError;
use anyhow::{Context, Result};
use dissent_core::panics::caught_on_this_thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// Pause between checks whether an answer is still needed.
const LOOK: Duration = Duration::from_millis(10);
/// Name of the threads; a panic on one is an error of its request.
const REMOTE_THREAD: &str = "dissent-remote";

/// The threads of the requests. Dropping does not wait for them, because a DNS look-up cannot be cancelled.
#[derive(Debug)]
pub(super) struct RequestThreads(Option<Runtime>);

impl RequestThreads {
    pub fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(REMOTE_THREAD)
            .on_thread_start(caught_on_this_thread)
            .enable_all()
            .build();
        Ok(Self(Some(runtime.context("cannot start the threads for requests")?)))
    }
}

impl Drop for RequestThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Runs a future until it is done or cancelled. Cancelling drops the future and thereby its requests.
pub(super) fn wanted_still<T>(
    threads: &RequestThreads,
    cancelled: &dyn Fn() -> bool,
    work: impl Future<Output = T>,
) -> Result<T, ReaderError> {
    let runtime = threads.0.as_ref().context("the threads for requests have ended")?;
    runtime.block_on(async {
        tokio::pin!(work);
        loop {
            tokio::select! {
                result = &mut work => return Ok(result),
                () = tokio::time::sleep(LOOK) => {
                    if cancelled() {
                        return Err(ReaderError::Cancelled);
                    }
                }
            }
        }
    })
}

/// The answers of requests that run at once, by their numbers from 0. The servers are looked at before the answers are used.
///
/// # Errors
/// Fails with the first error of a request, or if a server has changed.
pub(super) async fn in_order<T: 'static>(
    fleet: &Fleet,
    mut tasks: JoinSet<(usize, Result<T>)>,
    count: usize,
) -> Result<Vec<T>> {
    let mut answers: Vec<Option<T>> = (0..count).map(|_| None).collect();
    while let Some(joined) = tasks.join_next().await {
        let (number, answer) = joined.context("internal error while asking a server")?;
        answers[number] = Some(answer?);
    }
    fleet.check().await?;
    answers.into_iter().collect::<Option<Vec<_>>>().context("a request was not answered")
}
