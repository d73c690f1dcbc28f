//! How fast verdicts are, as JSON: pairs per second on one thread for each profile, and time, steps and memory of single
//! verdicts: on golden pairs, on pairs crafted to be slow, and on random pieces.
//!
//!     cargo run --release -p coldstart-grader --example grading_speed
//!
//! Goals: 5,120 pairs in well under a second; of crafted pairs 99 % within 1 ms, all within 50 ms, 8 MiB of memory at most; a
//! step within a few nanoseconds, so that the limit of steps bounds the time of every pair.
#![allow(clippy::print_stdout)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use coldstart_grader::{Limits, Profile, grade};

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/hostile.rs"]
mod hostile;

/// How often each pair is timed.
const ROUNDS: u32 = 5;

/// How many of the slowest pairs are shown.
const SLOWEST: usize = 3;

/// Counts live bytes and their peak.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is the system allocator's; only counters are added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(LIVE.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let pairs: Vec<_> = common::pairs("pairs").into_iter().map(|pair| (pair.pred, pair.gold)).collect();
    let crafted = hostile::pairs();
    let random = hostile::random(2000);
    let random: Vec<_> = random.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let mut report = serde_json::Map::new();
    for (name, profile) in [("mathruler", Profile::Mathruler), ("lenient", Profile::Lenient)] {
        let mut speed = speed(&pairs, profile);
        for (name, pairs) in [("golden", &pairs), ("crafted", &crafted), ("random", &random)] {
            speed.insert(name.to_owned(), each(pairs, profile));
        }
        report.insert(name.to_owned(), speed.into());
    }
    println!("{:#}", serde_json::Value::Object(report));
}

fn speed(pairs: &[(String, String)], profile: Profile) -> serde_json::Map<String, serde_json::Value> {
    let limits = Limits::default();
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        for (given, gold) in pairs {
            std::hint::black_box(grade(given, gold, profile, &limits));
        }
    }
    let seconds = begin.elapsed().as_secs_f64() / f64::from(ROUNDS);
    let mut speed = serde_json::Map::new();
    speed.insert("pairs_per_second".to_owned(), (pairs.len() as f64 / seconds).round().into());
    speed.insert("seconds_for_5120".to_owned(), (5120.0 * seconds / pairs.len() as f64).into());
    speed
}

/// Time, steps and memory of single verdicts.
fn each(pairs: &[(String, String)], profile: Profile) -> serde_json::Value {
    let limits = Limits::default();
    let mut times = Vec::new();
    let mut memory = 0;
    let mut steps = 0;
    for (given, gold) in pairs {
        let before = LIVE.load(Relaxed);
        PEAK.store(before, Relaxed);
        let verdict = grade(given, gold, profile, &limits);
        memory = memory.max(PEAK.load(Relaxed) - before);
        steps = steps.max(verdict.steps);
        // The least of a few, so that another process on the same core is not measured.
        let least = (0..ROUNDS).map(|_| nanos(|| grade(given, gold, profile, &limits))).min().unwrap_or_default();
        times.push((least, verdict.steps, given, gold));
    }
    times.sort_unstable();
    let micros = |nanos: u128| nanos as f64 / 1000.0;
    let start = |text: &str| text.chars().take(30).collect::<String>();
    let slowest: Vec<_> = times.iter().rev().take(SLOWEST).collect();
    let slowest: Vec<_> = slowest
        .into_iter()
        .map(|(nanos, steps, given, gold)| {
            serde_json::json!({
                "us": micros(*nanos),
                "steps": steps,
                "ns_per_step": *nanos as f64 / f64::from((*steps).max(1)),
                "given": start(given),
                "gold": start(gold),
            })
        })
        .collect();
    serde_json::json!({
        "pairs": times.len(),
        "p50_us": micros(times[times.len() / 2].0),
        "p99_us": micros(times[times.len() * 99 / 100].0),
        "max_us": micros(times[times.len() - 1].0),
        "max_steps": steps,
        "peak_extra_bytes": memory,
        "slowest": slowest,
    })
}

fn nanos<T>(work: impl FnOnce() -> T) -> u128 {
    let begin = Instant::now();
    std::hint::black_box(work());
    begin.elapsed().as_nanos()
}
