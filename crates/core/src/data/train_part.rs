//! Parts of the training cases, so that reader and retriever can be trained on different cases.

use super::Case;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// One of several equal parts of the training cases. A case's group, else its id, decides its part, so that the
/// images of one patient are in one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Number of the part, from 1.
    number: u64,
    of: u64,
}

impl Part {
    /// Whether this case is in the part.
    pub fn has(self, case: &Case) -> bool {
        let owner = case.group.as_deref().unwrap_or(&case.id);
        let digest = Sha256::digest(owner.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_le_bytes(first) % self.of == self.number - 1
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a part like 1/2, found {text:?}");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let part = Self { number: number.parse().map_err(|_| wrong())?, of: of.parse().map_err(|_| wrong())? };
        if part.number < 1 || part.number > part.of {
            return Err(wrong());
        }
        Ok(part)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;

    fn case(number: usize, group: Option<&str>) -> Case {
        Case {
            id: format!("case-{number}"),
            task: "t".into(),
            split: Split::Train,
            image: "i.png".into(),
            question: None,
            answer: "Yes".into(),
            unknown: Vec::new(),
            group: group.map(Into::into),
        }
    }

    #[test]
    fn parts_share_no_case_and_leave_none_out() {
        let parts: Vec<Part> = ["1/3", "2/3", "3/3"].iter().map(|text| text.parse().unwrap()).collect();
        let mut sizes = [0; 3];
        for number in 0..300 {
            let owners: Vec<usize> = (0..3).filter(|&part| parts[part].has(&case(number, None))).collect();
            assert_eq!(owners.len(), 1);
            sizes[owners[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (70..130).contains(size)), "{sizes:?}");
    }

    #[test]
    fn a_group_is_in_one_part() {
        let half: Part = "1/2".parse().unwrap();
        let first = half.has(&case(0, Some("patient 7")));
        assert!((1..50).all(|number| half.has(&case(number, Some("patient 7"))) == first));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }
}
