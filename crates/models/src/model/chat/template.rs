//! A checkpoint's chat template, rendered as by `apply_chat_template` in transformers.

use super::engine::Engine;
use super::limits::check_source;
use super::process::{RenderingProcess, program};
use crate::model::checkpoint::{CheckpointError, read_json};
use anyhow::{Result, anyhow};
use dissent_core::files::input_file;
use dissent_core::files::input_file::is_there;
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;

/// The largest template file in bytes; published ones have 30 KB.
const LONGEST: u64 = 1 << 20;
const JINJA_FILE: &str = "chat_template.jinja";
/// Files that may hold a template, in order of precedence, as in transformers' processors.
const TEMPLATE_FILES: [&str; 4] = ["chat_template.json", JINJA_FILE, "processor_config.json", "tokenizer_config.json"];

/// A compiled template.
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    rendering: Arc<Rendering>,
    source: String,
    /// The file it came from, for messages.
    file: String,
    /// Variables such as `bos_token` and `eos_token`.
    special_tokens: Map<String, Value>,
}

/// The place where the template is rendered.
#[derive(Debug)]
enum Rendering {
    InProcess(Engine),
    ChildProcess(RenderingProcess),
}

impl ChatTemplate {
    /// Reads the template of a checkpoint folder from `chat_template.json`, `chat_template.jinja`, or the field
    /// `chat_template` of `processor_config.json` or `tokenizer_config.json`; `None` if there is none. It is rendered in a
    /// child process if [`use_program`](super::use_program) was called, otherwise in this one.
    ///
    /// # Errors
    /// Fails if a file cannot be read or the template is invalid.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let special_tokens = special_tokens_of(folder)?;
        let Some((file, source)) = source_of(folder)? else { return Ok(None) };
        Self::new(file, source, special_tokens, program()).map(Some)
    }

    /// A built-in template, for checkpoints without their own.
    ///
    /// # Errors
    /// Fails if the template is invalid.
    pub fn built_in(source: &str, folder: &Path) -> Result<Self> {
        Self::new("the built-in chat template".to_string(), source.to_string(), special_tokens_of(folder)?, None)
    }

    /// `file` is the full path, for messages.
    fn new(file: String, source: String, special_tokens: Map<String, Value>, program: Option<&Path>) -> Result<Self> {
        // These blocks mark assistant text for training and print nothing.
        let mut plain = source.clone();
        for tag in ["generation", "endgeneration"] {
            for (open, close) in [("{%", "%}"), ("{%-", "%}"), ("{%", "-%}"), ("{%-", "-%}")] {
                plain =
                    plain.replace(&format!("{open} {tag} {close}"), &format!("{open} if true {close}{{% endif %}}"));
            }
        }
        check_source(&plain).map_err(|reason| anyhow!("{file}: not a chat template: {reason}"))?;
        let rendering = match program {
            None => Engine::compile(plain).map(Rendering::InProcess),
            Some(program) => RenderingProcess::start(program, plain).map(Rendering::ChildProcess),
        };
        let rendering = Arc::new(rendering.map_err(|reason| anyhow!("{file}: {reason}"))?);
        Ok(Self { rendering, source, file, special_tokens })
    }

    /// The source as stored in the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders a conversation; with `add_generation_prompt` the text ends where the assistant's answer begins.
    ///
    /// # Errors
    /// Fails with the template's own message if it raises an error, and if it exceeds a limit.
    pub fn render(&self, messages: &Value, add_generation_prompt: bool) -> Result<String> {
        let mut context = self.special_tokens.clone();
        context.insert("messages".to_string(), messages.clone());
        context.insert("add_generation_prompt".to_string(), Value::Bool(add_generation_prompt));
        // transformers defines these two as None.
        context.insert("tools".to_string(), Value::Null);
        context.insert("documents".to_string(), Value::Null);
        let rendered = match &*self.rendering {
            Rendering::InProcess(engine) => engine.render(context),
            Rendering::ChildProcess(process) => process.render(&context),
        };
        rendered.map_err(|reason| anyhow!("{}: {reason}", self.file))
    }
}

