//! Text from and for other programs: what is safe to print, and dialects of CSV, JSON and TOML.

pub mod csv_cells;
pub mod printable;
pub mod single_keys;
pub mod toml_text;
pub mod written_json;
