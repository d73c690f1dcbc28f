//! Attention of one query row per sequence over cached blocks.
//!
//! A task is some sequences of one prompt and one kv head: each block of the prompt is read once for all their query heads, as one
//! product whose rows do not depend on each other. A sequence's own tokens follow query by query.

use candle_core::Tensor;
use coldstart_gemm::{Mat, MatMut, Scalar, gemm_serial, pool};

use super::{BLOCK_LEN, KvCache, OP, Run, SequenceId, Stored, get};
use crate::access::{output, with};
use crate::attention::softmax;
use crate::pieces::Pieces;
use crate::scratch::{self, Scratch};
use crate::simd::widest;
use crate::{Precision, Result, for_dtype};

/// Sequences per task: more share a prompt's keys, fewer leave more tasks to threads.
const ROWS_PER_TASK: usize = 16;

/// Rows `row0 .. row0 + rows` of the batch, which continue one prompt.
pub(super) struct Part {
    row0: usize,
    rows: usize,
    prompt: usize,
}

/// Attention of every row of `qkv`, whose sequences [`split`] has cut into `parts`. `old` becomes the output if its shape fits.
pub(super) fn run(
    cache: &KvCache,
    layer: usize,
    qkv: &Tensor,
    sequences: &[SequenceId],
    parts: &[Part],
    scale: f64,
    old: Option<Tensor>,
) -> Result<Tensor> {
    let heads = cache.heads;
    let width = heads.q * heads.dim;
    for_dtype!(OP, qkv, T => {
        // SAFETY: every row belongs to a part, and every part writes all heads of its rows.
        let out = unsafe { output::<T>(old, &[sequences.len(), width])? };
        with(OP, [("qkv", qkv)], [("out", &out)], |[qkv]: [&[T]; 1], [out]| {
            let pieces = Pieces::new(out);
            pool::run(parts.len() * heads.kv, &|task| {
                let part = &parts[task / heads.kv];
                let runs = Runs::new(cache, part, sequences);
                part_head(cache, layer, qkv, part, &runs, task % heads.kv, T::from_f64(scale), &pieces);
            });
        })?;
        Ok(out)
    })
}

/// Cuts the batch into parts; every sequence and its prompt is in the cache then.
pub(super) fn split(cache: &KvCache, sequences: &[SequenceId], parts: &mut Vec<Part>) -> Result<()> {
    parts.clear();
    for (row, id) in sequences.iter().enumerate() {
        let prompt = get(&cache.sequences, id.0, "sequence")?.prompt;
        match parts.last_mut() {
            Some(part) if part.prompt == prompt && part.rows < ROWS_PER_TASK => part.rows += 1,
            _ => {
                get(&cache.prompts, prompt, "prompt")?;
                parts.push(Part { row0: row, rows: 1, prompt });
            }
        }
    }
    Ok(())
}

static NOTHING: Run = Run { blocks: vec![], len: 0 };

/// The tokens that the rows of a part attend to.
struct Runs<'a> {
    prompt: &'a Run,
    own: [&'a Run; ROWS_PER_TASK],
}

impl<'a> Runs<'a> {
    /// What is not in the cache is empty; `split` has ruled that out.
    fn new(cache: &'a KvCache, part: &Part, sequences: &[SequenceId]) -> Self {
        let prompt = get(&cache.prompts, part.prompt, "prompt").map_or(&NOTHING, |prompt| &prompt.run);
        let mut own = [&NOTHING; ROWS_PER_TASK];
        for (own, id) in own.iter_mut().zip(&sequences[part.row0..][..part.rows]) {
            *own = get(&cache.sequences, id.0, "sequence").map_or(&NOTHING, |sequence| &sequence.own);
        }
        Self { prompt, own }
    }
}

