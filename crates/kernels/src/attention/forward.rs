//! Forward: one task per tile.

use coldstart_gemm::pool;

use super::softmax;
use super::tile::{Call, Tile};
use crate::pieces::Pieces;
use crate::scratch::{self, Scratch};
use crate::simd::widest;

pub(super) fn run<T: Scratch>(call: &Call<T>, o: &mut [T], lse: &mut [T]) {
    let mut tiles: Vec<Tile> = vec![];
    for &segment in &call.plan.segments {
        for kv_head in 0..call.heads.kv {
            tiles.extend(call.tiles(segment, kv_head));
        }
    }
    // Longest first, so that the threads finish together. The order does not show in the result.
    tiles.sort_by_key(|tile| std::cmp::Reverse(call.keys(tile) * tile.rows.len()));
    let (o, lse) = (Pieces::new(o), Pieces::new(lse));
    pool::run(tiles.len(), &|i| one(call, &tiles[i], &o, &lse));
}

fn one<T: Scratch>(call: &Call<T>, tile: &Tile, o: &Pieces<T>, lse: &Pieces<T>) {
    let heads = call.heads;
    let (m, dim, repeats) = (call.stacked_rows(tile), heads.dim, heads.repeats());
    let stride = call.keys(tile).next_multiple_of(softmax::LANES);
    let scale = T::from_f64(call.scale);
    scratch::with([m * dim, m * stride, m * dim, m, m], |[q, scores, out, maxima, sums]: [&mut [T]; 5]| {
        call.gather(tile, call.qkv, heads.width(), q);
        call.times_transposed(tile, q, heads.k_column(tile.kv_head), scores, stride);
        widest(
            #[inline(always)]
            || {
                for (row, scores) in scores.chunks_exact_mut(stride).enumerate() {
                    let seen = softmax::mask(scores, call.visible(tile, row));
                    maxima[row] = softmax::maximum(seen);
                    sums[row] = softmax::exponentiate(seen, maxima[row], scale);
                }
            },
        );
        for row in 0..m {
            let head = tile.kv_head * repeats + row % repeats;
            let at = head * call.rows + tile.segment.q0 + tile.rows.start + row / repeats;
            // SAFETY: each (head, row) belongs to one tile.
            let lse = unsafe { lse.piece(at, 1) };
            lse[0] = maxima[row] * scale + sums[row].ln();
        }
        call.times(tile, scores, stride, heads.v_column(tile.kv_head), out);
        for row in 0..tile.rows.len() {
            let at = call.stack_at(tile, row, heads.q * dim);
            // SAFETY: the stacked heads of a row belong to one tile.
            let to = unsafe { o.piece(at, repeats * dim) };
            for h in 0..repeats {
                let stacked = row * repeats + h;
                let inv_sum = T::ONE / sums[stacked];
                let from = &out[stacked * dim..][..dim];
                for (to, &from) in to[h * dim..][..dim].iter_mut().zip(from) {
                    *to = from * inv_sum;
                }
            }
        }
    });
}
