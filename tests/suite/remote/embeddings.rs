//! Encoders on servers: each protocol gives the vectors of the encoder in this process, whatever comes in another shape is
//! refused, and a server is known again by its probe.

use super::embedding_server::{own_encoder, respond, start};
use super::fault_proxy::{Fault, FaultProxy};
use super::llama_server::{LlamaServer, Settings};
use dissent::index::EncoderProbe;
use dissent::reader::remote::{EmbeddingServer, ServerAddress, ServerConnection, ServerRole};
use image::{Rgb, RgbImage};
use std::time::Duration;

fn served(url: &str) -> ServerConnection {
    ServerConnection {
        role: ServerRole::Encoder,
        addresses: ServerAddress::parse_list(url, ServerRole::Encoder).unwrap(),
        model: None,
        key: None,
        requests: 4,
        timeout: None,
        patience: Duration::from_secs(20),
    }
}

fn connect(url: &str) -> EmbeddingServer {
    EmbeddingServer::connect(&served(url), &[], &|_| {}).unwrap_or_else(|error| panic!("{url}: {error:#}"))
}

fn refusal(served: &ServerConnection) -> String {
    match EmbeddingServer::connect(served, &[], &|_| {}) {
        Ok(_) => panic!("there should be no encoder"),
        Err(error) => format!("{error:#}"),
    }
}

fn pictures(count: u32) -> Vec<RgbImage> {
    let of = |number: u32| {
        RgbImage::from_fn(50 + number, 64, |x, y| Rgb([(x * number) as u8, (y * 3) as u8, (x + y * number) as u8]))
    };
    (1..=count).map(of).collect()
}

fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        let largest = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest < 1e-5, "{what}, input {number}: {largest}");
    }
}

