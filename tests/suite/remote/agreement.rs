//! The sample's reader on llama.cpp's server beside the same one in this process.

use super::fault_proxy::{Fault, FaultProxy};
use super::llama_server::LlamaServer;
use super::support::{
    assert_same_answers, assert_same_words, candle, connect, largest_difference, requests, score, served, with_labels,
};
use dissent::reader::Reader;

/// llama.cpp's image path differs from f32 elsewhere by up to 0.05 in log p (measured on noise; cause not known).
const TOLERANCE: f32 = 0.1;

#[test]
fn labels_of_one_and_of_several_tokens_are_scored_as_in_this_process() {
    let Some(server) = LlamaServer::start() else { return };
    let mut remote = connect(&served(&server.url())).unwrap();
    let mut local = candle();
    let sample = requests(40);
    // Labels that share first tokens, one of which begins another; and a single answer, which is scored with its end.
    for asked in
        [sample.clone(), with_labels(&sample[..8], &["Yes", "Yessir", "No"]), with_labels(&sample[..4], &["No"])]
    {
        let (there, here) = (score(&mut remote, &asked), score(&mut local, &asked));
        let difference = largest_difference(&there, &here);
        assert!(difference < TOLERANCE, "log p differs by {difference}");
        assert_same_answers(&there, &here, 2.0 * TOLERANCE);
        assert!(there.iter().all(|scores| !scores.has_bounds()));
    }
    assert_eq!(remote.name(), "sample-reader");
    let record = remote.record();
    assert!(record.engine.starts_with("llama.cpp") && record.log_probabilities.starts_with("exact"), "{record:?}");
    assert_eq!(record.context, Some(2048));
}

#[test]
fn answers_in_words_are_those_of_this_process() {
    let Some(server) = LlamaServer::start() else { return };
    let mut remote = connect(&served(&server.url())).unwrap();
    assert_same_words(&mut remote, &mut candle(), &requests(40), 2.0 * TOLERANCE);
}

/// A server that names the two likeliest tokens, however many are asked for.
#[test]
fn a_label_beyond_the_cut_has_a_bound_that_holds() {
    let Some(server) = LlamaServer::start() else { return };
    let cut = |body: String| body.replace("\"top_logprobs\":1024", "\"top_logprobs\":2");
    let proxy = FaultProxy::start(Some(server.port), move |_, path| match path {
        "/v1/chat/completions" => Fault::Rewrite(cut),
        _ => Fault::Pass,
    });
    let mut whole = connect(&served(&server.url())).unwrap();
    let mut cut = connect(&served(&proxy.url())).unwrap();
    assert!(cut.record().log_probabilities.contains("2 likeliest"), "{:?}", cut.record());
    assert_ne!(cut.fingerprint(), whole.fingerprint(), "another capability is another reader");
    let asked: Vec<_> = requests(20).into_iter().filter(|request| request.task.labels.len() > 2).collect();
    let (all, some) = (score(&mut whole, &asked), score(&mut cut, &asked));
    let mut bounds = 0;
    for (all, some) in all.iter().zip(&some) {
        assert!(some.has_bounds(), "five labels and two tokens");
        assert_eq!(all.arg_max(), some.arg_max());
        for label in 0..all.log_probabilities().len() {
            if some.is_bound(label) {
                assert!(some.log_probabilities()[label] >= all.log_probabilities()[label] - 1e-3, "{some:?} {all:?}");
                bounds += 1;
            } else {
                assert!(
                    (some.log_probabilities()[label] - all.log_probabilities()[label]).abs() < 1e-3,
                    "{some:?} {all:?}"
                );
            }
        }
    }
    assert!(bounds >= 3 * asked.len());
}

#[test]
fn without_a_processor_images_go_as_they_are_and_that_is_said() {
    let Some(server) = LlamaServer::start() else { return };
    let mut plain = served(&server.url());
    plain.processor = None;
    let mut remote = connect(&plain).unwrap();
    assert!(remote.record().images.contains("as they are"), "{:?}", remote.record());
    assert!(remote.record().prompt_check.contains("none"));
    // The sample's images have the processor's size already, so the answers are the same.
    let asked = requests(6);
    assert!(largest_difference(&score(&mut remote, &asked), &score(&mut candle(), &asked)) < TOLERANCE);
}

#[test]
fn another_prompt_than_the_checkpoint_would_read_is_an_error() {
    let Some(server) = LlamaServer::start() else { return };
    let mut remote = connect(&served(&server.url())).unwrap();
    let mut asked = requests(1);
    // Text in this process, an image token to a server that looks for special tokens in texts.
    asked[0].question = "Is [IMG_BREAK] a token?".into();
    let Err(error) = remote.score(&asked, &|| false) else { panic!("should be refused") };
    let message = super::support::whole(error);
    assert!(message.contains("reads another prompt") && message.contains("tokens here"), "{message}");
}
