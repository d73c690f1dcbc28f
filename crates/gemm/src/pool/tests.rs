use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// How often each of `tasks` ran.
fn counts(tasks: usize, start: impl FnOnce(&(dyn Fn(usize) + Sync))) -> Vec<usize> {
    let counts: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
    start(&|i| {
        counts[i].fetch_add(1, Ordering::Relaxed);
    });
    counts.into_iter().map(AtomicUsize::into_inner).collect()
}

#[test]
fn every_task_runs_exactly_once() {
    for tasks in [0, 1, 2, 3, 7, 64, 1000] {
        assert_eq!(counts(tasks, |f| run(tasks, f)), vec![1; tasks]);
    }
}

#[test]
fn many_short_jobs_in_a_row_lose_no_task() {
    let total = AtomicUsize::new(0);
    for round in 0..20_000 {
        run(2 + round % 5, &|i| {
            total.fetch_add(i + 1, Ordering::Relaxed);
        });
    }
    // 1 + … + n for n = 2 … 6, four thousand times each.
    assert_eq!(total.into_inner(), 4000 * (3 + 6 + 10 + 15 + 21));
}

#[test]
fn jobs_after_a_rest_find_sleeping_workers() {
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(1));
        assert_eq!(counts(8, |f| run(8, f)), vec![1; 8]);
    }
}

#[test]
fn a_job_inside_a_task_runs_on_that_thread() {
    run(8, &|_| {
        let thread = std::thread::current().id();
        let inner = counts(5, |f| {
            run(5, &|i| {
                assert_eq!(std::thread::current().id(), thread);
                f(i);
            });
        });
        assert_eq!(inner, vec![1; 5]);
    });
}

#[test]
fn a_job_inside_a_task_runs_on_that_thread_also_when_the_pool_was_busy_and_is_free() {
    let outer_started = std::sync::Barrier::new(2);
    let (outer_may_end, outer_ended) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            run(2, &|task| {
                if task == 0 {
                    outer_started.wait();
                    outer_may_end.wait();
                }
            });
            outer_ended.wait();
        });
        outer_started.wait();
        run(2, &|task| {
            if task == 0 {
                outer_may_end.wait();
                outer_ended.wait();
            }
            let thread = std::thread::current().id();
            run(64, &|_| assert_eq!(std::thread::current().id(), thread));
        });
    });
}

#[test]
fn a_panic_in_a_task_reaches_the_caller_and_leaves_the_pool_usable() {
    for bad in [0, 13, 63] {
        let result = catch_unwind(|| run(64, &|i| assert!(i != bad, "task {i} is bad")));
        let message = *result.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(message, format!("task {bad} is bad"));
        assert_eq!(counts(64, |f| run(64, f)), vec![1; 64]);
    }
}

#[test]
fn callers_on_several_threads_all_get_their_results() {
    std::thread::scope(|scope| {
        for caller in 0..4 {
            scope.spawn(move || {
                for round in 0..500 {
                    let tasks = 1 + (caller * 7 + round) % 20;
                    assert_eq!(counts(tasks, |f| run(tasks, f)), vec![1; tasks]);
                }
            });
        }
    });
}

#[test]
fn rows_are_covered_by_contiguous_ranges_of_the_least_length() {
    for (count, least) in [(1, 8), (7, 8), (8, 8), (17, 8), (1000, 1), (1000, 64), (5, 0)] {
        let ranges = Mutex::new(Vec::new());
        rows(count, least, &|range| ranges.lock().unwrap().push(range));
        let mut ranges = ranges.into_inner().unwrap();
        ranges.sort_by_key(|range| range.start);
        let mut end = 0;
        for range in &ranges {
            assert_eq!(range.start, end);
            assert!(range.len() >= least.min(count));
            end = range.end;
        }
        assert_eq!(end, count);
    }
    rows(0, 1, &|_| panic!("there are no rows"));
}

#[test]
fn with_threads_limits_and_restores() {
    let before = threads();
    with_threads(1, || {
        assert_eq!(threads(), 1);
        let thread = std::thread::current().id();
        run(16, &|_| assert_eq!(std::thread::current().id(), thread));
        with_threads(64, || assert!(threads() <= threads::count()));
        assert_eq!(threads(), 1);
    });
    let panic = catch_unwind(AssertUnwindSafe(|| with_threads(1, || panic!("inside"))));
    assert!(panic.is_err());
    assert_eq!(threads(), before);
}

/// Half the least normal number, computed here and now: zero where denormals are flushed.
fn denormal() -> f32 {
    black_box(f32::MIN_POSITIVE) * black_box(0.5)
}

#[test]
fn denormals_are_zero_in_tasks_and_under_the_guard_only() {
    assert!(denormal() > 0.0);
    for threads in [1, 2] {
        with_threads(threads, || run(64, &|_| assert_eq!(denormal(), 0.0)));
        assert!(denormal() > 0.0);
    }
    let guard = enter();
    assert_eq!(denormal(), 0.0);
    let stored = f32::from_bits(1);
    assert_eq!(black_box(stored) * black_box(1e30), 0.0, "denormal operands are read as zero");
    drop(enter());
    assert_eq!(denormal(), 0.0, "an inner guard leaves the outer one in force");
    drop(guard);
    assert!(denormal() > 0.0);
}
