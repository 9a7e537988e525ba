//! The abilities of a server, found out by test requests.

use super::answer::Completion;
use super::chat::{CHAT, NextToken, SentPrompt, end_of_prompt};
use super::error::{ServerError, ServerErrorKind};
use super::http::Http;
use super::server_kind::{ServerIdentity, ServerKind};
use super::usage::UsageCounter;
use super::{ServerAddress, WITHIN_LONG};
use dissent_core::run::ServiceRecord;
use serde_json::{Value, json};

/// Number of log-probabilities in the first test request; the server shows how many it allows.
const MANY: usize = 1024;
/// The usual limit of servers.
const USUAL: usize = 20;

/// How log-probabilities of labels are obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogProbabilities {
    /// Requested by token id.
    ById,
    /// Requested by token id from SGLang's `/generate`.
    Generate,
    /// From a list of the likeliest tokens of any length.
    AnyNumber,
    /// From a list of the likeliest tokens with this maximum length; other tokens have a bound.
    Likeliest(usize),
}

/// How labels of several tokens are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeveralTokens {
    /// One request per label; its tokens are scored as part of the prompt.
    InThePrompt,
    /// One request per token after the first.
    OneByOne,
}

/// The abilities of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capability {
    pub log_probabilities: LogProbabilities,
    pub several_tokens: SeveralTokens,
    /// True if it returns the token ids of the prompt.
    pub prompt_ids: bool,
}

impl Capability {
    /// Sends test requests with an image and a word.
    ///
    /// # Errors
    /// Fails if the server does not accept images or returns no log-probabilities with token ids.
    pub async fn try_out(
        http: &Http,
        server: &ServerAddress,
        identity: &ServerIdentity,
        image: &str,
        usage: &UsageCounter,
    ) -> Result<Self, ServerError> {
        let prompt = SentPrompt::probe(image);
        let failed = |kind| http.failed(server, kind);
        let mut body = prompt.body(&identity.model, "");
        // Ids that every vocabulary has and that are unlikely as the start of an answer.
        let asked = [10, 11];
        body["logprob_token_ids"] = json!(asked);
        body["return_token_ids"] = json!(true);
        let ask = async |body: &Value| {
            let answer = http.post::<Completion>(server, CHAT, body, prompt.longest_answer(body), WITHIN_LONG).await?;
            usage.add(answer.value.usage.as_ref());
            Ok(answer)
        };
        let answer = ask(&body).await?;
        let prompt_ids = answer.value.prompt_token_ids.is_some();
        let named = NextToken::read(&answer);
        if let Err(kind @ ServerErrorKind::NoProbabilities { .. }) = named {
            return Err(failed(kind));
        }
        let log_probabilities = if named.is_ok_and(|named| asked.iter().all(|id| named.of(*id).is_some())) {
            LogProbabilities::ById
        } else {
            if let Some(body) = body.as_object_mut() {
                body.remove("logprob_token_ids");
            }
            let mut count = 0;
            for wanted in [MANY, USUAL, 5] {
                body["top_logprobs"] = json!(wanted);
                match ask(&body).await {
                    Ok(answer) => count = NextToken::read(&answer).map_err(failed)?.0.len(),
                    // Each server words this refusal differently.
                    Err(ServerError {
                        kind: ServerErrorKind::TooManyLogProbabilities { .. } | ServerErrorKind::Refused { .. },
                        ..
                    }) if wanted > 5 => {
                        continue;
                    }
                    Err(error) => return Err(error),
                }
                // vLLM was seen to return fewer while other clients requested tokens by id: use the longest of three
                // lists.
                for _ in 0..2 {
                    if count < wanted {
                        let again = ask(&body).await?;
                        count = count.max(NextToken::read(&again).map_err(failed)?.0.len());
                    }
                }
                break;
            }
            match count {
                0 => return Err(failed(no_list())),
                count if count >= MANY || identity.vocabulary.is_some_and(|size| count >= size) => {
                    LogProbabilities::AnyNumber
                }
                count => LogProbabilities::Likeliest(count),
            }
        };
        let several_tokens = if identity.kind == ServerKind::Vllm && prompt_ids {
            reads_labels_in_the_prompt(http, (server, identity), &prompt, usage).await?
        } else {
            SeveralTokens::OneByOne
        };
        Ok(Self { log_probabilities, several_tokens, prompt_ids })
    }

    /// The record of a server for users and for runs.
    pub fn record(&self, identity: &ServerIdentity, resizes: bool) -> ServiceRecord {
        ServiceRecord {
            engine: identity.engine(),
            model: identity.shown_model.clone(),
            api: "chat completions".into(),
            log_probabilities: match self.log_probabilities {
                LogProbabilities::ById => "exact, by token id".into(),
                LogProbabilities::Generate => "exact, by token id (/generate)".into(),
                LogProbabilities::AnyNumber => "exact, from a list as long as needed".into(),
                LogProbabilities::Likeliest(count) if identity.kind == ServerKind::Vllm => {
                    format!("of the {count} likeliest tokens; of others by a choice among labels, else a bound")
                }
                LogProbabilities::Likeliest(count) => {
                    format!("of the {count} likeliest tokens; a label beyond them has a bound")
                }
            },
            several_tokens: match self.several_tokens {
                SeveralTokens::InThePrompt => "one request per label, read with the prompt".into(),
                SeveralTokens::OneByOne => "one request per token after the first".into(),
            },
            images: if resizes { "at the processor's size" } else { "as they are, resized by the server" }.into(),
            prompt_check: match (resizes, self.prompt_ids) {
                (false, _) => "none (needs --reader-processor)",
                (true, true) => "every token id",
                (true, false) => "the number of tokens",
            }
            .into(),
            context: identity.context,
            answers: None,
        }
    }
}

fn no_list() -> ServerErrorKind {
    ServerErrorKind::Incomplete { missing: "list of likely tokens (top_logprobs)".into(), found: "an empty one".into() }
}

async fn reads_labels_in_the_prompt(
    http: &Http,
    (server, identity): (&ServerAddress, &ServerIdentity),
    prompt: &SentPrompt,
    usage: &UsageCounter,
) -> Result<SeveralTokens, ServerError> {
    let mut body = prompt.body(&identity.model, "0");
    body["prompt_logprobs"] = json!(0);
    body["return_token_ids"] = json!(true);
    let most = prompt.longest_answer(&body);
    let answer = http.post::<Completion>(server, CHAT, &body, most, WITHIN_LONG).await?;
    usage.add(answer.value.usage.as_ref());
    let last = answer.value.prompt_token_ids.as_ref().and_then(|ids| ids.last());
    let is_read = last.is_some_and(|last| end_of_prompt(&answer, &[*last]).is_ok());
    Ok(if is_read { SeveralTokens::InThePrompt } else { SeveralTokens::OneByOne })
}
