//! A small dataset with hand-written answers, and the explorer on a screen in memory.

use super::dataset::{case, closed_task, document, manifest};
use dissent::annotation::{DefinitionHistory, Taxonomy, TaxonomyVersions};
use dissent::cases::InitialCases;
use dissent::cases::comparison::Against;
use dissent::data::{Case, Dataset, Document, Manifest};
use dissent::files::fingerprint::Fingerprint;
use dissent::pipeline::{Event, HostedReader, ModelDescription};
use dissent::run::{Ablation, CaseAnswer, Head, Hit, LabelScores, Provenance};
use dissent::terminal::image_protocol::ImageMode;
use dissent::terminal::images::{Loaded, encode};
use dissent::tui::keymap::Keymap;
use dissent::tui::theme::Theme;
use dissent::tui::{App, Setting, views};
use image::{DynamicImage, ImageBuffer, Luma};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui_image::FontSize;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::Arc;

pub const QUESTION: &str = "Does this ultrasound image show a malignant lesion?";

/// Captions of the corpus, in order.
pub const CAPTIONS: [&str; 5] = [
    "Irregular hypoechoic mass with spiculated margin and posterior shadowing, site north.",
    "Oval circumscribed mass, homogeneous interior, site north.",
    "Lobulated mass with heterogeneous interior; calcifications not seen, site south.",
    "Round anechoic lesion with posterior enhancement, a simple cyst, site south.",
    "Hypoechoic mass, indistinct margin, site north.",
];

/// A dataset of `count` cases whose images are gradients on disk.
pub fn dataset(root: &Path, count: usize) -> Dataset {
    std::fs::create_dir_all(root.join("images")).unwrap();
    let mut cases = Vec::new();
    for index in 0..count {
        let image = format!("images/q{index}.png");
        gradient(index).save(root.join(&image)).unwrap();
        let id = format!("us-test-{:04}", index + 1);
        let answer = if index % 2 == 0 { "Yes" } else { "No" };
        cases.push(Case { image: image.into(), ..case(&id, "malignancy", answer) });
    }
    let mut corpus = Vec::new();
    for (index, caption) in CAPTIONS.iter().enumerate() {
        let image = format!("images/d{index}.png");
        gradient(index + 3).save(root.join(&image)).unwrap();
        let source = Some(if index % 2 == 0 { "north" } else { "south" }.into());
        corpus.push(Document { image: image.into(), source, ..document(&format!("us-doc-{:03}", index + 1), caption) });
    }
    Dataset::new(root, ultrasound_manifest(), cases, corpus)
}

fn ultrasound_manifest() -> Manifest {
    Manifest {
        licence: Some("CC0-1.0".into()),
        note: Some("synthetic: the two sites differ on purpose".into()),
        ..manifest("ultrasound-phantom", vec![closed_task("malignancy", QUESTION, [("No", "No"), ("Yes", "Yes")])])
    }
}

/// An image that is not the same anywhere, and whose neighbouring rows differ clearly.
pub fn gradient(seed: usize) -> DynamicImage {
    let shift = u32::try_from(seed).unwrap() * 37;
    DynamicImage::ImageLuma8(ImageBuffer::from_fn(64, 64, |x, y| {
        Luma([u8::try_from((x * 2 + y * 11 + shift) % 256).unwrap()])
    }))
}

/// An explorer over `count` cases, before the worker has said anything.
pub fn app(root: &Path, count: usize) -> App {
    app_with(root, count, |_| {})
}

/// The same, started with other settings.
pub fn app_with(root: &Path, count: usize, change: impl FnOnce(&mut Setting)) -> App {
    let known = InitialCases {
        dataset: Arc::new(dataset(root, count)),
        categories: Taxonomy::default().categories,
        several: false,
        stored_run: None,
        models: Vec::new(),
        ablation: Ablation::default(),
        against: None,
        definitions: Arc::new(DefinitionHistory::new(Taxonomy::default(), TaxonomyVersions::default())),
        annotator: "ada".into(),
        annotations: FxHashMap::default(),
        reviews: FxHashMap::default(),
        is_blind: false,
    };
    let mut setting = Setting {
        known,
        queue: (0..count).collect(),
        left_out: Vec::new(),
        theme: Theme::load("dark").unwrap(),
        images: ImageMode::Half,
        keymap: Keymap::default(),
        themes: Theme::names().map(|name| (name.to_owned(), Theme::load(name).unwrap())).collect(),
        keep_gold: false,
    };
    change(&mut setting);
    App::new(setting)
}

