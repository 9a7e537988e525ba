//! Training: optimiser, schedule, checkpoints and the loops of the dual encoder, the reader and the retriever.
//!
//! | file | content |
//! |---|---|
//! | `optimizer` | AdamW with saved state, so that a resumed run takes exactly the same steps |
//! | `schedule` | learning rate: linear warm-up, then cosine |
//! | `gradients` | gradients summed over two threads, clipping by global norm |
//! | `session` | one training run on disk: state after each epoch, best weights, `train.jsonl` |
//! | `pictures` | training images, decoded once |
//! | `variables` | the variables of a model in one fixed order |
//! | `known_answers` | the cases that training may learn from |
//! | `watcher` | progress events of a training, and its interruption |
//! | `balance` | class-balanced sampling |
//! | `reader` | `dissent train reader` |
//! | `retriever` | `dissent train retriever` |
//! | `sft` | `dissent export sft` |
//! | `epochs` | the training loop |
//! | `augmentation` | random position, exposure and noise of a training image |
//! | `contrastive` | the symmetric contrastive loss in which equal captions are positives |
//! | `dual_encoder` | `dissent train dual-encoder` |

mod augmentation;
mod balance;
mod contrastive;
mod dual_encoder;
mod epochs;
mod gradients;
mod known_answers;
mod optimizer;
mod pictures;
mod reader;
mod retriever;
mod schedule;
mod session;
mod sft;
mod variables;
mod watcher;

pub use augmentation::Augmentation;
pub use dual_encoder::{ClipShape, DualEncoderSettings, train_dual_encoder};
pub use epochs::{LoopSettings, TrainingInterrupted};
pub use known_answers::left_out_remark;
pub use optimizer::{AdamW, AdamWSettings};
pub use reader::{ReaderSettings, train_reader};
pub use retriever::{
    Direction, Likelihood, LossSettings, RetrieverReport, RetrieverSettings, TeacherSource, train_retriever,
};
pub use schedule::CosineSchedule;
pub use session::{EpochReport, Session, SessionSettings};
pub use sft::{SftReport, SftSettings, export_sft};
pub use watcher::{TrainingEvent, TrainingWatcher};
