//! A tile: query rows of one segment, for all query heads of one kv head, against every key they can see.
//!
//! The query heads of a kv head are stacked as rows (row-major, heads within), so that grouped heads share each product and each
//! packed key.

use std::ops::Range;

use coldstart_gemm::{Mat, MatMut, Precision, gemm_serial};

use super::{Heads, Plan, Segment};
use crate::access::Element;

/// Stacked rows per tile: enough to reuse packed keys, few enough that the scores of long segments stay in cache.
const STACKED_ROWS: usize = 128;
/// Fewest query rows per tile.
const MIN_ROWS: usize = 16;

/// Operands of one call.
pub(super) struct Call<'a, T> {
    pub qkv: &'a [T],
    pub heads: Heads,
    pub plan: &'a Plan,
    pub scale: f64,
    pub precision: Precision,
    pub rows: usize,
}

/// Rows `rows` of `segment` for kv head `kv_head`.
#[derive(Clone)]
pub(super) struct Tile {
    pub segment: Segment,
    /// Relative to the segment.
    pub rows: Range<usize>,
    pub kv_head: usize,
}

impl Tile {
    /// Keys that some row of the tile sees: the prefix, then this many of its own.
    pub fn own_keys(&self, causal: bool) -> usize {
        if causal { self.rows.end } else { self.segment.q_len }
    }
}

impl<'a, T: Element> Call<'a, T> {
    /// Cuts the query rows of a segment.
    pub fn tiles(&self, segment: Segment, kv_head: usize) -> impl Iterator<Item = Tile> + use<T> {
        let step = (STACKED_ROWS / self.heads.repeats()).max(MIN_ROWS);
        (0..segment.q_len).step_by(step).map(move |start| {
            let rows = start..(start + step).min(segment.q_len);
            Tile { segment, rows, kv_head }
        })
    }

    pub fn stacked_rows(&self, tile: &Tile) -> usize {
        tile.rows.len() * self.heads.repeats()
    }

    pub fn keys(&self, tile: &Tile) -> usize {
        tile.segment.prefix_len + tile.own_keys(self.plan.causal)
    }

    /// Where the stacked query heads of a row begin in a matrix `[n, width]` whose rows start with all query heads.
    pub fn stack_at(&self, tile: &Tile, row: usize, width: usize) -> usize {
        (tile.segment.q0 + tile.rows.start + row) * width + tile.kv_head * self.heads.repeats() * self.heads.dim
    }

    /// Copies the stacked query heads out of a matrix `[n, width]`.
    pub fn gather(&self, tile: &Tile, from: &[T], width: usize, to: &mut [T]) {
        let len = self.heads.repeats() * self.heads.dim;
        for (row, to) in to.chunks_exact_mut(len).enumerate() {
            let at = self.stack_at(tile, row, width);
            to.copy_from_slice(&from[at..at + len]);
        }
    }

    /// Visible keys of a stacked row.
    pub fn visible(&self, tile: &Tile, stacked_row: usize) -> usize {
        let own = if self.plan.causal {
            tile.rows.start + stacked_row / self.heads.repeats() + 1
        } else {
            tile.segment.q_len
        };
        tile.segment.prefix_len + own
    }

    /// `rows` rows of the head that starts at `column` of `qkv`.
    pub fn head(&self, row0: usize, rows: usize, column: usize) -> Mat<'a, T> {
        let width = self.heads.width();
        let start = if rows == 0 { 0 } else { row0 * width + column };
        Mat::strided(&self.qkv[start..], rows, self.heads.dim, width, 1)
    }

    /// The two runs of keys of a tile with the column at which each starts in a score row.
    pub fn runs(&self, tile: &Tile) -> [(usize, usize, usize); 2] {
        let segment = tile.segment;
        [(segment.prefix_k0, segment.prefix_len, 0), (segment.q0, tile.own_keys(self.plan.causal), segment.prefix_len)]
    }

    /// scores[:, keys] = stacked · headᵀ for the key or value head at `column`.
    pub fn times_transposed(&self, tile: &Tile, stacked: &[T], column: usize, scores: &mut [T], stride: usize) {
        let (m, dim) = (self.stacked_rows(tile), self.heads.dim);
        for (row0, len, key0) in self.runs(tile).into_iter().filter(|run| run.1 > 0) {
            let c = MatMut::strided(&mut scores[key0..], m, len, stride);
            gemm_serial(Mat::new(stacked, m, dim), self.head(row0, len, column).t(), c, false, self.precision);
        }
    }

    /// out = scores · head for the key or value head at `column`.
    pub fn times(&self, tile: &Tile, scores: &[T], stride: usize, column: usize, out: &mut [T]) {
        let (m, dim) = (self.stacked_rows(tile), self.heads.dim);
        for (row0, len, key0) in self.runs(tile).into_iter().filter(|run| run.1 > 0) {
            let a = Mat::strided(&scores[key0..], m, len, stride, 1);
            gemm_serial(a, self.head(row0, len, column), MatMut::new(out, m, dim), key0 > 0, self.precision);
        }
    }

    /// out[keys] += scoresᵀ · stacked; `out` holds rows `out_row0 ..` of one head, densely.
    pub fn transposed_times(
        &self,
        tile: &Tile,
        scores: &[T],
        stride: usize,
        stacked: &[T],
        out: &mut [T],
        out_row0: usize,
    ) {
        let (m, dim) = (self.stacked_rows(tile), self.heads.dim);
        for (row0, len, key0) in self.runs(tile).into_iter().filter(|run| run.1 > 0) {
            let a = Mat::strided(&scores[key0..], m, len, stride, 1).t();
            let c = MatMut::new(&mut out[(row0 - out_row0) * dim..], len, dim);
            gemm_serial(a, Mat::new(stacked, m, dim), c, true, self.precision);
        }
    }
}
