//! Prompt slots and prediction keys.

use crate::support::dataset::closed_task;
use crate::support::pictures::named_picture;
use dissent::data::{Picture, PromptTemplate, Task};
use dissent::files::fingerprint::Fingerprint;
use dissent::reader::{Evidence, PromptPiece, ReadRequest, check_templates, prediction_key};
use std::sync::Arc;

fn task(prompt: PromptTemplate) -> Task {
    Task { prompt, ..closed_task("mass", "Is there a mass?", [("No", "No"), ("Yes", "Yes")]) }
}

fn picture(name: &str) -> Arc<Picture> {
    named_picture(name, image::DynamicImage::new_luma8(4, 4))
}

fn request(prompt: PromptTemplate, caption: Option<&str>) -> ReadRequest {
    ReadRequest {
        task: Arc::new(task(prompt)),
        question: "Is there a mass?".into(),
        query: picture("query"),
        evidence: caption.map(|caption| Evidence { image: Some(picture("document")), caption: Some(caption.into()) }),
    }
}

fn with_document(template: &str) -> PromptTemplate {
    PromptTemplate { with_document: template.into(), ..PromptTemplate::default() }
}

#[test]
fn the_default_prompt_has_the_order_of_the_reference() {
    let pieces = request(PromptTemplate::default(), Some("No mass.")).prompt().unwrap();
    let text = |text: &str| PromptPiece::Text(text.into());
    assert_eq!(
        pieces,
        [
            PromptPiece::DocumentImage,
            text("background: No mass.\n\n"),
            PromptPiece::QueryImage,
            text("Is there a mass?")
        ]
    );
    let mut bare = request(PromptTemplate::default(), Some("No mass."));
    bare.evidence = Some(Evidence { image: None, caption: None });
    let expected = [text("background: \n\n"), PromptPiece::QueryImage, text("Is there a mass?")];
    assert_eq!(bare.prompt().unwrap(), expected, "without image and caption");
    let pieces = request(PromptTemplate::default(), None).prompt().unwrap();
    assert_eq!(pieces, [PromptPiece::QueryImage, text("Is there a mass?")]);
}

#[test]
fn braces_in_text_and_captions_are_text() {
    let template = with_document("{ {1} {query_image} {caption}{{question}");
    let pieces = request(template, Some("{question}")).prompt().unwrap();
    let text = |text: &str| PromptPiece::Text(text.into());
    assert_eq!(pieces, [text("{ {1} "), PromptPiece::QueryImage, text(" {question}{Is there a mass?")]);
}

#[test]
fn a_wrong_template_is_named_with_task_and_slot() {
    let message = |prompt| check_templates(&task(prompt)).unwrap_err().to_string();
    let unknown = message(with_document("{query_image}{answer}"));
    assert!(unknown.starts_with("task mass: prompt.with_document has the unknown slot {answer}"), "{unknown}");
    let missing = message(with_document("{document_image}{question}"));
    assert!(missing.starts_with("task mass: prompt.with_document lacks the slot {query_image}"), "{missing}");
    let closed_book = PromptTemplate { closed_book: "{query_image}{caption}".into(), ..PromptTemplate::default() };
    assert!(message(closed_book).contains("prompt.closed_book has the slot {caption}"));
}

#[test]
fn the_key_depends_on_everything_that_the_answer_depends_on() {
    let reader = Fingerprint::of_bytes(b"reader");
    let key = |request: &ReadRequest| prediction_key(&reader, request);
    let base = request(PromptTemplate::default(), Some("No mass."));
    assert_eq!(key(&base), key(&base.clone()));
    let mut others = vec![
        request(PromptTemplate::default(), None),
        request(PromptTemplate::default(), Some("A mass.")),
        request(with_document("{query_image}{document_image}{caption}{question}"), Some("No mass.")),
    ];
    let mut question = base.clone();
    question.question = "Is there none?".into();
    let mut query = base.clone();
    query.query = picture("another query");
    let mut document = base.clone();
    document.evidence = Some(Evidence { image: Some(picture("another document")), caption: Some("No mass.".into()) });
    let mut without_image = base.clone();
    without_image.evidence = Some(Evidence { image: None, caption: Some("No mass.".into()) });
    let mut without_caption = base.clone();
    without_caption.evidence = Some(Evidence { image: Some(picture("document")), caption: None });
    let mut empty_caption = base.clone();
    empty_caption.evidence = Some(Evidence { image: Some(picture("document")), caption: Some(String::new()) });
    let mut labels = base.clone();
    Arc::make_mut(&mut labels.task).labels.reverse();
    others.extend([question, query, document, without_image, without_caption, empty_caption, labels]);
    for other in &others {
        assert_ne!(key(&base), key(other), "{other:?}");
    }
    assert_ne!(key(&base), prediction_key(&Fingerprint::of_bytes(b"another reader"), &base));
}
