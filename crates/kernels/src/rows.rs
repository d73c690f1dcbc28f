//! Work split over the rows of a call: which part of which output a task writes.

use std::ops::Range;

use coldstart_gemm::pool;

use crate::access::Element;
use crate::pieces::Pieces;
use crate::simd::widest;

/// Work below this many bytes of traffic (about 20 µs of one core) stays on one thread.
const MIN_TASK_BYTES: usize = 192 << 10;

/// Fewest rows worth a task of their own if each row moves `bytes_per_row`.
pub fn min_rows(bytes_per_row: usize) -> usize {
    (MIN_TASK_BYTES / bytes_per_row.max(1)).max(1)
}

/// Splits `0..rows` over the pool and hands each task its rows of every output, compiled for the widest vectors.
///
/// `outputs[i]` has `rows · width_i` elements. `f` must treat each row alone, so that the split does not show in the
/// result. Mark the closure `#[inline(always)]`.
#[inline(always)]
pub fn for_rows<T: Element, const W: usize>(
    rows: usize,
    min_rows: usize,
    outputs: [&mut [T]; W],
    f: impl Fn(Range<usize>, [&mut [T]; W]) + Sync,
) {
    if rows == 0 {
        return;
    }
    let outputs = outputs.map(|data| (data.len() / rows, Pieces::new(data)));
    pool::rows(rows, min_rows, &|range| {
        let parts = std::array::from_fn(|i| {
            let (width, data) = &outputs[i];
            // SAFETY: `pool::rows` hands out each row once, so the pieces are disjoint; the outputs are borrowed until
            // it returns.
            unsafe { data.piece(range.start * width, range.len() * width) }
        });
        widest(
            #[inline(always)]
            || f(range, parts),
        );
    });
}
