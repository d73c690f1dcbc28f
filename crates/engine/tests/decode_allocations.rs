//! Decoding allocates nothing of its own: nine tokens take as many allocations as one, which are those of the events.
//!
//! Left out of the count are the 64 bytes that candle's check for overlapping views takes, and gives back, whenever a tensor is lent to be
//! written; how many of those there are is bounded.

mod generate_common;

use coldstart_engine::Precision;
use coldstart_engine::generate::{Generator, Limits, Settings};
use coldstart_kernels::sampling::SampleParams;
use generate_common::{GO, model, request, sampled, with_image};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting what all threads ask of it.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static OVERLAP_CHECKS: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    let counter = if bytes == 64 { &OVERLAP_CHECKS } else { &CALLS };
    counter.fetch_add(1, Ordering::Relaxed);
}

// SAFETY: every call is the system allocator's own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's contract is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Both in one test: the counter sees every thread of the process.
#[test]
fn many_tokens_allocate_no_more_than_one() {
    let plain = SampleParams::default();
    let truncated = SampleParams { top_k: 20, top_p: 0.9, min_p: 0.01, repetition_penalty: 1.1, ..plain.clone() };
    for precision in [Precision::F64, Precision::F32, Precision::Bf16] {
        for sampling in [&plain, &truncated] {
            let settings = Settings { sampling: sampling.clone(), max_new_tokens: 120, eos: vec![], ..sampled() };
            let model = model(precision);
            let requests = vec![with_image(1, 3, settings.clone()), request(2, vec![7, 8, 9], 2, settings)];
            let mut generator = Generator::new(&model, requests, &Limits::default()).unwrap();
            // The first tokens fill the buffers that the later ones use again.
            generator.step(&model, 8, &GO).unwrap();
            let mut allocations = |tokens| {
                let before = (CALLS.load(Ordering::Relaxed), OVERLAP_CHECKS.load(Ordering::Relaxed));
                let events = generator.step(&model, tokens, &GO).unwrap();
                let after = (CALLS.load(Ordering::Relaxed), OVERLAP_CHECKS.load(Ordering::Relaxed));
                assert_eq!(events.iter().map(|event| event.ids.len()).sum::<usize>(), 5 * tokens);
                (after.0 - before.0, after.1 - before.1)
            };
            // The fewest of several: a worker that gets its first task late, on a busy machine, makes its working memory then, once; and the
            // lists of a sample that keep growing make room now and then. What decoding itself takes is in every one of them.
            let mut fewest = |tokens| {
                let counts: Vec<_> = (0..8).map(|_| allocations(tokens)).collect();
                let checks = counts.iter().map(|count| count.1).min().unwrap();
                assert!(checks <= (12 * 2 + 8) * tokens + 5, "one for each tensor that is written, not {checks}");
                counts.iter().map(|count| count.0).min().unwrap()
            };
            let one = fewest(1);
            assert!(one <= 4 * 5 + 2, "three lists and a reservation for each of five events, not {one} allocations");
            let many = fewest(9);
            assert!(many <= one, "{many} allocations instead of {one}: {precision:?} {sampling:?}");
        }
    }
}
