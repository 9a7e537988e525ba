//! What the journal answers to a record.

use dissent::tui::state::annotation_view::{AnnotationView, EditOutcome};

#[allow(clippy::unnecessary_wraps, reason = "what the journal answers")]
pub fn written(case: usize, mark: AnnotationView) -> Result<EditOutcome, String> {
    Ok(EditOutcome::Changed { case, mark })
}

pub fn category(index: usize) -> AnnotationView {
    AnnotationView { categories: vec![index], ..AnnotationView::default() }
}
