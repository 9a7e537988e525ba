//! Assignment of cases to annotators, and the cases that are left.

use dissent::annotation::{AnnotationState, Event, EventContext, EventKind, Plan, Wanted, Worklist};
use proptest::prelude::*;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("annotator{number}")).collect()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("case-{number}")).collect()
}

fn refs(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_case_has_its_annotators_and_every_annotator_their_share(
        count in 1usize..9, overlap in 1usize..9, cases in 0usize..120, seed: u64, calibration in 0usize..20,
    ) {
        let overlap = overlap.min(count);
        let ids = ids(cases);
        let plan = Plan::new(&names(count), overlap, seed, calibration).unwrap();
        let assignment = plan.assign(&refs(&ids));
        prop_assert_eq!(&assignment, &plan.assign(&refs(&ids)));
        prop_assert_eq!(assignment.calibration.len(), calibration.min(cases));
        let mut loads = Vec::new();
        let mut total = 0;
        for name in plan.annotators() {
            let queue = assignment.queue_of(name).unwrap();
            prop_assert_eq!(&queue[..assignment.calibration.len()], &assignment.calibration[..]);
            loads.push(queue.len());
            total += queue.len();
        }
        prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{:?}", loads);
        let rest = cases - assignment.calibration.len();
        prop_assert_eq!(total, rest * overlap + assignment.calibration.len() * count);
        for (place, who) in assignment.of_case.iter().enumerate() {
            let expected = if assignment.calibration.contains(&place) { count } else { overlap };
            prop_assert_eq!(who.len(), expected);
            prop_assert!(who.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn cases_added_later_leave_the_others_where_they_are(seed: u64, before in 1usize..60, added in 0usize..60) {
        let plan = Plan::new(&names(5), 2, seed, 0).unwrap();
        let all = ids(before + added);
        let now = plan.assign(&refs(&all));
        prop_assert_eq!(&now.of_case[..before], &plan.assign(&refs(&all[..before])).of_case[..]);
    }
}

#[test]
fn every_pair_shares_about_as_many_cases() {
    let ids = ids(600);
    for (count, overlap) in [(3, 2), (5, 2), (6, 3)] {
        let assignment = Plan::new(&names(count), overlap, 7, 0).unwrap().assign(&refs(&ids));
        let shared = assignment.shared();
        assert_eq!(shared.len(), count * (count - 1) / 2);
        let (least, most) = (shared.values().min().unwrap(), shared.values().max().unwrap());
        let even = 600.0 * (overlap * (overlap - 1)) as f64 / (count * (count - 1)) as f64;
        assert!(*least as f64 > 0.8 * even && (*most as f64) < 1.2 * even, "{count} {overlap}: {least} to {most}");
    }
}

#[test]
fn the_order_of_names_does_not_matter_and_the_seed_does() {
    let ids = ids(40);
    let forwards = names(4);
    let backwards: Vec<String> = forwards.iter().rev().cloned().collect();
    let plan = |names: &[String], seed| Plan::new(names, 2, seed, 5).unwrap();
    let one = plan(&forwards, 1).assign(&refs(&ids));
    assert_eq!(one, plan(&backwards, 1).assign(&refs(&ids)));
    let other = plan(&forwards, 2).assign(&refs(&ids));
    assert_ne!(one.of_case, other.of_case);
    assert_ne!(one.calibration, other.calibration);
    assert_ne!(one.fingerprint(&refs(&ids)), other.fingerprint(&refs(&ids)));
}

#[test]
fn a_plan_that_cannot_be_is_refused() {
    let message = |names: &[&str], overlap| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Plan::new(&names, overlap, 0, 0).unwrap_err().to_string()
    };
    assert!(message(&["ada", "bob", "ada"], 1).contains("ada is named twice"));
    assert!(message(&["ada", "bob"], 3).contains("between 1 and 2"));
    assert!(message(&["ada", "bob"], 0).contains("between 1 and 2"));
    assert!(message(&["../ada"], 1).contains("file name"));
    assert!(message(&[], 1).contains("at least one"));
    let plan = Plan::new(&names(2), 1, 0, 0).unwrap();
    let error = plan.assign(&["c1"]).queue_of("eve").unwrap_err().to_string();
    assert!(error.contains("eve") && error.contains("annotator0, annotator1"), "{error}");
}

#[test]
fn the_worklist_knows_what_is_left_what_others_did_and_what_is_old() {
    let hours = |count: i64| OffsetDateTime::UNIX_EPOCH + Duration::hours(count);
    let event = |id, hour, annotator: &str, case: &str, pass| Event {
        v: 2,
        id: Uuid::from_u128(id),
        ts: hours(hour),
        annotator: annotator.into(),
        host: "box".into(),
        case: case.into(),
        kind: EventKind::annotate("other"),
        context: EventContext { pass, ..EventContext::default() },
    };
    let mut note = event(9, 1, "ada", "c5", 1);
    note.kind = EventKind::Note { note: "later".into() };
    let state = AnnotationState::fold(vec![
        event(1, 0, "ada", "c1", 1),
        event(2, 20, "ada", "c2", 1),
        event(3, 0, "bob", "c1", 1),
        event(4, 0, "bob", "c3", 1),
        event(5, 0, "ada", "c4", 1),
        event(6, 25, "ada", "c4", 2),
        note,
    ]);
    let cases = ["c5", "c4", "c3", "c2", "c1"];
    let choose = |wanted| Worklist::choose(&cases, "ada", wanted, &state, hours(30));
    let chosen = |wanted| choose(wanted).cases.into_iter().map(|place| cases[place]).collect::<Vec<_>>();
    assert_eq!(chosen(Wanted::All), cases);
    assert_eq!(chosen(Wanted::Left), ["c5", "c3"], "a note decides nothing");
    assert_eq!(chosen(Wanted::SecondPass), ["c3"]);
    let again = choose(Wanted::OwnAgain(Duration::hours(24)));
    assert_eq!(again.cases, [4]);
    assert_eq!(again.passes["c1"], 2);
    assert_eq!(chosen(Wanted::OwnAgain(Duration::hours(5))), ["c4", "c2", "c1"]);
    assert_eq!(choose(Wanted::OwnAgain(Duration::hours(5))).passes["c4"], 3);
}
