//! Annotations: an append-only journal per annotator, the taxonomy, exports.
