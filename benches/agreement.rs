//! Time of agreement among five annotators of 2,000 cases, with and without intervals, and of the list for
//! adjudication. Prints one line per figure; `make bench` runs it.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

use dissent::annotation::agreement::{AgreementReport, usual_agreement_table_keys};
use dissent::annotation::{
    AnnotationState, CategoryId, Counted, Event, EventContext, EventKind, Taxonomy, disagreements, final_rows,
    rated_cases,
};
use dissent::data::{Case, Label, PromptTemplate, Split, Task, TaskKind};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::time::Instant;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const CASES: usize = 2000;
const ANNOTATORS: [&str; 5] = ["ada", "bob", "cyd", "dan", "eve"];
const TIMES: usize = 20;

fn main() {
    let (taxonomy, tasks, cases) = (Taxonomy::default(), [task()], cases());
    let state = AnnotationState::fold(events(&taxonomy));
    let rated = rated_cases(&state, &taxonomy, &tasks, &cases, Counted::default());
    let keys = usual_agreement_table_keys();
    println!(
        "agreement, {CASES} cases, {} annotators, {} different answers",
        ANNOTATORS.len(),
        rated.ratings.answers().len()
    );
    measure("ratings from the state", TIMES, || {
        rated_cases(&state, &taxonomy, &tasks, &cases, Counted::default());
    });
    measure("all usual tables, no intervals", TIMES, || {
        AgreementReport::of("bench", &rated, 0, &keys);
    });
    measure("all usual tables, 10,000 resamples", 2, || {
        AgreementReport::of("bench", &rated, 10_000, &keys);
    });
    measure("disagreements", TIMES, || {
        disagreements(&state);
    });
    measure("the final set", TIMES, || {
        final_rows(&state.reviews(), &taxonomy, &cases).unwrap();
    });
}

/// Each case has one or two categories; an annotator gives them, or others with probability 0.3.
fn events(taxonomy: &Taxonomy) -> Vec<Event> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let draw = |random: &mut ChaCha8Rng| -> BTreeSet<CategoryId> {
        let many = if random.random_bool(0.25) { 2 } else { 1 };
        (0..many).map(|_| taxonomy.categories[random.random_range(0..taxonomy.categories.len())].id.clone()).collect()
    };
    let mut events = Vec::new();
    let begun = OffsetDateTime::now_utc();
    for case in 0..CASES {
        let own = draw(&mut random);
        for annotator in ANNOTATORS {
            let categories = if random.random_bool(0.3) { draw(&mut random) } else { own.clone() };
            events.push(Event {
                v: 2,
                id: Uuid::now_v7(),
                ts: begun + Duration::microseconds(events.len() as i64),
                annotator: annotator.into(),
                host: "box".into(),
                case: format!("case-{case:04}").into(),
                kind: EventKind::Annotate { categories: categories.into() },
                context: EventContext::default(),
            });
        }
    }
    events
}

fn task() -> Task {
    Task {
        id: "mass".into(),
        kind: TaskKind::ClosedVqa,
        question: None,
        labels: vec![Label::new("No", "no"), Label::new("Yes", "yes")],
        prompt: PromptTemplate::default(),
    }
}

fn cases() -> Vec<Case> {
    let case = |number: usize| Case {
        id: format!("case-{number:04}"),
        task: "mass".into(),
        split: Split::Test,
        image: format!("case-{number:04}.png").into(),
        question: None,
        answer: "No".into(),
        unknown: Vec::new(),
        group: None,
    };
    (0..CASES).map(case).collect()
}

fn measure(what: &str, times: usize, work: impl Fn()) {
    let mut milliseconds: Vec<f64> = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        work();
        milliseconds.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    milliseconds.sort_by(f64::total_cmp);
    println!("{what}: p50 {:.2} ms, longest {:.2} ms (n={times})", milliseconds[times / 2], milliseconds[times - 1]);
}
