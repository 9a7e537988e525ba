//! Prompts as a checkpoint wants them: its own chat template (Jinja), its own special tokens.
//!
//! | file | what is in it |
//! |---|---|
//! | `template` | the template: where it is, how it is rendered |
//! | `engine` | the template engine |
//! | `limits` | what a template may not do |
//! | `process`, `answers` | a process of our own that renders what a checkpoint brings, from outside and from inside |
//! | `process_limits` | what that process may take |
//! | `tokenizer` | text to ids, special tokens apart |
//! | `ids` | ids of a rendered prompt, special tokens and text in turn |
//! | `prompt` | the pieces of a prompt to ids, and the ids of an answer |

mod answers;
mod engine;
mod ids;
mod limits;
mod process;
#[cfg(unix)]
mod process_limits;
mod prompt;
mod template;
mod tokenizer;

pub use answers::answer_requests;
pub use ids::PromptIds;
pub use process::{RENDERING_SUBCOMMAND, a_rendering_hangs, use_program};
pub use prompt::ChatPrompt;
pub use template::ChatTemplate;
pub(in crate::model) use template::other_templates;
pub use tokenizer::{ChatTokenizer, SpecialToken};
