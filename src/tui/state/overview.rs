//! The overview: figures of the cases in the current view, each cell with the cases behind it. Every number is that of
//! `dissent evaluate` on the same cases.

use super::comparison::WhoIsRight;
use super::named_errors;
use crate::analysis::{CaseOutcome, Estimate, Verdict, mcnemar_exact};
use crate::data::Answer;
use crate::tui::update::app::{App, Overlay};

/// Sections and the cell one stands on.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    pub sections: Vec<Section>,
    /// Section, row, column.
    pub selected: (usize, usize, usize),
    /// Cases of the view that have every answer, and all of the view.
    pub read: usize,
    pub cases: usize,
}

/// A table with a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

/// A row of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub cells: Vec<Cell>,
}

/// A figure and the cases behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub text: String,
    /// 0 to 1, drawn as a bar.
    pub share: Option<f64>,
    /// Added to the view's filter where the cell is opened; empty where there is nothing to open.
    pub filter: String,
}

/// A case with all that the figures need.
pub(super) struct Known {
    /// Position in the dataset.
    pub case: usize,
    pub outcome: CaseOutcome,
    closed_book_right: Option<bool>,
}

impl Cell {
    fn share(figure: &Estimate, filter: &str) -> Self {
        Self { text: figure.text(), share: figure.value, filter: filter.to_owned() }
    }

    pub(super) fn count(count: usize, of: usize, filter: &str) -> Self {
        let share = (of > 0).then(|| count as f64 / of as f64);
        Self { text: count.to_string(), share, filter: filter.to_owned() }
    }

