//! The options that choose and order the cases of a session, shared by `explore`, `annotate` and
//! `annotations assign`.

use crate::annotation::{AnnotationState, Plan, Wanted, Worklist};
use crate::data::{Dataset, Split};
use crate::evaluation::SummaryCase;
use crate::output::count;
use crate::run::{CaseAnswer, Run};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// The plan of who annotates which case. Everybody gives the same options and gets their own share; there is no
/// server.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PlanOptions {
    /// Divide the cases among these annotators; their order does not matter
    #[arg(long, value_delimiter = ',', value_name = "A,B,…", help_heading = "Sharing the work")]
    pub annotators: Vec<String>,
    /// Number of annotators per case; default: all
    #[arg(long, value_name = "M", requires = "annotators", help_heading = "Sharing the work")]
    pub overlap: Option<usize>,
    /// Seed of the assignment
    #[arg(long, default_value_t = 0, value_name = "N", requires = "annotators", help_heading = "Sharing the work")]
    pub seed: u64,
    /// Give everybody the same N cases first, drawn with the seed
    #[arg(long, default_value_t = 0, value_name = "N", requires = "annotators", help_heading = "Sharing the work")]
    pub calibration: usize,
}

/// Options that choose the annotator's cases and their order.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct QueueOptions {
    #[command(flatten)]
    pub plan: PlanOptions,
    /// Show the cases whose stored answers disagree most first (after the calibration cases); needs --run
    #[arg(long, requires = "run", help_heading = "Sharing the work")]
    pub hard_first: bool,
    /// Only cases that I have not annotated yet
    #[arg(long, conflicts_with_all = ["second_pass", "review_own"], help_heading = "Sharing the work")]
    pub only_mine_left: bool,
    /// Only cases that somebody else has annotated and I have not; their annotations stay hidden
    #[arg(long, conflicts_with = "review_own", help_heading = "Sharing the work")]
    pub second_pass: bool,
    /// Annotate my own earlier cases a second time without seeing the first annotation; both are kept
    #[arg(long, help_heading = "Sharing the work")]
    pub review_own: bool,
    /// With --review-own: minimum age of the first annotation
    #[arg(
        long,
        default_value_t = 24,
        value_name = "HOURS",
        requires = "review_own",
        help_heading = "Sharing the work"
    )]
    pub after: u32,
}

/// The cases of a session.
#[derive(Clone, Debug, Default)]
pub struct ChosenQueue {
    /// Positions in `Dataset::cases`.
    pub cases: Vec<usize>,
    /// The pass of each case that is annotated again, by id; see [`Worklist::passes`].
    pub passes: HashMap<String, u32>,
}

impl PlanOptions {
    /// # Errors
    /// Fails if the options contradict each other.
    pub fn plan(&self) -> Result<Option<Plan>> {
        if self.annotators.is_empty() {
            return Ok(None);
        }
        let overlap = self.overlap.unwrap_or(self.annotators.len());
        Plan::new(&self.annotators, overlap, self.seed, self.calibration).map(Some)
    }
}

impl QueueOptions {
    /// The chosen part of the annotator's cases.
    pub fn wanted(&self) -> Wanted {
        if self.only_mine_left {
            Wanted::Left
        } else if self.second_pass {
            Wanted::SecondPass
        } else if self.review_own {
            Wanted::OwnAgain(Duration::hours(i64::from(self.after)))
        } else {
            Wanted::All
        }
    }

    /// Whether earlier annotations and the gold answer are hidden.
    pub fn is_blind(&self) -> bool {
        self.second_pass || self.review_own
    }

    /// The message for an empty queue.
    pub fn nothing_left(&self, annotator: &str, of: usize) -> String {
        let of = count(of, "case");
        match self.wanted() {
            Wanted::All => format!("none of the {of} is assigned to {annotator}"),
            Wanted::Left => format!("{annotator} has annotated all of their share of the {of}"),
            Wanted::SecondPass => format!("none of the {of} assigned to {annotator} needs a second annotator"),
            Wanted::OwnAgain(_) => {
                format!("{annotator} annotated none of the {of} {} or more ago", count(self.after as usize, "hour"))
            }
        }
    }

    /// The queue of `annotator` from these cases of the dataset. `answers` are those of the stored run.
    ///
    /// # Errors
    /// Fails if the plan is invalid or does not name the annotator.
    pub fn choose(
        &self,
        dataset: &Dataset,
        cases: &[usize],
        annotator: &str,
        state: &AnnotationState,
        answers: &[CaseAnswer],
    ) -> Result<ChosenQueue> {
        let (mut mine, calibration) = match self.plan.plan().context("--annotators")? {
            None => (cases.to_vec(), 0),
            Some(plan) => {
                let assignment = plan.assign(&ids_of(dataset, cases));
                let queue = assignment.queue_of(annotator).context("--annotators")?;
                (queue.into_iter().map(|place| cases[place]).collect(), assignment.calibration.len())
            }
        };
        if self.hard_first {
            sort_hard_first(dataset, &mut mine[calibration..], answers);
        }
        let list =
            Worklist::choose(&ids_of(dataset, &mine), annotator, self.wanted(), state, OffsetDateTime::now_utc());
        Ok(ChosenQueue { cases: list.cases.into_iter().map(|place| mine[place]).collect(), passes: list.passes })
    }
}

/// The cases of the split in the dataset's order; without a split, the test cases if there are any, else all.
pub fn cases_of_split(dataset: &Dataset, split: Option<Split>) -> Vec<usize> {
    let has_test = dataset.cases.iter().any(|case| case.split == Split::Test);
    let wanted = split.or(has_test.then_some(Split::Test));
    let cases = dataset.cases.iter().enumerate();
    cases.filter(|(_, case)| wanted.is_none_or(|split| case.split == split)).map(|(index, _)| index).collect()
}

/// The answers of the stored run, if the order of the queue depends on them.
///
/// # Errors
/// Fails if the run cannot be read.
pub fn stored_answers(
    options: &QueueOptions,
    run: Option<&str>,
    workspace: &Workspace,
    dataset: &Dataset,
) -> Result<Vec<CaseAnswer>> {
    let Some(name) = run.filter(|_| options.hard_first) else { return Ok(Vec::new()) };
    Run::open(&workspace.existing_run(name)?)?.into_answers(dataset)
}

/// Ids of the cases at these positions.
pub fn ids_of<'a>(dataset: &'a Dataset, cases: &[usize]) -> Vec<&'a str> {
    cases.iter().map(|case| dataset.cases[*case].id.as_str()).collect()
}

/// Sorts by the share of pairs of answers that differ, then by the answers' entropy. Cases that the run lacks come last;
/// equal cases keep their order.
fn sort_hard_first(dataset: &Dataset, cases: &mut [usize], answers: &[CaseAnswer]) {
    let mut hardness: HashMap<usize, (f64, f64)> = HashMap::new();
    for answer in answers {
        let outcome = SummaryCase::of(answer, dataset).and_then(|case| case.outcome);
        if let Some(outcome) = outcome {
            hardness.insert(answer.case, (outcome.disagreement(), outcome.entropy()));
        }
    }
    let of = |case: &usize| hardness.get(case).copied().unwrap_or((-1.0, -1.0));
    cases.sort_by(|one, other| {
        let (one, other) = (of(one), of(other));
        other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1))
    });
}
