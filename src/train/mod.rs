//! Training: optimiser, schedule, checkpoints and the loops of the dual encoder and the reader.
