//! SigLIP 2 of changing resolution (`Siglip2Model`, NaFlex; Tschannen et al. 2025, section 2.4): pictures keep their
//! proportions, and each is cut into as many patches as fit.
//!
//! Against SigLIP: patches come cut, positions are resized to each picture's own grid, and patches that only fill up a batch
//! are not looked at. The text tower and the pooling head are SigLIP's.

mod architecture;
mod config;
mod positions;
mod vision;

pub use config::Siglip2Config;
