//! The figures by which answers are judged, as scikit-learn defines them.

mod calibration;
mod confusion;
mod ranking;
mod several_labels;

pub use calibration::{Calibration, ConfidentCases, ReliabilityBin};
pub use confusion::{Confusion, MacroAverages};
pub use ranking::{OneAgainstRest, area_under_curve, macro_area_under_curve};
pub use several_labels::LabelSets;
