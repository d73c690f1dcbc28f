//! Handing one job to the workers.
//!
//! The job lies in a shared slot behind a gate, one atomic word: a number that grows with each job, an open bit, how many
//! workers may be inside and how many are. A worker enters by adding itself while the gate is open; the caller, out of
//! tasks, closes the gate and waits for those inside. A worker that is late or asleep finds the gate closed and delays
//! nobody, so a job of a few microseconds costs no more than its tasks even when the other cores are busy.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long a worker looks for the next job before it sleeps. Longer than the serial work between the jobs of a step,
/// short enough to leave the core to others when the engine rests.
const SPIN: Duration = Duration::from_micros(60);

type Task<'a> = &'a (dyn Fn(usize) + Sync);

#[repr(align(128))]
struct Line<T>(T);

struct Shared {
    gate: Line<AtomicU64>,
    next: Line<AtomicUsize>,
    job: Line<UnsafeCell<Option<(Task<'static>, usize)>>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Held by the thread whose job it is.
    owner: Mutex<()>,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
}

// SAFETY: the slot is written by the owner while the gate is closed and empty, and read by workers inside the gate.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared {
    gate: Line(AtomicU64::new(0)),
    next: Line(AtomicUsize::new(0)),
    job: Line(UnsafeCell::new(None)),
    panic: Mutex::new(None),
    owner: Mutex::new(()),
    sleepers: AtomicUsize::new(0),
    sleep: Mutex::new(()),
    wake: Condvar::new(),
};

const INSIDE: u64 = 0xffff;
const LIMIT_SHIFT: u32 = 16;
const OPEN: u64 = 1 << 31;
const NUMBER_SHIFT: u32 = 32;

thread_local! {
    static IN_JOB: Cell<bool> = const { Cell::new(false) };
}

/// Runs the job on up to `threads` threads. False when it has to run inline instead: inside a job, or while another
/// thread's job holds the pool.
pub(super) fn run(tasks: usize, threads: usize, f: Task<'_>) -> bool {
    if IN_JOB.get() {
        return false;
    }
    let _owner = match SHARED.owner.try_lock() {
        Ok(guard) => guard,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return false,
    };
    let helpers = start_workers().min(threads - 1).min(tasks - 1);
    if helpers == 0 {
        return false;
    }
    open(tasks, helpers as u64, f);
    take_tasks(f, tasks);
    close();
    let panic = SHARED.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
    true
}

/// Runs the job on this thread, and what its tasks start as well, even if the pool becomes free meanwhile.
pub(super) fn run_here(tasks: usize, f: Task<'_>) {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IN_JOB.set(self.0);
        }
    }
    let _restore = Restore(IN_JOB.replace(true));
    (0..tasks).for_each(f);
}

fn open(tasks: usize, helpers: u64, f: Task<'_>) {
    // SAFETY: the lifetime is widened for the slot only; `close` waits for every worker inside before `run` returns.
    let f: Task<'static> = unsafe { std::mem::transmute::<Task<'_>, Task<'static>>(f) };
    // SAFETY: this thread owns the pool and the gate is closed and empty.
    unsafe { *SHARED.job.0.get() = Some((f, tasks)) };
    SHARED.next.0.store(0, Ordering::Relaxed);
    let number = (SHARED.gate.0.load(Ordering::Relaxed) >> NUMBER_SHIFT) + 1;
    let gate = number << NUMBER_SHIFT | OPEN | helpers.min(0x7fff) << LIMIT_SHIFT;
    // Sequentially consistent with `sleep_until_open`: either the sleeper sees this gate or we see the sleeper.
    SHARED.gate.0.store(gate, Ordering::SeqCst);
    if SHARED.sleepers.load(Ordering::SeqCst) > 0 {
        drop(SHARED.sleep.lock().unwrap_or_else(PoisonError::into_inner));
        SHARED.wake.notify_all();
    }
}

/// Lets nobody else in and waits for those inside.
fn close() {
    SHARED.gate.0.fetch_and(!OPEN, Ordering::AcqRel);
    let mut rounds = 0u32;
    while SHARED.gate.0.load(Ordering::Acquire) & INSIDE != 0 {
        rounds += 1;
        // A worker may have lost its core in the middle of a task; then spinning keeps it from coming back.
        if rounds < 2000 {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}

/// Takes tasks until none is left; a panic is kept for the owner and stops the job.
fn take_tasks(f: Task<'_>, tasks: usize) {
    IN_JOB.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| {
        loop {
            let task = SHARED.next.0.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            f(task);
        }
    }));
    IN_JOB.set(false);
    if let Err(panic) = result {
        SHARED.next.0.store(tasks, Ordering::Relaxed);
        SHARED.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
    }
}

/// Starts the workers once and returns their number. They are never joined: a process that ends takes them along.
fn start_workers() -> usize {
    static WORKERS: OnceLock<usize> = OnceLock::new();
    *WORKERS.get_or_init(|| {
        (1..super::threads::count())
            .filter(|i| {
                let thread = std::thread::Builder::new().name(format!("coldstart-{i}"));
                // A refused thread (a limit on processes) leaves a smaller pool, not a failure.
                thread.spawn(work).is_ok()
            })
            .count()
    })
}

fn work() {
    let _mode = super::enter();
    let mut done = 0;
    loop {
        let gate = wait_for_job(done);
        done = gate >> NUMBER_SHIFT;
        if enter_gate(gate) {
            // SAFETY: inside the gate the slot holds the job until this worker leaves.
            if let Some((f, tasks)) = unsafe { *SHARED.job.0.get() } {
                take_tasks(f, tasks);
            }
            SHARED.gate.0.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Adds this worker to those inside, unless the gate has closed, changed or is full.
fn enter_gate(seen: u64) -> bool {
    let mut gate = seen;
    loop {
        let full = gate & INSIDE >= gate >> LIMIT_SHIFT & 0x7fff;
        if gate & OPEN == 0 || gate >> NUMBER_SHIFT != seen >> NUMBER_SHIFT || full {
            return false;
        }
        match SHARED.gate.0.compare_exchange_weak(gate, gate + 1, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return true,
            Err(now) => gate = now,
        }
    }
}

/// The gate of a job after number `done`.
fn wait_for_job(done: u64) -> u64 {
    let news = |gate: u64| gate & OPEN != 0 && gate >> NUMBER_SHIFT != done;
    let start = Instant::now();
    loop {
        for _ in 0..64 {
            let gate = SHARED.gate.0.load(Ordering::Acquire);
            if news(gate) {
                return gate;
            }
            std::hint::spin_loop();
        }
        if start.elapsed() > SPIN {
            return sleep_until_open(news);
        }
    }
}

fn sleep_until_open(news: impl Fn(u64) -> bool) -> u64 {
    let mut guard = SHARED.sleep.lock().unwrap_or_else(PoisonError::into_inner);
    SHARED.sleepers.fetch_add(1, Ordering::SeqCst);
    let gate = loop {
        let gate = SHARED.gate.0.load(Ordering::SeqCst);
        if news(gate) {
            break gate;
        }
        guard = SHARED.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
    };
    SHARED.sleepers.fetch_sub(1, Ordering::SeqCst);
    gate
}
