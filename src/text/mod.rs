//! Text from and for other programs: what is safe to print, and dialects of CSV, JSON and TOML.

pub mod csv_cells;
pub mod printable;
pub(crate) mod single_keys;
pub(crate) mod toml_text;
pub(crate) mod written_json;
