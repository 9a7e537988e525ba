//! vLLM on a CPU, started by `make test-engines` at the address in `DISSENT_TEST_VLLM`.

use super::fault_proxy::{Fault, FaultProxy};
use super::support::{
    assert_same_answers, assert_same_words, candle, connect, generate, largest_difference, requests, score, served,
    with_labels,
};
use candle_core::{DType, Device};
use dissent::data::Picture;
use dissent::files::fingerprint::Fingerprint;
use dissent::reader::{CandleReader, Evidence, ReadRequest, Reader};
use std::path::Path;
use std::sync::{Arc, Mutex};

const TOLERANCE: f32 = 1e-3;

/// One test at a time: requests for tokens by id and for the likeliest ones in one batch were seen to shorten the latter.
pub static ALONE: Mutex<()> = Mutex::new(());

pub fn address() -> String {
    std::env::var("DISSENT_TEST_VLLM").expect("DISSENT_TEST_VLLM: the address of vLLM")
}

#[test]
#[ignore = "needs vLLM: `make test-engines` starts one"]
fn vllm_gives_the_numbers_of_this_process() {
    let url = address();
    let _alone = ALONE.lock();
    // The served processor has our file, so that every prompt's token ids are compared as well.
    let mut remote = connect(&served(&url)).unwrap();
    assert_eq!(remote.record().prompt_check, "every token id");
    assert_eq!(remote.record().log_probabilities, "exact, by token id");
    let mut local = candle();
    let sample = requests(100);
    for asked in
        [sample.clone(), with_labels(&sample[..10], &["Yes", "Yessir", "No"]), with_labels(&sample[..5], &["No"])]
    {
        let (there, here) = (score(&mut remote, &asked), score(&mut local, &asked));
        let difference = largest_difference(&there, &here);
        println!("vLLM: {} prompts, log p differs by {difference:e} at most", asked.len());
        assert!(difference < TOLERANCE, "log p differs by {difference}");
        assert_same_answers(&there, &here, 2.0 * TOLERANCE);
    }
}

#[test]
#[ignore = "needs vLLM: `make test-engines` starts one"]
fn answers_in_words_are_those_of_this_process() {
    let url = address();
    let _alone = ALONE.lock();
    let mut remote = connect(&served(&url)).unwrap();
    assert_same_words(&mut remote, &mut candle(), &requests(100), 2.0 * TOLERANCE);
}

/// Checkpoints of other families beside the servers of them, as `FOLDER@URL,FOLDER@URL`: pictures of every shape reach them at
/// the size of their processors, and prompts become the same tokens.
#[test]
#[ignore = "needs vLLM with several checkpoints: `make test-engines` starts it"]
fn other_families_give_the_numbers_of_this_process() {
    let others = std::env::var("DISSENT_TEST_VLLM_OTHERS").expect("DISSENT_TEST_VLLM_OTHERS: FOLDER@URL,…");
    for other in others.split(',') {
        let (folder, url) = other.split_once('@').unwrap();
        let mut model = served(url);
        model.processor = Some(folder.into());
        let mut remote = connect(&model).unwrap();
        assert_eq!(remote.record().prompt_check, "every token id");
        let mut local = CandleReader::load(Path::new(folder), &Device::Cpu, DType::F32).unwrap();
        // SmolVLM's whole picture is scaled down by the engine, with torchvision: some pixels are a grey level off.
        let tolerance = if folder.ends_with("smolvlm") { 5e-2 } else { TOLERANCE };
        let sample = in_other_shapes(requests(12));
        for asked in [with_labels(&sample, &["Yes", "No"]), with_labels(&sample[..4], &["Yes", "Yessir", "No"])] {
            let (there, here) = (score(&mut remote, &asked), score(&mut local, &asked));
            let difference = largest_difference(&there, &here);
            println!("{folder}: {} prompts, log p differs by {difference:e} at most", asked.len());
            assert!(difference < tolerance, "{folder}: log p differs by {difference}");
        }
        if tolerance == TOLERANCE {
            assert_eq!(generate(&mut remote, &sample), generate(&mut local, &sample), "{folder}: answers in words");
        }
    }
}

/// The same requests with pictures that have to be resized.
fn in_other_shapes(requests: Vec<ReadRequest>) -> Vec<ReadRequest> {
    let shapes = [(203, 120), (33, 57), (64, 64), (97, 240)];
    let reshaped = |picture: &Picture, number: usize| {
        let (width, height) = shapes[number % shapes.len()];
        let image = picture.image.resize_exact(width, height, image::imageops::FilterType::Triangle);
        let print = format!("{} {width} {height}", picture.fingerprint.as_str());
        Arc::new(Picture { fingerprint: Fingerprint::of_bytes(print.as_bytes()), image, ..picture.clone() })
    };
    let change = |(number, mut request): (usize, ReadRequest)| {
        request.query = reshaped(&request.query, number);
        if let Some(Evidence { image: Some(image), .. }) = &mut request.evidence {
            *image = reshaped(image, number + 1);
        }
        request
    };
    requests.into_iter().enumerate().map(change).collect()
}

/// An older vLLM, which does not know `logprob_token_ids` and names 20 tokens at most.
#[test]
#[ignore = "needs vLLM: `make test-engines` starts one"]
fn without_tokens_by_id_the_twenty_likeliest_are_asked_for() {
    let url = address();
    let _alone = ALONE.lock();
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let older = |body: String| body.replace("logprob_token_ids", "unknown_to_it");
    let proxy = FaultProxy::start(Some(port), move |_, path| match path {
        "/v1/chat/completions" => Fault::Rewrite(older),
        _ => Fault::Pass,
    });
    let mut remote = connect(&served(&proxy.url())).unwrap();
    assert!(remote.record().log_probabilities.contains("20 likeliest"), "{:?}", remote.record());
    let asked = requests(20);
    let (there, here) = (score(&mut remote, &asked), score(&mut candle(), &asked));
    // By constrained choices all labels are known.
    assert!(there.iter().all(|scores| !scores.has_bounds()), "{there:?}");
    assert!(largest_difference(&there, &here) < TOLERANCE);

    // Older still: choices are not known either.
    let older =
        |body: String| body.replace("logprob_token_ids", "unknown").replace("structured_outputs", "unknown_too");
    proxy.plan(move |_, path| if path == "/v1/chat/completions" { Fault::Rewrite(older) } else { Fault::Pass });
    let there = score(&mut remote, &asked);
    for (there, here) in there.iter().zip(&here) {
        assert_eq!(there.arg_max(), here.arg_max());
        for label in 0..here.log_probabilities().len() {
            let (there_value, value) = (there.log_probabilities()[label], here.log_probabilities()[label]);
            if there.is_bound(label) {
                assert!(there_value >= value - TOLERANCE, "{there:?} {here:?}");
            } else {
                assert!((there_value - value).abs() < TOLERANCE, "{there:?} {here:?}");
            }
        }
    }
}

#[test]
#[ignore = "needs vLLM: `make test-engines` starts one"]
fn an_image_that_is_spelled_in_a_text_is_noticed() {
    let url = address();
    let _alone = ALONE.lock();
    let mut remote = connect(&served(&url)).unwrap();
    let mut asked = requests(1);
    asked[0].question = "Is [IMG_BREAK] a token?".into();
    let Err(error) = remote.score(&asked, &|| false) else { panic!("should be refused") };
    let message = super::support::whole(error);
    assert!(message.contains("reads another prompt") && message.contains("from number"), "{message}");
}