pub fn ready() -> Event {
    Event::Ready(models())
}

/// A reader on a server that may cost money: 2,000 samples for each of five prompts.
pub fn ready_at_a_hosted_server() -> Event {
    let server = "https://api.example.org".to_owned();
    let hosted = HostedReader { server, requests_per_prompt: 2000, prompts_per_question: 5 };
    Event::Ready(ModelDescription { hosted: Some(hosted), is_sampled: true, ..models() })
}

fn models() -> ModelDescription {
    ModelDescription {
        heads: "standard retriever".into(),
        retriever: "small-clip".into(),
        reader: "tiny-pixtral".into(),
        device: "cpu".into(),
        index: "exact search, 5 images".into(),
        run_fingerprint: "0011223344556677".into(),
        reader_fingerprint: Fingerprint::of_bytes(b"tiny-pixtral"),
        hosted: None,
        is_sampled: false,
    }
}

/// Four hits of two heads; the second is found by both.
pub fn hits() -> Vec<Hit> {
    let found = |head, rank, score| Provenance { head, rank, score: Some(score) };
    let hit = |row: usize, provenances| Hit { row, document: format!("us-doc-{:03}", row + 1), provenances };
    vec![
        hit(0, vec![found(Head::Image, 1, 0.912)]),
        hit(2, vec![found(Head::Image, 2, 0.893), found(Head::Caption, 2, 0.398)]),
        hit(4, vec![found(Head::Caption, 1, 0.412)]),
        hit(3, vec![found(Head::Lexical, 1, 0.377)]),
    ]
}

/// Label log-probabilities of No and Yes.
pub fn scores(yes: f32) -> LabelScores {
    LabelScores::exact(vec![(1.0 - yes).ln(), yes.ln()])
}

/// Answers a case: closed-book No; the hits say Yes with these probabilities.
pub fn answer(app: &mut App, case: usize, yes: &[f32]) {
    app.on_worker_event(Event::Hits { case, hits: hits() });
    for (slot, probability) in yes.iter().enumerate() {
        app.on_worker_event(Event::Prediction { case, slot, prediction: scores(*probability).into() });
    }
    app.on_worker_event(Event::ClosedBook { case, prediction: scores(0.39).into() });
}

/// Draws, loads the images that the frame wanted, and draws again.
pub fn screen(app: &mut App, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| views::draw(app, frame)).unwrap();
    for key in app.images().pictures().take_wanted() {
        let picture = dissent::data::Picture::read(&key.path)
            .and_then(|picture| encode(&picture, &key, ImageMode::Half, FontSize::new(8, 16), 1))
            .map_err(|error| error.root_cause().to_string());
        app.on_image(Loaded { key, picture });
    }
    terminal.draw(|frame| views::draw(app, frame)).unwrap();
    terminal
}

/// The screen as lines of text.
pub fn text(terminal: &Terminal<TestBackend>) -> String {
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        for x in 0..buffer.area.width {
            line.push_str(buffer[(x, y)].symbol());
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Writes the dataset as files.
pub fn write_dataset(root: &Path, count: usize) {
    let dataset = dataset(root, count);
    super::dataset::write_dataset(root, &ultrasound_manifest(), &dataset.cases, &dataset.corpus.to_documents());
}

/// Another run: other hits in another order; each case with the probabilities of Yes.
pub fn other_run(cases: &[(usize, [f32; 4])]) -> Against {
    let mut against = Against { name: "trained-test".into(), ..Against::default() };
    for (case, yes) in cases {
        let mut hits = hits();
        hits.swap(0, 2);
        hits[3].row = 1;
        hits[3].document = "us-doc-002".into();
        let answer = CaseAnswer {
            case: *case,
            hits,
            predictions: yes.iter().map(|yes| scores(*yes).into()).collect(),
            closed_book: Some(scores(0.39).into()),
            recorded_fusion: None,
        };
        against.answers.insert(*case, answer.into());
    }
    against
}
