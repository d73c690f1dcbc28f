//! Bandwidth of the row kernels beside that of a copy, one JSON line each.
//!
//! ```text
//! cargo run --release -p coldstart-kernels --example rows -- [rows] [hidden] [inner] [rounds]
//! ```
//!
//! `gb_s` counts each operand once, read or written; `of_copy` is its share of the copy's. Freed blocks are kept by the
//! allocator, as in the engine, so that no page is faulted in while a kernel is timed.
#![allow(clippy::print_stdout)]

use candle_core::{DType, Device, Tensor};
use coldstart_kernels::adamw::{self, AdamW};
use coldstart_kernels::rope::{self, Angles};
use coldstart_kernels::rows::for_rows;
use coldstart_kernels::{Acc, Result, embedding, gelu, grad_norm, linear, rms_norm, swiglu};

fn main() -> Result<()> {
    keep_freed_blocks();
    let mut arguments = std::env::args().skip(1).map(|a| a.parse().unwrap_or(0));
    let mut next = |default: usize| arguments.next().filter(|&a| a > 0).unwrap_or(default);
    let (n, d, inner, rounds) = (next(4096), next(2048), next(5632), next(9));
    let random = |shape: &[usize]| Tensor::rand(-2f32, 2f32, shape, &Device::Cpu);
    let (x, dy, w) = (random(&[n, d])?, random(&[n, d])?, random(&[d])?);
    let (gu, da) = (random(&[n, 2 * inner])?, random(&[n, inner])?);
    let (cos, sin) = (random(&[n, 64])?, random(&[n, 64])?);
    let angles = Angles { cos, sin };
    let (value, grad) = (random(&[n, d])?, random(&[n, d])?);
    let moments = [value.zeros_like()?, value.zeros_like()?];
    let dw = Tensor::zeros(d, DType::F32, &Device::Cpu)?;
    let acc = Acc { grad: &dw, first: true };
    let ids: Vec<u32> = (0..n as u32).map(|i| i.wrapping_mul(2_654_435_761) % n as u32).collect();
    let skip = vec![false; n];
    let options = AdamW { lr: 1e-6, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01, step: 3, grad_scale: 0.7 };
    let (_, inv_rms) = rms_norm::forward(&x, &w, 1e-6)?;
    let (nd, ni, heads) = (n * d * 4, n * inner * 4, d / 128);

    let bench = Bench { rounds, copy: copy_bandwidth(n * d, rounds) };
    println!("{{\"kernel\":\"copy\",\"gb_s\":{:.2},\"threads\":{}}}", bench.copy, coldstart_gemm::pool::threads());
    bench.run("rms_norm.forward", 2 * nd, || rms_norm::forward(&x, &w, 1e-6).map(drop))?;
    bench.run("rms_norm.forward_residual", 4 * nd, || rms_norm::forward_residual(&x, &dy, &w, 1e-6).map(drop))?;
    bench.run("rms_norm.backward", 4 * nd, || rms_norm::backward(&dy, &x, &inv_rms, &w, Some(&dy), None).map(drop))?;
    bench.run("rms_norm.backward+dw", 4 * nd, || {
        rms_norm::backward(&dy, &x, &inv_rms, &w, Some(&dy), Some(acc)).map(drop)
    })?;
    bench.run("rope.apply", 2 * nd, || rope::apply(&x, heads, 128, &angles, false))?;
    bench.run("swiglu.forward", 3 * ni, || swiglu::forward(&gu).map(drop))?;
    bench.run("swiglu.backward", 5 * ni, || swiglu::backward(&da, &gu).map(drop))?;
    bench.run("gelu.forward", 2 * nd, || gelu::forward(&dy).map(drop))?;
    bench.run("gelu.backward", 3 * nd, || gelu::backward(&dy, &dy).map(drop))?;
    bench.run("linear.backward_bias", nd, || linear::backward_bias(&dy, acc))?;
    bench.run("embedding.gather", 2 * nd, || embedding::gather(&dy, &ids).map(drop))?;
    bench.run("embedding.backward", 3 * nd, || {
        embedding::backward(&dy, &ids, &skip, Acc { grad: &value, first: false })
    })?;
    bench.run("adamw.step", 7 * nd, || adamw::step(&value, &grad, &moments[0], &moments[1], 0..n, &options))?;
    bench.run("grad_norm.sum_squares", nd, || grad_norm::sum_squares(&grad, 0..n).map(drop))
}

struct Bench {
    rounds: usize,
    copy: f64,
}

impl Bench {
    fn run(&self, name: &str, bytes: usize, f: impl Fn() -> Result<()>) -> Result<()> {
        f()?;
        let mut best = f64::INFINITY;
        for _ in 0..self.rounds {
            let start = seconds();
            f()?;
            best = best.min(seconds() - start);
        }
        let rate = bytes as f64 / best / 1e9;
        println!(
            "{{\"kernel\":\"{name}\",\"us\":{:.2},\"gb_s\":{rate:.2},\"of_copy\":{:.2}}}",
            best * 1e6,
            rate / self.copy
        );
        Ok(())
    }
}

/// The best of `rounds` parallel copies of `len` floats, in GB/s read and written.
fn copy_bandwidth(len: usize, rounds: usize) -> f64 {
    let source = vec![1f32; len];
    let mut target = vec![0f32; len];
    let best = (0..rounds.max(3)).fold(f64::INFINITY, |best, _| {
        let start = seconds();
        for_rows(len, 1 << 16, [&mut target[..]], |range, [target]| target.copy_from_slice(&source[range]));
        best.min(seconds() - start)
    });
    8.0 * len as f64 / best / 1e9
}

/// Wall time; with one thread its CPU time, so that neighbours on a shared machine disturb less.
fn seconds() -> f64 {
    let clock = match coldstart_gemm::pool::threads() {
        1 => libc::CLOCK_THREAD_CPUTIME_ID,
        _ => libc::CLOCK_MONOTONIC,
    };
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for the write.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Makes the C allocator reuse large blocks instead of returning them to the system.
#[cfg(target_env = "gnu")]
fn keep_freed_blocks() {
    // SAFETY: plain settings of the allocator, made before any other thread exists.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

#[cfg(not(target_env = "gnu"))]
fn keep_freed_blocks() {}
