//! Special tokens of our own tokenizers, with their ids. A loaded tokenizer is asked for its own ids instead.

/// `<unk>`; byte-level text never needs it, serving engines expect it.
pub const UNKNOWN: (&str, u32) = ("<unk>", 0);
/// Begins every prompt.
pub const BEGINNING: (&str, u32) = ("<s>", 1);
/// Ends every answer.
pub const END: (&str, u32) = ("</s>", 2);
/// Begins the user's turn.
pub const INSTRUCTION: (&str, u32) = ("[INST]", 3);
/// Ends the user's turn; the answer follows.
pub const INSTRUCTION_END: (&str, u32) = ("[/INST]", 4);
/// One patch of an image.
pub const IMAGE: (&str, u32) = ("[IMG]", 5);
/// Fills rows of a batch.
pub const PADDING: (&str, u32) = ("<pad>", 6);
/// Ends each row of patches but the last.
pub const IMAGE_BREAK: (&str, u32) = ("[IMG_BREAK]", 7);
/// Ends the last row of patches.
pub const IMAGE_END: (&str, u32) = ("[IMG_END]", 8);

/// All of them, in the order of their ids.
pub const ALL: [(&str, u32); 9] =
    [UNKNOWN, BEGINNING, END, INSTRUCTION, INSTRUCTION_END, IMAGE, PADDING, IMAGE_BREAK, IMAGE_END];
