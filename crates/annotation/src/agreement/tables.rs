//! Agreement as tables: all categories together and each against the rest, over all tasks and in each.

use super::coefficient_names::Coefficient;
use super::measured::{Agreement, Measured, PairAgreement};
use super::ratings::Ratings;
use dissent_evaluation::report::{Cell, Table};
use rayon::prelude::*;
use serde::Serialize;

/// The kinds of tables in the order in which they are printed, and whether they are printed by default.
const KINDS: [(&str, bool); 6] = [
    ("agreement", true),
    ("pairs", true),
    ("pair-categories", false),
    ("confusion", true),
    ("readings", true),
    ("annotators", true),
];

/// A chance-corrected figure below `LOW` beside a percent agreement above `HIGH` is the prevalence paradox.
const LOW: f64 = 0.4;
const HIGH: f64 = 0.8;

/// Most categories with a row of their own: each is resampled, and nobody reads more.
const MOST_ROWS: usize = 200;

/// With fewer shared units, a figure says little.
const FEW: usize = 30;

/// The names of all kinds of tables.
pub fn agreement_table_keys() -> Vec<&'static str> {
    KINDS.iter().map(|(key, _)| *key).collect()
}

/// The names of the tables that are printed by default.
pub fn usual_agreement_table_keys() -> Vec<&'static str> {
    KINDS.iter().filter(|(_, usual)| *usual).map(|(key, _)| *key).collect()
}

/// The ratings of cases, with the task of each case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RatedCases {
    pub ratings: Ratings,
    /// One per unit of the ratings: position in the dataset.
    pub cases: Vec<usize>,
    /// One per unit: id of its task.
    pub tasks: Vec<String>,
    /// Ids of the tasks in their order.
    pub task_order: Vec<String>,
    /// Per annotator who read cases again: two columns, the first reading and the last.
    pub second_readings: Vec<Ratings>,
}

/// Agreement between annotators, as tables.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgreementReport {
    pub dataset: String,
    pub annotators: Vec<String>,
    /// Number of annotated cases, and of those with two annotators or more.
    pub cases: usize,
    pub shared: usize,
    /// Bootstrap resamples behind each interval; 0 if there are none.
    pub resamples: usize,
    /// Intervals draw whole groups, because two cases share one.
    pub by_group: bool,
    /// Remarks that a reader should know before trusting a figure.
    pub remarks: Vec<String>,
    pub tables: Vec<Table>,
}

/// All cases, or those of one task.
struct Subset {
    name: String,
    ratings: Ratings,
}

impl AgreementReport {
    /// Builds the tables that `keys` names. With 0 `resamples` there are no intervals, and nothing waits for other
    /// threads.
    pub fn of(dataset: &str, rated: &RatedCases, resamples: usize, keys: &[&str]) -> Self {
        let subsets = subsets_of(rated);
        let build = |subset: &Subset| tables_of(subset, resamples, keys);
        let built: Vec<(Vec<Table>, Vec<String>)> =
            if resamples == 0 { subsets.iter().map(build).collect() } else { subsets.par_iter().map(build).collect() };
        let shared = rated.ratings.shared();
        let mut remarks = Vec::new();
        if shared > 0 && shared < FEW {
            remarks
                .push(format!("{shared} shared cases are few: intervals are wide and may be too narrow all the same"));
        }
        let mut tables = Vec::new();
        for (own, paradoxes) in built {
            tables.extend(own);
            remarks.extend(paradoxes);
        }
        if keys.contains(&"readings") {
            tables.push(readings_table(&rated.second_readings, resamples));
        }
        // Tables are ordered by kind, then by subset.
        tables.sort_by_key(|table: &Table| KINDS.iter().position(|(key, _)| *key == table.key));
        tables.retain(|table| !table.rows.is_empty());
        Self {
            dataset: dataset.to_owned(),
            annotators: rated.ratings.annotators.clone(),
            cases: rated.ratings.units().len(),
            shared,
            resamples,
            by_group: rated.ratings.has_groups(),
            remarks,
            tables,
        }
    }

    /// The data behind the figures.
    pub fn basis(&self) -> String {
        let intervals = match self.resamples {
            0 => "no intervals".to_owned(),
            resamples => {
                let drawn = if self.by_group { "by patient or study" } else { "by case" };
                format!("intervals: 95 %, percentile bootstrap, {resamples} resamples {drawn}")
            }
        };
        format!(
            "{}; annotators: {}; cases annotated: {}, by two or more: {}; {intervals}",
            self.dataset,
            self.annotators.join(", "),
            self.cases,
            self.shared
        )
    }
}

