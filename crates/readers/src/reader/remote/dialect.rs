//! The form of requests for sampled answers that a server accepts: how a label is asked for, and which fields it takes.
//!
//! | server | a label is asked for by | other fields |
//! |---|---|---|
//! | vLLM | `structured_outputs.choice`, older `guided_choice` | `n`, `seed`, samplers switched off |
//! | llama.cpp | `grammar` | one request per answer with its own `seed`, samplers switched off |
//! | SGLang | `regex` | `n`, samplers switched off |
//! | Ollama, hosted servers | `response_format` with a JSON schema | what they accept of `n`, `seed`, `temperature` |
//! | servers that ignore or refuse all of these | a short answer that is searched for labels | |

use super::chat::SentPrompt;
use super::server_kind::ServerKind;
use crate::reader::generation::{MOST_TOKENS, STOP};
use serde_json::{Value, json};

/// Tokens for a thinking model, whose limit covers what it thinks.
const TOKENS_TO_THINK: usize = 4096;
/// Tokens around the label in a JSON answer.
const TOKENS_AROUND: usize = 24;
/// The field of the label in a JSON answer.
pub(super) const FIELD: &str = "answer";
/// Most answers per request; OpenAI takes 128, Google 8.
const MOST_CHOICES: u32 = 8;

/// How a label is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Constraint {
    /// vLLM's `structured_outputs`.
    Choice,
    /// Older vLLM's `guided_choice`.
    GuidedChoice,
    /// llama.cpp's `grammar`.
    Grammar,
    /// SGLang's `regex`.
    Regex,
    /// OpenAI's `response_format`, an object whose field names the label.
    JsonSchema,
    /// Nothing: the answer is searched for labels.
    ShortAnswer,
}

impl Constraint {
    /// The ways to try with a server, the best first: a bare label is what the reader was trained to write.
    pub fn candidates(kind: ServerKind) -> &'static [Self] {
        match kind {
            ServerKind::Vllm => &[Self::Choice, Self::GuidedChoice, Self::JsonSchema, Self::ShortAnswer],
            ServerKind::LlamaCpp => &[Self::Grammar, Self::JsonSchema, Self::ShortAnswer],
            ServerKind::Sglang => &[Self::Regex, Self::JsonSchema, Self::ShortAnswer],
            ServerKind::Ollama | ServerKind::Other => &[Self::JsonSchema, Self::ShortAnswer],
        }
    }

    /// For people.
    pub fn description(self) -> &'static str {
        match self {
            Self::Choice => "a choice among them (structured_outputs)",
            Self::GuidedChoice => "a choice among them (guided_choice)",
            Self::Grammar => "a grammar of them",
            Self::Regex => "a regular expression of them",
            Self::JsonSchema => "a JSON schema that lists them",
            Self::ShortAnswer => "looked for in a short answer; the server constrains nothing",
        }
    }
}

/// The fields that a server accepts; found out by trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub kind: ServerKind,
    pub constraint: Constraint,
    /// Does it take `n`, several answers per request?
    pub several_choices: bool,
    /// Is the length limited by `max_completion_tokens`? OpenAI's thinking models refuse `max_tokens`.
    pub counts_thinking: bool,
    /// Is there room to think before the answer? Without it a thinking model writes none.
    pub leaves_room_to_think: bool,
    pub takes_temperature: bool,
    pub takes_seed: bool,
    /// White space that the template puts before an answer; `None` if it is not known.
    pub lead: Option<String>,
}

impl Dialect {
    /// What is tried first. llama.cpp is not asked for several answers at once: each has its own seed.
    pub fn first(kind: ServerKind, constraint: Constraint, lead: Option<String>) -> Self {
        let several_choices = !matches!(kind, ServerKind::LlamaCpp | ServerKind::Ollama);
        Self {
            kind,
            constraint,
            several_choices,
            counts_thinking: false,
            leaves_room_to_think: false,
            takes_temperature: true,
            takes_seed: true,
            lead,
        }
    }

