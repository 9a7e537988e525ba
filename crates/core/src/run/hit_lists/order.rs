//! The order of a list: its scores decide, as in trec_eval, which ignores ranks. Among equal scores the rank decides, then
//! the line.

use super::RankedHit;
use std::cmp::Ordering;

/// A hit of a list as it was found in the file.
pub(super) struct Found {
    pub row: usize,
    pub line: usize,
    pub rank: Option<u32>,
    pub score: Option<(f64, f32)>,
}

/// A list in order.
#[derive(Debug)]
pub(super) struct Order {
    pub hits: Vec<RankedHit>,
    /// The first line whose rank contradicts the scores.
    pub contradicts_at: Option<usize>,
}

/// Orders a list. Ranks that rise in the order of the scores stay, even if some are missing, because the list may be a part of
/// a longer one; others are counted anew. `from_zero` says that the first rank of this head is 0.
///
/// # Errors
/// Returns line, field and message if a document is there twice, only some hits have a score or a rank, or hits without
/// scores share a rank.
pub(super) fn ordered<'a>(
    mut found: Vec<Found>,
    from_zero: bool,
    case: &str,
    id_of: &dyn Fn(usize) -> &'a str,
) -> Result<Order, (usize, &'static str, String)> {
    found.sort_by_key(|hit| (hit.row, hit.line));
    if let Some(pair) = found.windows(2).find(|pair| pair[0].row == pair[1].row) {
        let (first, id) = (pair[0].line, id_of(pair[1].row));
        let message = format!("document {id} is in the list of case {case} already, on line {first}");
        return Err((pair[1].line, "document", message));
    }
    found.sort_by_key(|hit| hit.line);
    let has_scores = found.first().is_some_and(|hit| hit.score.is_some());
    let has_ranks = found.first().is_some_and(|hit| hit.rank.is_some());
    for hit in &found {
        for (field, has, list_has) in
            [("score", hit.score.is_some(), has_scores), ("rank", hit.rank.is_some(), has_ranks)]
        {
            if has != list_has {
                let message =
                    format!("expected a {field} for all hits of a list or for none; the list of case {case} has both");
                return Err((hit.line, field, message));
            }
        }
    }
    found.sort_by(|one, other| {
        let by_score = match (one.score, other.score) {
            (Some((one, _)), Some((other, _))) => other.total_cmp(&one),
            _ => Ordering::Equal,
        };
        by_score.then(one.rank.cmp(&other.rank)).then(one.line.cmp(&other.line))
    });
    let wrong = found.windows(2).find(|pair| has_ranks && pair[0].rank >= pair[1].rank);
    if let Some([_, second]) = wrong
        && !has_scores
    {
        let message = format!("two documents of case {case} have this rank, and there are no scores to order them");
        return Err((second.line, "rank", message));
    }
    // Equal scores may share a rank: nothing is wrong with that, but each hit needs its own.
    let contradicts = |pair: &&[Found]| {
        pair[0].rank > pair[1].rank || (pair[0].rank == pair[1].rank && pair[0].score != pair[1].score)
    };
    let contradicts_at = found.windows(2).filter(|_| has_ranks).find(contradicts).map(|pair| pair[1].line);
    let keeps_ranks = has_ranks && wrong.is_none();
    let mut hits = Vec::with_capacity(found.len());
    for (place, hit) in found.iter().enumerate() {
        let own = hit.rank.filter(|_| keeps_ranks).map(|rank| rank as usize + usize::from(from_zero));
        let score = hit.score.map(|(_, narrow)| narrow);
        hits.push(RankedHit { row: hit.row, rank: own.unwrap_or(place + 1), score });
    }
    Ok(Order { hits, contradicts_at })
}
