//! Environment variables that tell what the terminal can do.

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Set and not empty, as defined by <https://no-color.org>.
pub(super) fn is_set(environment: Environment, name: &str) -> bool {
    environment(name).is_some_and(|value| !value.is_empty())
}
