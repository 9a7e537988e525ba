//! Learning rate over a run: linear warm-up, then half a cosine to zero (docs/method.md, "Steps").

/// Learning rate as a function of the step.
#[derive(Clone, Copy, Debug)]
pub struct CosineSchedule {
    /// Largest learning rate, reached at the end of the warm-up.
    pub peak: f64,
    pub warm_up_steps: usize,
    pub total_steps: usize,
}

impl CosineSchedule {
    /// Learning rate of a step, counted from 0.
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warm_up_steps {
            return self.peak * (step + 1) as f64 / self.warm_up_steps as f64;
        }
        let remaining = self.total_steps.saturating_sub(self.warm_up_steps).max(1);
        let progress = ((step - self.warm_up_steps) as f64 / remaining as f64).min(1.0);
        self.peak * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_to_the_peak_and_falls_to_zero() {
        let schedule = CosineSchedule { peak: 1e-3, warm_up_steps: 10, total_steps: 110 };
        assert!((schedule.at(0) - 1e-4).abs() < 1e-12);
        assert!((schedule.at(9) - 1e-3).abs() < 1e-12);
        assert!((schedule.at(60) - 5e-4).abs() < 1e-12);
        assert!(schedule.at(110) < 1e-12);
        assert!(schedule.at(1000) < 1e-12);
    }
}
