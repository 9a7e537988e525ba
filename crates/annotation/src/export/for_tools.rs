//! The common part of the files for other annotation tools.

use crate::rated_cases::positions_of;
use crate::{AnnotationState, CaseReview, Category, CategoryId, Decision, Taxonomy};
use anyhow::{Result, bail};
use dissent_core::data::{Case, Dataset};
use dissent_core::files::archive_member::MemberPath;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, BTreeSet};

/// All characters but the unreserved ones of RFC 3986 and the slash.
const NOT_IN_URLS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The content of a file for another tool, and the tool's names for it.
#[derive(Clone, Debug)]
pub struct ToolExport<'a> {
    pub dataset: &'a Dataset,
    pub state: &'a AnnotationState,
    pub taxonomy: &'a Taxonomy,
    /// Only the final set, without each annotator's annotation.
    pub final_only: bool,
    /// Put before each image's path, which is relative to the dataset directory.
    pub image_prefix: String,
    /// The tool's user of an annotator: a number in Label Studio, a UUID in Argilla.
    pub users: BTreeMap<String, String>,
}

/// A case of the dataset with its review.
pub(super) struct ReviewedCase<'a> {
    pub case: &'a Case,
    pub review: CaseReview,
}

impl ToolExport<'_> {
    /// Cases of the dataset that somebody annotated or decided, in the order of the dataset; without those that have no
    /// final categories if only the final set is wanted.
    pub(super) fn cases(&self) -> Vec<ReviewedCase<'_>> {
        let positions = positions_of(&self.dataset.cases);
        let mut known: Vec<(usize, &str)> =
            self.state.cases().into_iter().filter_map(|id| Some((*positions.get(id)?, id))).collect();
        known.sort_unstable();
        let mut cases = Vec::new();
        for (position, id) in known {
            let review = self.state.review(id);
            if self.final_only && review.final_categories().is_none() {
                continue;
            }
            cases.push(ReviewedCase { case: &self.dataset.cases[position], review });
        }
        cases
    }

    /// The taxonomy's categories, and given ids that it no longer has.
    pub(super) fn categories(&self) -> (Vec<&Category>, Vec<&str>) {
        let given = self.state.passes().flat_map(|(.., annotation)| &annotation.categories);
        let decided = self.decisions().flat_map(|decision| &decision.categories);
        let ids: BTreeSet<&str> = given.chain(decided).map(CategoryId::as_str).collect();
        let others = ids.into_iter().filter(|id| self.taxonomy.by_id(id).is_none()).collect();
        (self.taxonomy.categories.iter().collect(), others)
    }

    /// Whether a case may have several categories, or has had several.
    pub(super) fn has_several(&self) -> bool {
        self.taxonomy.several
            || self.state.iter().any(|(.., annotation)| annotation.categories.len() > 1)
            || self.decisions().any(|decision| decision.categories.len() > 1)
    }

    fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.state.cases().into_iter().filter_map(|case| Some(self.state.decision(case)?.as_ref()))
    }

    /// Prefix and path. If the prefix makes a URL of it (it has a query, or begins with `http:`), the path is
    /// percent-encoded; a path of a file system or a bucket stays as it is.
    pub(super) fn image_of(&self, case: &Case) -> String {
        // Both tools take URLs, whose separator is the slash.
        let path: Vec<String> =
            case.image.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let path = path.join("/");
        let prefix = &self.image_prefix;
        let is_http = ["http://", "https://"]
            .iter()
            .any(|scheme| prefix.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)));
        if is_http || prefix.contains('?') {
            return format!("{prefix}{}", utf8_percent_encode(&path, NOT_IN_URLS));
        }
        format!("{prefix}{path}")
    }

    /// # Errors
    /// Fails if an image is inside a zip, tar, parquet or Arrow file: `tool` opens only files and URLs.
    pub(super) fn check_images(&self, tool: &str) -> Result<()> {
        let is_inside =
            |reviewed: &ReviewedCase| MemberPath::of(&self.dataset.image_path(&reviewed.case.image)).is_some();
        if let Some(ReviewedCase { case, .. }) = self.cases().into_iter().find(is_inside) {
            bail!(
                "the image of case {} is inside another file ({}), where {tool} finds none; \
                 unpack the images, name the files in cases.jsonl, and export again",
                case.id,
                case.image.display()
            );
        }
        Ok(())
    }

    /// # Errors
    /// Fails if a user is given for an annotator without annotations, which is probably a typing error.
    pub(super) fn check_users(&self) -> Result<()> {
        for annotator in self.users.keys() {
            if !self.state.annotators().any(|known| known == annotator) {
                let known: Vec<&str> = self.state.annotators().collect();
                bail!("--user {annotator}=…: no such annotator; expected one of {}", known.join(", "));
            }
        }
        Ok(())
    }
}
