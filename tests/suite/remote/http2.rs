//! HTTP/2 over TLS: a server that speaks nothing else stands before llama.cpp's.

use super::commands::{predict, stdout, values};
use super::llama_server::LlamaServer;
use crate::support::fixtures;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{Request, Response};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

fn tls(file: &str) -> PathBuf {
    fixtures::path("tls").join(file)
}

/// Counts of the traffic.
#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
    under_way: AtomicUsize,
    most_at_a_time: AtomicUsize,
}

struct Http2Server {
    port: u16,
    counts: Arc<Counts>,
    // Serves until it is dropped.
    _runtime: Runtime,
}

impl Http2Server {
    /// Before the server on this port.
    fn start(upstream: u16) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let chain = CertificateDer::pem_file_iter(tls("served.pem")).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(tls("served-key.pem")).unwrap();
        let mut config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let counts = Arc::new(Counts::default());
        let counted = counts.clone();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counted.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(acceptor.clone(), client, upstream, counted.clone()));
            }
        });
        Self { port, counts, _runtime: runtime }
    }
}

async fn serve(acceptor: TlsAcceptor, client: TcpStream, upstream: u16, counts: Arc<Counts>) {
    let Ok(client) = acceptor.accept(client).await else { return };
    let Ok(mut connection) = h2::server::handshake(client).await else { return };
    // One connection to the server per request, as its own clients have.
    let relay = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    while let Some(Ok((request, answer))) = connection.accept().await {
        let (relay, counts) = (relay.clone(), counts.clone());
        counts.requests.fetch_add(1, Ordering::SeqCst);
        let now = counts.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        counts.most_at_a_time.fetch_max(now, Ordering::SeqCst);
        tokio::spawn(async move {
            pass_on(&relay, upstream, request, answer).await;
            counts.under_way.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn pass_on(relay: &reqwest::Client, port: u16, request: Request<RecvStream>, mut answer: SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    let mut sent = Vec::new();
    while let Some(Ok(part)) = body.data().await {
        sent.extend_from_slice(&part);
        body.flow_control().release_capacity(part.len()).unwrap();
    }
    let url = format!("http://127.0.0.1:{port}{}", head.uri.path());
    let mut onward = relay.request(head.method, url).body(sent);
    if let Some(kind) = head.headers.get(http::header::CONTENT_TYPE) {
        onward = onward.header(http::header::CONTENT_TYPE, kind);
    }
    let answered = onward.send().await.unwrap();
    let status = answered.status();
    let said = answered.bytes().await.unwrap();
    let head = Response::builder().status(status).body(()).unwrap();
    // A client that has gone is no trouble of this server.
    if let Ok(mut stream) = answer.send_response(head, false) {
        let _ = stream.send_data(said, true);
    }
}

#[test]
fn many_requests_at_a_time_share_a_connection_of_http_2() {
    let Some(llama) = LlamaServer::start() else { return };
    let server = Http2Server::start(llama.port);
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    let url = format!("https://localhost:{}", server.port);
    let mut command = predict(workspace, "http-2", &url, "12");
    stdout(&command.env("SSL_CERT_FILE", tls("authority.pem")).output().unwrap());
    let count = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    let (connections, requests) = (count(&server.counts.connections), count(&server.counts.requests));
    let most = count(&server.counts.most_at_a_time);
    println!("HTTP/2: {requests} requests over {connections} connections, {most} at a time at most");
    // A second one may be opened where the first has been idle while models were loaded.
    assert!(connections <= 2 && requests > 50 && most > 1, "{connections} connections, {requests} requests, {most}");

    std::fs::remove_file(workspace.join("cache/predictions.jsonl")).unwrap();
    stdout(&predict(workspace, "http-1", &llama.url(), "12").output().unwrap());
    let (new, old) = (values(workspace, "http-2"), values(workspace, "http-1"));
    assert_eq!(new.len(), old.len());
    for ((what, new), (same, old)) in new.iter().zip(&old) {
        assert_eq!(what, same);
        assert!(new.iter().zip(old).all(|(new, old)| (new - old).abs() < 1e-3), "{what}: {new:?} {old:?}");
    }
}