fn subsets_of(rated: &RatedCases) -> Vec<Subset> {
    let mut by_task = Vec::new();
    for task in &rated.task_order {
        let of_task: Vec<usize> =
            rated.tasks.iter().enumerate().filter(|(_, own)| *own == task).map(|(unit, _)| unit).collect();
        if !of_task.is_empty() {
            by_task.push(Subset { name: task.clone(), ratings: rated.ratings.of_units(of_task.into_iter()) });
        }
    }
    if by_task.len() == 1 {
        return by_task;
    }
    by_task.insert(0, Subset { name: "all tasks".into(), ratings: rated.ratings.clone() });
    by_task
}

/// The wanted tables, and the places where high agreement stands beside low coefficients.
fn tables_of(subset: &Subset, resamples: usize, keys: &[&str]) -> (Vec<Table>, Vec<String>) {
    let is_wanted = |key: &str| keys.contains(&key);
    let mut tables = Vec::new();
    let mut remarks = Vec::new();
    if is_wanted("agreement") {
        let (table, paradoxes) = agreement_table(subset, resamples);
        tables.push(table);
        remarks = paradoxes;
    }
    if is_wanted("pairs") || is_wanted("confusion") {
        let pairs = PairAgreement::all(&subset.ratings, resamples);
        if is_wanted("pairs") {
            tables.push(pairs_table("pairs", subset, pair_rows(subset, "all categories", &pairs)));
        }
        if is_wanted("confusion") {
            tables.extend(confusion_tables(subset, &pairs));
        }
    }
    if is_wanted("pair-categories") {
        let mut rows = Vec::new();
        for category in used_categories(&subset.ratings) {
            let pairs = PairAgreement::all(&subset.ratings.one_against_rest(category), resamples);
            rows.extend(pair_rows(subset, &subset.ratings.categories[category], &pairs));
        }
        tables.push(pairs_table("pair-categories", subset, rows));
    }
    if is_wanted("annotators") {
        tables.push(annotators_table(subset));
    }
    (tables, remarks)
}

fn agreement_table(subset: &Subset, resamples: usize) -> (Table, Vec<String>) {
    let mut rows = Vec::new();
    let mut remarks = Vec::new();
    let whole = Agreement::of(&subset.ratings, resamples);
    remarks.extend(paradox(&subset.name, "all categories", &whole));
    rows.push(row_of("together", "all categories", &whole));
    let used = used_categories(&subset.ratings);
    if used.len() == MOST_ROWS {
        remarks.push(format!(
            "{}: at most {MOST_ROWS} categories have a row of their own, the most frequent ones",
            subset.name
        ));
    }
    for category in used {
        let name = subset.ratings.categories[category].as_str();
        let agreement = Agreement::of(&subset.ratings.one_against_rest(category), resamples);
        remarks.extend(paradox(&subset.name, name, &agreement));
        let mut row = row_of("one against the rest", name, &agreement);
        // MASI needs sets that can overlap; yes or no cannot.
        row[5] = Cell::from("as alpha");
        rows.push(row);
    }
    let mut note = String::from(
        "An answer is the whole set of categories of a case, unsure ones as well; skipped cases are left out. n is the number of \
         cases that two annotators or more answered.",
    );
    for coefficient in Coefficient::OF_ALL {
        note.push_str(&format!("\n{}: {}", coefficient.name(), coefficient.words()));
    }
    let table = Table {
        key: "agreement",
        title: format!("Agreement, {}", subset.name),
        note,
        columns: vec!["answers", "category", "n", "percent", "alpha", "alpha MASI", "AC1", "Fleiss' kappa"],
        rows,
    };
    (table, remarks)
}

fn row_of(answers: &str, category: &str, agreement: &Agreement) -> Vec<Cell> {
    let mut row = vec![Cell::from(answers), Cell::from(category), Cell::Count(agreement.shared)];
    row.extend(agreement.figures.iter().map(|(_, measured)| cell(measured)));
    row
}

fn cell(measured: &Measured) -> Cell {
    match measured {
        Ok(figure) => Cell::Estimate(figure.clone()),
        Err(reason) => Cell::Undefined(reason.to_string()),
    }
}

/// Warns if annotators nearly always agree and a coefficient is low nevertheless.
fn paradox(subset: &str, category: &str, agreement: &Agreement) -> Option<String> {
    let value = |coefficient| agreement.figure(coefficient)?.as_ref().ok()?.value;
    let (percent, alpha, ac1) = (value(Coefficient::Percent)?, value(Coefficient::Alpha)?, value(Coefficient::Ac1)?);
    (percent >= HIGH && alpha < LOW).then(|| {
        format!(
            "{subset}, {category}: annotators agree on {:.0} % of pairs and yet alpha is {alpha:.2}, because one answer prevails \
             (AC1 {ac1:.2}): the cases with the other answers are the ones to look at",
            percent * 100.0
        )
    })
}

