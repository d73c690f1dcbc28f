//! Which checkpoints may go.

/// The steps to delete out of `steps`, newest first, when the newest `keep_last` intact ones stay; fewer than 2 count as 2. `is_intact`
/// is asked only as long as checkpoints are still to be kept. A damaged checkpoint newer than the last one kept stays for inspection.
/// `saved`, the one written last, stays also where higher steps, of another run, outrank it.
pub(crate) fn expired(
    keep_last: usize,
    steps: &[u64],
    saved: Option<u64>,
    mut is_intact: impl FnMut(u64) -> bool,
) -> Vec<u64> {
    let mut missing = keep_last.max(2);
    let mut expired = Vec::new();
    for &step in steps {
        if missing > 0 {
            missing -= usize::from(is_intact(step));
        } else if saved != Some(step) {
            expired.push(step);
        }
    }
    expired
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_intact_ones_stay() {
        assert_eq!(expired(3, &[50, 40, 30, 20, 10], None, |_| true), [20, 10]);
    }

    #[test]
    fn damaged_ones_do_not_count_as_kept() {
        assert_eq!(expired(2, &[50, 40, 30, 20], None, |step| step != 40), [20]);
    }

    #[test]
    fn two_are_kept_however_few_are_asked_for() {
        assert_eq!(expired(0, &[50, 40, 30], None, |_| true), [30]);
    }

    #[test]
    fn the_one_saved_last_stays_below_higher_steps() {
        assert_eq!(expired(2, &[50, 40, 30, 20], Some(20), |_| true), [30]);
    }
}
