//! Times of attention, head, cached decoding and sampling at the sizes of a small and of a large model:
//!
//!     cargo run --release -p coldstart-kernels --example attention_and_head_speed [word of the cases' names]

use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use coldstart_kernels::attention::{Heads, Plan, Segment, backward, forward};
use coldstart_kernels::kv_cache::KvCache;
use coldstart_kernels::rng::{Key, Purpose};
use coldstart_kernels::sampling::{SampleParams, sample_row};
use coldstart_kernels::{Acc, Precision, Result, Weight, head};

const SMALL: Heads = Heads { q: 4, kv: 2, dim: 32 };
const LARGE: Heads = Heads { q: 16, kv: 2, dim: 128 };

fn main() -> Result<()> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for precision in [Precision::F32, Precision::Bf16] {
        let groups = (0..16).flat_map(|g| Segment::with_responses(g * 212, 12, [25; 8])).collect();
        attention(&wanted, "small, 16 prompts of 12 with 8 responses of 25", SMALL, groups, true, precision)?;
        let sequences = (0..256).map(|i| Segment::new(i * 35, 35)).collect();
        attention(&wanted, "small, 256 sequences of 35", SMALL, sequences, true, precision)?;
        let windows = (0..256).map(|i| Segment::new(i * 12, 12)).collect();
        attention(
            &wanted,
            "small vision, 256 windows of 12",
            Heads { q: 3, kv: 3, dim: 32 },
            windows,
            false,
            precision,
        )?;
        let responses = Segment::with_responses(0, 700, [300; 8]);
        attention(&wanted, "large, prompt of 700 with 8 responses of 300", LARGE, responses, true, precision)?;
        attention(&wanted, "large, one sequence of 2048", LARGE, vec![Segment::new(0, 2048)], true, precision)?;
        let vision = Heads { q: 16, kv: 16, dim: 80 };
        attention(&wanted, "large vision, frame of 1344", vision, vec![Segment::new(0, 1344)], false, precision)?;
        let windows = (0..21).map(|i| Segment::new(i * 64, 64)).collect();
        attention(&wanted, "large vision, 21 windows of 64", vision, windows, false, precision)?;
        heads(&wanted, "small head, 4096 rows of 128, 64 ids", 4096, 128, 64, precision)?;
        heads(&wanted, "large head, 512 rows of 2048, 151936 ids", 512, 2048, 151_936, precision)?;
        decode(&wanted, "small decode, 16 prompts of 12, 8 samples at 20", SMALL, (16, 8), (12, 20), precision)?;
        decode(&wanted, "large decode, 8 prompts of 700, 8 samples at 150", LARGE, (8, 8), (700, 150), precision)?;
        decode(&wanted, "large decode, 16 prompts of 700, 1 sample at 150", LARGE, (16, 1), (700, 150), precision)?;
    }
    sampling(&wanted);
    Ok(())
}

/// Best of several runs, in seconds.
fn best(mut f: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    for i in 0..200 {
        let start = Instant::now();
        f()?;
        best = best.min(start.elapsed().as_secs_f64());
        if i >= 2 && begin.elapsed().as_secs_f64() > 0.7 {
            break;
        }
    }
    Ok(best)
}

fn random(seed: u64, rows: usize, columns: usize, std: f64) -> Result<Tensor> {
    let mut data = vec![0f32; rows * columns];
    Key::new(seed, Purpose::Init).fill_normal(0, std, &mut data);
    Ok(Tensor::from_vec(data, (rows, columns), &Device::Cpu)?)
}

fn attention(
    wanted: &str,
    name: &str,
    heads: Heads,
    segments: Vec<Segment>,
    causal: bool,
    precision: Precision,
) -> Result<()> {
    if !name.contains(wanted) {
        return Ok(());
    }
    let rows = segments.iter().map(|s| s.q0 + s.q_len).max().unwrap_or(0);
    let pairs: usize = segments
        .iter()
        .map(|s| s.q_len * s.prefix_len + if causal { s.q_len * (s.q_len + 1) / 2 } else { s.q_len * s.q_len })
        .sum();
    let flops = 4.0 * (pairs * heads.q * heads.dim) as f64;
    let tasks = segments.len() * heads.kv;
    let plan = Plan { segments, causal };
    let (qkv, d_o) = (random(1, rows, heads.width(), 1.0)?, random(2, rows, heads.q * heads.dim, 1.0)?);
    let scale = (heads.dim as f64).powf(-0.5);
    let (o, lse) = forward(&qkv, &heads, &plan, scale, precision)?;
    let f = best(|| forward(&qkv, &heads, &plan, scale, precision).map(drop))?;
    let b = best(|| backward(&d_o, &qkv, &o, &lse, &heads, &plan, scale, precision).map(drop))?;
    let per_task = |t: f64| t * 1e6 / tasks as f64;
    eprintln!(
        "{precision:?} {name}: forward {:.3} ms, {:.0} GFLOP/s, {:.2} µs per segment and kv head; backward {:.3} ms, {:.0} GFLOP/s, {:.2} µs",
        f * 1e3,
        flops / f * 1e-9,
        per_task(f),
        b * 1e3,
        2.5 * flops / b * 1e-9,
        per_task(b)
    );
    Ok(())
}