/// The categories that someone gave, in their order; the most frequent ones if there are more than tables have rows
/// for.
fn used_categories(ratings: &Ratings) -> Vec<usize> {
    let mut given = vec![0_usize; ratings.categories.len()];
    for answer in ratings.units().iter().flatten().flatten() {
        for category in &ratings.answers()[*answer] {
            given[*category] += 1;
        }
    }
    let mut used: Vec<usize> = (0..given.len()).filter(|category| given[*category] > 0).collect();
    if used.len() > MOST_ROWS {
        used.sort_by_key(|category| std::cmp::Reverse(given[*category]));
        used.truncate(MOST_ROWS);
        used.sort_unstable();
    }
    used
}

fn pair_rows(subset: &Subset, category: &str, pairs: &[PairAgreement]) -> Vec<Vec<Cell>> {
    let names = &subset.ratings.annotators;
    let shared = pairs.iter().filter(|pair| pair.shared > 0);
    let row = |pair: &PairAgreement| {
        vec![
            Cell::Text(format!("{} and {}", names[pair.annotators.0], names[pair.annotators.1])),
            Cell::from(category),
            Cell::Count(pair.shared),
            cell(&pair.percent),
            cell(&pair.kappa),
        ]
    };
    shared.map(row).collect()
}

fn pairs_table(key: &'static str, subset: &Subset, mut rows: Vec<Vec<Cell>>) -> Table {
    // Rows of a pair stand together; the sort keeps the order of the categories.
    rows.sort_by_key(|row| row.first().map(Cell::text));
    let cohen = Coefficient::Cohen;
    let what = if key == "pairs" { "Pairs of annotators" } else { "Pairs of annotators, each category" };
    Table {
        key,
        title: format!("{what}, {}", subset.name),
        note: format!("n is the number of cases that both answered.\n{}: {}", cohen.name(), cohen.words()),
        columns: vec!["annotators", "category", "n", "percent", "Cohen's kappa"],
        rows,
    }
}

/// The answers of two annotators on cases where they differ, most frequent first.
fn confusion_tables(subset: &Subset, pairs: &[PairAgreement]) -> Vec<Table> {
    let names = &subset.ratings.annotators;
    let mut tables = Vec::new();
    for pair in pairs.iter().filter(|pair| pair.shared > 0) {
        let mut counts: Vec<(&(usize, usize), &usize)> = pair.confusion.iter().collect();
        counts.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
        let row = |((one, other), units): (&(usize, usize), &usize)| {
            let verdict = if one == other { "agree" } else { "differ" };
            let (one, other) = (subset.ratings.name_of(*one), subset.ratings.name_of(*other));
            vec![Cell::from(verdict), Cell::Text(one), Cell::Text(other), Cell::Count(*units)]
        };
        let (same, different): (Vec<_>, Vec<_>) = counts.into_iter().partition(|((one, other), _)| one == other);
        let (first, second) = (&names[pair.annotators.0], &names[pair.annotators.1]);
        tables.push(Table {
            key: "confusion",
            title: format!("Confusion, {}: {first} (first) and {second} (second)", subset.name),
            note: "The table counts cases by what both annotators answered.".into(),
            columns: vec!["pair", "first", "second", "n"],
            rows: different.into_iter().chain(same).map(row).collect(),
        });
    }
    tables
}

/// Each annotator's first reading against the last. It bounds the agreement that others can reach with this
/// annotator.
fn readings_table(readings: &[Ratings], resamples: usize) -> Table {
    let mut rows = Vec::new();
    for ratings in readings {
        for pair in PairAgreement::all(ratings, resamples) {
            let name = Cell::from(ratings.annotators[pair.annotators.0].as_str());
            rows.push(vec![name, Cell::Count(pair.shared), cell(&pair.percent), cell(&pair.kappa)]);
        }
    }
    Table {
        key: "readings",
        title: "Second readings, all tasks".into(),
        note: "The table compares each annotator's last reading of a case with the first. An annotator who does not give the \
               same answer twice cannot agree better with others."
            .into(),
        columns: vec!["annotator", "n", "percent", "Cohen's kappa"],
        rows,
    }
}

fn annotators_table(subset: &Subset) -> Table {
    let units = subset.ratings.units();
    let mut rows = Vec::new();
    for (position, name) in subset.ratings.annotators.iter().enumerate() {
        let own: Vec<_> = units.iter().filter(|unit| unit[position].is_some()).collect();
        let shared = own.iter().filter(|unit| unit.iter().flatten().count() > 1).count();
        rows.push(vec![Cell::from(name.as_str()), Cell::Count(own.len()), Cell::Count(shared)]);
    }
    Table {
        key: "annotators",
        title: format!("Annotators, {}", subset.name),
        note: "The table counts the cases that the annotator answered, and those of them that somebody else answered, too.".into(),
        columns: vec!["annotator", "cases", "shared"],
        rows,
    }
}
