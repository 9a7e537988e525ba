//! The coefficients: names and explanations. `coefficients.rs` computes them.

/// A measure of agreement between annotators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coefficient {
    /// Share of the pairs of annotators of a unit who give the same answer, mean over units.
    Percent,
    /// Krippendorff's alpha with nominal distance: answers are equal or not.
    Alpha,
    /// Krippendorff's alpha with the MASI distance of sets of categories.
    AlphaMasi,
    /// Gwet's AC1.
    Ac1,
    /// Fleiss' kappa.
    Fleiss,
    /// Cohen's kappa, of two annotators.
    Cohen,
}

/// Reason why a figure is undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    #[error("nobody annotated")]
    NoAnnotation,
    #[error("one annotator")]
    OneAnnotator,
    #[error("no case shared")]
    NothingShared,
    /// Everybody gave the same answer, so chance alone would agree on everything.
    #[error("one answer only")]
    OneAnswer,
    #[error("over 2000 answers")]
    TooManyAnswers,
}

impl Coefficient {
    /// The coefficients for any number of annotators, in the order of the tables.
    pub const OF_ALL: [Self; 5] = [Self::Percent, Self::Alpha, Self::AlphaMasi, Self::Ac1, Self::Fleiss];

    pub fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Alpha => "alpha",
            Self::AlphaMasi => "alpha MASI",
            Self::Ac1 => "AC1",
            Self::Fleiss => "Fleiss' kappa",
            Self::Cohen => "Cohen's kappa",
        }
    }

    /// Its meaning and when it misleads, on one line.
    pub fn words(self) -> &'static str {
        match self {
            Self::Percent => {
                "Of two annotators of a case, how often both say the same. Misleads where one answer prevails: people who \
                 always give it agree without looking."
            }
            Self::Alpha => {
                "Krippendorff's: the disagreement that chance would give and that is absent; 1 is none, 0 is chance, .8 a usual \
                 bar. Misleads where one answer prevails: it falls towards 0 though people agree (read it beside AC1)."
            }
            Self::AlphaMasi => {
                "Krippendorff's with partial credit where sets of categories overlap (Passonneau 2006). Misleads where sets are \
                 large: a category that everybody adds makes all of them overlap."
            }
            Self::Ac1 => {
                "Gwet's: agreement beyond chance, where chance stays small when one answer prevails. Misleads about rare \
                 categories: it is high though nobody agrees on them (read each against the rest, beside alpha)."
            }
            Self::Fleiss => {
                "Agreement beyond chance of any number of annotators, chance from the shares of all answers. Misleads as alpha \
                 does, and where some annotators did far more cases than others."
            }
            Self::Cohen => {
                "Agreement of two annotators beyond chance, chance from each one's own shares. Misleads where one answer prevails \
                 (it falls towards 0), and rises where two people's habits differ."
            }
        }
    }
}
