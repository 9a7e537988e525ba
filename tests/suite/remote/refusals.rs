//! Refusals of real servers, in their own words.

use super::llama_server::{LlamaServer, Settings};
use super::support::{connect, refusal, requests, served, whole};
use crate::support::fixtures;
use dissent::reader::Reader;

#[test]
fn a_model_without_its_projector_reads_no_images() {
    let settings = Settings { has_projector: false, ..Settings::default() };
    let Some(server) = LlamaServer::start_with(&settings) else { return };
    let message = refusal(&served(&server.url()));
    assert!(message.contains("reads no images") && message.contains("--mmproj"), "{message}");
}

#[test]
fn a_prompt_beyond_the_context_is_refused_with_both_lengths() {
    let Some(server) = LlamaServer::start_with(&Settings { context: 256, ..Settings::default() }) else { return };
    let mut reader = connect(&served(&server.url())).unwrap();
    let mut asked = requests(1);
    asked[0].question = "Is this lesion malignant? ".repeat(60);
    let Err(error) = reader.score(&asked, &|| false) else { panic!("should be refused") };
    let message = whole(error);
    assert!(message.contains("too long") && message.contains("--ctx-size") && message.contains("256"), "{message}");
}

#[test]
fn a_model_that_is_not_served_is_named_with_those_that_are() {
    let Some(server) = LlamaServer::start() else { return };
    let mut model = served(&server.url());
    model.connection.model = Some("nope".into());
    let message = refusal(&model);
    assert!(message.contains("it has sample-reader") && message.contains("--reader-model"), "{message}");
}

#[test]
fn servers_of_a_fleet_must_be_the_same() {
    let other = Settings { context: 1024, ..Settings::default() };
    let (Some(first), Some(second)) = (LlamaServer::start(), LlamaServer::start_with(&other)) else { return };
    let message = refusal(&served(&format!("{},{}", first.url(), second.url())));
    assert!(message.contains("differs from the first") && message.contains(&second.url()), "{message}");
}

/// No server is asked, because the folder is read first.
#[test]
fn the_processor_of_a_family_that_is_not_known_is_refused_by_name() {
    let mut model = served("http://127.0.0.1:1");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), r#"{"model_type": "gemma9"}"#).unwrap();
    model.processor = Some(folder.path().into());
    let message = refusal(&model);
    assert!(message.contains("--reader-processor") && message.contains("qwen2_vl"), "{message}");
}

/// Qwen2-VL's tokens are not those of the Pixtral that is served.
#[test]
fn the_processor_of_another_model_is_noticed() {
    let Some(server) = LlamaServer::start() else { return };
    let mut model = served(&server.url());
    let folder = fixtures::path("readers/qwen2_vl/checkpoint");
    model.processor = Some(folder);
    let Err(error) = connect(&model).unwrap().score(&requests(1), &|| false) else { panic!("should be refused") };
    let message = whole(error);
    assert!(message.contains("another prompt than the checkpoint of --reader-processor"), "{message}");
}
