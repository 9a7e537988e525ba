//! Prompts in a checkpoint's own format: its chat template (Jinja) and its special tokens.
//!
//! | file | content |
//! |---|---|
//! | `template` | finding and rendering the template |
//! | `engine` | the Jinja engine |
//! | `limits` | limits on templates |
//! | `process`, `answers` | a child process that renders untrusted templates: its parent's and its own side |
//! | `process_limits` | memory and CPU limits of that process |
//! | `tokenizer`, `text_pieces` | the tokenizer, with special tokens kept apart from text |
//! | `ids` | token ids of a rendered prompt |
//! | `prompt` | from the parts of a message to token ids; token ids of an answer |

mod answers;
mod engine;
mod ids;
mod limits;
mod process;
#[cfg(unix)]
mod process_limits;
mod prompt;
mod template;
mod text_pieces;
mod tokenizer;

pub use answers::answer_requests;
pub use ids::PromptIds;
pub use process::{RENDERING_SUBCOMMAND, a_rendering_hangs, use_program};
pub use prompt::ChatPrompt;
pub use template::ChatTemplate;
pub(in crate::model) use template::other_templates;
pub use tokenizer::{ChatTokenizer, SpecialToken};
