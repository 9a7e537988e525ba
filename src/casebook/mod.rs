//! Chosen cases as one HTML page, for people who have no terminal: the question, the images, every hit with its caption and
//! prediction, and what the annotators said.
//!
//! | module | what is in it |
//! |---|---|
//! | [`case_page`] | what the page says of one case |
//! | [`explaining`] | which words and regions decided the answers |
//! | `images` | images, shrunk and as data URIs |
//! | `html`, `explained` | the page; words and regions on it |

pub mod case_page;
mod explained;
pub mod explaining;
mod html;
mod images;

use self::case_page::{CasePage, Told};
use self::images::ImageEncoder;
use crate::cases::Cases;
use crate::files::durable;
use crate::run::Ablation;
use anyhow::{Result, bail};
use rayon::prelude::*;
use std::path::Path;

/// Longest side of a case's image where nobody says otherwise, in pixels; those of documents get half of it.
pub const PIXELS: u32 = 512;
/// Browsers open no larger page with ease.
const MOST_BYTES: usize = 400 << 20;
/// Cases whose images are shrunk together.
const CASES_AT_ONCE: usize = 16;

/// A page before its images are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Casebook {
    /// Name of the dataset.
    pub dataset: String,
    /// Lines below the heading: the run, the filter, what the page leaves out.
    pub about: Vec<String>,
    pub cases: Vec<CasePage>,
    /// What the run withheld from its reader, or swapped.
    pub ablation: Ablation,
    /// Longest side of a case's image, in pixels; a document's is at most half as long.
    pub pixels: u32,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub cases: usize,
    pub images: usize,
    /// Images that could not be read; the page says why in their place.
    pub unreadable: usize,
    /// Hits, and those of which the page shows what decided the answer.
    pub hits: usize,
    pub explained: usize,
    pub bytes: usize,
}

impl Casebook {
    /// A page about these cases, which were chosen by a filter (empty for all).
    pub fn of(cases: &Cases, chosen: &[usize], filter: &str, told: Told, pixels: u32) -> Self {
        let dataset = cases.dataset();
        let pages: Vec<CasePage> = chosen.iter().filter_map(|case| CasePage::of(cases, *case, told)).collect();
        let mut about = Vec::new();
        about.push(match cases.stored_run() {
            Some(run) => format!("Answers of the stored run {run}."),
            None => "Answers of the models of an explorer session, as far as they were there.".to_owned(),
        });
        let ablation = cases.evidence().ablation();
        if !ablation.is_none() {
            about.push(format!("The run is an ablation ({ablation}). Each hit shows what its model was given."));
        }
        let of = dataset.cases.len();
        about.push(match filter {
            "" => format!("{} of the dataset's {of} cases.", pages.len()),
            filter => format!("{} of the dataset's {of} cases: those that pass the filter {filter}.", pages.len()),
        });
        about.push(if told.gold { "With gold answers." } else { "Gold answers are not shown." }.to_owned());
        about.extend(dataset.note.iter().map(|note| format!("Note on the dataset: {note}")));
        about.extend(dataset.licence.iter().map(|licence| format!("Licence of the images and captions: {licence}.")));
        Self { dataset: dataset.name.clone(), about, cases: pages, ablation, pixels }
    }

    /// Writes the page, which replaces an earlier file. `on_cases` is told how many cases are done.
    ///
    /// # Errors
    /// Fails if the page would become too large to be opened, and if the file cannot be written.
    pub fn write(&self, path: &Path, on_cases: &mut dyn FnMut(usize)) -> Result<Written> {
        let encoder = ImageEncoder { pixels: self.pixels };
        let (hits, explained) = self.explained_hits();
        let mut written = Written { cases: self.cases.len(), hits, explained, ..Written::default() };
        let mut page = html::start(self);
        for (number, cases) in self.cases.chunks(CASES_AT_ONCE).enumerate() {
            let done = number * CASES_AT_ONCE;
            let parts: Vec<(String, Written)> =
                cases.par_iter().enumerate().map(|(at, case)| html::case(case, done + at + 1, &encoder)).collect();
            for (part, of_case) in parts {
                page.push_str(&part);
                written.images += of_case.images;
                written.unreadable += of_case.unreadable;
            }
            if page.len() > MOST_BYTES {
                bail!(
                    "the page is larger than {} MB after {} of {} cases, which browsers do not open: choose fewer cases with \
                     --filter, or smaller images with --pixels",
                    MOST_BYTES >> 20,
                    done + cases.len(),
                    self.cases.len()
                );
            }
            on_cases(done + cases.len());
        }
        page.push_str(html::END);
        written.bytes = page.len();
        durable::write_file(path, page.as_bytes())?;
        Ok(written)
    }
}

impl Written {
    /// "32 cases, 163 images, 12 of 128 hits explained, 1.2 MB".
    pub fn in_words(&self) -> String {
        format!("{}, {}, {}", self.cases_in_words(), self.contents_in_words(), self.size_in_words())
    }

    /// The same with the size before the images, for a line whose middle may be cut.
    pub fn size_first(&self) -> String {
        format!("{}, {}, {}", self.cases_in_words(), self.size_in_words(), self.contents_in_words())
    }

    fn cases_in_words(&self) -> String {
        plural(self.cases, "case")
    }

    fn contents_in_words(&self) -> String {
        let unreadable = match self.unreadable {
            0 => String::new(),
            some => format!(" ({some} of them cannot be read)"),
        };
        let explained = match self.explained {
            0 => String::new(),
            some => format!(", {some} of {} explained", plural(self.hits, "hit")),
        };
        format!("{}{unreadable}{explained}", plural(self.images, "image"))
    }

    fn size_in_words(&self) -> String {
        match self.bytes {
            bytes @ ..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
            bytes => format!("{:.1} MB", bytes as f64 / 1e6),
        }
    }
}

fn plural(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