fn heads(wanted: &str, name: &str, rows: usize, width: usize, vocabulary: usize, precision: Precision) -> Result<()> {
    if !name.contains(wanted) {
        return Ok(());
    }
    let (h, w) = (random(3, rows, width, 1.0)?, random(4, vocabulary, width, 0.02)?);
    let weight = Weight::new(w, precision)?;
    let entries = head::Rows {
        row: (0..rows as u32).collect(),
        target: (0..rows).map(|i| (i * 31 % vocabulary) as u32).collect(),
    };
    let (c, b) = (vec![-1.0; rows], vec![0.01; rows]);
    let (dh, dw) = (h.zeros_like()?, weight.value().zeros_like()?);
    let stats = head::forward(&h, &weight, &entries, 1.0, &[1])?;
    let f = best(|| head::forward(&h, &weight, &entries, 1.0, &[1]).map(drop))?;
    let acc = Acc { grad: &dw, first: true };
    let bw = best(|| head::backward(&h, &weight, &entries, &stats, 1.0, &[1], &c, &b, &dh, Some(acc)))?;
    let flops = 2.0 * (rows * width * vocabulary) as f64;
    eprintln!(
        "{precision:?} {name}: forward {:.3} ms, {:.0} GFLOP/s; backward {:.3} ms, {:.0} GFLOP/s",
        f * 1e3,
        flops / f * 1e-9,
        bw * 1e3,
        3.0 * flops / bw * 1e-9
    );
    Ok(())
}

fn decode(
    wanted: &str,
    name: &str,
    heads: Heads,
    (prompts, samples): (usize, usize),
    (prompt_len, own_len): (usize, usize),
    precision: Precision,
) -> Result<()> {
    if !name.contains(wanted) {
        return Ok(());
    }
    let mut cache = KvCache::new(DType::F32, precision, 1, heads, 10_000)?;
    let prompt_rows = random(5, prompt_len, heads.width(), 1.0)?;
    let mut sequences = vec![];
    for _ in 0..prompts {
        let prompt = cache.add_prompt(prompt_len)?;
        cache.write_prompt(prompt, 0, &prompt_rows, 0)?;
        for _ in 0..samples {
            sequences.push(cache.add_sequence(prompt)?);
        }
    }
    let rows = random(6, sequences.len(), heads.width(), 1.0)?;
    for _ in 0..own_len {
        cache.advance(&sequences)?;
        cache.decode(0, &rows, &sequences, 0.1, None)?;
    }
    let t = best(|| cache.decode(0, &rows, &sequences, 0.1, None).map(drop))?;
    let keys = prompts * (prompt_len + samples * own_len);
    let bytes = (keys * heads.kv * heads.dim * 2 * 4) as f64;
    eprintln!(
        "{precision:?} {name}: {:.3} ms a layer and token, {:.1} GB/s of keys and values",
        t * 1e3,
        bytes / t * 1e-9
    );
    Ok(())
}

fn sampling(wanted: &str) {
    let mut logits = vec![0f32; 151_936];
    Key::new(7, Purpose::Init).fill_normal(0, 3.0, &mut logits);
    let base = SampleParams::default();
    let cases = [
        ("sampling 151936 ids, plain", base.clone()),
        ("sampling 151936 ids, greedy", SampleParams { temperature: 0.0, ..base.clone() }),
        ("sampling 151936 ids, top-k 50", SampleParams { top_k: 50, ..base.clone() }),
        ("sampling 151936 ids, top-p 0.95", SampleParams { top_p: 0.95, ..base.clone() }),
        ("sampling 151936 ids, min-p 0.05", SampleParams { min_p: 0.05, ..base.clone() }),
    ];
    for (name, params) in cases.into_iter().filter(|(name, _)| name.contains(wanted)) {
        let mut seconds = f64::INFINITY;
        for i in 0..50 {
            let row = logits.clone();
            let start = Instant::now();
            std::hint::black_box(sample_row(&row, &params, &[1], &[], f64::from(i) / 50.0));
            seconds = seconds.min(start.elapsed().as_secs_f64());
        }
        eprintln!("{name}: {:.0} µs a row", seconds * 1e6);
    }
}
