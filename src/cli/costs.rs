//! What a command may cost at a server: the question before many requests, the budget in tokens, and the count at the end.

use crate::output::say;
use crate::pipeline::{Confirm, HostedReader, PlannedRequests, ServerUsage};
use crate::run::TokenUsage;
use anyhow::{Context, Result, bail, ensure};
use std::io::{IsTerminal, stderr, stdin};

/// What bounds the requests of every command; each has more of its own.
const BOUNDS: &str = "bound them (--limit N, --samples N, -k N or a smaller dataset, as far as the command has them)";

/// Agreement to many requests, for every command that may ask a server.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct ConsentFlag {
    /// Do not ask before many requests to a server outside this machine and its network
    #[arg(long)]
    pub yes: bool,
}

/// Agreement and a budget, for commands that can stop between two cases.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct CostFlags {
    #[command(flatten)]
    pub consent: ConsentFlag,
    /// Tokens of a server that this call may use: it stops before what would need more, and the same command continues.
    /// Nobody is asked then
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(1..))]
    pub budget: Option<u64>,
}

impl ConsentFlag {
    /// Asks on the terminal before many requests, unless the user has agreed.
    pub fn confirm(self) -> Confirm {
        if self.yes { agreed } else { ask_on_terminal }
    }

    /// Refuses many requests while the screen is taken, unless the user has agreed.
    pub fn confirm_before_the_screen(self) -> Confirm {
        if self.yes { agreed } else { refuse }
    }

    /// Asks before many requests.
    ///
    /// # Errors
    /// Fails if the user declines or cannot be asked.
    pub fn check(self, planned: Option<&PlannedRequests>) -> Result<()> {
        match planned.filter(|planned| planned.are_many()) {
            Some(planned) => self.confirm()(planned),
            None => Ok(()),
        }
    }
}

impl CostFlags {
    /// The agreement; a budget is one, because it bounds the cost.
    pub fn agreement(self) -> ConsentFlag {
        ConsentFlag { yes: self.consent.yes || self.budget.is_some() }
    }

    /// Refuses a budget that nothing keeps.
    ///
    /// # Errors
    /// Fails if there is a budget and `is_served` is false.
    pub fn check_served(self, is_served: bool, what: &str) -> Result<()> {
        ensure!(
            self.budget.is_none() || is_served,
            "--budget counts the tokens of a server; the {what} runs in this process"
        );
        Ok(())
    }

    /// Cases that are asked together: each alone if the budget has to be looked at after it.
    pub fn batch(self, without_budget: usize) -> usize {
        if self.budget.is_some() { 1 } else { without_budget }
    }

    /// Would the next part need more than is left? It is taken to need as much as the mean of the `done` ones.
    ///
    /// # Errors
    /// Fails if the server does not count its tokens, because a budget could not be kept.
    pub fn is_spent(self, usage: Option<TokenUsage>, done: usize) -> Result<bool> {
        let (Some(budget), Some(usage)) = (self.budget, usage) else { return Ok(false) };
        ensure!(
            usage.not_counted == 0,
            "the server does not say how many tokens its answers took, so --budget cannot be kept; leave it out, and {BOUNDS}"
        );
        let each = usage.tokens().checked_div(done as u64).unwrap_or_default();
        Ok(usage.tokens().saturating_add(each) > budget)
    }
}

/// What answering these cases takes, if the reader is hosted.
pub(super) fn planned_answers(
    hosted: Option<&HostedReader>,
    dataset: &crate::data::Dataset,
    cases: &[usize],
) -> Option<PlannedRequests> {
    hosted.map(|hosted| hosted.answering(dataset, cases.iter().copied()))
}

/// Says what was asked of servers, at the end of a command.
pub(super) fn say_usage(usage: ServerUsage) {
    for line in usage.lines() {
        say(&line);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of the two has to fail")]
fn agreed(_: &PlannedRequests) -> Result<()> {
    Ok(())
}

fn refuse(planned: &PlannedRequests) -> Result<()> {
    bail!("{}; run `dissent index` first, which asks, or say --yes", planned.in_words())
}

fn ask_on_terminal(planned: &PlannedRequests) -> Result<()> {
    let about = planned.in_words();
    if !stdin().is_terminal() || !stderr().is_terminal() {
        bail!("{about}; say --yes to go on, or {BOUNDS}");
    }
    say(&format!("{about}. Go on? [y/N]"));
    let mut line = String::new();
    stdin().read_line(&mut line).context("cannot read the answer")?;
    let is_yes = matches!(line.trim().to_lowercase().as_str(), "y" | "yes");
    ensure!(is_yes, "nothing was asked; to ask for less, {BOUNDS}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(requests: usize) -> PlannedRequests {
        PlannedRequests { server: "https://api.example.org".into(), requests, what: "answering 300 cases".into() }
    }

    #[test]
    fn many_requests_to_a_hosted_server_need_a_yes() {
        let silent = ConsentFlag { yes: false };
        // The tests have no terminal to be asked on.
        let message = silent.check(Some(&planned(7500))).unwrap_err().to_string();
        for expected in ["7500 requests", "api.example.org", "--yes", "--limit"] {
            assert!(message.contains(expected), "{expected}: {message}");
        }
        assert!(silent.check(Some(&planned(1000))).is_ok());
        assert!(silent.check(None).is_ok());
        assert!(ConsentFlag { yes: true }.check(Some(&planned(7500))).is_ok());
        let bounded = CostFlags { budget: Some(5), ..CostFlags::default() };
        assert!(bounded.agreement().check(Some(&planned(7500))).is_ok(), "the budget bounds the cost");
        let message = silent.confirm_before_the_screen()(&planned(7500)).unwrap_err().to_string();
        assert!(message.contains("dissent index") && message.contains("--yes"), "{message}");
    }

    #[test]
    fn the_next_case_must_fit_the_budget() {
        let cost = CostFlags { budget: Some(100), ..CostFlags::default() };
        let used = |prompt_tokens| Some(TokenUsage { requests: 1, prompt_tokens, ..TokenUsage::default() });
        assert!(!cost.is_spent(used(66), 2).unwrap());
        assert!(cost.is_spent(used(68), 2).unwrap());
        assert!(!cost.is_spent(used(40), 0).unwrap(), "the mean is not known yet");
        assert!(cost.is_spent(used(101), 0).unwrap());
        assert!(!CostFlags::default().is_spent(used(500), 1).unwrap());
        let uncounted = Some(TokenUsage { requests: 1, not_counted: 1, ..TokenUsage::default() });
        assert!(cost.is_spent(uncounted, 1).unwrap_err().to_string().contains("--budget"));
        assert!(cost.check_served(false, "reader").is_err() && cost.check_served(true, "reader").is_ok());
    }
}
