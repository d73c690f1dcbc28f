//! Panels of bf16, rounded from f32 to nearest even on the way.
//!
//! Two orders. [`pairs`]: `[depth / 2, width]` pairs of neighbours in depth, for B and for the A of `vdpbf16ps`. [`rows`]:
//! `[depth / 32, 32, 32]`, tiles of 32 lanes by 32 steps of depth, lane by lane, for the A of AMX. Each is the other one
//! transposed in 16 × 16 blocks of pairs, so both come from the same two ways to read a block.

use std::arch::x86_64::*;

use super::avx512::transpose;
use crate::kernel::Source;

/// Lanes of the AMX panels.
pub(crate) const AMX_WIDTH: usize = 32;
/// Depth of a block: sixteen pairs.
const STEP: usize = 32;

/// Sixteen lanes by sixteen pairs of depth.
type Block = [__m512i; 16];

/// Packs pairs; the depth is padded to a multiple of `STEP_OUT` (2 or 32) with zeros.
///
/// # Safety
/// AVX-512 F, BW and BF16. `source` is valid for `lanes` by `depth`, `panel` for the padded depth of `W` lanes; `lanes <= W`.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(crate) unsafe fn pairs<const W: usize, const STEP_OUT: usize>(
    source: Source<f32>,
    lanes: usize,
    depth: usize,
    panel: *mut u8,
) {
    let panel: *mut u32 = panel.cast();
    let padded = depth.next_multiple_of(STEP_OUT);
    for start in (0..depth).step_by(STEP) {
        let pairs = STEP.min(padded - start) / 2;
        for first in (0..W).step_by(16) {
            let width = 16.min(W - first);
            let keep = mask(width);
            // SAFETY: the block lies inside the source; `pairs` rows of W lanes follow in the panel.
            unsafe {
                let block = by_pair(source, lanes, depth, first, start);
                for (i, row) in block.iter().enumerate().take(pairs) {
                    _mm512_mask_storeu_epi32(panel.add((start / 2 + i) * W + first).cast(), keep, *row);
                }
            }
        }
    }
}

/// Packs tiles of rows.
///
/// # Safety
/// As [`pairs`] with `W` = 32 and the depth padded to a multiple of 32.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(crate) unsafe fn rows(source: Source<f32>, lanes: usize, depth: usize, panel: *mut u8) {
    let panel: *mut u32 = panel.cast();
    for start in (0..depth).step_by(STEP) {
        for first in (0..AMX_WIDTH).step_by(16) {
            // SAFETY: the block lies inside the source; a tile of 32 lanes of 16 pairs lies in the panel.
            unsafe {
                let block = by_lane(source, lanes, depth, first, start);
                let tile = panel.add(start * AMX_WIDTH / 2 + first * 16);
                for (i, lane) in block.iter().enumerate() {
                    _mm512_storeu_si512(tile.add(i * 16).cast(), *lane);
                }
            }
        }
    }
}

/// A block with a vector per pair of depth.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn by_pair(source: Source<f32>, lanes: usize, depth: usize, first: usize, start: usize) -> Block {
    // SAFETY: promised by the callers.
    unsafe {
        if source.depth_stride == 1 && source.lane_stride != 1 {
            transpose_block(read_along_depth(source, lanes, depth, first, start))
        } else {
            read_along_lanes(source, lanes, depth, first, start)
        }
    }
}

/// A block with a vector per lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn by_lane(source: Source<f32>, lanes: usize, depth: usize, first: usize, start: usize) -> Block {
    // SAFETY: promised by the callers.
    unsafe {
        if source.depth_stride == 1 {
            read_along_depth(source, lanes, depth, first, start)
        } else {
            transpose_block(read_along_lanes(source, lanes, depth, first, start))
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn read_along_depth(source: Source<f32>, lanes: usize, depth: usize, first: usize, start: usize) -> Block {
    let mut block = [_mm512_setzero_si512(); 16];
    let len = depth - start;
    let (low, high) = (mask(len), mask(len.saturating_sub(16)));
    for (i, out) in block.iter_mut().enumerate().take(lanes.saturating_sub(first)) {
        // SAFETY: masked elements are not touched.
        unsafe {
            let from = source.data.add((first + i) * source.lane_stride + start);
            let even = _mm512_maskz_loadu_ps(low, from);
            let odd = _mm512_maskz_loadu_ps(high, from.wrapping_add(16));
            *out = convert(odd, even);
        }
    }
    block
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn read_along_lanes(source: Source<f32>, lanes: usize, depth: usize, first: usize, start: usize) -> Block {
    let interleave: [u16; 32] = std::array::from_fn(|i| (i / 2 + i % 2 * 16) as u16);
    // SAFETY: 64 bytes.
    let interleave = unsafe { _mm512_loadu_si512(interleave.as_ptr().cast()) };
    let there = lanes.saturating_sub(first).min(16);
    let read = |d: usize| {
        if d >= depth {
            return _mm512_setzero_ps();
        }
        // SAFETY: only lanes that exist are read.
        unsafe {
            let from = source.data.add(first * source.lane_stride + d * source.depth_stride);
            if source.lane_stride == 1 {
                _mm512_maskz_loadu_ps(mask(there), from)
            } else {
                let mut gathered = [0.0; 16];
                for (i, x) in gathered.iter_mut().enumerate().take(there) {
                    *x = *from.add(i * source.lane_stride);
                }
                _mm512_loadu_ps(gathered.as_ptr())
            }
        }
    };
    let mut block = [_mm512_setzero_si512(); 16];
    if there > 0 {
        for (i, out) in block.iter_mut().enumerate() {
            let d = start + 2 * i;
            *out = _mm512_permutexvar_epi16(interleave, convert(read(d + 1), read(d)));
        }
    }
    block
}

/// Rounds 32 values; `low` comes first.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn convert(high: __m512, low: __m512) -> __m512i {
    // SAFETY: both are 512 bits of plain data.
    unsafe { std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high, low)) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn transpose_block(block: Block) -> Block {
    // SAFETY: the same bits, read as other lanes.
    unsafe { std::mem::transmute::<[__m512; 16], Block>(transpose(std::mem::transmute::<Block, [__m512; 16]>(block))) }
}

/// The first `len` of sixteen.
#[inline(always)]
fn mask(len: usize) -> __mmask16 {
    if len >= 16 { !0 } else { (1 << len) - 1 }
}
