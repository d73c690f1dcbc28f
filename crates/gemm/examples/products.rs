//! Measures products and what the machine could do; prints one JSON line per measure.
//!
//!     cargo run --release -p coldstart-gemm --example products [part of a name]…
//!
//! Names: `peak`, `bandwidth`, `pool`, `forward` (y = x·Wᵀ, packed weights), `plain` (the same, packing W in the call), `dx` (dy·W, packed),
//! `dw` (dW += dyᵀ·x), `pack`, `tile` (one thread, strided operands). Times are the least of many runs: other processes only
//! ever add. `COLDSTART_NUM_THREADS=1` measures one core in processor time, also while others use it. `COLDSTART_KERNEL` sets the
//! kernel.
#![allow(clippy::print_stdout)]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use coldstart_gemm::{Mat, MatMut, Packed, Precision, Rhs, gemm, gemm_serial, kernel_name, pool};

#[path = "products/peak.rs"]
mod peak;

/// `[m, k]·[k, n]`: two layers of billion-parameter models, the second while decoding, then layers of a test-sized model.
const SHAPES: [(usize, usize, usize); 9] = [
    (2048, 1024, 4096),
    (512, 2048, 11008),
    (1, 2048, 11008),
    (16, 2048, 11008),
    (64, 2048, 11008),
    (1200, 128, 256),
    (1200, 128, 768),
    (1200, 384, 128),
    (16, 384, 1536),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let _mode = pool::enter();
    if chosen("pool") {
        let seconds = least(|| (0..1000).for_each(|_| pool::run(2, &|_| {})));
        println!(r#"{{"name":"pool","threads":{},"ns_per_job":{:.0}}}"#, pool::threads(), seconds * 1e6);
    }
    if chosen("bandwidth") {
        println!(r#"{{"name":"bandwidth","threads":{},"gb_per_s":{:.1}}}"#, pool::threads(), bandwidth());
    }
    for precision in [Precision::F32, Precision::Bf16] {
        let peak = peak::tflops(precision);
        let (kernel, threads, shown) = (kernel_name(precision), pool::threads(), number(peak));
        println!(
            r#"{{"name":"peak","precision":"{precision:?}","kernel":"{kernel}","threads":{threads},"tflops":{shown}}}"#
        );
        for shape in SHAPES {
            products(precision, shape, peak, &chosen);
        }
        if chosen("tile") {
            tiles(precision);
        }
    }
}

fn products(precision: Precision, (m, k, n): (usize, usize, usize), peak: f64, chosen: &dyn Fn(&str) -> bool) {
    let (x, w, dy) = (values(m * k), values(n * k), values(m * n));
    let (mut y, mut dx, mut dw) = (vec![0.0; m * n], vec![0.0; m * k], vec![0.0; n * k]);
    let (x, dy, w) = (Mat::new(&x, m, k), Mat::new(&dy, m, n), Mat::new(&w, n, k));
    let report = |name: &str, seconds: f64| {
        let work = 2.0 * (m * k * n) as f64 / 1e12;
        let bytes = n * k * if precision == Precision::Bf16 { 2 } else { 4 };
        println!(
            r#"{{"name":"{name}","precision":"{precision:?}","m":{m},"k":{k},"n":{n},"us":{:.1},"tflops":{:.3},"of_peak":{},"weight_gb_per_s":{:.1}}}"#,
            seconds * 1e6,
            work / seconds,
            number(work / seconds / peak),
            bytes as f64 / seconds / 1e9
        );
    };
    if chosen("forward") {
        let w = Packed::new(w.t(), precision);
        let product = || gemm(x, Rhs::Packed(&w), MatMut::new(&mut y, m, n), false, None, precision);
        report("forward", least(product));
    }
    if m < 512 {
        return;
    }
    if chosen("plain") {
        let product = || gemm(x, Rhs::Plain(w.t()), MatMut::new(&mut y, m, n), false, None, precision);
        report("plain", least(product));
    }
    if chosen("dx") {
        let w = Packed::new(w, precision);
        let product = || gemm(dy, Rhs::Packed(&w), MatMut::new(&mut dx, m, k), false, None, precision);
        report("dx", least(product));
    }
    if chosen("dw") {
        let product = || gemm(dy.t(), Rhs::Plain(x), MatMut::new(&mut dw, n, k), true, None, precision);
        report("dw", least(product));
    }
    if chosen("pack") {
        let seconds = least(|| drop(Packed::new(w.t(), precision)));
        println!(
            r#"{{"name":"pack","precision":"{precision:?}","k":{k},"n":{n},"us":{:.1},"source_gb_per_s":{:.1}}}"#,
            seconds * 1e6,
            (4 * k * n) as f64 / seconds / 1e9
        );
    }
}

/// Scores and values of one attention tile, read out of a fused row.
fn tiles(precision: Precision) {
    const ROW: usize = 3 * 128;
    let qkv = values(128 * ROW);
    let mut c = vec![0.0; 64 * 128];
    for (rows, keys, dim) in [(64, 64, 32), (64, 64, 80), (64, 64, 128), (16, 16, 32)] {
        let part = |column: usize, rows: usize| Mat::strided(&qkv[column..], rows, dim, ROW, 1);
        let p = Mat::new(&qkv, rows, keys);
        let scores = least(|| {
            for _ in 0..100 {
                let c = MatMut::new(&mut c, rows, keys);
                gemm_serial(part(0, rows), part(128, keys).t(), c, false, precision);
            }
        });
        let values = least(|| {
            for _ in 0..100 {
                gemm_serial(p, part(256, keys), MatMut::new(&mut c, rows, dim), false, precision);
            }
        });
        let gflops = |seconds: f64| 2.0 * (rows * keys * dim * 100) as f64 / seconds / 1e9;
        println!(
            r#"{{"name":"tile","precision":"{precision:?}","rows":{rows},"keys":{keys},"dim":{dim},"qk_ns":{:.0},"qk_gflops":{:.0},"pv_ns":{:.0},"pv_gflops":{:.0}}}"#,
            scores * 1e7,
            gflops(scores),
            values * 1e7,
            gflops(values)
        );
    }
}

/// GB/s at which all threads together read memory that no cache holds.
fn bandwidth() -> f64 {
    const TASKS: usize = 64;
    let data = vec![1u64; 64 << 20];
    let seconds = least(|| {
        pool::run(TASKS, &|task| {
            let part = &data[data.len() / TASKS * task..][..data.len() / TASKS];
            // Independent sums, so that the additions are not what is waited for.
            let mut sums = [0u64; 32];
            for chunk in part.chunks_exact(32) {
                for (sum, &x) in sums.iter_mut().zip(chunk) {
                    *sum = sum.wrapping_add(x);
                }
            }
            std::hint::black_box(sums);
        });
    });
    (data.len() * 8) as f64 / seconds / 1e9
}

/// The least time of one call, in seconds.
fn least(mut f: impl FnMut()) -> f64 {
    f();
    let (start, mut best) = (Instant::now(), f64::INFINITY);
    let mut runs = 0;
    while runs < 3 || (start.elapsed() < Duration::from_millis(400) && runs < 2000) {
        let begin = seconds();
        f();
        best = best.min(seconds() - begin);
        runs += 1;
    }
    best
}

/// One thread is timed by its own processor time, which goes on only while it has a core; several by the clock.
fn seconds() -> f64 {
    #[cfg(unix)]
    if pool::threads() == 1 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the call writes the local.
        if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) } == 0 {
            return time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9;
        }
    }
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// As JSON, which knows no NaN.
fn number(x: f64) -> String {
    if x.is_finite() { format!("{x:.3}") } else { "null".to_string() }
}

/// Uniform in [-1, 1).
fn values(n: usize) -> Vec<f32> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}
