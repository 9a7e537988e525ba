//! FAISS for vectors, Tantivy for captions, both stamped with what they were built from.