/// A note if other files of the folder contain different templates, which are ignored.
///
/// # Errors
/// Fails if a file cannot be read.
pub(in crate::model) fn other_templates(folder: &Path) -> Result<Option<String>, CheckpointError> {
    let mut sources = Vec::new();
    for file in TEMPLATE_FILES {
        match source_in(folder, file) {
            Ok(source) => sources.extend(source.map(|source| (file, source))),
            Err(error) if sources.is_empty() => return Err(error),
            // An ignored file must not prevent loading.
            Err(error) => return Ok(Some(format!("the chat template of {} is used; {error}", sources[0].0))),
        }
    }
    let Some(((first, counts), others)) = sources.split_first() else { return Ok(None) };
    // A trailing newline is not a difference: blocks remove it too.
    let others: Vec<&str> =
        others.iter().filter(|(_, source)| source.trim_end() != counts.trim_end()).map(|(file, _)| *file).collect();
    let verb = if others.len() == 1 { "is different" } else { "are different" };
    let which = if others.len() == 1 { "that of" } else { "those of" };
    let note = || format!("the chat template of {first} is used; {which} {} {verb}", others.join(" and "));
    Ok((!others.is_empty()).then(note))
}

/// Path and source of a folder's template.
fn source_of(folder: &Path) -> Result<Option<(String, String)>, CheckpointError> {
    for file in TEMPLATE_FILES {
        if let Some(source) = source_in(folder, file)? {
            return Ok(Some((folder.join(file).display().to_string(), source)));
        }
    }
    Ok(None)
}

/// The template in `file` of the folder, if any.
fn source_in(folder: &Path, file: &str) -> Result<Option<String>, CheckpointError> {
    let path = folder.join(file);
    if !is_there(&path) {
        return Ok(None);
    }
    if file == JINJA_FILE {
        let unreadable =
            |error: std::io::Error| CheckpointError::Unreadable { path: path.clone(), reason: error.to_string() };
        return input_file::read_text(&path, LONGEST).map(Some).map_err(unreadable);
    }
    let value = read_json(folder, file, "it holds the chat template")?;
    if value["chat_template"].is_null() && file != TEMPLATE_FILES[0] {
        return Ok(None);
    }
    default_of(&value["chat_template"], &path).map(Some)
}

/// `value` if it is a template, or the one named `default` in a list of named templates.
fn default_of(value: &Value, path: &Path) -> Result<String, CheckpointError> {
    if let Some(source) = value.as_str() {
        return Ok(source.to_string());
    }
    let named = value.as_array().into_iter().flatten();
    let default = named.filter(|entry| entry["name"] == "default").find_map(|entry| entry["template"].as_str());
    default.map(str::to_string).ok_or_else(|| CheckpointError::BadJson {
        path: path.to_path_buf(),
        reason: "field chat_template: expected a text, or a list of templates with one named default".to_string(),
    })
}