#[test]
fn every_protocol_gives_the_vectors_in_the_order_of_the_inputs() {
    let proxy = start();
    let own = own_encoder();
    let pictures = pictures(11);
    let pictures: Vec<&RgbImage> = pictures.iter().collect();
    let texts: Vec<String> = (0..70).map(|number| format!("mass number {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (protocol, has_images) in [("vllm", true), ("infinity", true), ("jina", true), ("tei", false), ("llama", false)]
    {
        let settings = ServerConnection {
            model: (protocol == "jina").then(|| "m".into()),
            ..served(&format!("{}/{protocol}", proxy.url()))
        };
        let encoder = EmbeddingServer::connect(&settings, &[], &|_| {}).unwrap();
        assert_eq!((encoder.name(), encoder.dimension()), ("m", 64), "{protocol}");
        assert_eq!((encoder.embeds_texts(), encoder.embeds_pictures()), (true, has_images), "{protocol}");
        assert_close(&encoder.embed_texts(&texts).unwrap(), &own.embed_texts(&texts).unwrap(), protocol);
        if has_images {
            let found = encoder.embed_pictures(&pictures).unwrap();
            assert_close(&found, &own.embed_pictures(&pictures).unwrap(), protocol);
        } else {
            let message = encoder.embed_pictures(&pictures).unwrap_err().to_string();
            assert!(message.contains("embeds texts alone"), "{message}");
        }
        assert!(encoder.embed_texts(&[]).unwrap().is_empty());
    }
}

/// llama.cpp passes over `modality`, and would embed the letters of an image's address.
#[test]
fn llama_cpp_embeds_texts_alone() {
    let settings = Settings { embeds: true, ..Settings::default() };
    let Some(server) = LlamaServer::start_with(&settings) else { return };
    let encoder = connect(&server.url());
    assert!(encoder.embeds_texts() && !encoder.embeds_pictures());
    assert!(encoder.engine().starts_with("llama.cpp") && encoder.name() == "sample-reader", "{}", encoder.engine());
    let texts: Vec<String> = (0..40).map(|number| format!("a mass of {number} mm")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = encoder.embed_texts(&texts).unwrap();
    for (text, vector) in texts.iter().zip(&together).step_by(7) {
        let alone = encoder.embed_texts(&[text]).unwrap().remove(0);
        let cosine: f32 = alone.iter().zip(vector).map(|(a, b)| a * b).sum();
        assert!(cosine > 0.9999, "{text}: {cosine}");
    }
    let again =
        EmbeddingServer::connect(&served(&server.url()), std::slice::from_ref(encoder.probe()), &|_| {}).unwrap();
    assert_eq!(again.fingerprint(), encoder.fingerprint());
}

/// Such a server answers a request for an image, with a vector of something else.
#[test]
fn a_server_that_does_not_see_the_image_embeds_texts_alone() {
    let proxy = start();
    let encoder = connect(&format!("{}/vllm-blind", proxy.url()));
    assert!(encoder.embeds_texts() && !encoder.embeds_pictures());
}

#[test]
fn wrong_vectors_are_refused_with_what_is_wrong() {
    let proxy = start();
    let texts = ["a mass", "a cyst", "nothing"];
    for (wrong, expected) in [
        ("short", "expected 3 vectors, one for each input, found 2"),
        ("twice", "found 0 twice"),
        ("unnumbered", "expected the index of its input in vector 0, found none"),
    ] {
        let encoder = connect(&format!("{}/vllm-{wrong}", proxy.url()));
        let message = format!("{:#}", encoder.embed_texts(&texts).unwrap_err());
        assert!(message.contains(expected) && message.contains("encoder http://"), "{wrong}: {message}");
    }
    for (wrong, expected) in
        [("zeros", "expected a direction, found zeros"), ("null", "null"), ("nested", "invalid type: sequence")]
    {
        let message = refusal(&served(&format!("{}/llama-{wrong}", proxy.url())));
        assert!(message.contains(expected), "{wrong}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
}

/// The vectors change their length after the server was tried out.
#[test]
fn another_dimension_is_refused() {
    let proxy = start();
    let encoder = connect(&format!("{}/vllm", proxy.url()));
    proxy.plan(|_, path| if path.ends_with("embeddings") { Fault::Respond(longer) } else { Fault::Respond(respond) });
    let message = format!("{:#}", encoder.embed_texts(&["a mass"]).unwrap_err());
    assert!(message.contains("expected 64 numbers in vector 0, found 65"), "{message}");
}

fn longer(path: &str, body: &str) -> String {
    respond(&path.replace("/vllm/", "/vllm-long/"), body)
}

#[test]
fn overload_and_broken_connections_are_tried_again() {
    let proxy = start();
    let encoder = connect(&format!("{}/infinity", proxy.url()));
    let expected = own_encoder().embed_texts(&["a mass"]).unwrap();
    // After a broken connection the server may be another one, and is known again by the three texts and three pictures of the
    // probe.
    let overloaded = Fault::answer("429 Too Many Requests", "Retry-After: 1\r\n", "{}");
    for (fault, of_the_probe) in [(overloaded, 0), (Fault::Cut, 6)] {
        let plan = fault.clone();
        proxy.plan(
            move |number, path| {
                if number == 0 && path.ends_with("embeddings") { plan.clone() } else { Fault::Respond(respond) }
            },
        );
        assert_close(&encoder.embed_texts(&["a mass"]).unwrap(), &expected, &format!("{fault:?}"));
        let asked = proxy.seen().iter().filter(|seen| seen.what.ends_with("embeddings")).count();
        assert_eq!(asked, 2 + of_the_probe, "{fault:?}");
    }
}

#[test]
fn errors_name_the_flags_of_the_encoder() {
    let proxy = FaultProxy::start(None, |_, _| Fault::answer("401 Unauthorized", "", r#"{"error": "no"}"#));
    let message = refusal(&served(&proxy.url()));
    assert!(message.contains("DISSENT_ENCODER_KEY") && message.contains("encoder http://"), "{message}");
    let proxy = start();
    for (url, expected) in [
        (format!("{}/jina", proxy.url()), "--encoder-model"),
        (format!("{}/nothing", proxy.url()), "is it a server of embeddings"),
    ] {
        let message = refusal(&served(&url));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_server_is_known_again_by_its_probe() {
    let proxy = start();
    let url = |mode: &str| format!("{}/{mode}", proxy.url());
    let first = connect(&url("vllm"));
    assert_eq!(connect(&url("vllm")).fingerprint(), first.fingerprint());
    let known: &EncoderProbe = first.probe();
    let again =
        |mode: &str| EmbeddingServer::connect(&served(&url(mode)), std::slice::from_ref(known), &|_| {}).unwrap();
    for mode in ["vllm-rounded", "vllm-updated"] {
        assert_ne!(connect(&url(mode)).fingerprint(), first.fingerprint(), "{mode}, which no index knows");
        assert_eq!(again(mode).fingerprint(), first.fingerprint(), "{mode}");
    }
    for mode in ["vllm-changed", "vllm-renamed", "vllm-blind"] {
        assert_ne!(again(mode).fingerprint(), first.fingerprint(), "{mode}");
    }
}

#[test]
fn a_server_that_becomes_another_one_ends_the_work() {
    let proxy = start();
    let encoder = connect(&format!("{}/vllm", proxy.url()));
    proxy.plan(|_, _| Fault::Respond(renamed));
    let message = format!("{:#}", encoder.embed_texts(&["a mass"]).unwrap_err());
    assert!(message.contains("does not serve that model") || message.contains("restarted as another"), "{message}");
}

fn renamed(path: &str, body: &str) -> String {
    respond(&path.replace("/vllm/", "/vllm-renamed/"), body)
}

/// The second address is the same model by its name and version, with other vectors.
#[test]
fn every_server_is_probed_and_all_must_agree() {
    let (one, other) = (start(), start());
    let both = |wrong: &str| format!("{}/vllm,{}/vllm{wrong}", one.url(), other.url());
    let encoder = connect(&both("-rounded"));
    assert!(encoder.embeds_pictures(), "rounding to bf16 is within the tolerance");
    let message = refusal(&served(&both("-changed")));
    for part in ["differs from the first server", "test text 1 has a cosine of", "0.9999"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(message.contains(&other.url()) && !message.contains("--reader"), "{message}");
}

/// No answer to a probe or an input is free: those for inputs are counted.
#[test]
fn tokens_of_inputs_are_counted() {
    let proxy = start();
    let encoder = connect(&format!("{}/vllm", proxy.url()));
    assert_eq!(encoder.usage().requests, 0, "trying out is not counted");
    let texts: Vec<String> = (0..70).map(|number| format!("mass number {number}")).collect();
    encoder.embed_texts(&texts.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    let used = encoder.usage();
    assert_eq!((used.requests, used.prompt_tokens, used.answer_tokens, used.not_counted), (3, 15, 0, 0));
    assert_eq!((encoder.requests_for(11, 70), encoder.hosted()), (14, None));
}
