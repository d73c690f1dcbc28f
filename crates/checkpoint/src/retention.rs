//! Which checkpoints may go.

use std::collections::HashSet;

/// What to keep. Runs only after a newer checkpoint is committed and re-opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Intact checkpoints to keep, newest first; fewer than 2 count as 2.
    pub keep_last: usize,
    /// Steps to keep whatever their age, the best one for example.
    pub keep_steps: Vec<u64>,
}

impl Default for Retention {
    fn default() -> Self {
        Retention { keep_last: 2, keep_steps: Vec::new() }
    }
}

impl Retention {
    /// The steps to delete out of `steps`, newest first. `is_intact` is asked only as long as checkpoints are still to be kept.
    /// A damaged checkpoint newer than the last one kept stays for inspection. `saved`, the one written last, stays also where
    /// higher steps, of another run, outrank it.
    pub(crate) fn expired(
        &self,
        steps: &[u64],
        saved: Option<u64>,
        mut is_intact: impl FnMut(u64) -> bool,
    ) -> Vec<u64> {
        let keep_steps: HashSet<u64> = self.keep_steps.iter().copied().chain(saved).collect();
        let mut missing = self.keep_last.max(2);
        let mut expired = Vec::new();
        for &step in steps {
            if missing > 0 {
                missing -= usize::from(is_intact(step));
            } else if !keep_steps.contains(&step) {
                expired.push(step);
            }
        }
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(keep_last: usize) -> Retention {
        Retention { keep_last, keep_steps: vec![10] }
    }

    #[test]
    fn the_newest_intact_ones_and_the_named_ones_stay() {
        assert_eq!(retention(2).expired(&[50, 40, 30, 20, 10], None, |_| true), [30, 20]);
    }

    #[test]
    fn damaged_ones_do_not_count_as_kept() {
        assert_eq!(retention(2).expired(&[50, 40, 30, 20], None, |step| step != 40), [20]);
    }

    #[test]
    fn two_are_kept_however_few_are_asked_for() {
        assert_eq!(retention(0).expired(&[50, 40, 30], None, |_| true), [30]);
    }

    #[test]
    fn the_one_saved_last_stays_below_higher_steps() {
        assert_eq!(retention(2).expired(&[50, 40, 30, 20], Some(20), |_| true), [30]);
    }
}
