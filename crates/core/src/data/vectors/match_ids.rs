//! Which row of a file belongs to which document or case.

use super::VectorTable;
use crate::data::KnownIds;
use anyhow::{Context, Result, bail};
use rustc_hash::FxHashMap;

/// The row of each document or case.
pub struct MatchedRows {
    /// In the order of the documents or cases; `None` if the file has no vector of it.
    pub rows: Vec<Option<usize>>,
}

impl MatchedRows {
    /// Matches rows by id ([`KnownIds`] has the rule), or by order if the file has no ids. `what` are the wanted ids in the
    /// plural ("documents"), `file` is where they are.
    ///
    /// # Errors
    /// Fails with row and id if an id is there twice or nobody has it, and without ids if the counts differ.
    pub fn of(table: &VectorTable, wanted: &[&str], what: &str, file: &str) -> Result<Self> {
        let Some(ids) = table.ids() else {
            if table.count() != wanted.len() {
                bail!(
                    "{0}: expected {1} vectors, one for each of the {what} of {file} in its order, found {2}; vectors \
                     with ids may be in another order: a list with an id a line is {0}.ids.txt",
                    table.path().display(),
                    wanted.len(),
                    table.count()
                );
            }
            return Ok(Self { rows: (0..wanted.len()).map(Some).collect() });
        };
        let known = KnownIds::of(wanted.iter().enumerate().map(|(position, id)| (*id, position)));
        let mut rows: Vec<Option<usize>> = vec![None; wanted.len()];
        let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
        let mut unknown: Vec<usize> = Vec::new();
        for (row, id) in ids.iter().enumerate() {
            if let Some(first) = seen.insert(id, row) {
                bail!("{}: the id is there already in row {first} (from 0)", table.place(row));
            }
            let Some(position) = known.find(id).with_context(|| table.place(row))? else {
                unknown.push(row);
                continue;
            };
            if let Some(first) = rows[position].replace(row) {
                bail!(
                    "{}: {} of {file} has a vector already in row {first} (from 0), under another spelling of its id",
                    table.place(row),
                    wanted[position]
                );
            }
        }
        if let Some(row) = unknown.first() {
            let more = unknown.len() - 1;
            let others = if more == 0 { String::new() } else { format!(" ({more} more ids are not there either)") };
            bail!("{}: {file} has no such id{others}; expected the ids of its {what} only", table.place(*row));
        }
        Ok(Self { rows })
    }

    /// Number of vectors that were matched.
    pub fn count(&self) -> usize {
        self.rows.iter().flatten().count()
    }
}