fn part_head<T: Scratch + Stored>(
    cache: &KvCache,
    layer: usize,
    qkv: &[T],
    part: &Part,
    runs: &Runs,
    kv_head: usize,
    scale: T,
    out: &Pieces<T>,
) {
    let heads = cache.heads;
    let (dim, repeats) = (heads.dim, heads.repeats());
    let queries = part.rows * repeats;
    let prompt_stride = runs.prompt.blocks.len() * BLOCK_LEN;
    let longest = runs.own.iter().map(|run| run.blocks.len() * BLOCK_LEN).max().unwrap_or(0);
    let stride = prompt_stride + longest;
    let at = cache.head_at(layer, kv_head);
    let head = |block: usize| T::blocks(&cache.store)[block][at..][..2 * dim * BLOCK_LEN].split_at(dim * BLOCK_LEN);
    let precision = cache.precision;

    scratch::with([queries * dim, queries * stride, queries * dim], |[q, scores, o]: [&mut [T]; 3]| {
        for (row, q) in q.chunks_exact_mut(repeats * dim).enumerate() {
            let from = (part.row0 + row) * heads.width() + kv_head * repeats * dim;
            for (to, &q) in q.iter_mut().zip(&qkv[from..]) {
                *to = rounded(q, precision);
            }
        }
        for_blocks(runs.prompt, |block, first, tokens| {
            let keys = Mat::new(head(block).0, tokens, dim).t();
            let c = MatMut::strided(&mut scores[first..], queries, tokens, stride);
            gemm_serial(Mat::new(q, queries, dim), keys, c, false, precision);
        });
        widest(
            #[inline(always)]
            || {
                for (query, scores) in scores[..queries * stride].chunks_exact_mut(stride.max(1)).enumerate() {
                    let own = runs.own[query / repeats];
                    let q = &q[query * dim..][..dim];
                    let (prompt_scores, own_scores) = scores.split_at_mut(prompt_stride);
                    for_blocks(
                        own,
                        #[inline(always)]
                        |block, first, tokens| {
                            let scores = own_scores[first..first + tokens].iter_mut();
                            for (s, k) in scores.zip(head(block).0.chunks_exact(dim)) {
                                *s = softmax::dot(q, k);
                            }
                        },
                    );
                    let prompt_scores = softmax::mask(prompt_scores, runs.prompt.len);
                    let own_scores = softmax::mask(own_scores, own.len);
                    probabilities([prompt_scores, own_scores], scale, precision);
                }
            },
        );
        o.fill(T::ZERO);
        for_blocks(runs.prompt, |block, first, tokens| {
            let p = Mat::strided(&scores[first..], queries, tokens, stride, 1);
            gemm_serial(p, Mat::new(head(block).1, tokens, dim), MatMut::new(o, queries, dim), true, precision);
        });
        widest(
            #[inline(always)]
            || {
                for (query, (o, scores)) in o.chunks_exact_mut(dim).zip(scores.chunks_exact(stride.max(1))).enumerate()
                {
                    for_blocks(
                        runs.own[query / repeats],
                        #[inline(always)]
                        |block, first, tokens| {
                            let p = &scores[prompt_stride + first..][..tokens];
                            for (&p, v) in p.iter().zip(head(block).1.chunks_exact(dim)) {
                                softmax::add_scaled(o, p, v);
                            }
                        },
                    );
                }
            },
        );
        for (row, o) in o.chunks_exact(repeats * dim).enumerate() {
            // SAFETY: rows of the batch belong to one part, and these columns to one kv head.
            let to = unsafe { out.piece((part.row0 + row) * heads.q * dim + kv_head * repeats * dim, o.len()) };
            to.copy_from_slice(o);
        }
    });
}

/// Calls `f(block, index of its first token, tokens in it)`.
#[inline(always)]
fn for_blocks(run: &Run, mut f: impl FnMut(usize, usize, usize)) {
    for (i, &block) in run.blocks.iter().enumerate() {
        let first = i * BLOCK_LEN;
        f(block, first, (run.len.saturating_sub(first)).min(BLOCK_LEN));
    }
}

/// Softmax of scale·s over both parts together.
#[inline(always)]
fn probabilities<T: Scratch>([prompt, own]: [&mut [T]; 2], scale: T, precision: Precision) {
    let (a, b) = (softmax::maximum(prompt), softmax::maximum(own));
    let max = if b > a { b } else { a };
    let sum = softmax::exponentiate(prompt, max, scale) + softmax::exponentiate(own, max, scale);
    let inverse = T::ONE / sum;
    for part in [prompt, own] {
        for s in part.iter_mut() {
            *s = rounded(*s * inverse, precision);
        }
    }
}

/// `x` as a product of `precision` sees it.
#[inline(always)]
pub(super) fn rounded<T: Scalar>(x: T, precision: Precision) -> T {
    if precision != Precision::Bf16 {
        return x;
    }
    // Nearest even by integer arithmetic, which vectorises. Scores and activations that are NaN stay NaN: their upper half holds
    // the quiet bit.
    let bits = x.to_f32().to_bits();
    T::from_f32(f32::from_bits((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff_0000))
}
