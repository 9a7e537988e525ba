//! The table of actions: context, keys and description of each.
//!
//! | module | keys of |
//! |---|---|
//! | `explore` | the screen with cases and hits |
//! | `image` | the enlarged image |
//! | `annotation` | the taxonomy, decisions, agreement |
//! | `overlays` | the other lists, pages and lines to type in |

mod annotation;
mod explore;
mod image;
mod overlays;

use super::{Action, Context};

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Binding {
    pub action: Action,
    /// Short name in kebab-case.
    pub name: &'static str,
    pub context: Context,
    /// Names as given by [`crate::tui::keymap::key_name`]; hints show the first.
    pub keys: &'static [&'static str],
    /// Word for the hint bar; `None` keeps the action out of it.
    pub hint: Option<&'static str>,
    /// Description in one sentence.
    pub description: &'static str,
}

const fn row(
    context: Context,
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    hint: Option<&'static str>,
    description: &'static str,
) -> Binding {
    Binding { action, name, context, keys, hint, description }
}

/// All rows of the table. Within a context they have the order of the help screen and the hint bar.
pub fn bindings() -> impl Iterator<Item = &'static Binding> {
    [explore::EXPLORE, image::IMAGE, annotation::ANNOTATION, overlays::OVERLAYS].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_key_and_a_sentence() {
        for binding in bindings() {
            assert!(!binding.keys.is_empty(), "{} has no key", binding.name);
            assert!(binding.description.ends_with('.'), "{} has no sentence", binding.name);
        }
    }

    #[test]
    fn every_context_can_be_left() {
        for context in Context::ALL {
            assert!(
                bindings().any(|row| row.context == context && row.action == Action::Interrupt),
                "{context:?} has no way out"
            );
        }
    }
}