    fn text(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// Figures of fewer cases than this tell what each of them is.
const FEW: usize = 10;

impl App {
    /// The cases of which the figures on the screen tell gold or what others said.
    pub fn cases_told_by_figures(&self) -> Vec<usize> {
        let shown = self.queue.shown();
        let tells = matches!(self.overlay, Some(Overlay::Overview(_))) && shown.len() < FEW;
        if tells { shown.to_vec() } else { Vec::new() }
    }

    /// May these cases be counted by what gold or others say without telling it of each?
    pub fn may_count(&self, cases: &[usize]) -> bool {
        cases.len() >= FEW || self.gold_visible
    }
}

impl Overview {
    /// Counts over the cases in the queue that have every answer and a gold label.
    pub fn of(app: &App) -> Self {
        let mut known = Vec::new();
        for case in app.queue.shown() {
            let Some(outcome) = app.outcome_of(*case) else { continue };
            let closed_book_right =
                app.answers_of(*case).and_then(|answers| answers.closed_book_is_right(outcome.gold));
            known.push(Known { case: *case, outcome, closed_book_right });
        }
        let mut sections = vec![accuracy(&known), flow(&known), ranks(app, &known)];
        if app.compares_runs() {
            sections.insert(0, against(app, &known));
        }
        sections.extend(confusion(app, &known));
        sections.extend(named_errors::sections(app, &known));
        Self { sections, selected: (0, 0, 0), read: known.len(), cases: app.queue.shown().len() }
    }

    /// The cell one stands on.
    pub fn cell(&self) -> Option<&Cell> {
        let (section, row, column) = self.selected;
        self.sections.get(section)?.rows.get(row)?.cells.get(column)
    }

    /// To the row below or above, across the sections.
    pub fn step_row(&mut self, down: bool) {
        let (section, row, column) = self.selected;
        let rows: Vec<(usize, usize)> = self
            .sections
            .iter()
            .enumerate()
            .flat_map(|(section, table)| (0..table.rows.len()).map(move |row| (section, row)))
            .collect();
        let at = rows.iter().position(|place| *place == (section, row)).unwrap_or(0);
        let at = if down { (at + 1).min(rows.len().saturating_sub(1)) } else { at.saturating_sub(1) };
        if let Some((section, row)) = rows.get(at) {
            self.selected = (*section, *row, column);
            self.keep_column();
        }
    }

    /// To the cell on the right or left.
    pub fn step_column(&mut self, right: bool) {
        let (section, row, column) = self.selected;
        self.selected = (section, row, if right { column + 1 } else { column.saturating_sub(1) });
        self.keep_column();
    }

    fn keep_column(&mut self) {
        let (section, row, column) = self.selected;
        let cells = self.sections.get(section).and_then(|table| table.rows.get(row)).map_or(0, |row| row.cells.len());
        self.selected.2 = column.min(cells.saturating_sub(1));
    }
}

fn accuracy(known: &[Known]) -> Section {
    let split = |verdict: Option<Verdict>| -> Vec<&Known> {
        known.iter().filter(|known| verdict.is_none_or(|verdict| known.outcome.verdict() == verdict)).collect()
    };
    let parts = [
        (split(None), ""),
        (split(Some(Verdict::Consistent)), "verdict:consistent "),
        (split(Some(Verdict::Inconsistent)), "verdict:inconsistent "),
    ];
    let row = |name: &str, filter: &str, right: &dyn Fn(&Known) -> Option<bool>| Row {
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
    Section {
        title: "Accuracy [95 % interval]; Enter opens the cases that are wrong".into(),
        columns: ["all", "consistent", "inconsistent"].map(str::to_owned).to_vec(),
        rows: vec![
            row("closed-book", "closed-book:wrong", &|known| known.closed_book_right),
            row("fused", "fused:wrong", &|known| Some(known.outcome.is_right())),
            row("oracle", "oracle:wrong", &|known| Some(known.outcome.oracle_is_right())),
            gap,
        ],
    }
}

/// What retrieval did: closed-book against fused.
fn flow(known: &[Known]) -> Section {
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

fn ranks(app: &App, known: &[Known]) -> Section {
    let deepest = known.iter().map(|known| known.outcome.answers.len()).max().unwrap_or(0);
    let wrong = known.iter().filter(|known| !known.outcome.is_right()).count();
    let right = known.len() - wrong;
    let mut rows = Vec::new();
    for hit in 0..deepest {
        let answered: Vec<bool> = known
            .iter()
            .filter_map(|known| (hit < known.outcome.answers.len()).then(|| known.outcome.is_right_at(hit)))
            .collect();
        let count =
            |test: fn(&CaseOutcome, usize) -> bool| known.iter().filter(|known| test(&known.outcome, hit)).count();
        let head = known.iter().find_map(|known| {
            let hits = app.answers_of(known.case)?.hits.as_ref()?;
            hits.get(hit).map(|hit| hit.first().head.to_string())
        });
        rows.push(Row {
            name: format!("hit {} {}", hit + 1, head.unwrap_or_default()),
            cells: vec![
                Cell::share(&Estimate::of(&answered), ""),
                Cell::count(count(CaseOutcome::is_rescued_by), wrong, &format!("rescued-by:{}", hit + 1)),
                Cell::count(count(CaseOutcome::is_ruined_by), right, &format!("ruined-by:{}", hit + 1)),
            ],
        });
    }
    Section {
        title: "Each hit alone: accuracy; rescues a wrong answer; ruins a right one".into(),
        columns: vec!["right alone".into(), format!("rescued of {wrong}"), format!("ruined of {right}")],
        rows,
    }
}

/// A table per task: gold label against fused answer.
fn confusion(app: &App, known: &[Known]) -> Vec<Section> {
    let mut sections = Vec::new();
    for task in &app.dataset.tasks {
        let of_task: Vec<&Known> = known.iter().filter(|known| app.dataset.cases[known.case].task == task.id).collect();
        if of_task.is_empty() {
            continue;
        }
        let mut rows = Vec::new();
        for (gold, label) in task.labels.iter().enumerate() {
            let of_label: Vec<&&Known> =
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

/// A is the run on the screen, B the other.
fn against(app: &App, known: &[Known]) -> Section {
    let mut rows = Vec::new();
    let mut slices: Vec<(String, String, Vec<&Known>)> = vec![("all".into(), String::new(), known.iter().collect())];
    for verdict in [Verdict::Consistent, Verdict::Inconsistent] {
        let word = if verdict == Verdict::Consistent { "consistent" } else { "inconsistent" };
        let cases = known.iter().filter(|known| known.outcome.verdict() == verdict).collect();
        slices.push((format!("{word} in A"), format!("verdict:{word} "), cases));
    }
    if app.dataset.tasks.len() > 1 {
        for task in &app.dataset.tasks {
            let cases = known.iter().filter(|known| app.dataset.cases[known.case].task == task.id).collect();
            slices.push((task.id.clone(), format!("task:{:?} ", task.id), cases));
        }
    }
    for (name, filter, cases) in slices {
        let who: Vec<WhoIsRight> = cases.iter().filter_map(|known| app.who_is_right(known.case)).collect();
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
    let names = (app.stored_run.as_deref().unwrap_or("this"), app.against.as_ref().map_or("", |run| run.name.as_str()));
    Section {
        title: format!("Who is right: A is {}, B is {}; McNemar's exact p", names.0, names.1),
        columns: ["both", "only A", "only B", "neither", "p"].map(str::to_owned).to_vec(),
        rows,
    }
}
