//! A checkpoint's chat template, rendered as transformers renders it.

use crate::model::checkpoint::{CheckpointError, read_json};
use anyhow::{Context, Result, anyhow};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;

/// Steps that a template may take: thousands of times what a prompt needs.
const FUEL: u64 = 2_000_000;
/// More than any template is long.
const LONGEST: usize = 1 << 20;
const NAME: &str = "chat_template";

/// A template ready to be rendered.
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
    /// The file it came from, for messages.
    file: String,
    /// `bos_token`, `eos_token` and so on.
    special_tokens: Map<String, Value>,
}

impl ChatTemplate {
    /// The template of a checkpoint folder, from `chat_template.json`, else `chat_template.jinja`, else the field of
    /// `processor_config.json` or `tokenizer_config.json`; `None` where it has none.
    ///
    /// # Errors
    /// A file that cannot be read, a template that is not one.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let special_tokens = special_tokens_of(folder)?;
        let Some((file, source)) = source_of(folder)? else { return Ok(None) };
        Self::new(file, source, special_tokens).map(Some)
    }

    /// A template of our own, for a checkpoint without one.
    ///
    /// # Errors
    /// A template that is not one.
    pub fn built_in(source: &str, folder: &Path) -> Result<Self> {
        Self::new("the built-in chat template".to_string(), source.to_string(), special_tokens_of(folder)?)
    }

    fn new(file: String, source: String, special_tokens: Map<String, Value>) -> Result<Self> {
        anyhow::ensure!(source.len() <= LONGEST, "{file}: a chat template of {} bytes", source.len());
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        // Marks what an assistant says, for training on it; it prints nothing.
        let mut plain = source.clone();
        for tag in ["generation", "endgeneration"] {
            for (open, close) in [("{%", "%}"), ("{%-", "%}"), ("{%", "-%}"), ("{%-", "-%}")] {
                plain =
                    plain.replace(&format!("{open} {tag} {close}"), &format!("{open} if true {close}{{% endif %}}"));
            }
        }
        environment
            .add_template_owned(NAME, plain)
            .map_err(|error| anyhow!("{file}: not a chat template: {error:#}"))?;
        Ok(Self { environment, source, file, special_tokens })
    }

    /// The template as it stands in its file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The text of a conversation; with `asks`, up to where the assistant begins to speak.
    ///
    /// # Errors
    /// What the template refuses, with its words.
    pub fn render(&self, messages: &Value, asks: bool) -> Result<String> {
        let mut context = self.special_tokens.clone();
        context.insert("messages".to_string(), messages.clone());
        context.insert("add_generation_prompt".to_string(), Value::Bool(asks));
        // transformers defines these two without a value.
        context.insert("tools".to_string(), Value::Null);
        context.insert("documents".to_string(), Value::Null);
        let template = self.environment.get_template(NAME)?;
        template.render(minijinja::value::Serde(context)).map_err(|error| anyhow!("{}: {error:#}", self.file))
    }
}

/// File name and content of a folder's template.
fn source_of(folder: &Path) -> Result<Option<(String, String)>> {
    let file = "chat_template.json";
    if folder.join(file).is_file() {
        let value = read_json(folder, file, "it holds the chat template")?;
        return Ok(Some((file.to_string(), default_of(&value["chat_template"], &folder.join(file))?)));
    }
    let file = "chat_template.jinja";
    let path = folder.join(file);
    if path.is_file() {
        let source = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(Some((file.to_string(), source)));
    }
    for file in ["processor_config.json", "tokenizer_config.json"] {
        if !folder.join(file).is_file() {
            continue;
        }
        let value = read_json(folder, file, "it holds the chat template")?;
        if !value["chat_template"].is_null() {
            return Ok(Some((file.to_string(), default_of(&value["chat_template"], &folder.join(file))?)));
        }
    }
    Ok(None)
}

/// A template, or the one called `default` of a list of named ones.
fn default_of(value: &Value, path: &Path) -> Result<String, CheckpointError> {
    if let Some(source) = value.as_str() {
        return Ok(source.to_string());
    }
    let named = value.as_array().into_iter().flatten();
    let default = named.filter(|entry| entry["name"] == "default").find_map(|entry| entry["template"].as_str());
    default.map(str::to_string).ok_or_else(|| CheckpointError::BadJson {
        path: path.to_path_buf(),
        reason: "field chat_template: expected a template, or a list with one named default".to_string(),
    })
}

/// The named special tokens of `tokenizer_config.json`, which templates may print.
fn special_tokens_of(folder: &Path) -> Result<Map<String, Value>, CheckpointError> {
    let mut tokens = Map::new();
    if !folder.join("tokenizer_config.json").is_file() {
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
        ChatTemplate::new("chat_template.jinja".into(), source.into(), Map::new()).unwrap()
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
    fn a_template_without_an_end_is_stopped() {
        let source = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% set d = c %}{% endfor %}{% endfor %}{% endfor %}";
        let error = template(source).render(&json!([]), true).unwrap_err();
        assert!(error.to_string().contains("fuel"), "{error}");
    }
}
