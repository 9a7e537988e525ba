//! Prompts as a checkpoint wants them: its own chat template (Jinja), its own special tokens.
//!
//! | file | what is in it |
//! |---|---|
//! | `template` | the template: where it is, how it is rendered |
//! | `limits` | what a template may not do |
//! | `tokenizer` | text to ids, special tokens apart |
//! | `ids` | ids of a rendered prompt, special tokens and text in turn |
//! | `prompt` | the pieces of a prompt to ids, and the ids of an answer |

mod ids;
mod limits;
mod prompt;
mod template;
mod tokenizer;

pub use ids::PromptIds;
pub use prompt::ChatPrompt;
pub use template::ChatTemplate;
pub(in crate::model) use template::other_templates;
pub use tokenizer::{ChatTokenizer, SpecialToken};
