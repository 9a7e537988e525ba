//! Text that comes from or goes to somebody else: what may be printed, and the dialects of CSV, JSON and TOML.

pub mod csv_cells;
pub mod printable;
pub(crate) mod single_keys;
pub(crate) mod toml_text;
pub(crate) mod written_json;
