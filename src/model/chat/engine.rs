//! The template engine within its limits.

use super::limits::{bounded_method, bounded_tojson, one_line, with_deep_stack};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, Value};

/// Steps that a template may take, and 64 bytes that it may make for each: hundreds of times what a prompt needs.
const FUEL: u64 = 500_000;
const NAME: &str = "chat_template";

/// A template that was understood, in this process.
#[derive(Debug)]
pub(super) struct Engine(Environment<'static>);

impl Engine {
    /// Reads a template that was looked over.
    ///
    /// # Errors
    /// What is wrong with it, on one line.
    pub fn compile(source: String) -> Result<Self, String> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| one_line(&error))?);
        environment.set_unknown_method_callback(bounded_method);
        environment.add_filter("tojson", bounded_tojson);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        let (environment, added) = with_deep_stack(move || {
            let added = environment.add_template_owned(NAME, source).map_err(|error| one_line(&error));
            (environment, added)
        })?;
        added.map_err(|reason| format!("not a chat template: {reason}"))?;
        Ok(Self(environment))
    }

    /// What the template makes of these values.
    ///
    /// # Errors
    /// What it refuses, on one line.
    pub fn render(&self, context: Map<String, Value>) -> Result<String, String> {
        with_deep_stack(|| {
            let template = self.0.get_template(NAME);
            let rendered = template.and_then(|template| template.render(minijinja::value::Serde(context)));
            rendered.map_err(|error| one_line(&error))
        })?
    }
}
