//! The questions of an explanation by occlusion, and the weights that follow from their answers.

use super::explanation::{Explanation, Method, RegionWeights, WordWeight, WordWeights};
use super::regions::{Block, RegionImage, covered_picture, mean_colour};
use super::words::{MOST_PARTS, parts_of, without};
use super::{Region, Target};
use crate::reader::{ReadRequest, ReaderError};
use dissent_core::data::Picture;
use dissent_core::run::LabelScores;
use image::RgbImage;
use std::ops::Range;
use std::sync::Arc;

/// Cells on a side of the blocks that are covered first, coarse to fine.
const COARSE_SIDE: usize = 2;
/// Blocks of an image that are then covered cell by cell: the strongest, if they have at least half of the largest weight.
const REFINED_BLOCKS: usize = 4;
/// Questions that are asked together.
const MOST_TOGETHER: usize = 32;
/// Bytes of covered images that are held at a time.
const MOST_BYTES: usize = 256 << 20;

/// What is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub words: bool,
    pub regions: bool,
}

/// Asks the reader for the labels' scores of several requests.
pub type Ask<'a> = dyn FnMut(Vec<ReadRequest>) -> Result<Vec<LabelScores>, ReaderError> + 'a;

/// One change of the request whose effect is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    LeaveOut(Range<usize>),
    Cover(RegionImage, Block),
}

/// A prediction to explain: the request and the reader's answer to it.
pub struct Occlusion {
    request: ReadRequest,
    scores: LabelScores,
    target: Target,
    text: Option<String>,
    words: Vec<Range<usize>>,
    images: Vec<ShownImage>,
}

/// An image of the prompt as the models see it.
struct ShownImage {
    image: RegionImage,
    picture: Arc<Picture>,
    seen: RgbImage,
    mean: [u8; 3],
}

impl Occlusion {
    /// Prepares the questions about `request`, which the reader answered with `scores`. `text` is the generated answer of an
    /// open task; the request then has that answer as its only label.
    pub fn new(request: ReadRequest, scores: LabelScores, text: Option<String>, wanted: Wanted) -> Self {
        let evidence = request.evidence.as_ref();
        let mut words = Vec::new();
        let mut images = Vec::new();
        if let Some(caption) = evidence.and_then(|evidence| evidence.caption.as_ref()).filter(|_| wanted.words) {
            words = parts_of(caption, MOST_PARTS);
        }
        if wanted.regions {
            let document = evidence.and_then(|evidence| evidence.image.clone());
            let shown = document.map(|picture| (RegionImage::Document, picture)).into_iter();
            for (image, picture) in shown.chain([(RegionImage::Query, request.query.clone())]) {
                let seen = picture.to_rgb8();
                let mean = mean_colour(&seen);
                images.push(ShownImage { image, picture, seen, mean });
            }
        }
        let target = Target::of(&scores);
        Self { request, scores, target, text, words, images }
    }

    /// The requests of an explanation, without those that depend on the answers of others: words, then regions. They are made
    /// one at a time, as each may hold an image of its own.
    pub fn requests(&self, whole_grid: bool) -> impl Iterator<Item = ReadRequest> {
        self.changes(whole_grid).into_iter().filter_map(|change| self.changed(&change))
    }

    /// Maximum number of requests.
    pub fn most_requests(&self, whole_grid: bool) -> usize {
        let refined = if whole_grid { 0 } else { REFINED_BLOCKS * COARSE_SIDE * COARSE_SIDE * self.images.len() };
        self.changes(whole_grid).len() + refined
    }