    /// Gives up a field that a refusal names; false if it names none that could be left out. A server that refuses without
    /// saying why is asked for one answer at a time.
    pub fn give_up(&mut self, said: &str) -> bool {
        let said = said.to_lowercase();
        if !self.counts_thinking && said.contains("max_completion_tokens") {
            (self.counts_thinking, self.leaves_room_to_think) = (true, true);
        } else if self.takes_temperature && said.contains("temperature") {
            self.takes_temperature = false;
        } else if self.takes_seed && said.contains("seed") {
            self.takes_seed = false;
        } else if self.several_choices {
            self.several_choices = false;
        } else {
            return false;
        }
        true
    }

    /// Number of answers to ask for in one request if this many are missing.
    pub fn choices(&self, missing: u32) -> u32 {
        if self.several_choices { missing.min(MOST_CHOICES) } else { 1 }
    }

    /// The body of a request for `choices` answers that are one of the labels; `number` is that of the first answer.
    pub fn label_body(
        &self,
        prompt: &SentPrompt,
        model: &str,
        labels: &[&str],
        temperature: f32,
        (number, choices): (u32, u32),
    ) -> Value {
        let longest = labels.iter().map(|label| label.len()).max().unwrap_or_default();
        let most_tokens = match self.constraint {
            Constraint::ShortAnswer => MOST_TOKENS.max(longest),
            // Each byte of a label is a token at most.
            Constraint::JsonSchema => longest + TOKENS_AROUND,
            _ => longest + 2,
        };
        let mut body = self.body(prompt, model, most_tokens, temperature);
        if choices > 1 {
            body["n"] = json!(choices);
        }
        // With one seed for several answers, some servers give the same answer several times; vLLM counts it up itself.
        if self.takes_seed && (choices == 1 || self.kind == ServerKind::Vllm) {
            body["seed"] = json!(prompt.seed + number);
        }
        let lead = self.lead.as_deref().unwrap_or_default();
        let led = || labels.iter().map(|label| format!("{lead}{label}"));
        match self.constraint {
            Constraint::Choice => body["structured_outputs"] = json!({"choice": led().collect::<Vec<_>>()}),
            Constraint::GuidedChoice => body["guided_choice"] = json!(led().collect::<Vec<_>>()),
            Constraint::Grammar => body["grammar"] = json!(self.grammar(labels)),
            Constraint::Regex => {
                let escaped: Vec<String> = led().map(|label| escaped_in_regex(&label)).collect();
                body["regex"] = json!(format!("({})", escaped.join("|")));
            }
            Constraint::JsonSchema => {
                body["response_format"] = json!({"type": "json_schema", "json_schema": {
                    "name": "label",
                    "strict": true,
                    "schema": {
                        "type": "object",
                        "properties": {FIELD: {"type": "string", "enum": labels}},
                        "required": [FIELD],
                        "additionalProperties": false,
                    },
                }});
            }
            Constraint::ShortAnswer => {}
        }
        body
    }

    /// The body of a request for an answer in words, by greedy decoding as far as the server has it.
    pub fn words_body(&self, prompt: &SentPrompt, model: &str, most_tokens: usize) -> Value {
        let mut body = self.body(prompt, model, most_tokens, 0.0);
        if self.takes_seed {
            body["seed"] = json!(0);
        }
        // Anthropic refuses a stop that is white space; the answer is cut at the line break anyway.
        if self.kind != ServerKind::Other {
            body["stop"] = json!([STOP]);
        }
        body
    }

    fn body(&self, prompt: &SentPrompt, model: &str, most_tokens: usize, temperature: f32) -> Value {
        let mut body = json!({"model": model, "messages": prompt.messages()});
        let most_tokens = most_tokens + if self.leaves_room_to_think { TOKENS_TO_THINK } else { 0 };
        body[if self.counts_thinking { "max_completion_tokens" } else { "max_tokens" }] = json!(most_tokens);
        if self.takes_temperature {
            body["temperature"] = json!(temperature);
        }
        // Samplers that cut off unlikely answers would change the shares. Hosted servers have none by default.
        match self.kind {
            ServerKind::Vllm | ServerKind::LlamaCpp => {
                (body["top_p"], body["top_k"], body["min_p"]) = (json!(1.0), json!(0), json!(0.0));
            }
            ServerKind::Sglang => {
                (body["top_p"], body["top_k"], body["min_p"]) = (json!(1.0), json!(-1), json!(0.0));
            }
            ServerKind::Ollama => body["top_p"] = json!(1.0),
            ServerKind::Other => {}
        }
        if matches!(self.kind, ServerKind::Vllm | ServerKind::Sglang) {
            // The checkpoint's generation_config.json may ask for a penalty.
            body["repetition_penalty"] = json!(1.0);
        }
        if self.kind == ServerKind::Vllm && prompt.ids.is_some() {
            body["return_token_ids"] = json!(true);
        }
        body
    }

