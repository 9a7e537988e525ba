//! Figures of the overview: accuracy, effect of retrieval, ranks, gold labels against answers, comparison of two
//! runs.

use super::table::{AnsweredCase, Cell, Row, Section};
use crate::cases::Cases;
use crate::cases::comparison::WhoIsRight;
use crate::data::Answer;
use crate::evaluation::{CaseOutcome, Estimate, Verdict, mcnemar_exact};

pub fn accuracy(cases: &Cases, known: &[AnsweredCase]) -> Section {
    let split = |verdict: Option<Verdict>| -> Vec<&AnsweredCase> {
        known.iter().filter(|known| verdict.is_none_or(|verdict| known.outcome.verdict() == verdict)).collect()
    };
    let parts = [
        (split(None), ""),
        (split(Some(Verdict::Consistent)), "verdict:consistent "),
        (split(Some(Verdict::Inconsistent)), "verdict:inconsistent "),
    ];
    let row = |name: &str, filter: &str, right: &dyn Fn(&AnsweredCase) -> Option<bool>| Row {
        name: name.to_owned(),
        cells: parts
            .iter()
            .map(|(cases, part)| {
                let outcomes: Vec<bool> = cases.iter().filter_map(|known| right(known)).collect();
                Cell::share(&Estimate::of(&outcomes), &format!("{part}{filter}"))
            })
            .collect(),
    };
    let gap = Row {
        name: "oracle gap".into(),
        cells: parts
            .iter()
            .map(|(cases, part)| {
                let missed = cases.iter().filter(|known| known.outcome.is_in_gap());
                let missed = missed.count();
                let share = if cases.is_empty() { 0.0 } else { missed as f64 / cases.len() as f64 };
                Cell {
                    text: format!("{share:.3} ({missed} of {})", cases.len()),
                    share: Some(share),
                    filter: format!("{part}fused:wrong oracle:right"),
                }
            })
            .collect(),
    };
    let mut rows = vec![
        row("closed-book", "closed-book:wrong", &|known| known.closed_book_right),
        row("fused", "fused:wrong", &|known| Some(known.outcome.is_right())),
        row("oracle", "oracle:wrong", &|known| Some(known.outcome.oracle_is_right())),
        gap,
    ];
    if cases.models_stand_in() {
        rows.remove(0);
    }
    Section {
        title: "Accuracy [95 % interval]; Enter opens the cases that are wrong".into(),
        columns: ["all", "consistent", "inconsistent"].map(str::to_owned).to_vec(),
        rows,
    }
}

/// Effect of retrieval: closed-book against fused answers.
pub fn flow(known: &[AnsweredCase]) -> Section {
    let both: Vec<(bool, bool)> =
        known.iter().filter_map(|known| Some((known.closed_book_right?, known.outcome.is_right()))).collect();
    let count = |before: bool, after: bool, filter: &str| {
        Cell::count(both.iter().filter(|pair| **pair == (before, after)).count(), both.len(), filter)
    };
    Section {
        title: format!("From closed-book to fused, {} cases", both.len()),
        columns: ["fused right", "fused wrong"].map(str::to_owned).to_vec(),
        rows: vec![
            Row {
                name: "closed-book right".into(),
                cells: vec![count(true, true, "closed-book:right fused:right"), count(true, false, "retrieval:ruined")],
            },
            Row {
                name: "closed-book wrong".into(),
                cells: vec![
                    count(false, true, "retrieval:rescued"),
                    count(false, false, "closed-book:wrong fused:wrong"),
                ],
            },
        ],
    }
}