    /// Asks what is to be asked. With `whole_grid` every cell is covered alone, else larger blocks first and then the cells
    /// of the strongest blocks. `progress` hears how many of how many requests are answered.
    ///
    /// # Errors
    /// Fails if asking fails or is cancelled.
    pub fn explain(
        &self,
        whole_grid: bool,
        ask: &mut Ask,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Explanation, ReaderError> {
        let mut total = self.most_requests(whole_grid);
        let mut changes = self.changes(whole_grid);
        let mut explanation = self.unmeasured();
        let mut done = 0;
        progress(done, total);
        for is_second_pass in [false, true] {
            if is_second_pass {
                changes = if whole_grid { Vec::new() } else { self.refinement(&explanation) };
                total = done + changes.len();
            }
            for part in changes.chunks(self.together()) {
                let (asked, requests): (Vec<&Change>, Vec<ReadRequest>) =
                    part.iter().filter_map(|change| Some((change, self.changed(change)?))).unzip();
                for (change, scores) in asked.into_iter().zip(ask(requests)?) {
                    self.measure(change, &scores, &mut explanation);
                }
                done += part.len();
                progress(done, total);
            }
        }
        Ok(explanation)
    }

    fn changes(&self, whole_grid: bool) -> Vec<Change> {
        let mut changes: Vec<Change> = self.words.iter().cloned().map(Change::LeaveOut).collect();
        let side = if whole_grid { 1 } else { COARSE_SIDE };
        for shown in &self.images {
            changes.extend(Block::tiling(side).into_iter().map(|block| Change::Cover(shown.image, block)));
        }
        changes
    }

    /// The cells of the strongest blocks.
    fn refinement(&self, explanation: &Explanation) -> Vec<Change> {
        let mut changes = Vec::new();
        for shown in &self.images {
            let Some(regions) = regions_of(explanation, shown.image) else { continue };
            let weight = |block: &Block| regions.weights[block.row][block.column].abs();
            let mut blocks = Block::tiling(COARSE_SIDE);
            blocks.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
            let largest = blocks.first().map_or(0.0, weight);
            for block in blocks.into_iter().take(REFINED_BLOCKS) {
                if largest > 0.0 && weight(&block) >= 0.5 * largest {
                    let cell = |region: Region| Block { row: region.row, column: region.column, side: 1 };
                    changes.extend(block.cells().map(|region| Change::Cover(shown.image, cell(region))));
                }
            }
        }
        changes
    }

    /// The request with the change; `None` if the change changes nothing.
    fn changed(&self, change: &Change) -> Option<ReadRequest> {
        let mut request = self.request.clone();
        match change {
            Change::LeaveOut(part) => {
                let caption = request.evidence.as_mut()?.caption.as_mut()?;
                *caption = without(caption, part);
            }
            Change::Cover(image, block) => {
                let shown = self.images.iter().find(|shown| shown.image == *image)?;
                let covered = Arc::new(covered_picture(&shown.picture, &shown.seen, shown.mean, &[*block])?);
                match image {
                    RegionImage::Query => request.query = covered,
                    RegionImage::Document => request.evidence.as_mut()?.image = Some(covered),
                }
            }
        }
        Some(request)
    }

    fn measure(&self, change: &Change, scores: &LabelScores, explanation: &mut Explanation) {
        let weight = explanation.log_odds - self.target.log_odds(scores);
        let is_bound = explanation.is_bound || self.target.is_bound(scores);
        match change {
            Change::LeaveOut(part) => {
                if let Some(words) = &mut explanation.words {
                    words.parts.push(WordWeight { range: part.clone(), weight, is_bound });
                }
            }
            Change::Cover(image, block) => {
                if let Some(regions) = regions_mut(explanation, *image) {
                    regions.set(*block, weight, is_bound);
                }
            }
        }
    }

    fn unmeasured(&self) -> Explanation {
        let caption = self.request.evidence.as_ref().and_then(|evidence| evidence.caption.clone());
        let has = |image: RegionImage| self.images.iter().any(|shown| shown.image == image);
        Explanation {
            method: Method::Occlusion,
            target: self.target,
            of_label: None,
            text: self.text.clone(),
            log_odds: self.target.log_odds(&self.scores),
            is_bound: self.target.is_bound(&self.scores),
            words: caption
                .filter(|_| !self.words.is_empty())
                .map(|caption| WordWeights { caption, parts: Vec::with_capacity(self.words.len()) }),
            document: has(RegionImage::Document).then(RegionWeights::none),
            query: has(RegionImage::Query).then(RegionWeights::none),
        }
    }

    /// Requests whose covered images fit into memory together.
    fn together(&self) -> usize {
        let largest = self.images.iter().map(|shown| shown.seen.as_raw().len()).max().unwrap_or(0);
        (MOST_BYTES / largest.max(1)).clamp(1, MOST_TOGETHER)
    }
}

fn regions_of(explanation: &Explanation, image: RegionImage) -> Option<&RegionWeights> {
    match image {
        RegionImage::Document => explanation.document.as_ref(),
        RegionImage::Query => explanation.query.as_ref(),
    }
}

fn regions_mut(explanation: &mut Explanation, image: RegionImage) -> Option<&mut RegionWeights> {
    match image {
        RegionImage::Document => explanation.document.as_mut(),
        RegionImage::Query => explanation.query.as_mut(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Evidence;
    use dissent_core::data::{Label, PromptTemplate, Task, TaskKind};
    use dissent_core::files::fingerprint::Fingerprint;
    use image::{DynamicImage, GrayImage, Luma};

    fn picture(name: &str, value: u8) -> Arc<Picture> {
        // One bright cell, in row 2 and column 5, on a dark ground.
        let pixel = |x: u32, y: u32| Luma([if x / 8 == 5 && y / 8 == 2 { value } else { 0 }]);
        Arc::new(Picture {
            path: name.into(),
            fingerprint: Fingerprint::of_bytes(name.as_bytes()),
            image: DynamicImage::ImageLuma8(GrayImage::from_fn(64, 64, pixel)),
            window: None,
        })
    }

    fn request() -> ReadRequest {
        let task = Task {
            id: "t".into(),
            kind: TaskKind::ClosedVqa,
            question: None,
            labels: vec![Label::new("Yes", "Yes"), Label::new("No", "No")],
            prompt: PromptTemplate::default(),
        };
        let evidence = Evidence { image: Some(picture("d", 200)), caption: Some("small mass; biopsy benign".into()) };
        ReadRequest { task: Arc::new(task), question: "?".into(), query: picture("q", 100), evidence: Some(evidence) }
    }

    /// No is likelier by 4 if the caption has "benign", by 2 if the bright cell of the document is seen, by 1 if that of the
    /// query is.
    fn rule(request: &ReadRequest) -> LabelScores {
        let bright = |picture: &Picture| f32::from(u8::from(picture.to_rgb8().get_pixel(44, 20).0[0] > 50));
        let evidence = request.evidence.as_ref().unwrap();
        let benign = f32::from(u8::from(evidence.caption.as_ref().unwrap().contains("benign")));
        let no = 4.0 * benign + 2.0 * bright(evidence.image.as_ref().unwrap()) + bright(&request.query) + 0.5;
        LabelScores::exact(vec![-10.0, no - 10.0])
    }

    fn explained(wanted: Wanted, whole_grid: bool) -> (Explanation, usize) {
        let request = request();
        let occlusion = Occlusion::new(request.clone(), rule(&request), None, wanted);
        let mut asked = 0;
        let explanation = occlusion.explain(
            whole_grid,
            &mut |requests| {
                asked += requests.len();
                Ok(requests.iter().map(rule).collect())
            },
            &mut |done, total| assert!(done <= total),
        );
        (explanation.unwrap(), asked)
    }

    #[test]
    fn each_weight_is_what_the_log_odds_lose() {
        for (whole_grid, most) in [(true, 4 + 128), (false, 4 + 2 * (16 + 16))] {
            let (explanation, asked) = explained(Wanted { words: true, regions: true }, whole_grid);
            assert!(asked <= most, "{asked} requests");
            assert_eq!((explanation.target, explanation.log_odds), (Target { answer: 1, runner_up: Some(0) }, 7.5));
            let words = explanation.words.unwrap();
            assert_eq!(words.parts.iter().map(|part| part.weight).collect::<Vec<_>>(), [0.0, 0.0, 0.0, 4.0]);
            assert_eq!(words.text(words.strongest(1)[0]), "benign");
            for (regions, expected) in [(explanation.document.unwrap(), 2.0), (explanation.query.unwrap(), 1.0)] {
                let (region, weight) = regions.strongest();
                assert_eq!((region.row, region.column, weight), (2, 5, expected));
                assert!(regions.is_fine[2][5]);
                let sum: f32 = regions.weights.iter().flatten().sum();
                assert_eq!(sum, expected, "no other cell has a weight");
            }
        }
    }

    #[test]
    fn only_what_is_wanted_is_asked() {
        let (explanation, asked) = explained(Wanted { words: true, regions: false }, true);
        assert_eq!((asked, explanation.document, explanation.query), (4, None, None));
        let (explanation, asked) = explained(Wanted { words: false, regions: true }, true);
        assert_eq!((asked, explanation.words), (128, None));
    }

    #[test]
    fn cancelling_midway_ends_the_questions() {
        let request = request();
        let wanted = Wanted { words: true, regions: true };
        let occlusion = Occlusion::new(request.clone(), rule(&request), None, wanted);
        let mut calls = 0;
        let outcome = occlusion.explain(
            true,
            &mut |requests| {
                calls += 1;
                if calls == 2 { Err(ReaderError::Cancelled) } else { Ok(requests.iter().map(rule).collect()) }
            },
            &mut |_, _| {},
        );
        assert!(matches!(outcome, Err(ReaderError::Cancelled)));
        assert_eq!(calls, 2);
    }
}