    /// GBNF: one of the labels, after the white space that the template writes.
    fn grammar(&self, labels: &[&str]) -> String {
        let quoted = |text: &str| format!("\"{}\"", escaped_in_grammar(text));
        let labels: Vec<String> = labels.iter().map(|label| quoted(label)).collect();
        let lead = match self.lead.as_deref() {
            Some("") => String::new(),
            Some(lead) => format!("{} ", quoted(lead)),
            None => "\" \"? ".to_owned(),
        };
        format!("root ::= {lead}({})", labels.join(" | "))
    }
}

fn escaped_in_grammar(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn escaped_in_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$/-".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(kind: ServerKind, constraint: Constraint) -> Value {
        let dialect = Dialect::first(kind, constraint, None);
        dialect.label_body(&SentPrompt::probe("data:,"), "m", &["Yes", "a \"b\" (c)"], 1.0, (3, dialect.choices(5)))
    }

    #[test]
    fn each_server_is_asked_in_its_own_way() {
        let vllm = body_of(ServerKind::Vllm, Constraint::Choice);
        assert_eq!(vllm["structured_outputs"]["choice"], json!(["Yes", "a \"b\" (c)"]));
        assert_eq!((&vllm["n"], &vllm["seed"], &vllm["top_p"]), (&json!(5), &json!(3), &json!(1.0)));
        let llama = body_of(ServerKind::LlamaCpp, Constraint::Grammar);
        assert_eq!(llama["grammar"], json!(r#"root ::= " "? ("Yes" | "a \"b\" (c)")"#));
        assert_eq!((&llama["n"], &llama["seed"], &llama["min_p"]), (&Value::Null, &json!(3), &json!(0.0)));
        let sglang = body_of(ServerKind::Sglang, Constraint::Regex);
        assert_eq!(sglang["regex"], json!(r#"(Yes|a "b" \(c\))"#));
        let hosted = body_of(ServerKind::Other, Constraint::JsonSchema);
        let schema = &hosted["response_format"]["json_schema"]["schema"];
        assert_eq!(schema["properties"]["answer"]["enum"], json!(["Yes", "a \"b\" (c)"]));
        // Hosted servers refuse fields that they do not know, and a seed for several answers gives the same one twice.
        let allowed = ["model", "messages", "max_tokens", "temperature", "n", "response_format"];
        for field in hosted.as_object().unwrap().keys() {
            assert!(allowed.contains(&field.as_str()), "{field}");
        }
    }

    #[test]
    fn a_refused_field_is_left_out() {
        let mut dialect = Dialect::first(ServerKind::Other, Constraint::JsonSchema, None);
        let openai = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        assert!(dialect.give_up(openai) && dialect.counts_thinking);
        assert!(dialect.give_up("Unsupported value: 'temperature' does not support 0 with this model."));
        assert!(dialect.give_up("Invalid JSON payload received. Unknown name \"seed\": Cannot find field."));
        assert!(dialect.give_up("`n` must be exactly 1"));
        let body = dialect.label_body(&SentPrompt::probe("data:,"), "m", &["Yes"], 1.0, (0, dialect.choices(5)));
        assert!(["max_tokens", "temperature", "seed", "n"].iter().all(|field| body[field].is_null()), "{body}");
        assert!(body["max_completion_tokens"].as_u64() > Some(4000));
        assert!(!dialect.give_up("`response_format` is not supported"));
    }
}
