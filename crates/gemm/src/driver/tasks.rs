//! How much work is worth a task.

use std::ops::Range;

use crate::pool;

/// Work that pays for a task, in microseconds; a second thread pays from twice this.
const TASK_US: usize = 8;
/// Bytes that a core streams from memory in a microsecond, roughly.
pub(super) const STREAM_BYTES_PER_US: usize = 12_000;
/// Tasks per thread to aim for, to even out cores that others use too.
const TASKS_PER_THREAD: usize = 4;

/// Runs the tasks on the pool, or here when one thread was asked for.
pub(super) fn run(threads: usize, tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    if threads == 1 { (0..tasks).for_each(f) } else { pool::run(tasks, f) }
}

/// Tasks that work of about `us` microseconds is worth on `threads` threads, at most `most`.
pub(super) fn number_of_tasks(us: usize, threads: usize, most: usize) -> usize {
    if threads == 1 || us < 2 * TASK_US {
        return 1;
    }
    (us / TASK_US).min(threads * TASKS_PER_THREAD).min(most)
}

/// Part `i` of `0..count` cut into `parts` contiguous ranges of nearly equal length.
pub(super) fn share(count: usize, parts: usize, i: usize) -> Range<usize> {
    count * i / parts..count * (i + 1) / parts
}
