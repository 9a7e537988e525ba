//! Special tokens of tokenizers made by [`train_tokenizer`](super::train_tokenizer), with their ids. For loaded tokenizers
//! the ids of the file are used.

/// Unused, as byte-level BPE has no unknown tokens, but expected by serving engines.
pub const UNKNOWN: (&str, u32) = ("<unk>", 0);
/// Beginning of sequence.
pub const BEGINNING: (&str, u32) = ("<s>", 1);
/// End of sequence, after every answer.
pub const END: (&str, u32) = ("</s>", 2);
/// Start of a user message.
pub const INSTRUCTION: (&str, u32) = ("[INST]", 3);
/// End of a user message; the answer follows.
pub const INSTRUCTION_END: (&str, u32) = ("[/INST]", 4);
/// One patch of an image.
pub const IMAGE: (&str, u32) = ("[IMG]", 5);
/// Padding of batches.
pub const PADDING: (&str, u32) = ("<pad>", 6);
/// End of each row of patches except the last.
pub const IMAGE_BREAK: (&str, u32) = ("[IMG_BREAK]", 7);
/// End of the last row of patches.
pub const IMAGE_END: (&str, u32) = ("[IMG_END]", 8);

/// All special tokens in the order of their ids.
pub const ALL: [(&str, u32); 9] =
    [UNKNOWN, BEGINNING, END, INSTRUCTION, INSTRUCTION_END, IMAGE, PADDING, IMAGE_BREAK, IMAGE_END];