pub fn ranks(cases: &Cases, known: &[AnsweredCase]) -> Section {
    let deepest = known.iter().map(|known| known.outcome.answers.len()).max().unwrap_or(0);
    let wrong = known.iter().filter(|known| !known.outcome.is_right()).count();
    let right = known.len() - wrong;
    let mut rows = Vec::new();
    for hit in 0..deepest {
        let answered: Vec<bool> = known
            .iter()
            .filter(|known| hit < known.outcome.answers.len())
            .map(|known| known.outcome.is_right_at(hit))
            .collect();
        let count =
            |test: fn(&CaseOutcome, usize) -> bool| known.iter().filter(|known| test(&known.outcome, hit)).count();
        let head = known.iter().find_map(|known| {
            let hits = cases.answers_of(known.case)?.hits()?;
            hits.get(hit).map(|hit| hit.first().head.to_string())
        });
        rows.push(Row {
            name: match cases.model_at(hit) {
                Some(model) => format!("{} {model}", hit + 1),
                None => format!("hit {} {}", hit + 1, head.unwrap_or_default()),
            },
            cells: vec![
                Cell::share(&Estimate::of(&answered), ""),
                Cell::count(count(CaseOutcome::is_rescued_by), wrong, &format!("rescued-by:{}", hit + 1)),
                Cell::count(count(CaseOutcome::is_ruined_by), right, &format!("ruined-by:{}", hit + 1)),
            ],
        });
    }
    Section {
        title: cases
            .in_words_of_run("Each hit alone: accuracy; rescues a wrong answer; ruins a right one")
            .into_owned(),
        columns: vec!["right alone".into(), format!("rescued of {wrong}"), format!("ruined of {right}")],
        rows,
    }
}

/// One table per task: gold label against fused answer.
pub fn confusion(cases: &Cases, known: &[AnsweredCase]) -> Vec<Section> {
    let mut sections = Vec::new();
    for task in &cases.dataset().tasks {
        let of_task: Vec<&AnsweredCase> =
            known.iter().filter(|known| cases.dataset().cases[known.case].task == task.id).collect();
        if of_task.is_empty() {
            continue;
        }
        let mut rows = Vec::new();
        for (gold, label) in task.labels.iter().enumerate() {
            let of_label: Vec<&&AnsweredCase> =
                of_task.iter().filter(|known| known.outcome.gold == Some(Answer::Label(gold))).collect();
            let mut cells: Vec<Cell> = Vec::new();
            for (answer, other) in task.labels.iter().enumerate() {
                let count = of_label.iter().filter(|known| known.outcome.fused == Some(Answer::Label(answer))).count();
                let filter = format!("task:{:?} label:{:?} answer:{:?}", task.id, label.id, other.id);
                cells.push(Cell::count(count, of_label.len(), &filter));
            }
            rows.push(Row { name: label.name.clone(), cells });
        }
        sections.push(Section {
            title: format!("{}: gold label (rows) and fused answer, {} cases", task.id, of_task.len()),
            columns: task.labels.iter().map(|label| label.name.clone()).collect(),
            rows,
        });
    }
    sections
}

/// Comparison of two runs: A is the shown run, B the other.
pub fn against(cases: &Cases, known: &[AnsweredCase]) -> Section {
    let mut rows = Vec::new();
    let mut slices: Vec<(String, String, Vec<&AnsweredCase>)> =
        vec![("all".into(), String::new(), known.iter().collect())];
    for verdict in [Verdict::Consistent, Verdict::Inconsistent] {
        let word = if verdict == Verdict::Consistent { "consistent" } else { "inconsistent" };
        let members = known.iter().filter(|known| known.outcome.verdict() == verdict).collect();
        slices.push((format!("{word} in A"), format!("verdict:{word} "), members));
    }
    if cases.dataset().tasks.len() > 1 {
        for task in &cases.dataset().tasks {
            let members = known.iter().filter(|known| cases.dataset().cases[known.case].task == task.id).collect();
            slices.push((task.id.clone(), format!("task:{:?} ", task.id), members));
        }
    }
    for (name, filter, members) in slices {
        let who: Vec<WhoIsRight> = members.iter().filter_map(|known| cases.who_is_right(known.case)).collect();
        if who.is_empty() {
            continue;
        }
        let count = |wanted: WhoIsRight| who.iter().filter(|who| **who == wanted).count();
        let mut cells: Vec<Cell> = WhoIsRight::ALL
            .iter()
            .map(|wanted| Cell::count(count(*wanted), who.len(), &format!("{filter}against:{}", wanted.word())))
            .collect();
        let p = mcnemar_exact(count(WhoIsRight::OnlyB), count(WhoIsRight::OnlyA));
        cells.push(Cell::text(format!("{p:.4}")));
        rows.push(Row { name: format!("{name} (n={})", who.len()), cells });
    }
    let names = (cases.stored_run().unwrap_or("this"), cases.against().map_or("", |run| run.name.as_str()));
    Section {
        title: format!("Who is right: A is {}, B is {}; McNemar's exact p", names.0, names.1),
        columns: ["both", "only A", "only B", "neither", "p"].map(str::to_owned).to_vec(),
        rows,
    }
}
