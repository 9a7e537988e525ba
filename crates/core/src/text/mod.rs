//! Text from and for other programs: what is safe to print, and dialects of CSV, HTML, JSON and TOML.

pub mod csv_cells;
pub mod html_text;
pub mod printable;
pub mod single_keys;
pub mod toml_text;
pub mod written_json;
