//! Backward: one task per (group of segments that touch common rows, kv head).

use std::ops::Range;

use coldstart_gemm::pool;

use super::softmax;
use super::tile::{Call, Tile};
use crate::pieces::Pieces;
use crate::scratch::{self, Scratch};
use crate::simd::widest;

/// What the forward left, and the gradient that comes in.
pub(super) struct Saved<'a, T> {
    pub o: &'a [T],
    pub d_o: &'a [T],
    pub lse: &'a [T],
}

pub(super) fn run<T: Scratch>(call: &Call<T>, saved: &Saved<T>, dqkv: &mut [T]) {
    let mut groups = call.plan.groups();
    let work = |group: &Vec<usize>| -> usize {
        let segments = group.iter().map(|&i| call.plan.segments[i]);
        segments.map(|s| s.q_len * (s.prefix_len + s.q_len)).sum()
    };
    groups.sort_by_key(|group| std::cmp::Reverse(work(group)));
    let dqkv = Pieces::new(dqkv);
    let kv_heads = call.heads.kv;
    pool::run(groups.len() * kv_heads, &|task| {
        group_head(call, saved, &groups[task / kv_heads], task % kv_heads, &dqkv)
    });
}

fn group_head<T: Scratch>(call: &Call<T>, saved: &Saved<T>, group: &[usize], kv_head: usize, dqkv: &Pieces<T>) {
    let segments = || group.iter().map(|&i| call.plan.segments[i]);
    let touched = |row0: usize, len: usize| (len > 0).then_some(row0..row0 + len);
    let mut ranges: Vec<Range<usize>> =
        segments().flat_map(|s| [touched(s.q0, s.q_len), touched(s.prefix_k0, s.prefix_len)]).flatten().collect();
    // A group has a segment, and a segment a row, so there is a first and a last row; 0 never shows.
    let row0 = ranges.iter().map(|r| r.start).min().unwrap_or(0);
    let end = ranges.iter().map(|r| r.end).max().unwrap_or(0);
    let dim = call.heads.dim;
    let len = (end - row0) * dim;
    scratch::with([len, len], |[dk, dv]: [&mut [T]; 2]| {
        dk.fill(T::ZERO);
        dv.fill(T::ZERO);
        for segment in segments() {
            for tile in call.tiles(segment, kv_head) {
                one(call, saved, &tile, dk, dv, row0, dqkv);
            }
        }
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        ranges.dedup();
        for range in ranges {
            for row in range {
                let at = row * call.heads.width();
                let from = (row - row0) * dim;
                // SAFETY: rows of a group belong to no other group, and these columns to this kv head.
                let (to_k, to_v) = unsafe {
                    (
                        dqkv.piece(at + call.heads.k_column(kv_head), dim),
                        dqkv.piece(at + call.heads.v_column(kv_head), dim),
                    )
                };
                to_k.copy_from_slice(&dk[from..from + dim]);
                to_v.copy_from_slice(&dv[from..from + dim]);
            }
        }
    });
}

/// Adds a tile's share to `dk` and `dv` (rows from `row0` on) and writes its dQ.
fn one<T: Scratch>(
    call: &Call<T>,
    saved: &Saved<T>,
    tile: &Tile,
    dk: &mut [T],
    dv: &mut [T],
    row0: usize,
    dqkv: &Pieces<T>,
) {
    let heads = call.heads;
    let (m, dim, repeats) = (call.stacked_rows(tile), heads.dim, heads.repeats());
    let stride = call.keys(tile).next_multiple_of(softmax::LANES);
    let (k_column, v_column) = (heads.k_column(tile.kv_head), heads.v_column(tile.kv_head));
    scratch::with([m * dim, m * dim, m * dim, m * stride, m * stride], |[q, d_o, o, p, ds]: [&mut [T]; 5]| {
        call.gather(tile, call.qkv, heads.width(), q);
        call.gather(tile, saved.d_o, heads.q * dim, d_o);
        call.gather(tile, saved.o, heads.q * dim, o);
        call.times_transposed(tile, q, k_column, p, stride);
        call.times_transposed(tile, d_o, v_column, ds, stride);
        let scale = T::from_f64(call.scale);
        widest(
            #[inline(always)]
            || {
                for row in 0..m {
                    let d = softmax::dot(&d_o[row * dim..][..dim], &o[row * dim..][..dim]);
                    let head = tile.kv_head * repeats + row % repeats;
                    let lse = saved.lse[head * call.rows + tile.segment.q0 + tile.rows.start + row / repeats];
                    let visible = call.visible(tile, row);
                    let p = softmax::mask(&mut p[row * stride..][..stride], visible);
                    let ds = &mut ds[row * stride..][..stride];
                    ds[visible..].fill(T::ZERO);
                    softmax::gradient(p, &mut ds[..p.len()], scale, lse, d);
                }
            },
        );
        call.transposed_times(tile, p, stride, d_o, dv, row0);
        call.transposed_times(tile, ds, stride, q, dk, row0);
        // The output of the forward is not needed any more: its buffer takes dQ.
        let dq = o;
        call.times(tile, ds, stride, k_column, dq);
        for row in 0..tile.rows.len() {
            let at = call.stack_at(tile, row, heads.width());
            let len = repeats * dim;
            // SAFETY: the stacked heads of a row belong to one tile.
            let to = unsafe { dqkv.piece(at, len) };
            to.copy_from_slice(&dq[row * len..][..len]);
        }
    });
}
