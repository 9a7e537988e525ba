//! `--tables A,B`: chooses the tables of a report.

use anyhow::{Result, bail};

/// The named tables in the order of the report; `all` means every table, no name the default tables.
pub(super) fn wanted_tables(
    named: &[String],
    usual: Vec<&'static str>,
    known: &[&'static str],
) -> Result<Vec<&'static str>> {
    if named.is_empty() {
        return Ok(usual);
    }
    if named.iter().any(|name| name == "all") {
        return Ok(known.to_vec());
    }
    for name in named {
        if !known.contains(&name.as_str()) {
            bail!("--tables {name}: no such table; expected all, {}", known.join(", "));
        }
    }
    Ok(known.iter().copied().filter(|key| named.iter().any(|name| name == key)).collect())
}