/// The special tokens of `tokenizer_config.json`, which are variables of templates.
fn special_tokens_of(folder: &Path) -> Result<Map<String, Value>, CheckpointError> {
    let mut tokens = Map::new();
    if !is_there(&folder.join("tokenizer_config.json")) {
        return Ok(tokens);
    }
    let config = read_json(folder, "tokenizer_config.json", "it names the special tokens")?;
    for name in ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"] {
        let token = &config[name];
        if let Some(text) = token.as_str().or_else(|| token.get("content").and_then(Value::as_str)) {
            tokens.insert(name.to_string(), Value::String(text.to_string()));
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new("chat_template.jinja".into(), source.into(), Map::new(), None).unwrap()
    }

    #[test]
    fn blocks_on_lines_of_their_own_leave_no_white_space() {
        let source = "{% for message in messages %}\n    {% if message.role == 'user' %}\nasks: {{ message.content }}\n    {% endif %}\n{% endfor %}\n";
        let messages = json!([{ "role": "user", "content": "a" }, { "role": "user", "content": "b" }]);
        assert_eq!(template(source).render(&messages, true).unwrap(), "asks: a\nasks: b\n");
    }

    #[test]
    fn python_methods_and_namespaces_work() {
        let source = "{% set n = namespace(value=0) %}{% for m in messages %}{% set n.value = n.value + 1 %}{% endfor %}{{ n.value }}{{ ' x '.strip() }}{{ 'ab'.startswith('a') }}";
        assert_eq!(template(source).render(&json!([1, 2]), false).unwrap(), "2xTrue");
    }

    #[test]
    fn marks_of_the_answer_print_nothing() {
        let source = "{% generation %}a{%- endgeneration %}b";
        assert_eq!(template(source).render(&json!([]), false).unwrap(), "ab");
    }

    #[test]
    fn a_refusal_has_the_words_of_the_template() {
        let error = template("{{ raise_exception('roles must alternate') }}").render(&json!([]), true).unwrap_err();
        assert!(error.to_string().contains("roles must alternate"), "{error}");
    }

    #[test]
    fn a_hostile_template_is_refused_in_one_line() {
        let doubling =
            "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}";
        let nested =
            "{% set ns = namespace(x=[]) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
        for source in [
            "{{ '{:>10000000000}'.format('a') }}",
            "{{ '{:>{}}'.format('a', 9999999999) }}",
            "{{ '{:>{0}}'.format(9999999999) }}",
            "{{ '%9999999999s' | format('a') }}",
            "{{ '%*s' | format(999999999, 'a') }}",
            "{{ messages | tojson(indent=1000000000) }}",
            "{{ messages | tojson(1000000000) }}",
            "{{ 'a' * 1000000000000 }}",
            "{{ ([1] * 1000000000000) | list | length }}",
            "{{ range(1000000000000) | list | length }}",
            "{{ ('a' * 100000) | replace('', 'b' * 100000) }}",
            "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
            "{{ ('a' * 100000).join(range(99999)) }}",
            "{{ (['a'] * 99999) | join('b' * 100000) }}",
            "{{ 'a' | indent(1000000000000, true) }}",
            "{{ [1] | batch(1000000000000, 0) }}",
            "{{ [1] | slice(1000000000000, 0) }}",
            "{% macro f(s) %}{{ f(s ~ s) }}{% endmacro %}{{ f('a') }}",
            "{{ raise_exception('\u{1b}]52;c;cHduZWQ=\u{7}') }}",
            doubling,
            nested,
        ] {
            let read = ChatTemplate::new("chat_template.jinja".into(), source.into(), Map::new(), None);
            let rendered = read.and_then(|template| template.render(&json!([{ "role": "user" }]), true));
            let message = format!("{:#}", rendered.expect_err(source));
            assert!(message.starts_with("chat_template.jinja: "), "{source}: {message}");
            assert!(!message.contains(char::is_control) && message.len() < 500, "{source}: {message}");
        }
    }

    #[test]
    fn templates_about_themselves_end() {
        for source in [
            "{{ self }}{{ loop }}{{ caller }}{{ debug() }}",
            "{% macro a(n) %}{{ debug() }}{{ a }}{% endmacro %}{{ a(1) }}",
            "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
            "{% include 'chat_template' %}",
            "{% import 'chat_template' as own %}{{ own }}",
            "{% extends 'chat_template' %}",
            "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
            "{% for m in messages %}{{ loop }}{{ debug() }}{% endfor %}",
            "{% set ns = namespace(x=[]) %}{% for i in range(30000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
            "{% set ns = namespace(x=[]) %}{% for i in range(9000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ ns.x|tojson }}{{ ns.x == ns.x }}",
        ] {
            let read = ChatTemplate::new("chat_template.jinja".into(), source.into(), Map::new(), None);
            // It may be refused or printed, but it must return.
            if let Ok(template) = read {
                let _ = template.render(&json!([{ "role": "user" }]), true);
            }
        }
        // Nesting up to the depth that the fuel allows.
        for depth in (10_000..100_000).step_by(10_000) {
            let source = format!(
                "{{% set ns = namespace(x=[]) %}}{{% for i in range({depth}) %}}{{% set ns.x = [ns.x] %}}{{% endfor %}}{{{{ ns.x }}}}"
            );
            let _ = template(&source).render(&json!([]), true);
        }
    }

    #[test]
    fn a_template_without_an_end_is_stopped() {
        let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% set d = c %}{% endfor %}{% endfor %}{% endfor %}";
        let error = template(source).render(&json!([]), true).unwrap_err();
        assert!(error.to_string().contains("fuel"), "{error}");
    }
}
