//! The parts of the sample: number of phantoms, dataset, split.

use crate::data::Split;
use crate::phantom::rng::PhantomRng;
use crate::phantom::sites::Sites;
use crate::phantom::subject::Subject;
use crate::phantom::{fundus, ultrasound};

/// One homogeneous part of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    UltrasoundCorpus,
    UltrasoundTrain,
    /// Validation at site A during training.
    UltrasoundTuning,
    UltrasoundValidation,
    UltrasoundTest,
    FundusCorpus,
    FundusTrain,
    FundusValidation,
    FundusTest,
}

/// One phantom of the sample.
#[derive(Clone, Copy, Debug)]
pub struct Phantom {
    pub part: Part,
    /// Number in its part, from 0.
    pub number: usize,
    pub subject: Subject,
}

impl Part {
    pub const ALL: [Self; 9] = [
        Self::UltrasoundCorpus,
        Self::UltrasoundTrain,
        Self::UltrasoundTuning,
        Self::UltrasoundValidation,
        Self::UltrasoundTest,
        Self::FundusCorpus,
        Self::FundusTrain,
        Self::FundusValidation,
        Self::FundusTest,
    ];

    /// Number of phantoms. 600 test cases show the effect of retrieval with every seed, 360 do not (recipe, §5).
    pub fn count(self) -> usize {
        match self {
            Self::UltrasoundCorpus => 420,
            Self::UltrasoundTrain => 330,
            Self::UltrasoundTuning => 80,
            Self::UltrasoundValidation | Self::FundusCorpus => 150,
            Self::UltrasoundTest => 600,
            Self::FundusTrain | Self::FundusTest => 100,
            Self::FundusValidation => 50,
        }
    }

    /// Split of the part's cases, or `None` for a corpus.
    pub fn split(self) -> Option<Split> {
        match self {
            Self::UltrasoundCorpus | Self::FundusCorpus => None,
            Self::UltrasoundTrain | Self::FundusTrain => Some(Split::Train),
            Self::UltrasoundTuning | Self::UltrasoundValidation | Self::FundusValidation => Some(Split::Validation),
            Self::UltrasoundTest | Self::FundusTest => Some(Split::Test),
        }
    }

    /// Whether the part's images lie in the dataset that is explored.
    pub fn in_dataset(self) -> bool {
        !matches!(self, Self::UltrasoundTrain | Self::UltrasoundTuning | Self::FundusTrain)
    }

    /// Whether the part belongs to the dataset that models are trained on.
    pub fn in_training(self) -> bool {
        !matches!(self, Self::UltrasoundValidation | Self::UltrasoundTest | Self::FundusTest)
    }

    /// Prefix of the ids of its phantoms; short, because the queue shows them.
    fn prefix(self) -> &'static str {
        match self {
            Self::UltrasoundCorpus => "us-d",
            Self::UltrasoundTrain => "us-a",
            Self::UltrasoundTuning => "us-w",
            Self::UltrasoundValidation => "us-v",
            Self::UltrasoundTest => "us-t",
            Self::FundusCorpus => "fu-d",
            Self::FundusTrain => "fu-a",
            Self::FundusValidation => "fu-v",
            Self::FundusTest => "fu-t",
        }
    }

    fn is_ultrasound(self) -> bool {
        self.prefix().starts_with("us")
    }

    /// Draws the attributes of all phantoms of this part.
    pub fn phantoms(self, sites: &Sites, seed: u64) -> Vec<Phantom> {
        let mut rng = PhantomRng::new(seed, 1 + self as u64);
        let mut phantoms = Vec::with_capacity(self.count());
        if self.is_ultrasound() {
            for (number, entity) in sites.entities(self.count(), &mut rng).into_iter().enumerate() {
                let subject = Subject::Ultrasound(ultrasound::Attributes::draw(entity, &mut rng));
                phantoms.push(Phantom { part: self, number, subject });
            }
            return phantoms;
        }
        let mut grades: Vec<fundus::Grade> = fundus::Grade::ALL.iter().copied().cycle().take(self.count()).collect();
        rng.shuffle(&mut grades);
        for (number, grade) in grades.into_iter().enumerate() {
            let subject = Subject::Fundus(fundus::Attributes::draw(grade, &mut rng));
            phantoms.push(Phantom { part: self, number, subject });
        }
        phantoms
    }
}

impl Phantom {
    /// Id of the case or document.
    pub fn id(&self) -> String {
        format!("{}{:04}", self.part.prefix(), self.number + 1)
    }

    /// Image file below `images/`.
    pub fn file(&self) -> String {
        format!("{}.png", self.id())
    }

    /// Random stream for drawing the picture; the attributes are drawn from another.
    pub fn picture_rng(&self, seed: u64) -> PhantomRng {
        self.rng(seed, 1)
    }

    /// Random stream for the caption.
    pub fn caption_rng(&self, seed: u64) -> PhantomRng {
        self.rng(seed, 2)
    }

    /// Streams of the sample stay below those of the pools (`0x100 << 40`).
    fn rng(&self, seed: u64, purpose: u64) -> PhantomRng {
        PhantomRng::new(seed, ((purpose << 4 | self.part as u64) << 40) | self.number as u64)
    }
}
