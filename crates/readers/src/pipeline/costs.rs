//! What many requests to a server outside this machine and its network need: one rule for all commands and the explorer.

use crate::reader::ReaderSource;
use dissent_core::data::Dataset;
use dissent_core::run::{ServiceRecord, TokenUsage};
use dissent_retrieval::index::Embedder;

/// Requests to such a server before which somebody is asked.
pub const MANY_REQUESTS: usize = 1000;

/// Asks before many requests, or refuses them. It is called only if they are many.
pub type Confirm = fn(&PlannedRequests) -> anyhow::Result<()>;

/// Requests that are about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRequests {
    /// Address of the server outside this machine and its network.
    pub server: String,
    /// How many there are at most.
    pub requests: usize,
    /// What they are for: "answering 300 cases".
    pub what: String,
}

impl PlannedRequests {
    /// Whether somebody is asked first.
    pub fn are_many(&self) -> bool {
        self.requests > MANY_REQUESTS
    }

    /// For people: "answering 300 cases is up to 7500 requests to <https://api.example.org>".
    pub fn in_words(&self) -> String {
        format!("{} is up to {} requests to {}", self.what, self.requests, self.server)
    }
}

/// A reader on a server outside this machine and its network, which may cost money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedReader {
    /// Its address.
    pub server: String,
    /// Answers that are sampled for each prompt; 1 if labels are scored.
    pub requests_per_prompt: usize,
    /// Prompts for a question: one for each hit, and one without a document.
    pub prompts_per_question: usize,
}

impl HostedReader {
    /// `None` for a reader in this process or on a server of this network. `record` is that of the opened reader, `hits` the
    /// number of documents that are read for each case.
    pub fn of(reader: &ReaderSource, record: Option<&ServiceRecord>, hits: usize) -> Option<Self> {
        let samples = record.and_then(|record| record.answers.as_ref()).map_or(1, |answers| answers.samples as usize);
        Some(Self { server: reader.hosted()?, requests_per_prompt: samples, prompts_per_question: hits + 1 })
    }

    /// What answering these cases takes at most. A set of labels is asked label by label.
    pub fn answering(&self, dataset: &Dataset, cases: impl IntoIterator<Item = usize>) -> PlannedRequests {
        let (mut count, mut questions) = (0, 0);
        for case in cases {
            count += 1;
            let task = dataset.cases.get(case).and_then(|case| dataset.task(&case.task));
            questions += task.map_or(1, |task| if task.asks_each_label() { task.labels.len() } else { 1 });
        }
        let what = if count == 1 { "answering 1 case".to_owned() } else { format!("answering {count} cases") };
        self.asking(what, questions * self.prompts_per_question)
    }

    /// What asking this number of prompts takes.
    pub fn asking(&self, what: String, prompts: usize) -> PlannedRequests {
        PlannedRequests { server: self.server.clone(), requests: prompts * self.requests_per_prompt, what }
    }
}

/// What embedding so many documents for an index takes at most; `None` if the encoder is in this process or this network.
pub fn planned_build(documents: usize, encoder: &dyn Embedder) -> Option<PlannedRequests> {
    let server = encoder.hosted()?;
    let what = format!("indexing {documents} documents");
    Some(PlannedRequests { server, requests: encoder.requests_for(documents, documents), what })
}

/// What the vectors of these cases take, if the encoder's server may cost money: one request each.
pub fn planned_queries(hosted: Option<String>, cases: usize) -> Option<PlannedRequests> {
    let what = format!("embedding the images of {cases} cases");
    Some(PlannedRequests { server: hosted?, requests: cases, what })
}

/// What was asked of servers so far; `None` for a model in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerUsage {
    pub reader: Option<TokenUsage>,
    pub encoder: Option<TokenUsage>,
}

impl ServerUsage {
    /// Whether a server was asked anything.
    pub fn was_asked(&self) -> bool {
        [self.reader, self.encoder].into_iter().flatten().any(|usage| usage.requests > 0)
    }

    /// For people, one line for each server that was asked.
    pub fn lines(&self) -> Vec<String> {
        let named = [("server", self.reader), ("server of the encoder", self.encoder)];
        let asked =
            named.into_iter().filter_map(|(name, usage)| Some((name, usage.filter(|usage| usage.requests > 0)?)));
        asked.map(|(name, usage)| format!("{name}: {}", usage.short())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_many_requests_are_asked_about() {
        let reader =
            HostedReader { server: "https://api.example.org".into(), requests_per_prompt: 5, prompts_per_question: 5 };
        let planned = |prompts| reader.asking("explaining".into(), prompts);
        assert!(!planned(200).are_many() && planned(201).are_many());
        assert_eq!(planned(300).in_words(), "explaining is up to 1500 requests to https://api.example.org");
    }

    #[test]
    fn a_model_in_this_process_has_no_line() {
        let asked = TokenUsage { requests: 3, prompt_tokens: 40, answer_tokens: 2, not_counted: 0 };
        let usage = ServerUsage { reader: None, encoder: Some(asked) };
        assert_eq!(usage.lines(), ["server of the encoder: 3 requests, 40 tokens read, 2 written"]);
        assert_eq!(ServerUsage { reader: Some(TokenUsage::default()), encoder: None }.lines(), [""; 0]);
    }
}
