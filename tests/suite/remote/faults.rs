//! Faults between reader and server, and servers that disappear and come back.

use super::fault_proxy::{Fault, FaultProxy};
use super::llama_server::{LlamaServer, Settings};
use super::support::{connect, largest_difference, requests, score, served, whole, with_timeout};
use crate::support::patience::{PATIENCE, wait_until};
use dissent::reader::remote::RemoteReader;
use dissent::reader::{ReadRequest, Reader, ReaderError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CHAT: &str = "/v1/chat/completions";
/// Two answers of llama.cpp to one prompt differ by what its cache held (2e-6) and who was in the batch.
const SAME: f32 = 1e-3;
/// Longer than any reader waits for an answer.
const NEVER: Duration = Duration::from_secs(3600);

/// A proxy that does `fault` to the first `times` prompts after the reader is connected.
fn with_fault(server: &LlamaServer, times: usize, fault: Fault) -> (FaultProxy, RemoteReader) {
    with_fault_and_timeout(server, times, fault, None)
}

fn with_fault_and_timeout(
    server: &LlamaServer,
    times: usize,
    fault: Fault,
    timeout: Option<Duration>,
) -> (FaultProxy, RemoteReader) {
    let proxy = FaultProxy::start(Some(server.port), |_, _| Fault::Pass);
    let reader = connect(&with_timeout(served(&proxy.url()), timeout)).unwrap();
    proxy.plan(move |number, path| if path == CHAT && number < times { fault.clone() } else { Fault::Pass });
    (proxy, reader)
}

/// Prompts that came to the proxy.
fn prompts(proxy: &FaultProxy) -> usize {
    proxy.seen().iter().filter(|seen| seen.what.ends_with(CHAT)).count()
}

/// One request is answered, if need be after others that a loaded machine answers too late.
fn answers_again(reader: &mut dyn Reader, asked: &[ReadRequest]) {
    wait_until("the reader answers again", || match reader.score(asked, &|| false) {
        Ok(_) => true,
        Err(error) => {
            let message = whole(error);
            assert!(message.contains("no whole answer within"), "{message}");
            false
        }
    });
}

#[test]
fn overload_and_broken_connections_are_tried_again() {
    let Some(server) = LlamaServer::start() else { return };
    let asked = requests(5);
    let undisturbed = score(&mut connect(&served(&server.url())).unwrap(), &asked);
    let body = r#"{"error": {"message": "later"}}"#;
    let wait = Duration::from_secs(1);
    for (fault, at_least) in [
        (Fault::answer("429 Too Many Requests", "Retry-After: 1\r\n", body), wait),
        (Fault::answer("502 Bad Gateway", "", "<html>"), Duration::ZERO),
        (Fault::answer("503 Service Unavailable", "", body), Duration::ZERO),
        (Fault::answer("504 Gateway Timeout", "", ""), Duration::ZERO),
        (Fault::Cut, Duration::ZERO),
        (Fault::HalfBody, Duration::ZERO),
        (Fault::Delay(Duration::from_millis(300)), Duration::ZERO),
    ] {
        let name = format!("{fault:?}");
        let (proxy, mut reader) = with_fault(&server, 3, fault);
        let begun = Instant::now();
        let scores = score(&mut reader, &asked);
        assert!(largest_difference(&scores, &undisturbed) < SAME, "{name}");
        assert!(begun.elapsed() >= at_least, "{name}: Retry-After is obeyed");
        let tried_again = if name.starts_with("Delay") { 0 } else { 3 };
        assert_eq!(prompts(&proxy), asked.len() + tried_again, "{name}: nothing is asked for nothing");
    }
}

#[test]
fn other_faults_are_said_at_once() {
    let Some(server) = LlamaServer::start() else { return };
    let asked = requests(1);
    let json = |text: &str| Fault::answer("200 OK", "", text);
    for (fault, advice) in [
        (Fault::answer("500 Internal Server Error", "", r#"{"error": {"message": "out of cheese"}}"#), "out of cheese"),
        (Fault::answer("400 Bad Request", "", r#"{"error": "no"}"#), "does not understand"),
        (json("<html>hello</html>"), "expected JSON, found <html>hello"),
        (json("{}"), "no log-probabilities"),
        (json(r#"{"choices": [{"logprobs": {"content": [{"token": "Y", "logprob": -1.0}]}}]}"#), "token ids"),
        // An answer has a thousand bytes.
        (Fault::SlowLoris(Duration::from_millis(50)), "no whole answer within 3 s"),
        (Fault::Delay(NEVER), "no whole answer within 3 s"),
    ] {
        let timeout = advice.contains("3 s").then_some(Duration::from_secs(3));
        let (proxy, mut reader) = with_fault_and_timeout(&server, 1, fault, timeout);
        let Err(error) = reader.score(&asked, &|| false) else { panic!("should fail: {advice}") };
        let message = whole(error);
        assert!(message.contains(advice) && message.contains(&proxy.url()), "{advice}: {message}");
        assert_eq!(prompts(&proxy), 1, "{advice}: not tried again");
        // The reader is as good as before.
        answers_again(&mut reader, &asked);
    }
}

#[test]
fn a_server_that_asks_for_too_long_a_wait_is_given_up() {
    let Some(server) = LlamaServer::start() else { return };
    let fault =
        Fault::answer("429 Too Many Requests", "Retry-After: 86400\r\n", r#"{"error": {"message": "tomorrow"}}"#);
    let (_proxy, mut reader) = with_fault(&server, 100, fault);
    let Err(error) = reader.score(&requests(1), &|| false) else { panic!("should fail") };
    let message = whole(error);
    assert!(message.contains("tomorrow") && message.contains("--reader-requests"), "{message}");
}

#[test]
fn a_cancelled_request_ends_on_the_wire() {
    let Some(server) = LlamaServer::start() else { return };
    let (proxy, mut reader) = with_fault(&server, 100, Fault::Delay(NEVER));
    // No answer comes: what ends this is the cancelling alone.
    let outcome = reader.score(&requests(3), &|| prompts(&proxy) > 0);
    assert!(matches!(outcome, Err(ReaderError::Cancelled)));
    wait_until("the connections are closed", || {
        proxy.seen().iter().filter(|seen| seen.what.ends_with(CHAT)).all(|seen| seen.given_up)
    });
}

#[test]
fn of_two_servers_the_one_that_is_down_is_left_out_and_comes_back() {
    let (Some(mut first), Some(second)) = (LlamaServer::start(), LlamaServer::start()) else { return };
    let (one, other) = (
        FaultProxy::start(Some(first.port), |_, _| Fault::Pass),
        FaultProxy::start(Some(second.port), |_, _| Fault::Pass),
    );
    let mut reader = connect(&served(&format!("{},{}", one.url(), other.url()))).unwrap();
    let asked = requests(24);
    let both = score(&mut reader, &asked);
    assert!(prompts(&one) >= 4 && prompts(&other) >= 4, "both are asked: {} and {}", prompts(&one), prompts(&other));

    first.kill();
    let alone = score(&mut reader, &asked);
    assert!(largest_difference(&alone, &both) < SAME);

    first.restart();
    one.plan(|_, _| Fault::Pass);
    wait_until("the server that came back is asked", || {
        assert!(largest_difference(&score(&mut reader, &asked), &both) < SAME);
        prompts(&one) > 0
    });
}

#[test]
fn a_server_that_comes_back_as_another_is_noticed() {
    let Some(mut server) = LlamaServer::start() else { return };
    let mut reader = connect(&served(&server.url())).unwrap();
    let asked = requests(2);
    score(&mut reader, &asked);
    server.restart_as(&Settings { context: 1024, ..Settings::default() });
    // The connection was closed while nobody asked, so that no request fails.
    let Err(error) = reader.score(&asked, &|| false) else { panic!("should be noticed") };
    let message = whole(error);
    assert!(message.contains("restarted as another model or version") && message.contains("context"), "{message}");
}

#[test]
fn a_reader_outlives_three_deaths_of_its_server() {
    let Some(mut server) = LlamaServer::start() else { return };
    let asked = requests(60);
    let undisturbed = score(&mut connect(&served(&server.url())).unwrap(), &asked);
    let proxy = FaultProxy::start(Some(server.port), |_, _| Fault::Pass);
    let mut patient = served(&proxy.url());
    patient.connection.patience = PATIENCE;
    let mut reader = connect(&patient).unwrap();
    proxy.plan(|_, _| Fault::Pass);
    let is_over = AtomicBool::new(false);
    let deaths = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            for death in 0..3 {
                wait_until("another 12 prompts came", || {
                    prompts(&proxy) >= 12 * (death + 1) || is_over.load(Ordering::SeqCst)
                });
                server.kill();
                // A request finds no server: a prompt again, or first whether the server is there.
                let before = proxy.seen().len();
                wait_until("the dead server is asked", || {
                    proxy.seen().len() > before || is_over.load(Ordering::SeqCst)
                });
                if is_over.load(Ordering::SeqCst) {
                    return death;
                }
                server.restart();
            }
            3
        });
        let scores = score(&mut reader, &asked);
        is_over.store(true, Ordering::SeqCst);
        assert!(largest_difference(&scores, &undisturbed) < SAME);
        killer.join().unwrap()
    });
    assert_eq!(deaths, 3, "the reader was done before the server died");
    assert!(prompts(&proxy) > asked.len(), "what died with the server was asked again");
}
