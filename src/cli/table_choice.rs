//! `--tables A,B`: which tables of a report are wanted.

use anyhow::{Result, bail};

/// The tables named, in the order of the report; `all` is every one, and none named is the usual ones.
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
