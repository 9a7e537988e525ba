//! Finds out how a server can be asked for a label in the mode `answers`.

use super::answer::{Answer, SampledChoice, SampledCompletion};
use super::chat::{CHAT, SentPrompt};
use super::dialect::{Constraint, Dialect, FIELD};
use super::error::{ServerError, ServerErrorKind};
use super::http::Http;
use super::mode::SampleSettings;
use super::server_kind::ServerIdentity;
use super::usage::UsageCounter;
use super::{ServerAddress, WITHIN_LONG};
use dissent_core::run::{AnswerSampling, ServiceRecord};
use serde_json::Value;

/// Two answers that no model gives unless it must.
const PROBED: [&str; 2] = ["zebra", "quagga"];
/// Bytes of an answer beside the texts that were asked for: its JSON, a list of what was filtered, what a model thought.
pub(super) const LONGEST_ANSWER: usize = 1 << 20;

/// How labels are sampled from a server.
#[derive(Clone, Debug)]
pub(super) struct Sampling {
    pub dialect: Dialect,
    pub settings: SampleSettings,
    /// The model that answered the test request, in the server's words: hosted names stand for dated versions.
    pub model: Option<String>,
    /// Why there are no log-probabilities.
    pub reason: String,
}

impl Sampling {
    /// Tries the ways to ask for a label, the best first, with requests of an image and a word.
    ///
    /// # Errors
    /// Fails if the server refuses even a request for a short answer.
    pub async fn try_out(
        http: &Http,
        (server, identity): (&ServerAddress, &ServerIdentity),
        (image, lead): (&str, Option<String>),
        (settings, reason): (SampleSettings, String),
        usage: &UsageCounter,
    ) -> Result<Self, ServerError> {
        let prompt = SentPrompt::probe(image);
        let mut dialect = Dialect::first(identity.kind, Constraint::ShortAnswer, lead);
        for constraint in Constraint::candidates(identity.kind) {
            dialect.constraint = *constraint;
            let tried =
                try_constraint(http, (server, identity), &prompt, &mut dialect, settings.temperature, usage).await?;
            if let Tried::Works { model } = tried {
                return Ok(Self { dialect, settings, model, reason });
            }
        }
        let found = "answers that are none of the labels it was asked for".to_owned();
        Err(http.failed(server, ServerErrorKind::Incomplete { missing: "way to ask for a label".into(), found }))
    }

    /// The record of a server for users and for runs.
    pub fn record(&self, identity: &ServerIdentity, resizes: bool) -> ServiceRecord {
        let answers = self.answers();
        ServiceRecord {
            engine: identity.engine(),
            model: identity.shown_model.clone(),
            api: "chat completions".into(),
            log_probabilities: format!(
                "none: ≈ shares of {} answers at temperature {}",
                answers.samples, answers.temperature
            ),
            several_tokens: "written as a whole".into(),
            images: if resizes { "at the processor's size" } else { "as they are, resized by the server" }.into(),
            prompt_check: if resizes { "the number of tokens" } else { "none (needs --reader-processor)" }.into(),
            context: identity.context,
            answers: Some(answers),
        }
    }

    fn answers(&self) -> AnswerSampling {
        let temperature = if self.dialect.takes_temperature {
            self.settings.temperature.to_string()
        } else {
            "the server's own, which is all that it takes".to_owned()
        };
        AnswerSampling {
            samples: self.settings.samples,
            temperature,
            asked_by: self.dialect.constraint.description().to_owned(),
            reason: self.reason.clone(),
        }
    }

    /// All that decides the answers, for fingerprints.
    pub fn identity(&self) -> String {
        let Self { dialect, settings, model, reason: _ } = self;
        format!("{dialect:?} {} {} {model:?}", settings.samples, settings.temperature)
    }
}

/// Outcome of a test request.
enum Tried {
    /// The answers were labels; this model gave them, in the server's words.
    Works {
        model: Option<String>,
    },
    Fails,
}

/// Sends the test request, leaving out what the server refuses by name.
async fn try_constraint(
    http: &Http,
    (server, identity): (&ServerAddress, &ServerIdentity),
    prompt: &SentPrompt,
    dialect: &mut Dialect,
    temperature: f32,
    usage: &UsageCounter,
) -> Result<Tried, ServerError> {
    let is_last = dialect.constraint == Constraint::ShortAnswer;
    let before = dialect.clone();
    loop {
        let asked = dialect.choices(2);
        let body = dialect.label_body(prompt, &identity.model, &PROBED, temperature, (0, asked));
        let answer: Answer<SampledCompletion> = match http.post(server, CHAT, &body, LONGEST_ANSWER, WITHIN_LONG).await
        {
            Ok(answer) => answer,
            Err(error) => {
                let (ServerErrorKind::Refused { said, .. }
                | ServerErrorKind::Failed { said, .. }
                | ServerErrorKind::AnswerTooLong { said }) = &error.kind
                else {
                    return Err(error);
                };
                // What it says is about the constraint, not about a field that every request has.
                if !is_last && mentions(said, dialect.constraint) {
                    *dialect = before;
                    return Ok(Tried::Fails);
                }
                if dialect.give_up(said) {
                    continue;
                }
                if is_last {
                    return Err(error);
                }
                *dialect = before;
                return Ok(Tried::Fails);
            }
        };
        usage.add(answer.value.usage.as_ref());
        let given = answer.value.choices.len();
        if given == 0 {
            let missing = "answer (choices)".into();
            return Err(http.failed(server, ServerErrorKind::Incomplete { missing, found: answer.beginning }));
        }
        if answer.value.choices.iter().any(SampledChoice::is_used_up) {
            if dialect.leaves_room_to_think {
                let missing = "text of an answer: its tokens ended before, most likely because the model thinks".into();
                return Err(http.failed(server, ServerErrorKind::Incomplete { missing, found: answer.beginning }));
            }
            dialect.leaves_room_to_think = true;
            continue;
        }
        // It may ignore the number.
        dialect.several_choices &= given as u32 == asked;
        let is_one = |text: &str| {
            let bare = without_fence(text);
            match serde_json::from_str::<Value>(bare) {
                Ok(Value::Object(object)) => {
                    let named = object.get(FIELD).and_then(Value::as_str);
                    dialect.constraint == Constraint::JsonSchema && named.is_some_and(|named| PROBED.contains(&named))
                }
                _ => dialect.constraint != Constraint::JsonSchema && PROBED.contains(&text.trim()),
            }
        };
        let works = is_last || answer.value.choices.iter().all(|choice| choice.text().is_some_and(is_one));
        return Ok(if works { Tried::Works { model: answer.value.model } } else { Tried::Fails });
    }
}

/// Does a refusal speak of the field of this constraint?
fn mentions(said: &str, constraint: Constraint) -> bool {
    let names: &[&str] = match constraint {
        Constraint::Choice => &["structured_outputs"],
        Constraint::GuidedChoice => &["guided_choice"],
        Constraint::Grammar => &["grammar"],
        Constraint::Regex => &["regex"],
        Constraint::JsonSchema => &["response_format", "json_schema", "json schema"],
        Constraint::ShortAnswer => &[],
    };
    let said = said.to_lowercase();
    names.iter().any(|name| said.contains(name))
}

/// The text without a Markdown fence around it, which some models write around JSON.
pub(super) fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    inner.strip_prefix("json").unwrap_or(inner).trim()
}
