//! What a prediction may cost at a server: the budget in tokens, and the question before many requests.

use crate::output::say;
use crate::reader::ReaderSource;
use crate::reader::remote::ServerAddress;
use crate::run::{RunIdentity, TokenUsage};
use anyhow::{Context, Result, bail, ensure};
use std::io::{IsTerminal, stderr, stdin};

/// Requests to a server outside this machine and its network before which the user is asked.
const MANY_REQUESTS: usize = 1000;

/// The limits of `dissent predict`.
#[derive(Clone, Copy, Debug)]
pub(super) struct CostLimits {
    /// Tokens that this call may use.
    pub budget: Option<u64>,
    /// The user has agreed to many requests.
    pub is_confirmed: bool,
}

impl CostLimits {
    /// Asks before many requests to a server that is not local. `asked` is the number of questions about one document, over all
    /// cases: a set of labels is asked label by label.
    ///
    /// # Errors
    /// Fails if the user declines or cannot be asked, and if a budget is given for a reader without a server.
    pub fn check(&self, reader: &ReaderSource, identity: &RunIdentity, (cases, asked): (usize, usize)) -> Result<()> {
        let ReaderSource::Served(served) = reader else {
            ensure!(self.budget.is_none(), "--budget counts the tokens of a server; this reader runs in this process");
            return Ok(());
        };
        let hits = match &identity.given_hits {
            Some(given) => given.k * given.heads.len(),
            None => identity.k_image + identity.k_caption + identity.k_lexical,
        };
        let prompts = asked * (hits + 1);
        let samples = identity.reader_service.as_ref().and_then(|service| service.answers.as_ref());
        let answers = prompts * samples.map_or(1, |answers| answers.samples as usize);
        self.confirm(&served.addresses, (cases, prompts, answers))
    }

    fn confirm(&self, servers: &[ServerAddress], (cases, prompts, answers): (usize, usize, usize)) -> Result<()> {
        let Some(hosted) = servers.iter().find(|address| !address.is_local()) else { return Ok(()) };
        if self.is_confirmed || answers <= MANY_REQUESTS {
            return Ok(());
        }
        let about = format!("{cases} cases are up to {answers} answers ({prompts} prompts with images) from {hosted}");
        if !stdin().is_terminal() || !stderr().is_terminal() {
            bail!("{about}; say --yes to go on, or bound it with --limit N, --samples N or -k N, and --budget TOKENS");
        }
        say(&format!("{about}. Go on? [y/N]"));
        let mut line = String::new();
        stdin().read_line(&mut line).context("cannot read the answer")?;
        let is_yes = matches!(line.trim().to_lowercase().as_str(), "y" | "yes");
        ensure!(is_yes, "nothing was asked; --limit N, --samples N and --budget TOKENS bound a run");
        Ok(())
    }

    /// Would the next case need more than is left? It is taken to need as much as the mean of the `done` ones.
    ///
    /// # Errors
    /// Fails if the server does not count its tokens, because a budget could not be kept.
    pub fn is_spent(&self, usage: Option<TokenUsage>, done: usize) -> Result<bool> {
        let (Some(budget), Some(usage)) = (self.budget, usage) else { return Ok(false) };
        ensure!(
            usage.not_counted == 0,
            "the server does not say how many tokens its answers took, so --budget cannot be kept; leave it out, and bound \
             the run with --limit N"
        );
        let each = usage.tokens().checked_div(done as u64).unwrap_or_default();
        Ok(usage.tokens().saturating_add(each) > budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_requests_to_a_hosted_server_need_a_yes() {
        let cost = CostLimits { budget: None, is_confirmed: false };
        let hosted = ServerAddress::parse_list("https://api.example.org").unwrap();
        let many = (300, 1500, 7500);
        // The tests have no terminal to be asked on.
        let message = cost.confirm(&hosted, many).unwrap_err().to_string();
        for expected in ["7500 answers", "api.example.org", "--yes", "--limit"] {
            assert!(message.contains(expected), "{expected}: {message}");
        }
        assert!(cost.confirm(&hosted, (40, 200, 1000)).is_ok());
        assert!(CostLimits { is_confirmed: true, ..cost }.confirm(&hosted, many).is_ok());
        assert!(cost.confirm(&ServerAddress::parse_list("http://gpu:8000").unwrap(), many).is_ok());
    }

    #[test]
    fn the_next_case_must_fit_the_budget() {
        let cost = CostLimits { budget: Some(100), is_confirmed: false };
        let used = |prompt_tokens| Some(TokenUsage { requests: 1, prompt_tokens, ..TokenUsage::default() });
        assert!(!cost.is_spent(used(66), 2).unwrap());
        assert!(cost.is_spent(used(68), 2).unwrap());
        assert!(!cost.is_spent(used(40), 0).unwrap(), "the mean is not known yet");
        assert!(cost.is_spent(used(101), 0).unwrap());
        assert!(!CostLimits { budget: None, ..cost }.is_spent(used(500), 1).unwrap());
        let uncounted = Some(TokenUsage { requests: 1, not_counted: 1, ..TokenUsage::default() });
        assert!(cost.is_spent(uncounted, 1).unwrap_err().to_string().contains("--budget"));
    }
}
