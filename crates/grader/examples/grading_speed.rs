//! How fast verdicts are, as JSON: pairs per second on one thread for each profile, and time and memory of hostile answers.
//!
//!     cargo run --release -p coldstart-grader --example grading_speed
//!
//! Goals: 5,120 pairs in well under a second; of hostile answers 99 % within 1 ms, all within 50 ms, 8 MiB of memory at most.
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
    let hostile = hostile_pairs();
    let mut report = serde_json::Map::new();
    for (name, profile) in [("mathruler", Profile::Mathruler), ("lenient", Profile::Lenient)] {
        report.insert(name.to_owned(), measure(&pairs, &hostile, profile));
    }
    println!("{:#}", serde_json::Value::Object(report));
}

/// Every hostile answer against an honest one and against itself with a difference, in both orders; random pieces against
/// each other.
fn hostile_pairs() -> Vec<(String, String)> {
    let golds = |text: &str| ["12".to_owned(), "x+y".to_owned(), format!("{text}+1"), format!("2*({text})")];
    let ordered = |(_, text): (&str, String)| {
        golds(&text).into_iter().flat_map(move |gold| [(text.clone(), gold.clone()), (gold, text.clone())])
    };
    let random = hostile::random(2000);
    let random = random.windows(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    hostile::hostile().into_iter().flat_map(ordered).chain(random).collect()
}

fn measure(pairs: &[(String, String)], hostile: &[(String, String)], profile: Profile) -> serde_json::Value {
    let limits = Limits::default();
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        for (given, gold) in pairs {
            std::hint::black_box(grade(given, gold, profile, &limits));
        }
    }
    let seconds = begin.elapsed().as_secs_f64() / f64::from(ROUNDS);
    serde_json::json!({
        "pairs_per_second": (pairs.len() as f64 / seconds).round(),
        "seconds_for_5120": 5120.0 * seconds / pairs.len() as f64,
        "golden": each(pairs, profile),
        "hostile": each(hostile, profile),
    })
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
        let least = (0..ROUNDS).map(|_| micros(|| grade(given, gold, profile, &limits))).min().unwrap_or_default();
        times.push((least, given));
    }
    times.sort_unstable();
    let slowest = times[times.len() - 1];
    serde_json::json!({
        "pairs": times.len(),
        "p50_us": times[times.len() / 2].0,
        "p99_us": times[times.len() * 99 / 100].0,
        "max_us": slowest.0,
        "slowest_given": slowest.1.chars().take(40).collect::<String>(),
        "max_steps": steps,
        "peak_extra_bytes": memory,
    })
}

fn micros<T>(work: impl FnOnce() -> T) -> u128 {
    let begin = Instant::now();
    std::hint::black_box(work());
    begin.elapsed().as_micros()
}
