//! The Jinja engine (minijinja) with its limits.

use super::limits::{bounded_method, bounded_tojson, one_line, with_deep_stack};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, Value};

/// Steps that a template may take; each also allows 64 bytes of output. Prompts need hundreds of times less.
const FUEL: u64 = 500_000;
const NAME: &str = "chat_template";

/// A compiled template.
#[derive(Debug)]
pub(super) struct Engine(Environment<'static>);

impl Engine {
    /// Compiles a template that has passed [`check_source`](super::limits::check_source).
    ///
    /// # Errors
    /// Fails if the source is not valid; the message has one line.
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

    /// Renders the template with these variables.
    ///
    /// # Errors
    /// Fails if the template raises an error or exceeds a limit; the message has one line.
    pub fn render(&self, context: Map<String, Value>) -> Result<String, String> {
        with_deep_stack(|| {
            let template = self.0.get_template(NAME);
            let rendered = template.and_then(|template| template.render(minijinja::value::Serde(context)));
            rendered.map_err(|error| one_line(&error))
        })?
    }
}
