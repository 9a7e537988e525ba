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
                "How often two annotators of a case give the same answer. It misleads if one answer prevails: people who \
                 always give that answer agree without looking."
            }
            Self::Alpha => {
                "Krippendorff's alpha is agreement beyond chance: 1 means no disagreement, 0 means chance, and .8 is a usual bar. It \
                 misleads if one answer prevails: it falls towards 0 although people agree (read it beside AC1)."
            }
            Self::AlphaMasi => {
                "This is Krippendorff's alpha with partial credit for sets of categories that overlap (Passonneau 2006). It misleads if \
                 sets are large: a category that everybody adds makes all of them overlap."
            }
            Self::Ac1 => {
                "Gwet's AC1 is agreement beyond chance, with a chance that stays small if one answer prevails. It misleads about rare \
                 categories: it is high although nobody agrees on them (read each against the rest, beside alpha)."
            }
            Self::Fleiss => {
                "Fleiss' kappa is the agreement of any number of annotators beyond chance, with chance from the shares of all answers. \
                 It misleads as alpha does, and if some annotators did far more cases than others."
            }
            Self::Cohen => {
                "Cohen's kappa is the agreement of two annotators beyond chance, with chance from each one's own shares. It misleads if \
                 one answer prevails (it falls towards 0), and it rises if two people's habits differ."
            }
        }
    }
}
