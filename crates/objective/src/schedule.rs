//! The learning rate as a function of the update index.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The shape after warm-up (`lrSchedulerType`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    #[default]
    Constant,
    Cosine,
    Linear,
}

/// `lr(s)` for updates `s = 0, 1, …`: a ramp `(s+1)/(warmup+1)` that wastes no update at zero, then from the peak to
/// `min_ratio · peak` at `total_steps`, with `p = (s − warmup)/(total_steps − warmup)`:
///
/// ```text
/// constant  peak          cosine  peak·(min + (1−min)·½(1 + cos πp))          linear  peak·(1 − (1−min)·p)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    #[serde(default)]
    pub kind: ScheduleKind,
    pub peak: f64,
    /// Updates of the run; `cosine` and `linear` end here and stay at their minimum afterwards.
    #[serde(default)]
    pub total_steps: u64,
    #[serde(default)]
    pub warmup_steps: u64,
    /// Final learning rate as a share of the peak.
    #[serde(default)]
    pub min_ratio: f64,
}

impl Schedule {
    /// Fails, naming the field, on a rate that is not finite, a ratio outside 0…1, or a warm-up longer than the run.
    pub fn validate(self) -> Result<Schedule> {
        if !(self.peak.is_finite() && self.peak >= 0.0) {
            return Err(Error::config("peak", "a learning rate of at least 0", self.peak));
        }
        if !(0.0..=1.0).contains(&self.min_ratio) {
            return Err(Error::config("minRatio", "a number from 0 to 1", self.min_ratio));
        }
        if self.kind != ScheduleKind::Constant && self.total_steps <= self.warmup_steps {
            return Err(Error::config("totalSteps", "more updates than warmupSteps", self.total_steps));
        }
        Ok(self)
    }

    /// The learning rate of update `s`.
    pub fn lr(&self, s: u64) -> f64 {
        if s < self.warmup_steps {
            return self.peak * (s + 1) as f64 / (self.warmup_steps + 1) as f64;
        }
        let steps = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        let progress = ((s - self.warmup_steps) as f64 / steps as f64).min(1.0);
        let decay = 1.0 - self.min_ratio;
        match self.kind {
            ScheduleKind::Constant => self.peak,
            ScheduleKind::Cosine => self.peak * (self.min_ratio + decay * 0.5 * (1.0 + (PI * progress).cos())),
            ScheduleKind::Linear => self.peak * (1.0 - decay * progress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(kind: ScheduleKind) -> Schedule {
        Schedule { kind, peak: 2.0, total_steps: 12, warmup_steps: 2, min_ratio: 0.1 }
    }

    #[test]
    fn warm_up_starts_above_zero_and_reaches_the_peak() {
        let lr: Vec<f64> = (0..3).map(|s| schedule(ScheduleKind::Cosine).lr(s)).collect();
        assert_eq!(lr, [2.0 / 3.0, 4.0 / 3.0, 2.0]);
    }

    #[test]
    fn decay_ends_at_the_minimum_and_stays() {
        for kind in [ScheduleKind::Cosine, ScheduleKind::Linear] {
            assert!((schedule(kind).lr(7) - 1.1).abs() < 1e-12, "half way: mean of peak and minimum");
            assert!((schedule(kind).lr(12) - 0.2).abs() < 1e-12);
            assert_eq!(schedule(kind).lr(500), schedule(kind).lr(12));
        }
        assert_eq!(schedule(ScheduleKind::Constant).lr(500), 2.0);
    }

    #[test]
    fn the_paper_schedule_is_half_a_cosine_from_the_first_update() {
        let paper =
            Schedule { kind: ScheduleKind::Cosine, peak: 1e-5, total_steps: 4, warmup_steps: 0, min_ratio: 0.0 };
        let expected = [0.0, 1.0, 2.0, 3.0].map(|s: f64| 1e-5 * 0.5 * (1.0 + (PI * s / 4.0).cos()));
        assert_eq!([0, 1, 2, 3].map(|s| paper.lr(s)), expected);
    }

    #[test]
    fn a_decay_without_room_after_warm_up_is_refused() {
        let error = Schedule { total_steps: 2, ..schedule(ScheduleKind::Linear) }.validate().unwrap_err();
        assert_eq!(error.to_string(), "totalSteps: expected more updates than warmupSteps, got 2");
    }
}
