//! The thread pool: a fixed set of workers and one job at a time.
//!
//! A job is a function of a task index; whoever is free takes the next index, the caller included. Results may not
//! depend on which thread runs a task: each task writes its own output. Tasks run with denormals flushed to zero on
//! every thread, the caller's too, so that the number of threads cannot change a bit.

mod float_mode;
mod job;
mod threads;

use std::cell::Cell;
use std::ops::Range;

pub use float_mode::{Guard, enter};

thread_local! {
    static LIMIT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Threads that a job started here may use, the caller included: at least 1.
///
/// The pool's size is `COLDSTART_NUM_THREADS`, else `RAYON_NUM_THREADS`, else the physical cores allowed by affinity and
/// cgroup. It is fixed by the first use.
pub fn threads() -> usize {
    threads::count().min(LIMIT.get())
}

/// Runs `f(0)`, …, `f(tasks - 1)`, each once, and returns when all are done. The caller takes part.
///
/// Runs everything on the calling thread, in order, when there is one task, inside another job, and while another
/// thread's job holds the pool. A panic in a task is raised again here; tasks not yet started may then be left out.
pub fn run(tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    let _mode = enter();
    if tasks <= 1 || threads() == 1 {
        (0..tasks).for_each(f);
    } else if !job::run(tasks, threads(), f) {
        job::run_here(tasks, f);
    }
}

/// Splits `0..rows` into contiguous ranges of at least `min_rows` and runs `f` on each; a few per thread, to even out
/// cores of different speed. The ranges depend on the number of threads, so `f` must treat every row by itself.
pub fn rows(rows: usize, min_rows: usize, f: &(dyn Fn(Range<usize>) + Sync)) {
    const RANGES_PER_THREAD: usize = 4;
    if rows == 0 {
        return;
    }
    let threads = threads();
    let most = if threads == 1 { 1 } else { threads * RANGES_PER_THREAD };
    let ranges = (rows / min_rows.max(1)).clamp(1, most);
    let (len, longer) = (rows / ranges, rows % ranges);
    run(ranges, &|i| {
        let start = i * len + i.min(longer);
        f(start..start + len + usize::from(i < longer));
    });
}

/// Calls `f`; jobs that it starts from this thread use at most `n` threads.
pub fn with_threads<R>(n: usize, f: impl FnOnce() -> R) -> R {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            LIMIT.set(self.0);
        }
    }
    let _restore = Restore(LIMIT.replace(n.max(1)));
    f()
}

#[cfg(test)]
mod tests;
