//! The synthetic sample in the tradition of the Shepp and Logan phantom: images, captions and site tables.
